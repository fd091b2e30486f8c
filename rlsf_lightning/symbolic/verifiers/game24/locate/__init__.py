"""Localises errors: the single edits that would make an answer right."""

from __future__ import annotations

from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.verifiers.game24.check.checked import Checked
from rlsf_lightning.symbolic.verifiers.game24.locate.expression import locate_expression
from rlsf_lightning.symbolic.verifiers.game24.locate.steps import locate_steps
from rlsf_lightning.symbolic.verifiers.game24.parse import Answer
from rlsf_lightning.symbolic.verifiers.game24.task import Task


def locate(checked: Checked, answer: Answer, task: Task) -> list[Finding]:
    """The findings of a wrong answer, narrowed where that is possible."""
    if checked.parts:
        return [finding for part in checked.parts if part.findings for finding in locate(part, answer, task)]
    if checked.witness["form"] == "steps":
        return locate_steps(checked, answer.lines, task)
    return locate_expression(checked, answer.expression, task)
