"""Viability of the prefix of an answer, in either form."""

from __future__ import annotations

from rlsf_lightning.symbolic.verifiers.game24.check import check
from rlsf_lightning.symbolic.verifiers.game24.parse import parse
from rlsf_lightning.symbolic.verifiers.game24.parse.notation import (
    BLANKS,
    announced,
    before_announcement,
    plain_beginnings,
)
from rlsf_lightning.symbolic.verifiers.game24.task import Task
from rlsf_lightning.symbolic.verifiers.game24.viable.expression import viable_expression
from rlsf_lightning.symbolic.verifiers.game24.viable.steps import are_whole, viable_steps


def viable(prefix: str, task: Task, max_chars: int) -> bool | None:
    """Exact, but for the length limit, up to five numbers; None: cannot tell. White space may stand around an answer."""
    text = prefix.lstrip()
    core = text.rstrip()
    if len(core) > max_chars:
        return False
    if text[len(core) :].strip(BLANKS):  # white space that may stand after an answer only
        return bool(core) and _passes(core, task)
    if not core:
        return task.has_solution
    if core.endswith(".") and _passes(core, task):
        return True
    answers = {_lives(beginning, task) for beginning in plain_beginnings(text)}
    return True if True in answers else None if None in answers else False


def _passes(text: str, task: Task) -> bool:
    return not check(parse(text), task).findings


def _lives(text: str, task: Task) -> bool | None:
    """Of a plain text without white space before it."""
    parts = announced(text)
    if parts is not None:
        before, answer = parts.before, parts.answer.lstrip(BLANKS)
        if before.strip() and not are_whole(before, task):
            return False
        return viable_expression(answer, task) if answer else task.has_solution
    before_answer = before_announcement(text)
    if before_answer is not None and (are_whole(before_answer, task) if before_answer.strip() else task.has_solution):
        return True
    if len(task.hand) > 1 and viable_steps(text, task):
        return True
    return viable_expression(text, task)
