"""Viability of the prefix of an answer, in either form."""

from __future__ import annotations

from rlsf_lightning.symbolic.verifiers.game24.check import check
from rlsf_lightning.symbolic.verifiers.game24.parse import parse
from rlsf_lightning.symbolic.verifiers.game24.parse.expression import BLANKS
from rlsf_lightning.symbolic.verifiers.game24.task import Task
from rlsf_lightning.symbolic.verifiers.game24.viable.expression import viable_expression
from rlsf_lightning.symbolic.verifiers.game24.viable.steps import viable_steps


def viable(prefix: str, task: Task, max_chars: int) -> bool | None:
    """Exact, but for the length limit, up to five numbers; None: cannot tell. White space may stand around an answer."""
    text = prefix.lstrip()
    core = text.rstrip()
    if len(core) > max_chars:
        return False
    if text[len(core) :].strip(BLANKS):  # white space that may stand after an answer only
        return bool(core) and not check(parse(core), task).findings
    if not core:
        return task.has_solution
    if len(task.hand) > 1 and viable_steps(text, task):
        return True
    return viable_expression(text, task)
