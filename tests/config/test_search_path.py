"""The search path of recipes and callbacks: the working directory first, then what is shipped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rlsf_lightning.config import extension_points, search_path
from rlsf_lightning.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_working_directory_comes_first(here: Path) -> None:
    assert search_path.find_recipe("chem_iupac") == ROOT / "recipes" / "chem_iupac.yaml"
    (here / "recipes").mkdir()
    mine = here / "recipes" / "chem_iupac.yaml"
    mine.write_text("# Mine.\n")
    assert search_path.find_recipe("chem_iupac") == mine
    assert search_path.find_recipe("_base") == ROOT / "recipes" / "_base.yaml"


def test_a_path_is_relative_to_the_working_directory_or_to_the_file_that_names_it(here: Path) -> None:
    (here / "deep").mkdir()
    (here / "deep" / "one.yaml").write_text("")
    assert search_path.find_recipe("deep/one.yaml") == here / "deep" / "one.yaml"
    assert search_path.find_recipe("one.yaml", named_in=here / "deep" / "two.yaml") == here / "deep" / "one.yaml"
    assert search_path.find_recipe(str(here / "deep" / "one.yaml")) == here / "deep" / "one.yaml"
    with pytest.raises(UserError, match="no recipe file"):
        search_path.find_recipe("one.yaml")


@pytest.mark.parametrize("name", ["", "nothing", "deep", "..", "a\x00b", "x" * 300])
def test_what_is_not_there_is_told_with_what_is(here: Path, name: str) -> None:
    (here / "recipes" / "deep").mkdir(parents=True)
    with pytest.raises(UserError, match=r"recipes: .*chem_iupac"):
        search_path.find_recipe(name)


def test_the_list_shows_the_first_header_line_and_hides_bases(here: Path) -> None:
    folder = here / "recipes"
    folder.mkdir()
    (folder / "a.yaml").write_text("# What it is.\n#\n# More.\nseed: 1\n# not this\n")
    (folder / "b.yaml").write_text("seed: 1\n# not this\n")
    (folder / "_hidden.yaml").write_text("# Hidden.\n")
    listed = search_path.list_recipes()
    assert [name for name, _, _ in listed] == sorted(name for name, _, _ in listed)
    assert ("a", folder / "a.yaml", "What it is.") in listed
    assert ("b", folder / "b.yaml", "") in listed
    assert "chem_iupac" in {name for name, _, _ in listed}
    assert not any(name.startswith("_") for name, _, _ in listed)
    assert search_path.recipe_header(folder / "a.yaml") == ["What it is.", "", "More."]


def test_callback_folders_are_listed_once_and_only_if_they_exist(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert extension_points.search_folders("callbacks") == [ROOT / "callbacks"]
    (here / "callbacks").mkdir()
    assert extension_points.search_folders("callbacks") == [here / "callbacks", ROOT / "callbacks"]
    monkeypatch.chdir(ROOT)
    assert extension_points.search_folders("callbacks") == [ROOT / "callbacks"]


def test_an_installed_package_brings_both_rooms_inside_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = here / "site-packages" / "rlsf_lightning"
    (package / "_shipped" / "recipes").mkdir(parents=True)
    (package / "_shipped" / "callbacks").mkdir()
    (here / "site-packages" / "recipes").mkdir()  # another package's
    monkeypatch.setattr(extension_points, "_PACKAGE", package)
    (package / "_shipped" / "recipes" / "packed.yaml").write_text("# Packed.\n")
    assert search_path.list_recipes() == [("packed", package / "_shipped" / "recipes" / "packed.yaml", "Packed.")]
    assert extension_points.search_folders("callbacks") == [package / "_shipped" / "callbacks"]


def run_python(code: str, cwd: Path) -> bytes:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment, check=True, capture_output=True
    ).stdout


def test_drop_ins_import_from_anywhere_and_unpickle_in_another_process(here: Path) -> None:
    (here / "callbacks").mkdir()
    (here / "callbacks" / "mine.py").write_text("class Mine:\n    def __init__(self, n): self.n = n\n")
    pickled = run_python(
        "import pickle, sys; from rlsf_lightning.callbacks.mine import Mine; "
        "sys.stdout.buffer.write(pickle.dumps(Mine(7), protocol=4))",
        here,
    )
    assert b"rlsf_lightning.callbacks.mine" in pickled
    read_back = run_python(f"import pickle; print(pickle.loads({pickled!r}).n)", here)
    assert read_back.strip() == b"7"


def test_an_own_callback_hides_the_shipped_one_of_the_same_name(here: Path) -> None:
    find = "import importlib.util as u; print(u.find_spec('rlsf_lightning.callbacks.verifier').origin)"
    assert Path(run_python(find, here).decode().strip()) == ROOT / "callbacks" / "verifier.py"
    (here / "callbacks").mkdir()
    (here / "callbacks" / "verifier.py").write_text("")
    assert Path(run_python(find, here).decode().strip()) == here / "callbacks" / "verifier.py"
