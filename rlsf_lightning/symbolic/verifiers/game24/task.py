"""The task of a prompt: numbers, each to be used once, and the target to be made of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import Hand, hand_of, reaches_signed

#: The exact search grows by a factor of twenty with each number.
MAX_NUMBERS = 6
#: Numbers and targets are at most this.
MAX_NUMBER = 1_000_000

_EXAMPLE = 'write "numbers": [4, 6, 8, 10]'


@dataclass(frozen=True)
class Task:
    hand: Hand
    target: Fraction

    @property
    def has_solution(self) -> bool:
        return reaches_signed(self.hand, self.target)


def task_of(prompt: Prompt) -> Task:
    """From the facts ``numbers`` and ``target``. Raises UserError."""
    numbers, target = prompt.facts.get("numbers"), prompt.facts.get("target", 24)
    if numbers is None:
        raise UserError(f"game24 needs the numbers of each prompt as the fact `numbers`; {_EXAMPLE}")
    is_list = isinstance(numbers, (list, tuple)) and 1 <= len(numbers) <= MAX_NUMBERS
    if not is_list or not all(_is_integer(number) and 0 <= number <= MAX_NUMBER for number in numbers):
        raise UserError(
            f"game24: the fact `numbers` is {str(numbers)[:100]}; it must be a list of 1 to {MAX_NUMBERS} integers "
            f"from 0 to {MAX_NUMBER}; {_EXAMPLE}"
        )
    if not _is_integer(target) or abs(target) > MAX_NUMBER:
        raise UserError(f'game24: the fact `target` is {str(target)[:100]}; it must be an integer; write "target": 24')
    return Task(hand_of(numbers), Fraction(target))


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
