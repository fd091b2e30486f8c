"""``validate``: everything that is wrong with a file, found, counted and told; the exit status; and what ``fit`` says of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from rlsf_lightning import certify, fit, validate
from rlsf_lightning.config.recipe import load_recipe
from rlsf_lightning.errors import UserError
from rlsf_lightning.symbolic import verifier as tools

COLUMNS = ["data.columns.prompt=name", "data.columns.reference=smiles"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, *rows: str, header: str = "name\tsmiles") -> None:
    Path(path).write_text("\n".join([header, *rows]) + "\n")


def reported(capsys, *arguments: str, status: int = 0) -> dict[str, Any]:
    """The JSON that the command prints; it ends with ``status``."""
    ended = 0
    try:
        validate.main(["recipe=chem_iupac", "workers=0", "format=json", *COLUMNS, *arguments])
    except SystemExit as stop:
        ended = stop.code
    shown = capsys.readouterr()
    assert ended == status, shown.out + shown.err
    return json.loads(shown.out)


MOLECULES = [("methane", "C"), ("ethane", "CC"), ("propane", "CCC"), ("butane", "CCCC"), ("pentane", "CCCCC")]


def files(train: list[tuple[str, str]], test: list[tuple[str, str]]) -> list[str]:
    write("train.tsv", *("\t".join(row) for row in train))
    write("test.tsv", *("\t".join(row) for row in test))
    return ["data.paths.train=train.tsv", "data.paths.test=test.tsv"]


def test_a_file_that_is_well(capsys) -> None:
    report = reported(capsys, *files(MOLECULES[:3], MOLECULES[3:]))
    assert list(report) == (
        "recipe source verifier ok problems warnings tools rows context max_new_tokens splits shared".split()
    )
    assert report["ok"] and report["problems"] == report["warnings"] == report["shared"] == []
    assert report["rows"] == {"read": 5, "dropped": {}, "examples": {}} and report["context"] == 4096
    train = report["splits"]["train"]
    assert train["prompts"] == 3 and train["repeated"] == 0
    assert train["gold"] == {
        **{"judged": 3, "passed": 3, "failed": 0, "abstained": 0, "refused": 0, "missing": 0, "bare": 0},
        **{"pass_rate": 1.0, "kinds": []},
    }
    tokens = train["tokens"]
    assert tokens["gold"] == {"min": 2, "median": 2, "p99": 2, "max": 2} or tokens["gold"]["min"] == 2
    assert tokens["prompts_too_long"] == tokens["gold_too_long"] == 0
    assert tokens["prompt_and_gold"]["max"] <= tokens["prompt"]["max"] + tokens["gold"]["max"]
    assert report["splits"]["validation"]["prompts"] == 0 and report["splits"]["test"]["prompts"] == 2


def test_answers_that_do_not_pass_are_counted_by_kind_with_their_place(capsys) -> None:
    bad = [("hexane", "CCC(C"), ("heptane", "CCQ")]
    report = reported(capsys, *files(MOLECULES, bad), status=1)
    gold = report["splits"]["test"]["gold"]
    assert (gold["judged"], gold["passed"], gold["pass_rate"]) == (2, 0, 0.0)
    assert gold["failed"] + gold["abstained"] + gold["refused"] == 2
    assert sum(kind["count"] for kind in gold["kinds"]) >= 2 and report["problems"]
    examples = [one for kind in gold["kinds"] for one in kind["examples"]]
    assert all(set(one) == {"prompt", "message", "span", "text"} for one in examples)
    assert {one["prompt"] for one in examples} <= {"test/test.tsv:1", "test/test.tsv:2"}


def test_all_answers_that_do_not_pass_are_written_as_certify_reads_them(capsys, place: Path) -> None:
    rows = [(name, smiles, smiles) for name, smiles in MOLECULES]
    rows += [(f"bad {n}", "C" * n + "O", "C" * n + "N") for n in range(1, 5)]
    write("train.tsv", *("\t".join(row) for row in rows), header="name\tsmiles\ttaught")
    own = ["data.paths.train=train.tsv", "data.columns.target=taught", "verifier.options.explain=true"]
    report = reported(capsys, *own, "output=wrong.jsonl")
    assert report["splits"]["train"]["gold"]["failed"] == 4
    assert [len(kind["examples"]) for kind in report["splits"]["train"]["gold"]["kinds"]] == [3] * 2
    written = [json.loads(line) for line in (place / "wrong.jsonl").read_text().splitlines()]
    assert [row["id"] for row in written] == [f"train/train.tsv:{n}" for n in range(6, 10)]
    row = written[0]
    assert (row["split"], row["verdict"], row["prompt"]) == ("train", "fail", "bad 1")
    assert (row["completion"], row["reference"]) == ("CN", "CO")
    assert row["findings"][0] == {
        **{"kind": "wrong_atoms", "message": "not in the reference: N", "span": [1, 2], "text": "N"}
    }
    certify.main(["verifier=smiles", "input=wrong.jsonl", "output=again.jsonl", "workers=0"])
    again = [json.loads(line) for line in (place / "again.jsonl").read_text().splitlines()]
    assert [row["verdict"] for row in again] == ["fail"] * 4


def test_what_splits_share_is_a_problem(capsys) -> None:
    report = reported(capsys, *files(MOLECULES[:4], [MOLECULES[3], ("normal propane", "CCC")]), status=1)
    by = {one["by"]: one for one in report["shared"]}
    assert by["prompt"] == {
        **{"by": "prompt", "splits": ["train", "test"], "count": 1},
        "examples": [["train/train.tsv:4", "test/test.tsv:1"]],
    }
    assert by["answer"]["count"] == 2 and ["train/train.tsv:3", "test/test.tsv:2"] in by["answer"]["examples"]
    assert "data.overlap=drop" in report["problems"][0]


def test_an_answer_that_is_spelled_as_its_prompt_is_shared_all_the_same(capsys) -> None:
    own = files([("OCC", "OCC"), ("CCCC", "CCCC")], [("CCO", "CCO"), ("CCC", "CCC")])
    report = reported(capsys, *own, status=1)
    assert report["shared"] == [
        {
            "by": "answer",
            "splits": ["train", "test"],
            "count": 1,
            "examples": [["train/train.tsv:1", "test/test.tsv:1"]],
        }
    ]


def test_every_dropped_row_is_counted_with_its_reason(capsys) -> None:
    rows = [*MOLECULES[:4], ("empty", ""), ("", "CCO"), ("octane", "C" * 8)]
    own = files(rows, [MOLECULES[3], MOLECULES[4]])
    report = reported(capsys, *own, "data.overlap=drop", "data.keep=len(smiles) < 8")
    assert report["rows"]["read"] == 9
    assert report["rows"]["dropped"] == {
        "an empty cell in `smiles`": 1,
        "an empty cell in `name`": 1,
        "data.keep=len(smiles) < 8": 1,
        "its group is in test, too (data.overlap=drop)": 1,
    }
    assert report["rows"]["examples"] == {
        "an empty cell in `smiles`": ["train/train.tsv:5"],
        "an empty cell in `name`": ["train/train.tsv:6"],
        "data.keep=len(smiles) < 8": ["train/train.tsv:7"],
        "its group is in test, too (data.overlap=drop)": ["train/train.tsv:4"],
    }
    assert sum(split["prompts"] for split in report["splits"].values()) == 9 - 4 and report["shared"] == []


def test_long_prompts_and_answers(capsys, tiny_policy_dir) -> None:
    own = [*files([*MOLECULES, ("x" * 400, "CCO")], [("hexane", "C" * 30)]), f"policy.name={tiny_policy_dir}"]
    report = reported(capsys, *own, "rollout.max_new_tokens=8")
    assert report["context"] == 256 and report["max_new_tokens"] == 8
    assert report["splits"]["train"]["tokens"]["prompts_too_long"] == 1
    assert report["splits"]["test"]["tokens"]["gold_too_long"] == 1
    assert len(report["warnings"]) == 2
    refused = reported(capsys, *own, "rollout.max_new_tokens=8", "data.too_long=refuse", status=1)
    assert "exceed the context of 256 tokens" in refused["problems"][0]


def test_an_answer_that_no_pattern_finds_is_judged_as_an_answer(capsys) -> None:
    pattern = ["answer=regex", r"answer.pattern=so (\w+)"]
    report = reported(capsys, *files(MOLECULES[:3], MOLECULES[3:]), *pattern)
    assert report["splits"]["train"]["gold"]["bare"] == report["splits"]["train"]["gold"]["passed"] == 3
    assert "data.columns.target" in report["warnings"][0]
    tagged = reported(capsys, *files(MOLECULES[:3], MOLECULES[3:]), "answer=tag", "answer.thinking=opened")
    assert tagged["splits"]["train"]["gold"]["bare"] == 0 and tagged["splits"]["train"]["gold"]["passed"] == 3


def test_prompts_without_what_the_verifier_needs(capsys) -> None:
    report = reported(capsys, *files(MOLECULES, [("hexane", "C" * 6)]), "verifier=game24", status=1)
    assert report["splits"]["train"]["gold"]["refused"] == 5
    assert any('"numbers": [4, 6, 8, 10]' in problem for problem in report["problems"])


def test_a_missing_tool_is_told_with_the_line_that_installs_it(capsys, monkeypatch) -> None:
    monkeypatch.setattr(tools.shutil, "which", lambda name: None)
    write("tasks.jsonl", header='{"name": "write a program", "smiles": "int main() {}", "tests": []}')
    own = ["data.path=tasks.jsonl", "verifier=cpp", "data.columns.facts=[tests]"]
    report = reported(capsys, *own, status=1)
    gcc = next(tool for tool in report["tools"] if tool["name"] == "g++")
    assert gcc == {
        "name": "g++",
        "found": False,
        "install": "apt-get install g++   (Fedora: dnf install gcc-c++ libasan libubsan)",
    }
    assert any("is missing" in problem for problem in report["problems"])
    assert report["splits"]["train"]["gold"] is None


def test_the_table_says_the_same(capsys) -> None:
    validate.main(["recipe=chem_iupac", "workers=0", *COLUMNS, *files(MOLECULES[:3], MOLECULES[3:])])
    shown = capsys.readouterr().out
    assert "train: 3 prompts\n  known answers: 3 judged, 3 passed (100.00% pass)\n" in shown
    assert shown.endswith("this data can be trained on\n")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("limit=0", "limit=0"),
        ("format=xml", "format=table"),
        ("workers=-1", "workers=-1"),
        ("output=no/such/folder.jsonl", "an existing folder"),
    ],
)
def test_wrong_options(capsys, word: str, told: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        validate.main(["recipe=chem_iupac", word])
    assert told in capsys.readouterr().err


def checked(capsys, tiny_policy_dir, *arguments: str) -> str:
    """What the checks of ``fit`` say, which load no model; empty where they say nothing."""
    recipe = load_recipe("chem_iupac", [f"policy.name={tiny_policy_dir}", *COLUMNS, *arguments])
    try:
        fit.prepare(recipe).pool.close()
    except UserError as error:
        return f"error: {error}"
    return capsys.readouterr().err


def test_fit_judges_some_known_answers_before_a_model_is_loaded(capsys, tiny_policy_dir) -> None:
    bad = [(f"bad {n}", "C" * n + "(") for n in range(1, 30)]
    told = checked(capsys, tiny_policy_dir, *files(bad, MOLECULES))
    assert told.startswith("error: none of 16 known answers of the train split passes, such as train/train.tsv:")
    assert "python -m rlsf_lightning.validate recipe=chem_iupac" in told and "data.gold_check=0" in told
    some = checked(capsys, tiny_policy_dir, *files([*MOLECULES[:4], bad[0]], MOLECULES[4:]))
    assert some.startswith("1 of 5 known answers do not pass, such as train/train.tsv:5: ") and some.count("\n") == 1
    assert checked(capsys, tiny_policy_dir, *files(MOLECULES[:4], MOLECULES[4:])) == ""
    assert checked(capsys, tiny_policy_dir, *files(bad, MOLECULES), "data.gold_check=0") == ""


def test_fit_leaves_long_prompts_out_or_refuses_them(capsys, tiny_policy_dir) -> None:
    own = files([*MOLECULES[:4], ("x" * 300, "CCO")], MOLECULES[4:])
    assert checked(capsys, tiny_policy_dir, *own).startswith("data.too_long=skip: 1 of 5 prompts of train are too long")
    told = checked(capsys, tiny_policy_dir, *own, "data.too_long=refuse")
    assert told.startswith("error: 1 of 5 prompts of train are too long for the context of 256 tokens")
    held = files(MOLECULES[:4], [("x" * 300, "CCO"), MOLECULES[4]])
    assert "1 of 2 prompts of test" in checked(capsys, tiny_policy_dir, *held, "data.too_long=refuse")


def test_fit_refuses_a_chat_without_a_template_before_a_model_is_loaded(capsys, tiny_policy_dir) -> None:
    own = files(MOLECULES[:4], MOLECULES[4:])
    told = checked(capsys, tiny_policy_dir, *own, "data.chat=true")
    assert told.startswith("error: data.chat=true: the tokenizer has no chat template") and told.count("\n") == 0
    assert checked(capsys, tiny_policy_dir, *own, "data.chat=auto") == ""


def test_examples_of_a_file_that_are_held_out_are_refused(capsys, tiny_policy_dir) -> None:
    own = files(MOLECULES[:4], MOLECULES[4:])
    examples = ["data.examples.path=shown.tsv", "data.examples.count=1"]
    write("shown.tsv", *(f"C{n}\t{'C' * n}" for n in range(9, 40)))
    assert checked(capsys, tiny_policy_dir, *own, *examples) == ""
    write("shown.tsv", *(f"pentane\t{'C' * n}" for n in range(9, 40)))
    told = checked(capsys, tiny_policy_dir, *own, *examples)
    assert "of the split test asks, whose answer would be shown" in told and "test/test.tsv:1" in told
