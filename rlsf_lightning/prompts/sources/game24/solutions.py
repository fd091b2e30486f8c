"""Solutions of a hand: two numbers at a time are put together, and written as steps and as an expression."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import combine, hand_of, reaches

#: How strongly an operator binds; a number more than any.
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}
_NUMBER = 3
#: The share of negative numbers and fractions on the way that are refused.
UNNATURAL_REFUSED = 0.9


class Part(NamedTuple):
    """A number that is left: its value, how it was made, and how strongly that text holds together."""

    value: Fraction
    text: str
    strength: int = _NUMBER


class Solution(NamedTuple):
    value: Fraction
    #: ``(8 - 4) * (10 - 4)``
    expression: str
    #: ``8 - 4 = 4 (left: 4 4 10)``, a line a step.
    steps: str


class After(NamedTuple):
    """What is left after an operation, its result last, and the operation as a step says it: ``8 - 4 = 4``."""

    parts: tuple[Part, ...]
    operation: str

    @property
    def line(self) -> str:
        return f"{self.operation} (left: {' '.join(str(part.value) for part in self.parts)})"


def random_solution(numbers: Sequence[int], target: Fraction, rng: random.Random) -> Solution | None:
    """A solution at random: steps after each of which the target can still be made. None: there is none."""
    if not reaches(hand_of(numbers), target):
        return None
    parts, lines = _dealt(numbers), list[str]()
    while len(parts) > 1:
        moves = [(i, j, sign) for i, j in itertools.permutations(range(len(parts)), 2) for sign in "+-*/"]
        rng.shuffle(moves)
        tried = (_after(parts, *move) for move in moves)
        step = next(step for step in tried if step and reaches(hand_of(p.value for p in step.parts), target))
        parts = step.parts
        lines.append(step.line)
    return Solution(parts[0].value, parts[0].text, "\n".join(lines))


def any_solution(numbers: Sequence[int], rng: random.Random) -> Solution | None:
    """Operations at random, whatever they make; None for a division by zero, and mostly for what is no natural number."""
    parts, lines = _dealt(numbers), list[str]()
    while len(parts) > 1:
        i, j = rng.sample(range(len(parts)), 2)
        step = _after(parts, i, j, rng.choice("+-*/"))
        if step is None or (not _is_natural(step.parts[-1].value) and rng.random() < UNNATURAL_REFUSED):
            return None
        parts = step.parts
        lines.append(step.line)
    return Solution(parts[0].value, parts[0].text, "\n".join(lines))


def _dealt(numbers: Sequence[int]) -> tuple[Part, ...]:
    return tuple(Part(Fraction(number), str(number)) for number in numbers)


def _after(parts: Sequence[Part], i: int, j: int, sign: str) -> After | None:
    """None for a division by zero."""
    a, b = parts[i], parts[j]
    if sign == "/" and not b.value:
        return None
    value, strength = combine(a.value, sign, b.value), _STRENGTH[sign]
    left = f"({a.text})" if a.strength < strength else a.text
    needs_brackets = b.strength < strength or (b.strength == strength and sign in "-/")
    right = f"({b.text})" if needs_brackets else b.text
    made = Part(value, f"{left} {sign} {right}", strength)
    rest = tuple(part for k, part in enumerate(parts) if k not in (i, j))
    return After((*rest, made), f"{a.value} {sign} {b.value} = {value}")


def _is_natural(value: Fraction) -> bool:
    return value.denominator == 1 and value >= 0
