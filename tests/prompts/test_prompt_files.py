"""A user's own files: every format gives the same prompts; broken ones name the place and the line to write."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from rlsf_lightning.config.schema import Columns, Data
from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts import files, readers
from rlsf_lightning.prompts.splits import FOUR_WAY, assign_split
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifiers.smiles import SmilesVerifier

# Cells that a reader with a mind of its own would change: a missing-value word, a leading zero, a date, quotes.
ROWS = [("ethane", "CC"), ("NA", "nan"), ("007", "1.50"), ("2020-01-01", "null"), ('5"-x, y', "C")]


def told(
    path: Path, columns: Columns | None = None, split: str = "all", split_key: Callable[[str], str] | None = None
) -> list[tuple[str, str | None]]:
    return [
        (p.text, p.reference)
        for p in files.prompts(Data(path=str(path), columns=columns or Columns()), split, split_key)
    ]


def as_csv() -> str:
    return 'id,prompt,reference\n1,ethane,CC\n2,NA,nan\n3,007,1.50\n\n4,2020-01-01,null\n5,"5""-x, y", C \n'


def as_tsv() -> str:
    return 'id\tprompt\treference\n1\tethane\tCC\n2\tNA\tnan\n3\t007\t1.50\n4\t2020-01-01\tnull\n5\t5"-x, y\tC\n'


def as_jsonl() -> str:
    return "".join(json.dumps({"prompt": a, "reference": b, "extra": {"n": 1}}) + "\n" for a, b in ROWS)


def as_json() -> str:
    return json.dumps([{"prompt": a, "reference": b} for a, b in ROWS], indent=1)


@pytest.mark.parametrize(
    "name, text", [("p.csv", as_csv()), ("p.tsv", as_tsv()), ("p.jsonl", as_jsonl()), ("p.json", as_json())]
)
@pytest.mark.parametrize("kind", ["plain", "gz", "windows"])
def test_every_text_format_reads_the_same_cells(tmp_path: Path, name: str, text: str, kind: str) -> None:
    path = tmp_path / (name + ".gz" if kind == "gz" else name)
    content = text.encode()
    if kind == "windows":
        content = b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n")  # as Excel writes it
    path.write_bytes(gzip.compress(content) if kind == "gz" else content)
    files.check(Data(path=str(path), columns=Columns()))
    assert told(path) == ROWS


def test_facts_keep_their_types(tmp_path: Path) -> None:
    path = tmp_path / "hands.jsonl"
    tests = [{"input": "1 2", "output": 3, "share": 2.5e-1}]
    path.write_text(json.dumps({"prompt": "a", "reference": 24, "numbers": [4, -6], "tests": tests, "ok": True}) + "\n")
    columns = Columns(facts=["numbers", "tests", "ok"])
    files.check(Data(path=str(path), columns=columns))
    (prompt,) = files.prompts(Data(path=str(path), columns=columns), "all")
    assert prompt.reference == "24" and prompt.facts == {"numbers": [4, -6], "tests": tests, "ok": True}
    assert type(prompt.facts["numbers"][0]) is int and type(prompt.facts["tests"][0]["input"]) is str
    with pytest.raises(
        UserError, match=r"no column `number`; did you mean `numbers`[\s\S]*data.columns.facts=\[numbers\]"
    ):
        files.check(Data(path=str(path), columns=Columns(facts=["number"])))


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    table = pyarrow.table({"prompt": [a for a, _ in ROWS], "reference": [b for _, b in ROWS], "n": [1, 2, 3, 4, 5]})
    pyarrow.parquet.write_table(table, path)
    files.check(Data(path=str(path), columns=Columns()))
    assert told(path) == ROWS
    assert [reference for _, reference in told(path, Columns("prompt", "n"))] == ["1", "2", "3", "4", "5"]


def test_ids_are_the_files_name_and_row_and_stay_with_the_row(tmp_path: Path) -> None:
    path = tmp_path / "my file[1]*.csv"  # a name that a glob would not take literally
    path.write_text("prompt,reference\na,1\n,2\nc,3\n")
    with pytest.warns(UserWarning):
        prompts = list(files.prompts(Data(path=str(path), columns=Columns()), "all"))
    assert prompts == [
        Prompt("my file[1]*.csv:1", "a", reference="1"),
        Prompt("my file[1]*.csv:3", "c", reference="3"),
    ]


def test_json_scalars_keep_their_spelling(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"prompt": 1.50, "reference": true}\n{"prompt": 12345678901234567890123, "reference": -0}\n')
    assert told(path) == [("1.50", "true"), ("12345678901234567890123", "-0")]


def test_empty_cells_are_skipped_with_one_warning(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"prompt": "a", "reference": "b"}\n{"prompt": "c"}\n{"prompt": " ", "reference": "b"}\n')
    with pytest.warns(UserWarning, match="2 of 3 rows were skipped, their cells are empty") as caught:
        assert told(path) == [("a", "b")]
    assert len(caught) == 1


# --- columns ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.tsv"
    path.write_text("iupac\tsmiles\nethane\tCC\n")
    return path


def test_columns_by_name(pairs: Path) -> None:
    assert told(pairs, Columns("iupac", "smiles")) == [("ethane", "CC")]
    assert told(pairs, Columns("smiles", "iupac")) == [("CC", "ethane")]


def test_no_answers_have_to_be_asked_for(pairs: Path) -> None:
    assert told(pairs, Columns("iupac", None)) == [("ethane", None)]
    with pytest.raises(UserError, match=r"no column `reference`\ncolumns: iupac, smiles\n.*columns\.reference=null"):
        files.check(Data(path=str(pairs), columns=Columns("iupac")))


@pytest.mark.parametrize(
    "columns, message",
    [
        (
            Columns("iupaq", "smiles"),
            r"no column `iupaq`; did you mean `iupac`\?\ncolumns: iupac, smiles\n.*prompt=iupac$",
        ),
        (Columns("iupac", "smile"), r"no column `smile`; did you mean `smiles`\?\n.*\n.*columns\.reference=smiles"),
        (Columns(), r"no column `prompt`\ncolumns: iupac, smiles\nset data\.columns\.prompt=NAME$"),
    ],
)
def test_missing_columns_name_the_nearest_and_the_line_to_write(pairs: Path, columns: Columns, message: str) -> None:
    for act in (lambda: files.check(Data(path=str(pairs), columns=columns)), lambda: told(pairs, columns)):
        with pytest.raises(UserError, match=message):
            act()


# --- broken files -----------------------------------------------------------------------------------------------------

BROKEN: list[tuple[str, bytes, str]] = [
    ("p.csv", b"", "has no rows"),
    ("p.csv", b"prompt,reference\n", "has no rows"),
    ("p.jsonl", b"\n\n", "has no rows"),
    ("p.json", b"[]", "has no rows"),
    ("p.csv", b"prompt,reference\na,b\nc,d,e\n", "line 3: cells: 3, in the header: 2"),
    ("p.tsv", b"prompt\treference\na\tb\nc\n", "line 3: cells: 1, in the header: 2"),
    ("p.csv", b'prompt,reference\na,b\n"c,d\ne,f\n', "line 4: unexpected end of data .a quote that is not closed"),
    ("p.csv", b'prompt,reference\n"a"b,c\n', "line 2: ',' expected after '\"'"),
    ("p.csv", b"prompt,reference\n\xe9,b\n", "can't decode byte 0xe9"),
    ("p.jsonl", b'{"prompt": "a", "reference": "b"}\n{"prompt": \n', "line 2 is not JSON: .* at character 13"),
    ("p.jsonl", b'{"prompt": "a", "reference": "b"}\n"c"\n', 'line 2 is not an object {"column": value'),
    ("p.json", b'[{"prompt": "a", "reference": "b"}, 3]', "item 2 is not an object"),
    ("p.json", b'[{"prompt": "a", "reference": "b"}', "the array is not JSON"),
    ("p.jsonl", b'{"prompt": ["a"], "reference": "b"}\n', "line 1: `prompt` holds a list, not text"),
    ("p.jsonl", b'{"prompt": "a", "reference": {"b": 1}}\n', "line 1: `reference` holds a dict, not text"),
    ("p.jsonl", b"[" * 100_000 + b"\n", "cannot be read"),
    ("p.csv.gz", b"prompt,reference\n", "Not a gzipped file"),
    ("p.csv.gz", gzip.compress(b"prompt,reference\n" + bytes(range(65, 91)) * 40, mtime=0)[:-20], "cannot be read"),
    ("p.parquet", b"nonsense", "cannot be read"),
    ("p.xlsx", b"", r"expects a file that ends in \.csv, \.tsv, \.jsonl, \.json, \.parquet"),
]


@pytest.mark.parametrize("name, content, message", BROKEN)
def test_broken_files_name_the_place(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=r"(?s)^data\.path=.*" + message):
        told(tmp_path / name)


def test_parquet_without_rows(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"prompt": pyarrow.array([], pyarrow.string())}), tmp_path / "p.parquet")
    with pytest.raises(UserError, match="has no rows"):
        files.check(Data(path=str(tmp_path / "p.parquet"), columns=Columns("prompt", None)))


def test_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "pairs.tsv").touch()
    with pytest.raises(UserError, match=r"no such file; did you mean `.*/pairs\.tsv`\?"):
        files.check(Data(path=str(tmp_path / "pears.tsv"), columns=Columns()))
    with pytest.raises(UserError, match="no such file"):
        files.check(Data(path=str(tmp_path / "nowhere" / "pairs.tsv"), columns=Columns()))
    with pytest.raises(UserError, match="no such file"):
        files.check(Data(path=str(tmp_path), columns=Columns()))


def test_check_reads_the_first_row_only(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("prompt,reference\na,b\nc,d,e\n")
    files.check(Data(path=str(path), columns=Columns()))


# --- splits -----------------------------------------------------------------------------------------------------------


def test_splits_are_disjoint_cover_the_file_and_have_their_shares(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("prompt,reference\n" + "".join(f"name {n},answer {n}\n" for n in range(3000)))
    parts = {split: told(path, split=split) for split in ("train", "validation", "test")}
    assert sorted(row for part in parts.values() for row in part) == sorted(told(path))
    # Three standard deviations of a binomial: 66 and 50 of 3000.
    assert abs(len(parts["train"]) - 2400) < 66
    assert abs(len(parts["validation"]) - 300) < 50
    assert abs(len(parts["test"]) - 300) < 50
    assert told(path, split="warm") == told(path, split="rl") == parts["train"]


def test_unknown_split(pairs: Path) -> None:
    with pytest.raises(UserError, match="no split `tets`; did you mean `test`"):
        files.prompts(Data(path=str(pairs), columns=Columns()), "tets")


def test_split_of_a_molecule_of_a_text_and_without_an_answer(tmp_path: Path) -> None:
    # SHA-256 of "file " and the canonical SMILES: methanol's, CO, is fbaa..., in test; ethanol's, CCO, is 7149...
    path = tmp_path / "p.csv"
    path.write_text("prompt,reference\na,OC\nb,[CH3][OH]\nc,CO\nd,OCC\ng,\n")
    with pytest.warns(UserWarning):
        molecules = told(path, split="test", split_key=SmilesVerifier.split_key)
    assert molecules == [("a", "OC"), ("b", "[CH3][OH]"), ("c", "CO")]
    with pytest.warns(UserWarning):  # a verifier that says nothing of spellings
        assert told(path, split="test") == [("c", "CO")]
    # Without answers the prompts decide: of "file d" it is ce6a..., in validation; of the others below .8 or from .9 on.
    assert told(path, Columns("prompt", None), "validation") == [("d", None)]


MOLECULES = ["CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "C[C@H](N)C(=O)O", "OCC1OC(O)C(O)C(O)C1O"]


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(MOLECULES), st.integers(0, 2**31 - 1))
def test_every_spelling_of_a_molecule_has_one_split_key(smiles: str, seed: int) -> None:
    mol = Chem.MolFromSmiles(smiles)
    spelling = Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed)[0]
    assert SmilesVerifier.split_key(spelling) == SmilesVerifier.split_key(smiles)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_answer_has_a_split_key_and_no_sentence_is_a_molecule(text: str) -> None:
    assert isinstance(SmilesVerifier.split_key(text), str)
    sentence = f"C {text}"
    assert SmilesVerifier.split_key(sentence) == sentence


def test_long_answers_are_not_parsed_as_molecules() -> None:
    assert SmilesVerifier.split_key("OC" * 1000) == "OC" * 1000


# --- the hub ----------------------------------------------------------------------------------------------------------


class Hub:
    """Stands in for the library: remembers what was asked for."""

    def __init__(self, parts: dict[str, list[dict[str, Any]]] | Exception) -> None:
        self.parts, self.asked = parts, []

    def load_dataset(self, *names: str, streaming: bool) -> dict[str, list[dict[str, Any]]]:
        assert streaming
        self.asked.append(names)
        if isinstance(self.parts, Exception):
            raise self.parts
        return self.parts


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    row = {"prompt": "ethane", "reference": "CC"}
    stand_in = Hub({"test": [{"prompt": "no", "reference": "no"}], "train": [row]})
    monkeypatch.setattr(readers, "_library", lambda: stand_in)
    yield stand_in


@pytest.mark.parametrize(
    "path, names",
    [
        ("hf://owner/name", ("owner/name",)),
        ("hf://datasets/owner/name", ("owner/name",)),
        ("hf://owner/name/main", ("owner/name", "main")),
        ("hf://datasets/owner/name/main", ("owner/name", "main")),
    ],
)
def test_a_data_set_of_the_hub_is_streamed_from_its_train_part(hub: Hub, path: str, names: tuple[str, ...]) -> None:
    files.check(Data(path=path, columns=Columns()))
    assert list(files.prompts(Data(path=path, columns=Columns()), "all")) == [
        Prompt(path.removeprefix("hf://") + ":1", "ethane", reference="CC")
    ]
    assert set(hub.asked) == {names}


def test_a_data_set_without_a_train_part(hub: Hub) -> None:
    assert isinstance(hub.parts, dict)
    del hub.parts["train"]
    assert [p.text for p in files.prompts(Data(path="hf://owner/name", columns=Columns()), "all")] == ["no"]


class ClientError(Exception):
    """As HTTP libraries raise them: no OSError."""


@pytest.mark.parametrize("error", [ConnectionError("no way"), ClientError("no way"), ValueError("Config name: no way")])
def test_what_the_hub_refuses_is_the_users_to_mend(hub: Hub, error: Exception) -> None:
    hub.parts = error
    with pytest.raises(UserError, match=r"data\.path=hf://owner/name: cannot be read: .*no way"):
        files.check(Data(path="hf://owner/name", columns=Columns()))


@pytest.mark.parametrize("path", ["hf://", "hf://owner", "hf://datasets/owner", "hf:///name"])
def test_malformed_hub_paths(path: str) -> None:
    with pytest.raises(UserError, match="expects hf://owner/name"):
        files.check(Data(path=path, columns=Columns()))


def test_rows_of_one_built_in_split_fall_into_all_three_of_a_file(tmp_path: Path) -> None:
    molecules = [key for key in ("C" * n + "O" for n in range(1, 400)) if assign_split(key, FOUR_WAY) == "test"]
    path = tmp_path / "held_out.tsv"
    path.write_text("prompt\treference\n" + "".join(f"a\t{smiles}\n" for smiles in molecules))
    assert len(molecules) > 10 and len(told(path, split="train")) > len(molecules) / 2
