"""Parser of worked solutions: equations of literal numbers and the final answer, with their spans."""

from __future__ import annotations

from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.math.parse.answer import Answer, find_answer
from rlsf_lightning.symbolic.verifiers.math.parse.equations import Equation, read_equations


class Solution(NamedTuple):
    equations: list[Equation]
    answer: Answer | None


def parse(text: str) -> Solution:
    """Whatever the text holds; spans are of ``text``."""
    return Solution(list(read_equations(text)), find_answer(text))
