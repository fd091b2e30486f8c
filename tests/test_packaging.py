"""What is installed, and what importing it costs."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import rlsf_lightning

ROOT = Path(__file__).parents[1]
TORCH_FREE_MODULES = ("records", "suggest", "callbacks", "errors")
TORCH_FREE_PACKAGES = ("config", "symbolic", "prompts")


def run_python(code: str, cwd: Path, path: Path = ROOT) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_public_names_are_few_and_all_there() -> None:
    assert len(rlsf_lightning.__all__) <= 12
    for name in rlsf_lightning.__all__:
        assert getattr(rlsf_lightning, name) is not None
        assert name in dir(rlsf_lightning)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        rlsf_lightning.nothing  # noqa: B018


def test_the_torch_free_part_imports_no_torch(tmp_path: Path) -> None:
    modules = [f"rlsf_lightning.{name}" for name in TORCH_FREE_MODULES]
    for package in TORCH_FREE_PACKAGES:
        files = sorted((ROOT / "rlsf_lightning" / package).glob("*.py"))
        modules += [f"rlsf_lightning.{package}.{file.stem}" for file in files if file.stem != "__init__"]
    code = f"""
import importlib, sys
import rlsf_lightning
rlsf_lightning.Prompt, rlsf_lightning.load_recipe
for name in {modules!r}:
    importlib.import_module(name)
    heavy = {{"torch", "lightning", "pytorch_lightning", "transformers", "peft"}} & sys.modules.keys()
    assert not heavy, f"{{name}} imports {{sorted(heavy)}}"
print("light")
"""
    assert run_python(code, tmp_path) == "light"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_beside_it(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in held} == {
        "rlsf_lightning",
        f"rlsf_lightning-{rlsf_lightning.__version__}.dist-info",
    }
    expected = set()
    for folder, place in [
        ("rlsf_lightning", "rlsf_lightning"),
        ("recipes", "rlsf_lightning/_shipped/recipes"),
        ("callbacks", "rlsf_lightning/_shipped/callbacks"),
    ]:
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        expected |= {f"{place}/{path.relative_to(ROOT / folder).as_posix()}" for path in files}
    assert {name for name in held if name.startswith("rlsf_lightning/")} == expected
    for name in (
        "prompts/sources/iupac_index.npz",
        "_shipped/recipes/_base.yaml",
        "_shipped/callbacks/verifier.py",
        "fit.py",
    ):
        assert f"rlsf_lightning/{name}" in held


@pytest.mark.slow
def test_an_unpacked_wheel_finds_its_recipes_and_callbacks(wheel: Path, tmp_path: Path) -> None:
    site, work = tmp_path / "site", tmp_path / "work"
    work.mkdir()
    zipfile.ZipFile(wheel).extractall(site)
    code = """
import importlib.util
from rlsf_lightning import load_recipe
from rlsf_lightning.config.search_path import find_recipe
load_recipe("chem_iupac")
print(find_recipe("chem_iupac"), importlib.util.find_spec("rlsf_lightning.callbacks.verifier").origin, sep="\\n")
"""
    shipped = site / "rlsf_lightning" / "_shipped"
    assert run_python(code, work, site).splitlines() == [
        str(shipped / "recipes" / "chem_iupac.yaml"),
        str(shipped / "callbacks" / "verifier.py"),
    ]
