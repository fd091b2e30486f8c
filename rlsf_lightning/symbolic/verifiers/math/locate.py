"""Localises the error of a wrong step: its result, and every operator or operand whose replacement makes the step right.

A change is another operator, or another number in the place of one: of those in the question and in what stands before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import islice

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.math.check.steps import Step, is_right
from rlsf_lightning.symbolic.verifiers.math.parse.equations import Equation
from rlsf_lightning.symbolic.verifiers.math.parse.lexer import MAX_DIGITS, Token, is_operand_end

#: A wrong operand is looked for in the first wrong steps only, and in those of few operands.
MAX_EXPLAINED = 10
MAX_OPERANDS = 6
#: Numbers that are tried in the place of one.
MAX_KNOWN = 40

_KNOWN = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?")


def locate(wrong: Sequence[Step], question: str, text: str) -> list[Finding]:
    """A finding for each wrong step of ``text``, in order."""
    return [_finding_of(step, number, question, text) for number, step in enumerate(wrong)]


def exchangeable_operators(equation: Equation) -> list[Token]:
    """The operators on the left, each of which alone could be another one and the step would be right."""
    tokens, found = equation.left.tokens, []
    for at in range(1, len(tokens)):
        if tokens[at].text in tuple("+-*/") and is_operand_end(tokens[at - 1]):
            others = (_with(equation, at, tokens[at]._replace(text=operator)) for operator in "+-*/")
            if any(is_right(other) for other in others):
                found.append(tokens[at])
    return found


def exchangeable_operands(
    equation: Equation, known: Sequence[Fraction], holds: Callable[[Equation], bool]
) -> list[Token]:
    """The numbers on the left, each of which alone could be one of the known numbers and the step would be right."""
    tokens = equation.left.tokens
    numbers = [at for at, token in enumerate(tokens) if token.kind == "number"]
    if not equation.left.is_expression or len(numbers) > MAX_OPERANDS:
        return []
    found = []
    for at in numbers:
        others = (
            _with(equation, at, tokens[at]._replace(text=str(value), value=value))
            for value in known
            if value != tokens[at].value
        )
        if any(holds(other) for other in others):
            found.append(tokens[at])
    return found


def known_numbers(question: str, text: str, end: int) -> list[Fraction]:
    """The numbers of the question and of the solution before a step, those next to it first."""
    written = [match.group() for source in (question, text[:end]) for match in _KNOWN.finditer(source)]
    values = (Fraction(number.replace(",", "")) for number in reversed(written) if len(number) <= MAX_DIGITS)
    return list(islice(dict.fromkeys(values), MAX_KNOWN))


def _with(equation: Equation, at: int, token: Token) -> Equation:
    """The same with another token on its left side."""
    tokens = equation.left.tokens
    return equation._replace(left=equation.left._replace(tokens=(*tokens[:at], token, *tokens[at + 1 :])))


def _finding_of(step: Step, number: int, question: str, text: str) -> Finding:
    left, right = step.equation.left, step.equation.right
    if step.left_value is None or step.right_value is None:
        side = left if step.left_value is None else right
        return Finding("division_by_zero", "a division by 0", (Span(side.start, side.end),))
    said, stated = text[left.start : left.end], text[right.start : right.end]
    message = f"{said[:60]} is {str(step.left_value)[:60]}, not {stated[:60]}"
    tokens = exchangeable_operators(step.equation)
    if number < MAX_EXPLAINED:
        tokens += exchangeable_operands(step.equation, known_numbers(question, text, step.equation.start), is_right)
    spans = sorted([*(Span(token.start, token.end) for token in tokens), Span(right.start, right.end)])
    return Finding("wrong_step", message, tuple(spans))
