"""All steps from a hand: two of its numbers are replaced by what an operator makes of them."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import Hand, combine, hand_of


class Step(NamedTuple):
    """``a operator b`` makes ``made``, and ``left`` is there for the next step."""

    a: Fraction
    operator: str
    b: Fraction
    made: Fraction
    left: Hand


@lru_cache(maxsize=20_000)
def steps_from(hand: Hand) -> tuple[Step, ...]:
    """Every step that can be taken."""
    steps: dict[Step, None] = {}
    for i, j in permutations(range(len(hand)), 2):
        rest = [number for k, number in enumerate(hand) if k not in (i, j)]
        for operator in "+-*/":
            if operator != "/" or hand[j]:
                made = combine(hand[i], operator, hand[j])
                steps[Step(hand[i], operator, hand[j], made, hand_of([*rest, made]))] = None
    return tuple(steps)
