"""Parser of expressions, `(8-4)*(10-4)` or `(8-4)*(10-4) = 4*6 = 24`, into postfix order, with located syntax errors.

Numbers are written as in the hand, operators are + - * / and a minus before an operand, brackets are round. Reading keeps a
stack of its own (shunting-yard), so that nesting costs no recursion. Nothing is ever given to ``eval``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.game24.parse.notation import BLANKS, without_stop

_TOKEN = re.compile(r"[0-9]+|[-+*/()=]|[ \t\r\n]+|[^-0-9+*/()= \t\r\n]+")
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2, "minus": 3, "(": 0}


class Token(NamedTuple):
    """``text`` stands at ``span``. In postfix order a minus before an operand has the text `minus`."""

    text: str
    span: Span

    @property
    def is_number(self) -> bool:
        return self.text.isascii() and self.text.isdigit()


@dataclass
class Expression:
    """As it stands and in postfix order, and the mistakes that keep it from being one."""

    tokens: Sequence[Token]
    postfix: list[Token] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)
    #: What stands after each equals sign; all after the first in one, where something is missing between two.
    stated: list[Token] = field(default_factory=list)

    @property
    def numbers(self) -> list[Token]:
        """As they stand in the text."""
        return [token for token in self.postfix if token.is_number]


def parse_expression(text: str, offset: int = 0) -> Expression:
    """Whatever the text is. ``offset`` is added to every place."""
    text = without_stop(text.rstrip(BLANKS))
    tokens = [Token(m.group(), Span(m.start() + offset, m.end() + offset)) for m in _TOKEN.finditer(text)]
    tokens = [token for token in tokens if token.text.strip(BLANKS)]
    bad = [token for token in tokens if token.text not in set("+-*/()=") and not token.is_number]
    if bad:
        named = ", ".join(ascii(token.text) for token in bad)[:100]
        return Expression([], errors=[finding_at("bad_character", f"{named}: not part of an expression", *bad)])
    equals = next((i for i, token in enumerate(tokens) if token.text == "="), len(tokens))
    expression = parse_tokens(tokens[:equals])
    if equals < len(tokens) - 1:
        pieces = _between_equals(tokens[equals + 1 :])
        for first, *_, last in pieces if all(pieces) else [(tokens[equals + 1], tokens[-1])]:
            said = Span(first.span.start, last.span.end)
            expression.stated.append(Token(text[said.start - offset : said.end - offset], said))
    elif equals == len(tokens) - 1:
        expression.errors.append(finding_at("missing_operand", "a value is missing after =", tokens[equals]))
    return expression


def parse_tokens(tokens: Sequence[Token]) -> Expression:
    """The expression that the tokens are."""
    expression = Expression(tokens)
    _ShuntingYard(expression).run()
    return expression


def value_tokens(text: str) -> list[Token] | None:
    """The tokens of what an equals sign is followed by; None if it has other ones, or a number with a needless nought."""
    tokens = [Token(m.group(), Span(m.start(), m.end())) for m in _TOKEN.finditer(text) if m.group().strip(BLANKS)]
    if not all(str(int(t.text)) == t.text if t.is_number else t.text in tuple("+-*/()") for t in tokens):
        return None
    return tokens


def _between_equals(tokens: Sequence[Token]) -> list[tuple[Token, ...]]:
    """The first and the last token of every part; nothing of a part without tokens."""
    parts: list[tuple[Token, ...]] = [()]
    for token in tokens:
        if token.text == "=":
            parts.append(())
        else:
            parts[-1] = (parts[-1][0] if parts[-1] else token, token)
    return parts


def finding_at(kind: str, message: str, *tokens: Token) -> Finding:
    """A finding whose places are those of the tokens."""
    return Finding(kind, message, tuple(token.span for token in tokens))


class _ShuntingYard:
    """The stack of operators and open brackets, and whether an operand comes next."""

    def __init__(self, expression: Expression) -> None:
        self.expression = expression
        self.waiting: list[Token] = []
        self.wants_operand = True
        self.last: Token | None = None

    def run(self) -> None:
        tokens = self.expression.tokens
        for token in tokens:
            self._take_operand(token) if self.wants_operand else self._take_operator(token)
            self.last = token
        if self.wants_operand and tokens:
            self._error("missing_operand", "an operand is missing after this", tokens[-1])
        elif self.wants_operand:
            self.expression.errors.append(Finding("missing_operand", "there is no expression"))
        for token in self.waiting:
            if token.text == "(":
                self._error("unclosed_bracket", "this bracket is not closed", token)
        self._pop(0)

    def _take_operand(self, token: Token) -> None:
        if token.is_number:
            self.expression.postfix.append(token)
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
            self.expression.postfix.append(self.waiting.pop())

    def _with_last(self, token: Token) -> Token:
        """The token and the one before, as one place."""
        return token if self.last is None else Token("", Span(self.last.span.start, token.span.end))

    def _error(self, kind: str, message: str, token: Token) -> None:
        self.expression.errors.append(finding_at(kind, message, token))
