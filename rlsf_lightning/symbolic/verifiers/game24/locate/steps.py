"""Localises a missing step: the gaps in which one step more would make all right."""

from __future__ import annotations

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.game24.arithmetic.steps import steps_from
from rlsf_lightning.symbolic.verifiers.game24.check.checked import Checked
from rlsf_lightning.symbolic.verifiers.game24.parse.steps import Line
from rlsf_lightning.symbolic.verifiers.game24.task import Task
from rlsf_lightning.symbolic.verifiers.game24.viable.steps import after


def locate_steps(checked: Checked, lines: list[Line], task: Task) -> list[Finding]:
    """The findings of wrong steps, narrowed."""
    gaps = _gaps_for_a_step(lines, task)
    if gaps:
        return [Finding("number_unused", "with one step more here all would be right", tuple(gaps))]
    return checked.findings


def _gaps_for_a_step(lines: list[Line], task: Task) -> list[Span]:
    """The gaps between lines in which some step could stand and all would be right."""
    if len(lines) != len(task.hand) - 2:
        return []
    gaps, hands = [], {task.hand}
    for at in range(len(lines) + 1):
        ends = {step.left for hand in hands for step in steps_from(hand)}
        for line in lines[at:]:
            ends = after(line.text, ends, task.target)
        if (task.target,) in ends:
            before = lines[at - 1].span.end - 1 if at else lines[0].span.start
            gaps.append(Span(before, lines[at].span.start + 1 if at < len(lines) else lines[-1].span.end))
        hands = after(lines[at].text, hands, task.target) if at < len(lines) else hands
    return gaps
