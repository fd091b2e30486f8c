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
from rlsf_lightning.symbolic.verifiers.game24.values import Hand, combine, hand_of, reaches_signed

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
        reading.errors.append(finding_at("bad_character", f"{named}: not part of an expression", *bad))
        return reading
    equals = next((i for i, token in enumerate(tokens) if token.text == "="), len(tokens))
    reading.tokens = tokens[:equals]
    Yard(reading).run(reading.tokens)
    if equals < len(tokens) - 1:
        said = Span(tokens[equals + 1].span.start, tokens[-1].span.end)
        reading.stated = Token(text[said.start - offset : said.end - offset], said)
    elif equals == len(tokens) - 1:
        reading.errors.append(finding_at("missing_operand", "a value is missing after =", tokens[equals]))
    return reading


def evaluate(postfix: list[Token]) -> Fraction:
    """The exact value. Raises DivisionByZero."""
    value = _nodes(postfix)[-1][1].value
    assert value is not None
    return value


def first_dead_operator(postfix: list[Token], hand: Hand, target: Fraction) -> Token | None:
    """The operator of the smallest part that leads nowhere: with its value and the other numbers there is no way to the
    target. Of several, the first in postfix order."""
    for token, node in _nodes(postfix):
        rest = Counter(hand) - Counter(node.numbers)
        assert node.value is not None, "first_dead_operator of a division by zero"
        if not token.is_number and not reaches_signed(hand_of([node.value, *rest.elements()]), target):
            return token
    return None


class Yard:
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
        self.reading.errors.append(finding_at(kind, message, token))


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


def finding_at(kind: str, message: str, *tokens: Token) -> Finding:
    """A finding whose places are those of the tokens."""
    return Finding(kind, message, tuple(token.span for token in tokens))
