"""Parser of answers in both forms: an expression, and steps; or steps and an expression that `Answer:` announces."""

from __future__ import annotations

from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.game24.parse.expression import Expression, parse_expression
from rlsf_lightning.symbolic.verifiers.game24.parse.notation import announced, plain
from rlsf_lightning.symbolic.verifiers.game24.parse.steps import Line, parse_steps


class Answer(NamedTuple):
    """``text`` is plain."""

    text: str
    expression: Expression
    #: Of a text without an equals sign there are none.
    lines: list[Line]
    #: Whether the expression is announced, so that the lines are no other reading of it.
    is_announced: bool


def parse(text: str, offset: int = 0) -> Answer:
    """Whatever the text is, in any notation. ``offset`` is added to every place."""
    text = plain(text)
    parts = announced(text)
    if parts is None:
        lines = parse_steps(text, offset) if "=" in text else []
        return Answer(text, parse_expression(text, offset), lines, is_announced=False)
    lines = parse_steps(parts.before, offset)
    return Answer(text, parse_expression(parts.answer, offset + parts.start), lines, is_announced=True)
