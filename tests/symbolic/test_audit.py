"""``certify`` on files: every row once and in order, going on after a stop, and mistakes told before any work."""

import json
import random
from pathlib import Path

import pytest

from rlsf_lightning import certify
from rlsf_lightning.config import cli
from rlsf_lightning.config.recipe import load_recipe
from rlsf_lightning.errors import UserError

FAULTY = "faulty_verifiers:Faulty"
ALONE = {"default_recipe": "_base", "optional": ["data.source"]}


@pytest.fixture(autouse=True)
def _own_verifiers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "execution"))


def run(source: Path, target: Path, verifier: str = "smiles", overrides: list[str] | None = None, **options) -> None:
    recipe = load_recipe("_base", [f"verifier={verifier}", *(overrides or [])], optional=["data.source"])
    certify.run(recipe, certify.Options(input=str(source), output=str(target), **{"workers": 0} | options))


def write(path: Path, rows: list[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


MIXED = [
    {"id": "a", "completion": "OCC", "reference": "CCO"},
    {"id": 7, "completion": "C1CC(C", "prompt": "cyclobutane", "reference": "C1CCC1"},
    {"completion": ""},
]


@pytest.mark.parametrize("workers", [0, 2])
def test_every_row_gets_its_certificate_in_order(tmp_path: Path, workers: int) -> None:
    source = write(tmp_path / "in.jsonl", MIXED)
    source.write_text(source.read_text() + "\n")  # a blank line is no row
    run(source, tmp_path / "out.jsonl", workers=workers)
    first, second, third = read(tmp_path / "out.jsonl")
    assert [row["id"] for row in (first, second, third)] == ["a", 7, 3]
    assert (first["verdict"], first["score"], first["findings"]) == ("pass", 1.0, [])
    assert second["verdict"] == "fail" and ["unclosed_ring", [[1, 2]]] in [
        [finding["kind"], finding["spans"]] for finding in second["findings"]
    ]
    assert set(second) == {
        *("id", "verdict", "score", "findings", "dead_from", "witness", "tool", "version", "seconds", "key")
    }
    assert third["findings"][0]["kind"] == "empty"


def test_further_fields_are_facts(tmp_path: Path) -> None:
    rows = [{"id": 1, "completion": "(8-4)*(10-4)", "numbers": [4, 4, 8, 10]}]
    run(write(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl", "game24")
    assert read(tmp_path / "out.jsonl")[0]["verdict"] == "pass"


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    ("verifier", "row", "words"),
    [
        ("game24", {"completion": "24"}, r'line 2: game24 needs .*"numbers": \[4, 6, 8, 10\]'),
        ("sql", {"completion": "SELECT 1"}, r"line 2: sql needs the fact `schema`"),
        ("molecule", {"completion": "C"}, r"line 2: molecule needs the fact `facts`"),
    ],
)
def test_what_a_verifier_misses_is_named_with_the_line(
    tmp_path: Path, verifier: str, row: dict, words: str, workers: int
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("\n" + json.dumps({"id": "x", **row}) + "\n")
    with pytest.raises(UserError, match=f"^input={source}: {words}"):
        run(source, tmp_path / "out.jsonl", verifier, workers=workers)


def test_a_field_that_seems_to_be_misspelt_is_told(tmp_path: Path, capsys) -> None:
    rows = [{"completion": "C", "refrence": "CC", "numbers": 1}, {"completion": "CC", "refrence": "CC"}]
    run(write(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl")
    told = capsys.readouterr().err
    assert told.count("warning") == 1
    assert "line 1: `refrence` is taken for a fact of the verifier's; did you mean `reference`?" in told


def test_a_row_may_have_no_id_or_be_long_or_hold_half_a_pair_of_surrogates(tmp_path: Path) -> None:
    rows = [
        {"id": None, "completion": "C\ud800"},
        {"id": "\udc00", "completion": "C" * 10_000_000},
        {"completion": "C"},
    ]
    run(write(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl")
    assert [(row["id"], row["verdict"]) for row in read(tmp_path / "out.jsonl")] == [
        *((1, "fail"), ("\udc00", "fail"), (3, "pass"))
    ]


def test_token_rewards_on_demand(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", MIXED[:2])
    run(source, tmp_path / "out.jsonl", overrides=["algorithm.credit=viable_prefix"], rewards=True)
    for row, asked in zip(read(tmp_path / "out.jsonl"), MIXED, strict=False):
        assert "".join(token["text"] for token in row["tokens"]) == asked["completion"]
    assert read(tmp_path / "out.jsonl")[0]["tokens"][-1]["reward"] == 1.0


def test_token_rewards_of_half_a_surrogate_pair(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", [{"completion": "C\ud800C", "reference": "CC"}])
    run(source, tmp_path / "out.jsonl", rewards=True)
    (row,) = read(tmp_path / "out.jsonl")
    assert row["verdict"] == "fail" and "".join(token["text"] for token in row["tokens"]) == "C\ud800C"


@pytest.mark.parametrize("torn", [False, True])
def test_a_stopped_run_goes_on_behind_its_last_whole_row(tmp_path: Path, torn: bool, capsys) -> None:
    rows = [{"id": index, "completion": f"row {index}"} for index in range(100)]
    source, target, log = write(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl", tmp_path / "log"
    asked = [f"verifier.options.log={log}"]
    run(source, target, FAULTY, asked)
    whole = target.read_text()
    assert log.read_text().count("\n") == 100
    lines = whole.splitlines(keepends=True)
    target.write_text("".join(lines[:40]) + (lines[40][:25] if torn else ""))
    run(source, target, FAULTY, asked)
    assert log.read_text().count("\n") == 160, "rows that were there already were verified again"
    assert [(row["id"], row["key"]) for row in read(target)] == [
        (row["id"], row["key"]) for row in map(json.loads, lines)
    ]
    assert "60 completions" in capsys.readouterr().out.splitlines()[-1]
    run(source, target, FAULTY, asked)
    assert log.read_text().count("\n") == 160
    assert "0 completions in" in capsys.readouterr().out


def test_what_was_made_from_something_else_is_not_continued(tmp_path: Path) -> None:
    source, target = write(tmp_path / "in.jsonl", MIXED), tmp_path / "out.jsonl"
    run(source, target)
    before = target.read_text()
    with pytest.raises(UserError, match="line 1 was not made from this input, verifier and options"):
        run(source, target, overrides=["verifier.options.max_chars=100"])
    with pytest.raises(UserError, match="line 2 was not made"):
        run(write(tmp_path / "other.jsonl", [MIXED[0], {**MIXED[1], "completion": "C"}, MIXED[2]]), target)
    with pytest.raises(UserError, match="line 3 was not made"):
        run(write(tmp_path / "short.jsonl", MIXED[:2]), target)
    assert target.read_text() == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 2 is not JSON"),
        ("[1]", "line 2 has no text `completion`"),
        ('{"completion": 1}', "line 2 has no text `completion`"),
        ('{"completion": "C", "reference": 5}', "line 2: `reference` expects text, got 5"),
        ("[" * 100_000, "line 2 is not JSON: it is nested too deep"),
        ('{"completion": "C', "line 2 is not JSON: Invalid control character at column 18; a row looks like"),
        ('{"completion": "C", "id": NaN}', "line 2 is not JSON: NaN is no number"),
        ('{"completion": "C", "x": [1e999]}', "line 2 is not JSON: 1e999 is no number"),
        ('{"completion": "C", "completion": "CC"}', "line 2 is not JSON: `completion` is there twice"),
        ('{"completion": "C", "id": {"a": 1}}', "line 2: `id` expects text or a number"),
        ('{"completion": "C", "id": 1}', "line 2 has the id 1, as line 1 has; write another `id`"),
        ("\udcff", "line 2 is not JSON"),
    ],
)
def test_a_malformed_row_is_named_before_any_work(tmp_path: Path, line: str, words: str) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"completion": "C"}\n' + line + "\n", errors="surrogateescape")
    with pytest.raises(UserError, match=words):
        run(source, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "one of the two: completion=TEXT, or input="),
        ({"completion": "C", "input": "x"}, "one of the two"),
        ({"input": "in.jsonl"}, "input= goes with output="),
        ({"input": "none.jsonl", "output": "out.jsonl"}, "input=none.jsonl: no such file"),
        ({"input": "in.jsonl", "output": "no/such/folder/out.jsonl"}, "cannot write there"),
        ({"input": "in.jsonl", "output": "in.jsonl"}, "is the input itself"),
        ({"input": "in.jsonl", "output": "out.jsonl", "workers": -1}, "workers=-1"),
        ({"input": "empty.jsonl", "output": "out.jsonl"}, "has no rows"),
    ],
)
def test_wrong_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict, words: str) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "in.jsonl", MIXED)
    write(tmp_path / "empty.jsonl", [])
    recipe = load_recipe("_base", ["verifier=smiles"], optional=["data.source"])
    with pytest.raises(UserError, match=words):
        certify.run(recipe, certify.Options(**{"workers": 0} | options))


def test_an_empty_completion_is_one(capsys) -> None:
    cli.main("", certify.run, certify.Options, ["verifier=smiles", "completion="], **ALONE)
    assert "empty: there is no SMILES" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main("", certify.run, certify.Options, ["verifier=smiles"], **ALONE)
    assert "one of the two: completion=TEXT" in capsys.readouterr().err


def test_a_tool_that_dies_spoils_its_own_row_alone(tmp_path: Path) -> None:
    rows = [{"id": index, "completion": "pass"} for index in range(30)]
    for index in random.Random(0).sample(range(30), 3):
        rows[index]["completion"] = "exit 1"
    run(write(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl", FAULTY, workers=2)
    for row, found in zip(rows, read(tmp_path / "out.jsonl"), strict=True):
        assert found["verdict"] == ("abstain" if row["completion"] == "exit 1" else "pass")
