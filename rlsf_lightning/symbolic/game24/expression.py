"""The expression form of an answer, `(8-4)*(10-4)` or `(8-4)*(10-4) = 24`: what is wrong with it, and where.

Numbers are written as in the hand, operators are + - * / and a minus before an operand, brackets are round. Reading and
evaluating keep their own stacks, so that nesting costs no recursion. Nothing is ever given to ``eval``.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.game24.values import Hand, combine, hand_of, reaches_signed

_TOKEN = re.compile(r"[0-9]+|[-+*/()=]|[ \t\r\n]+|[^-0-9+*/()= \t\r\n]+")
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2, "minus": 3, "(": 0}


class Token(NamedTuple):
    """``text`` stands at ``span``. In postfix order a minus before an operand has the text `minus`, and
    an operator with its operands turned round is written with `~`."""

    text: str
    span: Span

    @property
    def is_number(self) -> bool:
        return self.text.isascii() and self.text.isdigit()


class _Value(NamedTuple):
    """Of a part. The value of what holds a division by zero is None."""

    value: Fraction | None
    numbers: tuple[Fraction, ...]
    span: Span


class DivisionByZero(Exception):
    """``spans`` are those of the quotients."""

    def __init__(self, spans: list[Span]) -> None:
        self.spans = tuple(spans)


@dataclass
class Reading:
    """An expression as it stands and in postfix order, and what kept it from being one."""

    tokens: list[Token] = field(default_factory=list)
    postfix: list[Token] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)
    #: All that stands after an equals sign.
    stated: Token | None = None

    @property
    def numbers(self) -> list[Token]:
        """As they stand in the text."""
        return [token for token in self.postfix if token.is_number]


def read_expression(text: str, offset: int = 0) -> Reading:
    """Shunting-yard. ``offset`` is added to every place."""
    tokens = [Token(m.group(), Span(m.start() + offset, m.end() + offset)) for m in _TOKEN.finditer(text)]
    tokens = [token for token in tokens if token.text.strip(" \t\r\n")]
    reading = Reading()
    bad = [token for token in tokens if token.text not in set("+-*/()=") and not token.is_number]
    if bad:
        named = ", ".join(ascii(token.text) for token in bad)[:100]
        reading.errors.append(_finding("bad_character", f"{named}: not part of an expression", *bad))
        return reading
    equals = next((i for i, token in enumerate(tokens) if token.text == "="), len(tokens))
    reading.tokens = tokens[:equals]
    _Yard(reading).run(reading.tokens)
    if equals < len(tokens) - 1:
        said = Span(tokens[equals + 1].span.start, tokens[-1].span.end)
        reading.stated = Token(text[said.start - offset : said.end - offset], said)
    elif equals == len(tokens) - 1:
        reading.errors.append(_finding("missing_operand", "a value is missing after =", tokens[equals]))
    return reading


def evaluate(postfix: list[Token]) -> Fraction:
    """The exact value. Raises DivisionByZero."""
    value = _nodes(postfix)[-1][1].value
    assert value is not None
    return value


def judge_expression(
    text: str, offset: int, hand: Hand, target: Fraction
) -> tuple[list[Finding], float, dict[str, object]]:
    """(findings, score, witness); no finding means that the expression is right."""
    reading = read_expression(text, offset)
    findings = list(reading.errors)
    witness: dict[str, object] = {"form": "expression", "value": None}
    if findings:
        return _needless_bracket(reading, hand, target) or findings, 0.0, witness
    in_hand, written = Counter(map(str, hand)), Counter(token.text for token in reading.numbers)
    unused = sorted((in_hand - written).elements(), key=int)
    witness |= {"used": [token.text for token in reading.numbers], "unused": unused}
    for number in written - in_hand:
        message = (
            f"{number} is there {written[number]} times, not {in_hand[number]}; unused: {', '.join(unused) or 'none'}"
        )
        places = [token for token in reading.numbers if token.text == number]
        findings.append(_finding("number_not_available", message, *places))
    if len(reading.numbers) < len(hand):
        findings.append(Finding("number_unused", f"not used: {', '.join(unused)}"))
    try:
        value = evaluate(reading.postfix)
    except DivisionByZero as error:
        findings.append(Finding("division_by_zero", "the divisor is 0", error.spans))
        value = None
    if value is not None:
        witness["value"] = str(value)
        if value != target and not findings:
            findings.append(_wrong_value(reading, value, hand, target))
        findings += _wrong_statement(reading.stated, value, target)
    used = (written & in_hand).total()
    score = 0.5 * used / max(len(hand), len(reading.numbers)) + (0.4 if value == target else 0.0)
    return findings, score, witness


def _needless_bracket(reading: Reading, hand: Hand, target: Fraction) -> list[Finding]:
    """The brackets, each of which alone could be left out and all would be right, where there is one too many."""
    written = Counter(token.text for token in reading.tokens)
    if abs(written["("] - written[")"]) != 1:
        return []
    bracket, kind = ("(", "unclosed_bracket") if written["("] > written[")"] else (")", "extra_bracket")
    found = []
    for at, token in enumerate(reading.tokens):
        if token.text == bracket:
            other = Reading()
            _Yard(other).run([*reading.tokens[:at], *reading.tokens[at + 1 :]])
            numbers = hand_of(int(number.text) for number in other.numbers)
            if not other.errors and numbers == hand and _value_of(other.postfix) == target:
                found.append(token)
    return [_finding(kind, "without this bracket all would be right", *found)] if found else []


def suspects(reading: Reading, target: Fraction) -> list[Token]:
    """The operators, each of which alone could be another one, or have its operands the other way round, or be left out
    if it is a minus before an operand, and the value would be the target."""
    tokens = reading.tokens
    found = []
    for at, token in enumerate(tokens):
        if token.text in ("+", "-", "*", "/"):
            others = [[token._replace(text=operator)] for operator in "+-*/"]
            if Token("minus", token.span) in reading.postfix:
                others = [[]]
            values = [_value_of(_postfix([*tokens[:at], *other, *tokens[at + 1 :]])) for other in others]
            turned = [node._replace(text=f"~{node.text}") if node == token else node for node in reading.postfix]
            if target in (*values, _value_of(turned)):
                found.append(token)
    return found


def first_dead_operator(postfix: list[Token], hand: Hand, target: Fraction) -> Token | None:
    """The operator of the smallest part that leads nowhere: with its value and the other numbers there is no way to the
    target. Of several, the first in postfix order."""
    for token, node in _nodes(postfix):
        rest = Counter(hand) - Counter(node.numbers)
        assert node.value is not None, "first_dead_operator of a division by zero"
        if not token.is_number and not reaches_signed(hand_of([node.value, *rest.elements()]), target):
            return token
    return None


def _wrong_value(reading: Reading, value: Fraction, hand: Hand, target: Fraction) -> Finding:
    message = f"the value is {value}, not {target}"
    tokens = suspects(reading, target)
    if tokens:
        return _finding("wrong_value", f"{message}; another operation here would do", *tokens)
    dead = first_dead_operator(reading.postfix, hand, target)
    if dead is None:
        return Finding("wrong_value", message)
    return _finding("wrong_value", f"{message}; with this part's value nothing leads there", dead)


def _wrong_statement(stated: Token | None, value: Fraction, target: Fraction) -> list[Finding]:
    """What is said after = must be the target's value; where the expression is wrong, that alone is reported."""
    if stated is None or stated.text == str(target) or (stated.text == str(value) and value != target):
        return []
    return [_finding("wrong_arithmetic", f"the value is {value}, not {ascii(stated.text)[1:-1][:50]}", stated)]


