"""Which beginnings of an answer live: against writing out every right answer, and on prefixes of right ones."""

import random
from fractions import Fraction
from itertools import combinations_with_replacement, permutations

import pytest
from game24_cases import expressions, prompt, right_steps, spread

from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import hand_of, reaches, solution
from rlsf_lightning.symbolic.verifiers.game24.recheck import lives
from rlsf_lightning.symbolic.verifiers.game24.recheck.rewrite import evaluate, makes
from rlsf_lightning.symbolic.verifiers.game24.task import Task
from rlsf_lightning.symbolic.verifiers.game24.verifier import Game24Verifier

VERIFIER = Game24Verifier()
TARGET = Fraction(24)


def lives_too(prefix: str, hand: tuple[Fraction, ...], target: Fraction, max_chars: int) -> bool | None:
    return lives(prefix, Task(hand, target), max_chars)


@pytest.mark.parametrize("size", [2, 3])
def test_living_prefixes_are_those_of_right_expressions(size: int) -> None:
    """Of every expression. Needless brackets and rows of signs are not written out, so that a prefix may live which is in
    none: then a second search must find a way too."""
    rng = random.Random(size)
    for _ in range(5):
        hand = tuple(sorted(rng.choices([0, 1, 2, 3, 4, 6, 8, 12], k=size)))
        target = rng.choice([24, 0, 1, 6, -1, 12])
        texts = expressions(hand)
        right = {text[:i] for text, value, _ in texts if value == target for i in range(len(text) + 1)}
        every = sorted({text[:i] for text, _, _ in texts for i in range(len(text) + 1)})
        asked = prompt(list(hand), target=target)
        for prefix in rng.sample(every, min(len(every), 300)):
            lives = VERIFIER.viable(asked, prefix)
            if prefix in right:
                assert lives is True, (hand, target, prefix)
            elif lives:
                assert lives_too(prefix, hand_of(hand), Fraction(target), 500), (hand, target, prefix)


def test_living_prefixes_are_those_of_right_steps() -> None:
    """Every right list of steps lives to its end; with another character somewhere, two searches must say the same."""
    rng = random.Random(3)
    dead = 0
    for hand in [(2, 3, 4), (1, 5, 5), (3, 8, 9)]:
        texts = ["\n".join(lines) for lines in right_steps(tuple(map(Fraction, hand)), TARGET)]
        asked = prompt(list(hand))
        for text in rng.sample(texts, min(len(texts), 12)):
            assert all(VERIFIER.viable(asked, text[:i]) for i in range(len(text) + 1)), (hand, text)
            for at in rng.sample(range(len(text)), 10):
                other = text[:at] + rng.choice("0123456789+-*/=(), l\n")
                lives = VERIFIER.viable(asked, other)
                assert lives == lives_too(other, hand_of(hand), TARGET, 500), (hand, other)
                dead += not lives
    assert dead > 50


def test_prefixes_of_right_answers_live_and_death_is_final() -> None:
    rng = random.Random(4)
    hands = [hand for hand in combinations_with_replacement(range(1, 14), 4) if rng.random() < 0.015]
    checked = 0
    for hand in hands:
        text = solution(hand_of(hand), TARGET)
        if text is None:
            continue
        text = spread(text, rng) + rng.choice(["", " = 24", "=24 \n"])
        asked = prompt(rng.sample(hand, 4))
        assert all(VERIFIER.viable(asked, text[:i]) for i in range(len(text) + 1)), (hand, text)
        checked += len(text)
        at = rng.randrange(len(text))
        other = text[:at] + rng.choice("0123456789+-*/()= x") + text[at:]
        lives = [VERIFIER.viable(asked, other[:i]) for i in range(len(other) + 1)]
        assert lives == sorted(lives, reverse=True), (hand, other)
    assert checked > 150


def test_the_solver_agrees_with_a_second_one() -> None:
    rng = random.Random(5)
    for hand in combinations_with_replacement(range(1, 14), 4):
        if rng.random() < 0.01:
            assert reaches(hand_of(hand), TARGET) == makes(hand_of(hand), TARGET), hand


@pytest.mark.slow
def test_the_number_of_hands_that_make_24() -> None:
    solved = [hand for hand in combinations_with_replacement(range(1, 14), 4) if reaches(hand_of(hand), TARGET)]
    assert len(solved) == 1362
    for hand in solved:
        assert evaluate(solution(hand_of(hand), TARGET) or "") == 24


def test_larger_hands() -> None:
    """Five and six numbers, solved backwards."""
    text = solution(hand_of((25, 50, 75, 100, 3, 6)), Fraction(952))
    assert text is not None and evaluate(text) == 952


def test_expressions_over_larger_hands() -> None:
    asked = prompt([1, 2, 3, 4, 5], target=115)
    assert all(VERIFIER.viable(asked, "5*(3*(4*2)-1)"[:i]) for i in range(5, 14))
    assert VERIFIER.viable(asked, "5*(3*(4*2)-1)+") is False


def test_larger_hands_with_zeros() -> None:
    assert solution(hand_of((0, 0, 0, 0, 1)), Fraction(24)) is None
    assert solution(hand_of((0, 0, 5, 7, 9)), Fraction(0)) is not None


def test_order_of_the_numbers_is_free() -> None:
    for hand in permutations([3, 3, 8, 8]):
        assert VERIFIER.viable(prompt(list(hand)), "8/(3-8/") is True


@pytest.mark.parametrize("text", ["(" * 244 + "4+6+8+8" + ")" * 245, "(" * 123 + "4" + ")" * 62 + "+6+8+8" + ")" * 62])
def test_nested_brackets_are_rechecked(text: str) -> None:
    """Everywhere in the text a bracket is tried, so that what a try costs counts by the hundred."""
    assert VERIFIER.recheck(VERIFIER.verify(prompt([4, 6, 8, 8]), text), prompt([4, 6, 8, 8]), text)
