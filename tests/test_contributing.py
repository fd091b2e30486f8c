"""The page for contributors, followed to the letter in a copy of the tree: what it adds ships, and no other file changes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "contributing.md").read_text()
_FILE = re.compile(r"^(`{3,})\w+\n# (\S+/\S+)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"^```\n( {4}\"\w+\": EstimatorSpec\(.*?\n)```$", re.MULTILINE | re.DOTALL)
_REGISTRY = "ESTIMATORS: Mapping[str, EstimatorSpec] = {\n"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with everything that the page adds."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("rlsf_lightning", "recipes", "callbacks", "docs", "tests", "pyproject.toml", "README.md"):
        source = ROOT / name
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(source, folder / name, ignore=ignore) if source.is_dir() else shutil.copy(source, folder / name)
    for _, path, text in _FILE.findall(PAGE):
        assert not (folder / path).exists(), f"{path} is there already"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    registry = folder / "rlsf_lightning" / "config" / "estimator_specs.py"
    (line,) = _LINE.findall(PAGE)
    before = registry.read_text()
    assert before.count(_REGISTRY) == 1
    registry.write_text(before.replace(_REGISTRY, _REGISTRY + line))
    return folder


def run(tree: Path, *words: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(tree)}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=tree, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_what_a_contributor_adds_is_listed_and_explained(tree: Path) -> None:
    listed = run(tree, "rlsf_lightning.fit", "recipe=list")
    for expected in (
        "chem_iupac_scalar  IUPAC name in, SMILES out, with all",
        "palindrome  Palindromes of a given length",
        "sign           sign of the reward-to-go; no critic",
    ):
        assert expected in listed
    chosen = "not (command_prints or validate_prints) or palindrome"
    run(tree, "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, "tests/test_docs.py")


def test_what_a_contributor_adds_holds_the_architecture_and_what_all_verifiers_do(tree: Path) -> None:
    names = ("test_architecture.py", "symbolic/verifiers/test_palindrome.py", "symbolic/test_verifier.py")
    run(tree, "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/{name}" for name in names))


@pytest.mark.slow
def test_what_a_contributor_adds_passes_the_tests_that_everything_of_its_kind_passes(tree: Path) -> None:
    run(tree, "pytest", "-q", "-p", "no:cacheprovider", "tests/rl")
    run(
        tree,
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/recipes",
        "tests/config",
        "-k",
        "scalar or sign or config",
    )