class _Yard:
    """The stack of operators and open brackets, and whether an operand comes next."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.waiting: list[Token] = []
        self.wants_operand = True
        self.last: Token | None = None

    def run(self, tokens: list[Token]) -> None:
        for token in tokens:
            self._take_operand(token) if self.wants_operand else self._take_operator(token)
            self.last = token
        if self.wants_operand and tokens:
            self._error("missing_operand", "an operand is missing after this", tokens[-1])
        elif self.wants_operand:
            self.reading.errors.append(Finding("missing_operand", "there is no expression"))
        for token in self.waiting:
            if token.text == "(":
                self._error("unclosed_bracket", "this bracket is not closed", token)
        self._pop(0)

    def _take_operand(self, token: Token) -> None:
        if token.is_number:
            self.reading.postfix.append(token)
            self.wants_operand = False
        elif token.text == "(":
            self.waiting.append(token)
        elif token.text == "-":
            self.waiting.append(Token("minus", token.span))
        else:
            self._error("missing_operand", "an operand is missing before the last of this", self._with_last(token))
            self.wants_operand = token.text != ")"
            if token.text == ")" and any(waiting.text == "(" for waiting in self.waiting):
                self._pop(1)
                self.waiting.pop()

    def _take_operator(self, token: Token) -> None:
        if token.is_number or token.text == "(":
            self._error("missing_operator", "an operator is missing in this", self._with_last(token))
            self.wants_operand = True
            self._take_operand(token)
        elif token.text == ")":
            self._pop(1)
            if self.waiting:
                self.waiting.pop()
            else:
                self._error("extra_bracket", "there is no bracket to close", token)
        else:
            self._pop(_STRENGTH[token.text])
            self.waiting.append(token)
            self.wants_operand = True

    def _pop(self, strength: int) -> None:
        """Operators at least this strong are done."""
        while self.waiting and _STRENGTH[self.waiting[-1].text] >= strength:
            self.reading.postfix.append(self.waiting.pop())

    def _with_last(self, token: Token) -> Token:
        """The token and the one before, as one place."""
        return token if self.last is None else Token("", Span(self.last.span.start, token.span.end))

    def _error(self, kind: str, message: str, token: Token) -> None:
        self.reading.errors.append(_finding(kind, message, token))


def _nodes(postfix: list[Token]) -> list[tuple[Token, _Value]]:
    """Every token with the value of the part that it is the root of; the last is the whole. Raises DivisionByZero."""
    stack: list[_Value] = []
    nodes: list[tuple[Token, _Value]] = []
    zeros: list[Span] = []
    for token in postfix:
        if token.is_number:
            number = Fraction(int(token.text))
            stack.append(_Value(number, (number,), token.span))
        elif token.text == "minus":
            operand = stack.pop()
            value = None if operand.value is None else -operand.value
            stack.append(_Value(value, operand.numbers, Span(token.span.start, operand.span.end)))
        else:
            right, left = stack.pop(), stack.pop()
            span = Span(left.span.start, right.span.end)
            value = None
            operator = token.text.removeprefix("~")
            a, b = (left.value, right.value) if operator == token.text else (right.value, left.value)
            if operator == "/" and a is not None and b == 0:
                zeros.append(span)
            elif a is not None and b is not None:
                value = combine(a, operator, b)
            stack.append(_Value(value, left.numbers + right.numbers, span))
        nodes.append((token, stack[-1]))
    if zeros:
        raise DivisionByZero(zeros)
    return nodes


def _postfix(tokens: list[Token]) -> list[Token]:
    reading = Reading()
    _Yard(reading).run(tokens)
    assert not reading.errors, "an operator was exchanged for another one"
    return reading.postfix


def _value_of(postfix: list[Token]) -> Fraction | None:
    """None: division by zero."""
    try:
        return evaluate(postfix)
    except DivisionByZero:
        return None


def _finding(kind: str, message: str, *tokens: Token) -> Finding:
    return Finding(kind, message, tuple(token.span for token in tokens))
