"""Localises the error of an expression: the single edits that would make it right.

One operator, one bracket, one number more, or two numbers exchanged. Each edit is made and the whole is read and valued
again, so that no place is a guess. Where no edit makes a value right: the smallest part that leads nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import hand_of, reaches_signed
from rlsf_lightning.symbolic.verifiers.game24.check.checked import Checked
from rlsf_lightning.symbolic.verifiers.game24.check.expression import DivisionByZero, evaluate, parts_of
from rlsf_lightning.symbolic.verifiers.game24.parse.expression import Expression, Token, finding_at, parse_tokens
from rlsf_lightning.symbolic.verifiers.game24.task import Task

#: Gaps that are blamed for a missing bracket, at most.
MAX_GAPS = 3


def locate_expression(checked: Checked, expression: Expression, task: Task) -> list[Finding]:
    """The findings of a wrong expression, narrowed."""
    if expression.errors:
        return _misplaced_bracket(expression, task) or checked.findings
    located = []
    for finding in checked.findings:
        if finding.kind == "number_unused":
            gaps = _gaps_for_a_number(expression, checked.witness["unused"], task)
            finding = Finding(finding.kind, finding.message, tuple(gaps))
        elif finding.kind == "wrong_value":
            finding = _wrong_value(finding.message, expression, task)
        located.append(finding)
    return located


def _wrong_value(message: str, expression: Expression, task: Task) -> Finding:
    tokens = {*_exchangeable_operators(expression, task.target), *_exchangeable_numbers(expression, task.target)}
    if tokens:
        message += "; another operation or order here would do"
        return finding_at("wrong_value", message, *sorted(tokens, key=lambda token: token.span))
    dead = _first_dead_operator(expression, task)
    if dead is None:
        return Finding("wrong_value", message)
    return finding_at("wrong_value", f"{message}; with this part's value nothing leads there", dead)


def _first_dead_operator(expression: Expression, task: Task) -> Token | None:
    """The operator of the smallest part that leads nowhere: with its value and the other numbers there is no way to the
    target. Of several, the first in postfix order."""
    for token, part in parts_of(expression.postfix):
        rest = Counter(task.hand) - Counter(part.numbers)
        assert part.value is not None, "an expression with a value divides by nothing that is 0"
        if not token.is_number and not reaches_signed(hand_of([part.value, *rest.elements()]), task.target):
            return token
    return None


def _misplaced_bracket(expression: Expression, task: Task) -> list[Finding]:
    """Where one bracket is too many, and all would be right with one less or one more: those that could be left out, and the
    first gaps in which a partner could stand."""
    tokens = expression.tokens
    written = Counter(token.text for token in tokens)
    surplus = written["("] - written[")"]
    numbers = Counter(token.text for token in tokens if token.is_number)
    if abs(surplus) != 1 or numbers != Counter(map(str, task.hand)):
        return []
    bracket, other, kind = ("(", ")", "unclosed_bracket") if surplus > 0 else (")", "(", "extra_bracket")
    found = [
        token.span
        for at, token in enumerate(tokens)
        if token.text == bracket and _is_right([*tokens[:at], *tokens[at + 1 :]], task.target)
    ]
    gaps: list[Span] = []
    for at in range(len(tokens) + 1):
        beside_its_like = at > 0 and tokens[at - 1].text == other
        if len(gaps) == MAX_GAPS or beside_its_like:
            continue
        if _is_right([*tokens[:at], Token(other, _gap(tokens, at)), *tokens[at:]], task.target):
            gaps.append(_gap(tokens, at))
    spans = tuple(sorted({*found, *gaps}))
    return [Finding(kind, "one bracket more or less here, and all would be right", spans)] if spans else []


def _gaps_for_a_number(expression: Expression, unused: Sequence[str], task: Task) -> list[Span]:
    """The gaps before a minus in which the only number that is not used could stand and all would be right."""
    if len(unused) != 1 or len(expression.numbers) != len(task.hand) - 1:
        return []
    tokens = expression.tokens
    found = []
    for at, token in enumerate(tokens):
        if Token("minus", token.span) in expression.postfix:
            gap = _gap(tokens, at)
            if _is_right([*tokens[:at], Token(unused[0], gap), *tokens[at:]], task.target):
                found.append(gap)
    return found


def _exchangeable_numbers(expression: Expression, target: Fraction) -> list[Token]:
    """The numbers next to each other, of which two could change places and the value would be the target."""
    tokens = expression.tokens
    found: list[Token] = []
    for a, b in pairwise(at for at, token in enumerate(tokens) if token.is_number):
        other = list(tokens)
        other[a], other[b] = tokens[a]._replace(text=tokens[b].text), tokens[b]._replace(text=tokens[a].text)
        if b - a == 2 and tokens[a].text != tokens[b].text and _is_right(other, target):
            found += [tokens[a], tokens[b]]
    return list(dict.fromkeys(found))


def _exchangeable_operators(expression: Expression, target: Fraction) -> list[Token]:
    """The operators, each of which alone could be another one, or have its operands the other way round, or be left out
    if it is a minus before an operand, and the value would be the target."""
    tokens = expression.tokens
    found = []
    for at, token in enumerate(tokens):
        if token.text in ("+", "-", "*", "/"):
            is_sign = Token("minus", token.span) in expression.postfix
            others = [[]] if is_sign else [[token._replace(text=operator)] for operator in "+-*/"]
            is_other_right = any(_is_right([*tokens[:at], *other, *tokens[at + 1 :]], target) for other in others)
            if is_other_right or _value_of(expression, turned=token) == target:
                found.append(token)
    return found


def _is_right(tokens: Sequence[Token], target: Fraction) -> bool:
    """Whether the tokens are an expression of the target's value."""
    expression = parse_tokens(tokens)
    return not expression.errors and _value_of(expression) == target


def _value_of(expression: Expression, turned: Token | None = None) -> Fraction | None:
    """None: division by zero."""
    try:
        return evaluate(expression.postfix, turned)
    except DivisionByZero:
        return None


def _gap(tokens: Sequence[Token], at: int) -> Span:
    """From the last character before the token to its first one; at an end of the expression, the one that there is."""
    before = tokens[at - 1].span.end - 1 if at else tokens[0].span.start
    after = tokens[at].span.start + 1 if at < len(tokens) else tokens[-1].span.end
    return Span(before, after)
