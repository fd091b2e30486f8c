"""Given splits, groups, filters and converted columns of a user's own files."""

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts import check_source, load_prompts
from rlsf_lightning.prompts.expressions import row_filter
from rlsf_lightning.symbolic.verifiers.smiles import SmilesVerifier


def data_of(**block):
    return OmegaConf.merge(OmegaConf.structured(Recipe), {"data": block}).data


def write(path: Path, rows: list[dict]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def read(data, split: str = "all", split_key=None) -> list[tuple[str, str | None]]:
    return [(p.text, p.reference) for p in load_prompts(data, split, split_key=split_key)]


def rows(*pairs: tuple[str, str], **more: object) -> list[dict]:
    return [{"prompt": prompt, "reference": reference, **more} for prompt, reference in pairs]


def test_a_file_a_split(tmp_path: Path) -> None:
    data = data_of(
        paths={
            "train": write(tmp_path / "a.jsonl", rows(("ethane", "CC"), ("butane", "CCCC"))),
            "test": write(tmp_path / "b.jsonl", rows(("propane", "CCC"))),
        }
    )
    check_source(data, SmilesVerifier.split_key)
    assert read(data, "train") == read(data, "rl") == [("ethane", "CC"), ("butane", "CCCC")]
    assert read(data, "test") == [("propane", "CCC")] and read(data, "validation") == []
    assert [p.id for p in load_prompts(data, "all")] == ["train/a.jsonl:1", "train/a.jsonl:2", "test/b.jsonl:1"]


def test_given_splits_that_share_a_group_are_refused_with_an_example(tmp_path: Path) -> None:
    paths = {
        "train": write(tmp_path / "a.jsonl", rows(("ethanol", "CCO"), ("ethane", "CC"))),
        "test": write(tmp_path / "b.jsonl", rows(("alcohol", "OCC"))),
    }
    with pytest.raises(UserError) as caught:
        check_source(data_of(paths=paths), SmilesVerifier.split_key)
    told = str(caught.value)
    assert "the splits train and test share rows: train/a.jsonl:1 and test/b.jsonl:1 both have" in told
    assert "data.overlap=drop" in told
    dropped = data_of(paths=paths, overlap="drop")
    check_source(dropped, SmilesVerifier.split_key)
    assert read(dropped, "train", SmilesVerifier.split_key) == [("ethane", "CC")]
    assert read(dropped, "test", SmilesVerifier.split_key) == [("alcohol", "OCC")]
    check_source(data_of(paths=paths))  # no verifier says that two spellings mean the same


def test_equal_answers_of_other_tasks_are_no_overlap_without_a_key(tmp_path: Path) -> None:
    train, test = write(tmp_path / "a.jsonl", rows(("6*7", "42"))), tmp_path / "b.jsonl"
    check_source(data_of(paths={"train": train, "test": write(test, rows(("40+2", "42")))}))
    with pytest.raises(UserError, match=r"train/a\.jsonl:1 and test/b\.jsonl:1 both have \"6\*7\""):
        check_source(data_of(paths={"train": train, "test": write(test, rows(("6*7", "42")))}))


def test_a_column_names_the_split(tmp_path: Path) -> None:
    listed = [("a", "1", "Train"), ("b", "2", "dev"), ("c", "3", "test"), ("d", "4", "valid")]
    table = [{"prompt": p, "reference": r, "part": s} for p, r, s in listed]
    data = data_of(path=write(tmp_path / "a.jsonl", table), split_column="part")
    check_source(data)
    assert read(data, "train") == [("a", "1")] and read(data, "validation") == [("b", "2"), ("d", "4")]
    write(tmp_path / "a.jsonl", [*table, {"prompt": "e", "reference": "5", "part": "tets"}])
    with pytest.raises(UserError, match=r"line 5: `part` is 'tets': expects .*; did you mean `test`"):
        read(data, "train")


def test_a_groups_rows_stay_together(tmp_path: Path) -> None:
    table = [{"prompt": f"p{n}", "reference": str(n), "group": n // 10} for n in range(300)]
    data = data_of(path=write(tmp_path / "a.jsonl", table), split_by="group", fractions={"train": 0.5, "test": 0.5})
    found = {split: {int(r or 0) // 10 for _, r in read(data, split)} for split in ("train", "test", "validation")}
    assert not found["train"] & found["test"] and not found["validation"]
    assert sum(len(read(data, split)) for split in ("train", "test")) == 300 and 8 <= len(found["test"]) <= 22


def test_a_group_that_is_a_molecule_is_one_in_every_spelling(tmp_path: Path) -> None:
    spelled = [("CCO", "OCC"), ("CCCO", "OCCC"), ("CCN", "NCC"), ("CCCN", "C(C)CN"), ("c1ccccc1", "C1=CC=CC=C1")] * 2
    pairs = [(f"{n} {'first' if n % 2 else 'second'}", "C" * n) for n in range(1, 21)]
    table = [{"prompt": p, "reference": r, "product": spelled[n // 2][n % 2]} for n, (p, r) in enumerate(pairs)]
    data = data_of(path=write(tmp_path / "a.jsonl", table), split_by="product", fractions={"train": 0.5, "test": 0.5})
    found = {split: {p for p, _ in read(data, split, SmilesVerifier.split_key)} for split in ("train", "test")}
    groups = [
        {f"{2 * n + 1} first", f"{2 * n + 2} second", f"{2 * n + 11} first", f"{2 * n + 12} second"} for n in range(5)
    ]
    assert all(group <= found["train"] or group <= found["test"] for group in groups)


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"fractions": {"train": 0.5}}, "the shares add up to 0.5, not to 1"),
        ({"fractions": {"tarin": 1}}, "data.fractions.tarin=1: expects shares of train, validation, test"),
        ({"fractions": {"train": 2}}, "data.fractions.train=2: expects shares"),
        ({"split_column": "reference", "fractions": {"train": 1}}, "the splits are given by data.paths or"),
        ({"split_column": "prat"}, "no column `prat`"),
        ({"split_by": "promt"}, "set data.split_by=prompt"),
        ({"paths": {"test": "x"}}, "write one of the two"),
        ({"template": "{promt}"}, "no column or fact `promt`; did you mean `prompt`?"),
        ({"template": "{prompt} {reference}"}, "{reference} is the answer, which the model would be shown"),
        ({"columns": {"facts": {"n": {"value": 1, "column": "x"}}}}, "data.columns.facts.n="),
        ({"columns": {"facts": {"n": {"colum": "x"}}}}, "data.columns.facts.n="),
        ({"columns": {"facts": {"n": {"column": "prompt", "tpe": "int"}}}}, "no key `tpe`; did you mean `type`?"),
        (
            {"columns": {"facts": {"n": {"column": "prompt", "type": "number"}}}},
            "type expects one of int, float, text, json",
        ),
        ({"columns": {"facts": "prompt"}}, "expects a list of columns, or a mapping"),
        ({"columns": {"target": "tagret"}}, "no column `tagret`"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_read(tmp_path: Path, block: dict, told: str) -> None:
    path = write(tmp_path / "a.jsonl", rows(("a", "1")))
    with pytest.raises(UserError) as caught:
        check_source(data_of(path=path, **block))
    assert told in str(caught.value)


def test_facts_are_renamed_converted_and_constant(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('Rank,Puzzles,share,more\n1,1 1 4 6,0.5,"{""a"": [1]}"\n2,1 x,0.5,1\n')
    facts = {
        "numbers": {"column": "Puzzles", "split": " ", "type": "int"},
        "target": {"value": 24},
        "share": {"column": "share", "type": "float"},
        "more": {"column": "more", "type": "json"},
        "rank": "Rank",
    }
    columns = {"prompt": "Puzzles", "reference": None, "facts": facts}
    data = data_of(path=str(tmp_path / "a.csv"), columns=columns)
    check_source(data)
    read_ = load_prompts(data, "all")
    assert next(read_).facts == {"numbers": [1, 1, 4, 6], "target": 24, "share": 0.5, "more": {"a": [1]}, "rank": "1"}
    with pytest.raises(
        UserError, match=r"line 3: `Puzzles` is '1 x', not int, cut at ' '; see data\.columns\.facts\.numbers"
    ):
        next(read_)


def test_a_template_of_columns_needs_no_prompt_column(tmp_path: Path) -> None:
    table = [{"question": "how many?", "schema": "t(a)", "query": "SELECT 1"}]
    columns = {"reference": "query", "target": "query"}
    data = data_of(path=write(tmp_path / "a.jsonl", table), columns=columns, template="{schema}\n{question}")
    check_source(data)
    (prompt,) = load_prompts(data, "all")
    assert prompt.text == "t(a)\nhow many?" and prompt.columns == {"schema": "t(a)", "question": "how many?"}
    assert prompt.reference == prompt.target == "SELECT 1"


def test_smiles_and_reactions(tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("# a comment\nCCO ethanol, drunk\r\n\nCC\n")
    columns = {"prompt": "name", "reference": "smiles"}
    with pytest.warns(UserWarning, match="1 of 2 rows were skipped"):
        assert read(data_of(path=str(tmp_path / "a.smi"), columns=columns)) == [("ethanol, drunk", "CCO")]
    (tmp_path / "r.smi").write_text("CC.O>[Na+]>CCO 7\nN->[Cu] >> N\n")
    columns = {"prompt": "reactants", "reference": "products", "facts": ["agents", "name"]}
    first, second = load_prompts(data_of(path=str(tmp_path / "r.smi"), columns=columns), "all")
    assert (first.text, first.reference, dict(first.facts)) == ("CC.O", "CCO", {"agents": "[Na+]", "name": "7"})
    assert (second.text, second.reference) == ("N->[Cu]", "N")
    (tmp_path / "r.smi").write_text("CC>O\n")
    with pytest.raises(UserError, match=r"line 1: 1 `>`; a reaction is written a\.b>c>d"):
        read(data_of(path=str(tmp_path / "r.smi"), columns=columns))


ROW = {"level": 3, "code": "int x;", "kind": "easy", "big": "12"}


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        (None, True),
        ("level == 3", True),
        ("level in (1, 2)", False),
        ("1 < level <= 3 and len(code) < 400", True),
        ("not kind == 'easy' or 'x' in code", True),
        ("lower(kind) != 'easy'", False),
        ("int(big) > 11 and -level < 0", True),
        ("words(code) == 2", True),
    ],
)
def test_a_condition_on_columns(keep: str | None, kept: bool) -> None:
    assert row_filter(keep)("row 1", ROW) is kept


@pytest.mark.parametrize(
    ("keep", "told"),
    [
        ("level ==", "invalid syntax"),
        ("__import__('os').system('x')", "is no condition on columns"),
        ("code.upper() == 'X'", "is no condition on columns"),
        ("level ** 99999999 > 1", "is no condition on columns"),
        ("'x' * 10**9 == code", "is no condition on columns"),
        ("[x for x in code]", "is no condition on columns"),
        ("lambda: 1", "is no condition on columns"),
        ("(" * 300 + "1" + ")" * 300, "data.keep="),
        ("1" * 2000, "2000 characters, more than 1000"),
        ("levl == 3", "no column `levl`; did you mean `level`?"),
        ("big > 11", "convert by int(column)"),
        ("nowhere.module:keep", "no such filter"),
    ],
)
def test_what_is_no_condition_is_refused(keep: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        row_filter(keep)("row 1", ROW)
    assert told in str(caught.value)


def test_a_filter_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def easy(row):\n    return row['level'] < 2\n")
    table = [{"prompt": str(n), "reference": str(n), "level": n} for n in range(4)]
    data = data_of(path=write(tmp_path / "a.jsonl", table), keep=f"{tmp_path / 'mine.py'}:easy")
    assert read(data) == [("0", "0"), ("1", "1")]
    assert [p.id for p in load_prompts(data_of(path=data.path, keep="level > 1"), "all")] == ["a.jsonl:3", "a.jsonl:4"]
