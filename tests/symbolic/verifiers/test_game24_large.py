"""Hands of five and six numbers: the first completion of a prompt is answered soon, and right."""

import random
import time
from fractions import Fraction

import pytest
from certificates import checked
from game24_cases import guess, prompt

from rlsf_lightning.records import Verdict
from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import halves, hand_of, reaches, reaches_signed, values
from rlsf_lightning.symbolic.verifiers.game24.recheck.rewrite import evaluate
from rlsf_lightning.symbolic.verifiers.game24.verifier import Game24Verifier

VERIFIER = Game24Verifier()


@pytest.mark.parametrize(
    ("numbers", "target", "completion"),
    [
        ([25, 50, 75, 100, 3, 6], 952, "100*(3+6)+50+2"),
        ([2, 4, 7, 25, 75, 100], 813, "(100+7)*4"),
        ([1, 2, 3, 4, 5, 6], 999_983, "1+2"),  # nothing leads there
        ([13, 17, 19, 23, 29, 31], 7771, "13*17+19-23"),
        ([7, 11, 99_991, 5, 3, 2], 654_321, "7+"),
        ([1, 1, 1, 1, 1, 1], 24, "(1+1+1"),
        ([0, 0, 0, 0, 0, 7], 24, "7*("),
        ([8, 9, 10, 11, 12, 13], -1, "8-9*(13"),
        ([999_983, 3, 7, 11, 13, 17], 24, "3*7 = 21\n11 + 13 = 24"),
        ([3, 5, 7, 11, 13, 17], 24, "17 - 13 = 4 (left: 3 5 7 11 4)\n"),
        ([3, 5, 7, 11, 13], 1_000_000, "3*5*7*11"),
    ],
)
def test_the_first_completion_is_answered_soon(numbers: list[int], target: int, completion: str) -> None:
    start = time.process_time()
    certificate = checked(VERIFIER, prompt(numbers, target=target), completion)
    assert certificate.verdict is Verdict.FAIL
    assert time.process_time() - start < 8
    text = certificate.witness["solution"]
    assert text is None or evaluate(text) == target


def all_values(hand: tuple[Fraction, ...]) -> set[Fraction]:
    """By joining the values of all pairs of parts."""
    if len(hand) <= 3:
        return set(values(hand))
    made: set[Fraction] = set()
    for first, second in halves(hand):
        for a in all_values(first):
            for b in all_values(second):
                made |= {a + b, a - b, b - a, a * b, *([a / b] if b else []), *([b / a] if a else [])}
    return made


def test_the_backward_search_finds_what_there_is() -> None:
    rng = random.Random(6)
    for _ in range(8):
        hand = hand_of(rng.choices([0, 1, 2, 3, 5, 7, 10], k=4))
        made = all_values(hand)
        targets = [
            *rng.sample(sorted(made), min(40, len(made))),
            *(Fraction(rng.randrange(-60, 60)) for _ in range(40)),
        ]
        for target in [*targets, Fraction(0)]:
            assert reaches(hand, target) == (target in made), (hand, target)
            assert reaches_signed(hand, target) == (target in made or -target in made), (hand, target)


def test_what_six_numbers_make_is_found() -> None:
    rng = random.Random(7)
    for _ in range(10):
        numbers = rng.choices(range(1, 26), k=6)
        _, value, _ = guess(tuple(numbers), rng)
        if value is not None:
            assert reaches_signed(hand_of(numbers), value), (numbers, value)
