"""Checks an expression: numbers that are not available or not used, division by zero, and its exact value."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import NamedTuple

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import combine
from rlsf_lightning.symbolic.verifiers.game24.check.checked import Checked
from rlsf_lightning.symbolic.verifiers.game24.parse.expression import (
    Expression,
    Token,
    finding_at,
    parse_tokens,
    value_tokens,
)
from rlsf_lightning.symbolic.verifiers.game24.task import Task


class Part(NamedTuple):
    """A part of an expression. The value of what holds a division by zero is None."""

    value: Fraction | None
    numbers: tuple[Fraction, ...]
    span: Span


class DivisionByZero(Exception):
    """``spans`` are those of the quotients."""

    def __init__(self, spans: list[Span]) -> None:
        self.spans = tuple(spans)


def check_expression(expression: Expression, task: Task) -> Checked:
    """No finding means that the expression is right."""
    if expression.errors:
        return Checked(expression.errors, 0.0, {"form": "expression", "value": None})
    in_hand, written = Counter(map(str, task.hand)), Counter(token.text for token in expression.numbers)
    unused = sorted((in_hand - written).elements(), key=int)
    findings = _wrong_numbers(expression, in_hand, written, unused)
    value = None
    try:
        value = evaluate(expression.postfix)
    except DivisionByZero as error:
        findings.append(Finding("division_by_zero", "the divisor is 0", error.spans))
    if value is not None:
        if value != task.target and not findings:
            findings.append(Finding("wrong_value", f"the value is {value}, not {task.target}"))
        findings += _wrong_statements(expression.stated, value, task.target)
    used = (written & in_hand).total()
    score = 0.5 * used / max(len(task.hand), len(expression.numbers)) + (0.4 if value == task.target else 0.0)
    shown = None if value is None else str(value)
    witness = {
        "form": "expression",
        "value": shown,
        "used": [token.text for token in expression.numbers],
        "unused": unused,
    }
    return Checked(findings, score, witness)


def evaluate(postfix: list[Token], turned: Token | None = None) -> Fraction:
    """The exact value. ``turned``: an operator that gets its operands the other way round. Raises DivisionByZero."""
    value = parts_of(postfix, turned)[-1][1].value
    assert value is not None
    return value


def parts_of(postfix: list[Token], turned: Token | None = None) -> list[tuple[Token, Part]]:
    """Every token with the value of the part that it is the root of; the last is the whole. Raises DivisionByZero."""
    stack: list[Part] = []
    parts: list[tuple[Token, Part]] = []
    zeros: list[Span] = []
    for token in postfix:
        if token.is_number:
            number = Fraction(int(token.text))
            stack.append(Part(number, (number,), token.span))
        elif token.text == "minus":
            operand = stack.pop()
            value = None if operand.value is None else -operand.value
            stack.append(Part(value, operand.numbers, Span(token.span.start, operand.span.end)))
        else:
            right, left = stack.pop(), stack.pop()
            span = Span(left.span.start, right.span.end)
            value = None
            a, b = (right.value, left.value) if token == turned else (left.value, right.value)
            if token.text == "/" and a is not None and b == 0:
                zeros.append(span)
            elif a is not None and b is not None:
                value = combine(a, token.text, b)
            stack.append(Part(value, left.numbers + right.numbers, span))
        parts.append((token, stack[-1]))
    if zeros:
        raise DivisionByZero(zeros)
    return parts


def _wrong_numbers(
    expression: Expression, in_hand: Counter[str], written: Counter[str], unused: list[str]
) -> list[Finding]:
    findings = []
    for number in written - in_hand:
        message = (
            f"{number} is used {_times(written[number])}, given {_times(in_hand[number])}; "
            f"unused: {', '.join(unused) or 'none'}"
        )
        tokens = [token for token in expression.numbers if token.text == number]
        findings.append(finding_at("number_not_available", message, *tokens))
    if written.total() < in_hand.total():
        findings.append(Finding("number_unused", f"not used: {', '.join(unused)}"))
    return findings


def _wrong_statements(stated: list[Token], value: Fraction, target: Fraction) -> list[Finding]:
    """What is said after every = must have the target's value; where the expression is wrong, that alone is reported."""
    values = (stated_value(token.text) for token in stated)
    return [
        finding_at("wrong_arithmetic", f"the value is {value}, not {ascii(token.text)[1:-1][:50]}", token)
        for token, said in zip(stated, values, strict=True)
        if said is None or said not in (target, value)
    ]


def stated_value(text: str) -> Fraction | None:
    """The value of what stands after an equals sign; None: it has none."""
    tokens = value_tokens(text)
    expression = None if tokens is None else parse_tokens(tokens)
    if expression is None or expression.errors:
        return None
    try:
        return evaluate(expression.postfix)
    except DivisionByZero:
        return None


def _times(count: int) -> str:
    return f"{count} time{'' if count == 1 else 's'}"
