"""Checks an answer as an expression or as steps, whichever it is, or as both."""

from __future__ import annotations

import re

from rlsf_lightning.symbolic.verifiers.game24.check.checked import Checked
from rlsf_lightning.symbolic.verifiers.game24.check.expression import check_expression
from rlsf_lightning.symbolic.verifiers.game24.check.steps import check_steps
from rlsf_lightning.symbolic.verifiers.game24.parse import Answer
from rlsf_lightning.symbolic.verifiers.game24.task import Task

_OPERATION = re.compile(r"[ \t\r]*\(?[0-9]+\)?[ \t\r]*[-+*/][ \t\r]*\(?[0-9]+\)?[ \t\r]*=")


def check(answer: Answer, task: Task) -> Checked:
    """In the form in which the answer is right, or else in the one that is meant."""
    expression = check_expression(answer.expression, task)
    if answer.is_announced:
        return _both(check_steps(answer.lines, task), expression) if answer.lines else expression
    if not expression.findings or not answer.lines:
        return expression
    steps = check_steps(answer.lines, task)
    return steps if not steps.findings or _is_meant_as_steps(answer.text, task) else expression


def _both(steps: Checked, answer: Checked) -> Checked:
    """Steps, and the answer announced after them: neither may be wrong."""
    findings = [*steps.findings, *answer.findings]
    score = min((part.score for part in (steps, answer) if part.findings), default=1.0)
    return Checked(findings, score, {**steps.witness, "answer": answer.witness}, (steps, answer))


def _is_meant_as_steps(text: str, task: Task) -> bool:
    """Whether it says what is left, or its first line is one operation of several."""
    first, _, others = text.partition("\n")
    is_operation = _OPERATION.match(first) is not None
    return "left" in text or (is_operation and (len(task.hand) > 2 or "=" in others))
