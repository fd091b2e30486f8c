"""The benchmark of sources sees gold that does not pass, prompts in two splits, and edits that pass."""

import json
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import generators
from corpora import Case
from opinions import Opinion

from rlsf_lightning.records import Certificate, Prompt, Verdict

SOURCE = """
from rlsf_lightning.prompts.generated import Generated, Task


def make(rng):
    a, b = rng.randrange(1, 200), rng.randrange(1, 200)
    answer = f"{a} + {b}" if a != BAD else f"{a} - {b}"
    return Task(f"{a} {b}", target=answer, facts={"numbers": [a, b], "target": a + b})


def prompts(split):
    return Generated("sums", make, split, held_out=20)
"""
RECIPE = "base: _base\ndata: {source: sums.py}\nverifier: game24\npolicy: {name: embedded}\n"


def recipe(folder: Path, bad: int) -> str:
    (folder / "sums.py").write_text(f"BAD = {bad}\n{SOURCE}")
    (folder / "sums.yaml").write_text(RECIPE)
    return str(folder / "sums.yaml")


def test_a_good_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "survivors.jsonl"
    arguments = [f"recipe={recipe(tmp_path, -1)}", "count=100", "edits=200", f"output={output}"]
    assert generators.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "100 train, 100 warm, 20 validation, 20 test" in printed
    assert "gold that does not pass: 0 train, 0 warm, 0 validation, 0 test" in printed
    assert "the same prompt: 0 train and warm" in printed and "single edits: 200" in printed
    assert "100.00 %" in printed and "right and fail" not in printed
    for row in map(json.loads, output.read_text().splitlines()):
        assert row["opinion"] == "right"
        left, right = (side.split("+") for side in (row["gold"], row["answer"]))
        assert sorted(map(int, left)) == sorted(map(int, right))


def test_gold_that_fails_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad").mkdir()
    assert generators.main([f"recipe={recipe(tmp_path / 'bad', 7)}", "count=400", "edits=0"]) == 1
    assert '"said": "' in capsys.readouterr().out


def test_prompts_that_two_splits_share_are_counted() -> None:
    of = {
        "train": [Prompt("1", "One  apple"), Prompt("2", "two")],
        "validation": [Prompt("3", "one apple"), Prompt("4", "ONE apple")],
        "test": [Prompt("5", "three")],
    }
    assert generators.same(of) == {
        "train and validation": 1, "train and test": 0, "validation and test": 0, "within validation": 1, "within test": 0
    }  # fmt: skip


def test_case_counts_in_a_formula() -> None:
    of = {
        "train": [Prompt("1", "C1CCCCC1")],
        "validation": [Prompt("2", "c1ccccc1")],
        "test": [Prompt("3", "C1CCCCC1")],
    }
    assert generators.same(of)["train and validation"] == 0 and generators.same(of)["train and test"] == 1


def test_what_is_no_wrong_answer_is_counted_apart() -> None:
    prompt = Prompt("1", "x", reference='{"a": 1.5, "b": [true]}', target='{"a": 1.5, "b": [true]}')
    passed = Certificate(Verdict.PASS, score=1.0)
    tried = generators.Edited()
    for text in (
        '{"b": [true], "a": 1.50}',
        '{"a": 1.5, "b": [1]}',
        '{"a": 1.5, "b": [true]',
        '{"a": 1.6, "b": [true]}',
    ):
        case = Case(prompt, text)
        tried.add("number", case, passed, generators._same_values(case))
    tried.add("number", Case(prompt, "?"), passed, Opinion(None, "not read"))
    assert tried.outcomes == {("right", "pass"): 1, ("wrong", "pass"): 3, ("not judged", "pass"): 1}
    assert tried.tried == {"number": 3} and tried.passed == {"number": 3}
    assert [row["opinion"] for row in tried.survivors] == ["right", "wrong", "wrong", "wrong", "not judged"]


def test_an_edit_changes_one_token_and_is_the_same_by_seed() -> None:
    text = "(8 - 4) * 12"
    made = [generators.edited(text, random.Random(seed)) for seed in range(400)]
    assert made == [generators.edited(text, random.Random(seed)) for seed in range(400)]
    assert {sort for sort, _ in made} == {"number", "token", "dropped", "doubled", "exchanged"}
    assert {"(9 - 4) * 12", "(8 4 -) * 12", "(8 - 4) 12", "(8 -- 4) * 12"} <= {" ".join(t.split()) for _, t in made}
