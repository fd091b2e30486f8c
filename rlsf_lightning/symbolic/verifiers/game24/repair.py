"""Repairs of an answer: one operator another, two neighbours exchanged, or from the first wrong step on other steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from rlsf_lightning.records import Edit, Span
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.game24.arithmetic.steps import Step, steps_from
from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import Hand, reaches
from rlsf_lightning.symbolic.verifiers.game24.parse import parse
from rlsf_lightning.symbolic.verifiers.game24.parse.expression import Expression, Token
from rlsf_lightning.symbolic.verifiers.game24.parse.steps import Line
from rlsf_lightning.symbolic.verifiers.game24.task import Task
from rlsf_lightning.symbolic.verifiers.game24.viable.steps import after


def repairs(task: Task, completion: str) -> Iterator[tuple[Edit, ...]]:
    """The edits that may make an answer right. In steps they do, where there is a way; see ``_next_steps``."""
    text, offset = stripped(completion)
    answer = parse(text, offset)
    if answer.lines and any(line.readings for line in answer.lines):
        yield from _next_steps(answer.lines, task, completion)
    elif not answer.expression.errors:
        yield from _of_expression(answer.expression)


def _of_expression(expression: Expression) -> Iterator[tuple[Edit, ...]]:
    tokens: Sequence[Token] = expression.tokens
    for token in tokens:
        if token.text in ("+", "-", "*", "/"):
            yield from ((Edit(token.span, other),) for other in "+-*/" if other != token.text)
    numbers = [token for token in tokens if token.is_number]
    for first, second in pairwise(numbers):
        if first.text != second.text:
            yield (Edit(first.span, second.text), Edit(second.span, first.text))


def _next_steps(lines: Sequence[Line], task: Task, completion: str) -> Iterator[tuple[Edit, ...]]:
    """The lines before the first that is wrong, and then the first way to the target, with or without what is left."""
    hands, right = {task.hand}, 0
    for line in lines:
        next_hands = after(line.text, hands, task.target)
        if not next_hands:
            break
        hands, right = next_hands, right + 1
    hand = min(hands)
    if not reaches(hand, task.target):
        return
    begins = lines[right].span.start if right < len(lines) else lines[-1].span.end
    states_left = any(step.left is not None for line in lines for step in line.readings)
    written = "\n".join(_way(hand, task.target, states_left))
    if right < len(lines):
        yield (Edit(Span(begins, len(completion.rstrip())), written),)
    elif written:
        yield (Edit(Span(begins, begins), f"\n{written}"),)


def _way(hand: Hand, target: Fraction, states_left: bool) -> Iterator[str]:
    """The lines that lead to the target."""
    while len(hand) > 1:
        step = next(step for step in steps_from(hand) if reaches(step.left, target))
        yield _spelled(step, states_left)
        hand = step.left


def _spelled(step: Step, states_left: bool) -> str:
    left = f" (left: {' '.join(map(str, step.left))})" if states_left else ""
    return f"{step.a} {step.operator} {step.b} = {step.made}{left}"
