"""Checks steps, each by what the one before says is left, so that a mistake is reported once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import hand_of, reaches
from rlsf_lightning.symbolic.verifiers.game24.check.checked import Checked
from rlsf_lightning.symbolic.verifiers.game24.parse.steps import Line, Step
from rlsf_lightning.symbolic.verifiers.game24.task import Task

_BAD = re.compile(r"[^-0-9+*/=().,: \t\r\n]+")


def check_steps(lines: list[Line], task: Task) -> Checked:
    """No finding means that the steps are right and leave the target alone.

    Args:
        lines: at least one.
    """
    findings: list[Finding] = []
    right, rows, now = 0, list[dict[str, object]](), list(task.hand)
    for line in lines:
        if not line.readings:
            findings.append(_unreadable(line))
            continue
        step = _meant(line.readings, now)
        found = _wrong_in(step, now)
        now = _left_by(step, now)
        if not found and not findings:
            if reaches(hand_of(now), task.target):
                right += 1
            else:
                message = f"from {_spelled(now)} nothing leads to {task.target}"
                found = [Finding("dead_end", message, (Span(step.a[1].start, step.b[1].end),))]
        findings += found
        rows.append({"span": [line.span.start, line.span.end], "value": None if step.made is None else str(step.made)})
    if not findings and len(now) > 1:
        end = lines[-1].span.end
        findings.append(Finding("number_unused", f"steps are missing: {_spelled(now)} left", (Span(end - 1, end),)))
    score = 0.9 * min(1.0, right / max(1, len(task.hand) - 1))
    return Checked(findings, score, {"form": "steps", "steps": rows, "left": [str(number) for number in now]})


def _meant(readings: Iterable[Step], now: list[Fraction]) -> Step:
    """The reading that is right, or the first whose operands are there, or the first."""
    return min(readings, key=lambda step: (bool(_missing(step, now)), bool(_wrong_in(step, now))))


def _missing(step: Step, now: list[Fraction]) -> list[tuple[Fraction, Span]]:
    """The operands that are not there."""
    there = Counter(now)
    missing = []
    for operand in (step.a, step.b):
        if there[operand[0]]:
            there[operand[0]] -= 1
        else:
            missing.append(operand)
    return missing


def _wrong_in(step: Step, now: list[Fraction]) -> list[Finding]:
    findings = [
        Finding("number_not_available", f"{number} is not among the numbers left ({_spelled(now)})", (span,))
        for number, span in _missing(step, now)
    ]
    if step.made is None:
        quotient = Span(step.a[1].start, step.b[1].end)
        return [*findings, Finding("division_by_zero", "the divisor is 0", (quotient,))]
    if step.made != step.stated[0]:
        spans = (*_exchangeable(step), step.stated[1])
        findings.append(Finding("wrong_arithmetic", f"the value is {step.made}", spans))
    return [*findings, *_wrong_remainder(step, now)]


def _wrong_remainder(step: Step, now: list[Fraction]) -> list[Finding]:
    """What is said to be left and is not, or all that is said where something is left out."""
    rest = Counter(_rest(step, now))
    extra = []
    for number, span in step.left or ():
        if rest[number]:
            rest[number] -= 1
        else:
            extra.append(span)
    if step.left is None or not (extra or +rest):
        return []
    message = f"left should be {_spelled(_rest(step, now))}"
    return [Finding("wrong_remainder", message, tuple(extra) or (step.left_span,))]


def _exchangeable(step: Step) -> tuple[Span, ...]:
    """The operator, if with another one the result would be right."""
    others = [step._replace(operator=operator).made for operator in "+-*/"]
    return (step.operator_span,) if step.stated[0] in others else ()


def _rest(step: Step, now: list[Fraction]) -> list[Fraction]:
    """What is left after the step as it is written."""
    rest = Counter(now) - Counter([step.a[0], step.b[0]])
    return [*rest.elements(), step.stated[0]]


def _left_by(step: Step, now: list[Fraction]) -> list[Fraction]:
    """What is there for the next step, as this one says."""
    return _rest(step, now) if step.left is None else [number for number, _ in step.left]


def _unreadable(line: Line) -> Finding:
    start = line.span.start
    bad = [
        Span(start + match.start(), start + match.end()) for match in _BAD.finditer(line.text.replace("left", "    "))
    ]
    if bad:
        return Finding("bad_character", "not part of a step `a + b = c (left: ...)`", tuple(bad))
    return Finding("bad_step", "this is no step `a + b = c (left: ...)` with plain numbers", (line.span,))


def _spelled(numbers: Iterable[Fraction]) -> str:
    return " ".join(str(number) for number in sorted(numbers))[:200]
