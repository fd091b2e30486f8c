"""Tasks of the game of 24: a hand that has a solution, drawn and solved, and how it is asked for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction

from rlsf_lightning.prompts.generated import Task
from rlsf_lightning.prompts.sources.game24.solutions import Solution, any_solution, random_solution

TARGET = 24
#: Cards of the game.
HIGHEST_CARD = 13
#: Other targets are from 1 to this.
HIGHEST_TARGET = 100
#: The share of training tasks with the target 24 and four cards.
SHARE_OF_24 = 0.4

#: How a hand is asked for.
ASKS = (
    "Make {target} out of {numbers}, each used once.",
    "Use the numbers {numbers} once each to get {target}.",
    "Numbers: {numbers}. Target: {target}.",
    "With +, -, * and /, reach {target} from {numbers}.",
)


def make_24(rng: random.Random, *, in_steps: bool) -> Task | None:
    """A hand of four cards, and 24; None where it cannot be made."""
    numbers = sorted(rng.choices(range(1, HIGHEST_CARD + 1), k=4))
    solution = random_solution(numbers, Fraction(TARGET), rng)
    return None if solution is None else task(numbers, TARGET, solution, rng, in_steps=in_steps)


def make_any(rng: random.Random, *, in_steps: bool) -> Task | None:
    """Three to five numbers and a target that can be made of them."""
    if rng.random() < SHARE_OF_24:
        return make_24(rng, in_steps=in_steps)
    highest = rng.choice([9, HIGHEST_CARD, HIGHEST_CARD, 25])
    numbers = sorted(rng.choices(range(1, highest + 1), k=rng.choice([3, 4, 4, 4, 5])))
    solution = any_solution(numbers, rng)
    if solution is None or not 1 <= solution.value <= HIGHEST_TARGET or solution.value.denominator != 1:
        return None
    return task(numbers, int(solution.value), solution, rng, in_steps=in_steps)


def task(numbers: Sequence[int], target: int, solution: Solution, rng: random.Random, *, in_steps: bool) -> Task:
    """The hand in any order and some wording, with its answer."""
    shown = rng.sample(numbers, len(numbers))
    form = rng.choice([" ".join(map(str, shown)), ", ".join(map(str, shown))])
    return Task(
        rng.choice(ASKS).format(target=target, numbers=form),
        reference=solution.expression,
        key=" ".join(map(str, numbers)),
        target=solution.steps if in_steps else solution.expression,
        facts={"numbers": shown, "target": target},
    )
