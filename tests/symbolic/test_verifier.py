"""How a recipe's name and options become a verifier, and what a wrong one is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from rlsf_lightning.config.extension_points import VERIFIER
from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.loader import find_verifier, load_verifier
from rlsf_lightning.symbolic.verifiers.smiles.verifier import SmilesVerifier


def test_a_name_is_a_file_of_the_room() -> None:
    verifier = load_verifier("smiles", {"explain": False})
    assert isinstance(verifier, SmilesVerifier) and verifier.explain is False
    assert find_verifier("rlsf_lightning.symbolic.verifiers.smiles:SmilesVerifier") is SmilesVerifier
    assert find_verifier("rlsf_lightning.symbolic.verifiers.smiles") is SmilesVerifier
    assert "smiles" in VERIFIER.shipped()


@pytest.fixture
def own_verifiers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_verifiers.py").write_text(
        """
from rlsf_lightning.records import Certificate, Verdict

class Length:
    kinds = frozenset()
    def __init__(self, *, most: int = 3):
        self.most = most
    def verify(self, prompt, completion):
        return Certificate(Verdict.PASS, score=1.0) if len(completion) <= self.most else Certificate(Verdict.FAIL)

class NoVerifier:
    pass

VERIFIER = Length
""",
        encoding="utf-8",
    )
    (tmp_path / "needs_nothing.py").write_text(
        "import a_module_that_is_not_there\n\nclass Class: ...\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_users_own_verifier(own_verifiers: None) -> None:
    verifier = load_verifier("own_verifiers:Length", {"most": 2})
    assert verifier.verify(Prompt("", ""), "abc").verdict is Verdict.FAIL
    assert load_verifier("own_verifiers:Length", {}).verify(Prompt("", ""), "abc").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("smile", {}, ["smile", "did you mean `smiles`", "package.module:name"]),
        ("rlsf_lightning.symbolic.credit", {}, ["VERIFIER", "no verifier"]),
        ("no_such_package.verifier:Class", {}, ["no_such_package.verifier:Class", "no such verifier"]),
        ("own_verifiers:Lenght", {}, ["own_verifiers:Lenght", "no verifier `Lenght`", "did you mean `Length`"]),
        ("own_verifiers:NoVerifier", {}, ["NoVerifier", "verify"]),
        ("own_verifiers:Length", {"must": 1}, ["verifier.options.must", "did you mean `most`", "it has most"]),
        ("smiles", {"max_char": 1}, ["max_char", "max_chars", "explain", "mcs_seconds"]),
        ("smiles", {"max_chars": 10_000}, ["max_chars=10000", "1000"]),
        ("smiles", {"max_chars": "many"}, ["verifier.options of smiles"]),
    ],
)
def test_mistakes_are_named_with_the_way_out(
    own_verifiers: None, name: str, options: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(UserError) as error:
        load_verifier(name, options)
    for word in words:
        assert word in str(error.value)


def test_a_missing_dependency_of_a_verifier_is_no_missing_verifier(own_verifiers: None) -> None:
    with pytest.raises(
        UserError, match=r"cannot be imported: ModuleNotFoundError: .*a_module_that_is_not_there"
    ) as told:
        load_verifier("needs_nothing:Class", {})
    assert isinstance(told.value.__cause__, ModuleNotFoundError)


def test_the_loader_itself_imports_no_tool() -> None:
    code = "import sys, rlsf_lightning.symbolic.verifier; print({'rdkit', 'numpy', 'torch'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
