"""Word problems: every step is judged and right, the answer is the last result, each number that counts is given."""

import re
from fractions import Fraction

from made import failing, shared, take

from rlsf_lightning.prompts.sources.math_word import SCHEMAS, prompts
from rlsf_lightning.records import Verdict
from rlsf_lightning.symbolic.verifiers.math import VERIFIER

VERIFY = VERIFIER()
SOME = take(prompts("train"), 300)


def value(sides: str) -> Fraction:
    """Of numbers and signs with blanks between, products before sums."""
    total, sign = Fraction(0), 1
    for term in re.split(r" (?=[+-] )", sides):
        sign, term = (-1 if term[0] == "-" else 1, term[2:]) if term[:2] in ("+ ", "- ") else (1, term)
        first, *rest = re.split(r" ([*/]) ", term)
        product = Fraction(first)
        for operator, operand in zip(rest[::2], rest[1::2], strict=True):
            product = product * Fraction(operand) if operator == "*" else product / Fraction(operand)
        total += sign * product
    return total


def test_gold_passes_and_every_step_of_it_is_judged():
    assert failing(VERIFY, SOME) == []
    for prompt in SOME:
        steps = VERIFY.verify(prompt, prompt.target).witness["steps"]
        assert len(steps) == prompt.target.count("\n") <= 5


def test_steps_are_right_and_the_last_one_gives_the_answer():
    for prompt in SOME:
        *lines, last = prompt.target.split("\n")
        for line in lines:
            left, result = re.search(r"([0-9.]+(?: [-+*/] [0-9.]+)+) = ([0-9.]+?)\.?$", line).groups()
            assert value(left) == Fraction(result), line
        assert last == f"#### {prompt.reference}" and result == prompt.reference


def test_a_wrong_number_in_a_step_or_in_the_answer_fails():
    for prompt in SOME[:60]:
        for match in re.finditer(r"[0-9]+(?:\.[0-9]+)?", prompt.target):
            wrong = prompt.target[: match.start()] + f"3{match[0]}" + prompt.target[match.end() :]
            assert VERIFY.verify(prompt, wrong).verdict is Verdict.FAIL, wrong


def test_schemas_are_many_and_all_come():
    assert len(SCHEMAS) == 20
    assert len({prompt.text.count(".") for prompt in SOME}) > 3
    assert {prompt.target.count("\n") for prompt in SOME} == {1, 2, 3, 4, 5}


def test_no_problem_is_in_two_splits():
    assert shared(prompts, 150, lambda p: (re.sub(r"\b[A-Z]\w+", "", p.text), p.reference)) == 0
