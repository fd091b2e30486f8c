"""Hands of 24: as many as there are, solutions that Python's own arithmetic confirms, no hand in two splits."""

import ast
import csv
import itertools
import json
import os
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from made import failing, shared, take

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.convert import game24 as convert
from rlsf_lightning.prompts.generated import HELD_OUT, SHARES
from rlsf_lightning.prompts.sources import game24, game24_steps
from rlsf_lightning.prompts.splits import assign_split
from rlsf_lightning.symbolic.verifiers.game24 import VERIFIER

SOME = take(game24.prompts("train"), 120)
STEPS = take(game24_steps.prompts("train"), 120)


def hand(prompt) -> tuple[int, ...]:
    return tuple(sorted(prompt.facts["numbers"]))


def value(node: ast.expr) -> Fraction:
    """Of an expression that Python's parser has read; integers and four operators."""
    if isinstance(node, ast.Constant):
        return Fraction(node.value)
    assert isinstance(node, ast.BinOp)
    a, b = value(node.left), value(node.right)
    return {ast.Add: a + b, ast.Sub: a - b, ast.Mult: a * b}[type(node.op)] if type(node.op) is not ast.Div else a / b


def makes_24(numbers: list[Fraction]) -> bool:
    """By trying everything."""
    if len(numbers) == 1:
        return numbers[0] == 24
    for (i, a), (j, b) in itertools.combinations(enumerate(numbers), 2):
        rest = [number for k, number in enumerate(numbers) if k not in (i, j)]
        made = {a + b, a - b, b - a, a * b} | ({a / b} if b else set()) | ({b / a} if a else set())
        if any(makes_24([*rest, number]) for number in made):
            return True
    return False


def test_gold_passes():
    assert failing(VERIFIER(), SOME) == failing(VERIFIER(), STEPS) == []


def test_an_expression_makes_the_target_of_the_numbers():
    for prompt in SOME:
        tree = ast.parse(prompt.target, mode="eval").body
        assert value(tree) == prompt.facts["target"]
        assert Counter(re.findall(r"[0-9]+", prompt.target)) == Counter(map(str, prompt.facts["numbers"]))


def test_steps_are_arithmetic_and_leave_what_they_say():
    for prompt in STEPS:
        left = Counter(map(Fraction, prompt.facts["numbers"]))
        for line in prompt.target.split("\n"):
            a, sign, b, made, rest = re.fullmatch(r"(\S+) (.) (\S+) = (\S+) \(left: (.*)\)", line).groups()
            x, y = Fraction(a), Fraction(b)
            assert Fraction(made) == (x / y if sign == "/" else {"+": x + y, "-": x - y, "*": x * y}[sign])
            left = left - Counter([x, y]) + Counter([Fraction(made)])
            assert left == Counter(map(Fraction, rest.split()))
        assert list(left) == [prompt.facts["target"]]


def test_both_forms_have_the_same_tasks():
    assert [(p.text, p.reference) for p in SOME] == [(p.text, p.reference) for p in STEPS]


def test_a_prompt_shows_its_numbers_and_its_target():
    for prompt in SOME:
        shown = re.findall(r"[0-9]+", prompt.text)
        assert Counter(shown) == Counter(map(str, [*prompt.facts["numbers"], prompt.facts["target"]]))
    assert {len(prompt.facts["numbers"]) for prompt in SOME} == {3, 4, 5}
    assert len({prompt.facts["target"] for prompt in SOME}) > 20


def test_no_hand_is_in_two_splits():
    assert shared(game24.prompts, 20, hand) == 0


@pytest.mark.slow
def test_held_out_splits_have_every_hand_that_falls_into_them():
    cards = itertools.combinations_with_replacement(range(1, 14), 4)
    solvable = {numbers for numbers in cards if makes_24(list(map(Fraction, numbers)))}
    assert len(solvable) == 1362
    for split in ("validation", "test"):
        hands = [hand(prompt) for prompt in game24.prompts(split)]
        assert len(hands) == len(set(hands)) < HELD_OUT
        falls = {n for n in solvable if assign_split(f"game24 {' '.join(map(str, n))}", SHARES) == split}
        assert set(hands) == falls


def test_the_published_table_is_converted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "24.csv"
    path.write_text("Rank,Puzzles,AMT (s)\n1,1 1 4 6,4.4\n2,1 1 11 11,4.5\n3,1 1 3 8,4.6\n")
    convert.main([str(path), "ranks=2-3"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [list(row) for row in rows] == [["prompt", "numbers", "target", "reference", "rank"]] * 2
    assert (rows[0]["prompt"], rows[0]["rank"]) == ("Make 24 out of 1, 1, 11, 11, each used once.", 2)
    assert (rows[0]["numbers"], rows[0]["target"]) == ([1, 1, 11, 11], 24)
    for row in rows:
        assert value(ast.parse(row["reference"], mode="eval").body) == 24
        assert sorted(map(int, re.findall("[0-9]+", row["reference"]))) == row["numbers"]
    convert.main([str(path)])
    assert rows == [json.loads(line) for line in capsys.readouterr().out.splitlines()][1:]
    with pytest.raises(UserError, match="ranks=901-1000"):
        convert.main([str(path), "rank=2"])
    path.write_text("Rank,Puzzles\n1,1 1 1 1\n")
    with pytest.raises(UserError, match="rank 1: 1, 1, 1, 1 cannot make 24"):
        convert.main([str(path)])
    path.write_text("Rank,Hands\n1,1 1 4 6\n")
    with pytest.raises(UserError, match="Puzzles"):
        convert.main([str(path)])


@pytest.mark.skipif("RLSF_DATA" not in os.environ, reason="RLSF_DATA names no folder with game24/24.csv")
def test_the_published_hands_are_the_solvable_ones():
    path = Path(os.environ["RLSF_DATA"], "game24", "24.csv")
    with path.open(newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == 1362
    assert len(list(convert.rows(path, 901, 1000))) == 100
