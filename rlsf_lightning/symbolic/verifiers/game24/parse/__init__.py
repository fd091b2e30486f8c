"""Parser of answers in both forms: an expression, and steps."""

from __future__ import annotations

from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.game24.parse.expression import Expression, parse_expression
from rlsf_lightning.symbolic.verifiers.game24.parse.steps import Line, parse_steps


class Answer(NamedTuple):
    text: str
    expression: Expression
    #: Of a text without an equals sign there are none.
    lines: list[Line]


def parse(text: str, offset: int = 0) -> Answer:
    """Whatever the text is. ``offset`` is added to every place."""
    lines = parse_steps(text, offset) if "=" in text else []
    return Answer(text, parse_expression(text, offset), lines)
