"""References to objects: what they name, and what is told of a wrong one without importing anything."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rlsf_lightning.config.extension_points import CREDIT, LOGGER, VERIFIER
from rlsf_lightning.config.plugins import Entry, Kind, beside, check, files_as_entries, names_in, resolve, summary_of
from rlsf_lightning.config.recipe import load_recipe
from rlsf_lightning.errors import UserError

KIND = Kind("some.key", "thing", lambda: {"sqrt": Entry("math:sqrt", ""), "floor": Entry("math:floor", "")})
SOURCE = '''"""A module.

More.
"""
import os.path as path
from collections import OrderedDict, deque as queue

raise RuntimeError("it is imported")

if path:
    def chosen(): "Chosen."
else:
    one, (two, three) = 1, (2, 3)
for loop in (): pass
with open("x") as file: later: int = 1
class Thing: inner = 1
_hidden = 0
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "mine.py").write_text(SOURCE)
    package = tmp_path / "parcel"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('the package is imported')\n")
    (package / "inside.py").write_text("def found(): ...\n")
    (package / "dynamic.py").write_text("def __getattr__(name): return print\n")
    (package / "torn.py").write_text("def found(:\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in ("mine", "parcel")]:
        del sys.modules[name]


def told(reference: str, kind: Kind = KIND) -> str:
    with pytest.raises(UserError) as error:
        check(kind, reference)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_ships_a_module_and_a_file(folder: Path) -> None:
    assert resolve(KIND, "sqrt")(4) == 2 and resolve(KIND, "math:floor")(1.5) == 1
    (folder / "twice.py").write_text("def twice(x): return 2 * x\n")
    assert resolve(KIND, f"{folder}/twice.py:twice")(2) == 4
    assert resolve(KIND, "twice:twice")(3) == 6
    assert resolve(KIND, f"{folder}/twice.py:twice") is resolve(KIND, f"{folder}/twice.py:twice")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (
            "sqr",
            ["some.key=sqr: no such thing", "did you mean `sqrt`? Write one of sqrt, floor, package.module:name"],
        ),
        ("nowhere:sqrt", ["no such thing"]),
        ("parcel.insid:found", ["no such thing"]),
        ("parcel.inside:fund", ["has no thing `fund`", "did you mean `found`?"]),
        ("parcel.inside", ["which thing of", "Write parcel.inside:NAME"]),
        ("mine:chose", ["did you mean `chosen`?"]),
        ("mine.py:chosen", ["no such thing"]),
        ("mine:", ["which thing of"]),
        ("", ["no such thing"]),
        ("a..b:c", ["no such thing"]),
        ("math.sqrt:x", ["no such thing"]),
        ("x" * 300, ["no such thing"]),
        ("a\0b:c", ["no such thing"]),
    ],
)
def test_a_wrong_reference_is_told_and_nothing_is_imported(folder: Path, reference: str, words: list[str]) -> None:
    message = told(reference)
    assert all(word in message for word in words), message
    assert not {"mine", "parcel", "parcel.inside"} & sys.modules.keys()


@pytest.mark.parametrize(
    "reference", ["mine:Thing", "parcel.inside:found", "parcel.dynamic:anything", "parcel.torn:found"]
)
def test_what_the_text_cannot_refute_is_left_to_the_import(folder: Path, reference: str) -> None:
    check(KIND, reference)
    with pytest.raises(UserError, match=r"cannot be imported: (RuntimeError|SyntaxError): .* \(.*\.py:\d+\)$") as told:
        resolve(KIND, reference)
    assert isinstance(told.value.__cause__, RuntimeError | SyntaxError)


def test_an_object_of_another_kind_is_told(folder: Path) -> None:
    with pytest.raises(UserError, match=r"verifier.name=math:sqrt: math has no verifier `sqrt`, which must be a class"):
        resolve(VERIFIER, "math:sqrt")
    for name in ("pi", "sqrt"):
        with pytest.raises(
            UserError, match=rf"here=math:{name}: math has no credit scheme `{name}`, which must be a func"
        ):
            resolve(CREDIT, f"math:{name}", "here")
    with pytest.raises(UserError, match=r"no credit scheme `Recipe`"):
        resolve(CREDIT, "rlsf_lightning.config.schema:Recipe")


def test_the_names_of_a_module_are_read_off_its_text(folder: Path) -> None:
    names = names_in(folder / "mine.py")
    assert names is not None
    assert names == set("path OrderedDict queue chosen one two three loop file later Thing _hidden".split())
    assert names_in(folder / "parcel" / "dynamic.py") is None and names_in(folder / "parcel" / "torn.py") is None


def test_summaries_are_first_lines(folder: Path) -> None:
    assert summary_of(folder / "mine.py") == "A module." and summary_of(folder / "mine.py", "Thing") == ""
    (folder / "two.py").write_text('def f():\n    """Says ``x``.\n\n    More.\n    """\n')
    assert summary_of(folder / "two.py", "f") == "Says `x`."


def test_a_folder_is_a_registry(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.py").write_text('"""Hidden by the first."""')
    (tmp_path / "other" / "_no.py").write_text("")
    (tmp_path / "other" / "late.py").write_text('"""Late."""')
    found = files_as_entries([folder, tmp_path / "other"], "p", "X")
    assert {name: (entry.reference, entry.summary) for name, entry in found.items()} == {
        "late": ("p.late:X", "Late."),
        "mine": ("p.mine:X", "A module."),
        "parcel": ("p.parcel:X", ""),
    }


def test_a_file_beside_the_recipe(folder: Path) -> None:
    path = str((folder / "mine.py").resolve())
    for written in ("mine.py:Thing", "mine:Thing"):
        assert beside(KIND, written, folder) == f"{path}:Thing"
    assert beside(VERIFIER, "mine", folder) == path and beside(KIND, "mine", folder) == "mine"
    for written in ("other:Thing", "parcel.inside:found", "sqrt", "nothing.py:x"):
        assert beside(KIND, written, folder) == written


def test_names_in_a_recipe_are_looked_up_beside_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = folder / "deep" / "own.yaml"
    recipe.parent.mkdir()
    (recipe.parent / "mine.py").write_text("def pay(*_): ...\n\nclass Watch: ...\n\nclass Log: ...\n")
    recipe.write_text(
        "data: {source: iupac}\nverifier: smiles\nalgorithm: {credit: 'mine:pay'}\n"
        "callbacks: {'mine:Watch': {}}\nlogger: {'mine.py:Log': {}}\n"
    )
    loaded = load_recipe(str(recipe))
    there = str(recipe.parent.resolve() / "mine.py")
    assert loaded.algorithm.credit == f"{there}:pay"
    assert [*loaded.callbacks, *loaded.logger] == [f"{there}:Watch", f"{there}:Log"]


def test_a_logger_as_it_was_written_before(folder: Path) -> None:
    old = load_recipe("chem_iupac", ["logger[lightning.pytorch.loggers.CSVLogger]={}"])
    assert list(old.logger) == ["lightning.pytorch.loggers:CSVLogger"]
    check(LOGGER, "CSVLogger")
