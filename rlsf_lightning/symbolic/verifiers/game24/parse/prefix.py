"""Parser of unfinished expressions: a prefix is folded into its open brackets.

What the bracket in work is worth depends linearly, or inversely, on the operand that comes next, so a bracket is three numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import Hand, hand_of

_TOKEN = re.compile(r"(?P<number>[0-9]+)|(?P<operator>[-+*/])|(?P<bracket>[()])|(?P<blank>[ \t\r\n]+)")


class Bracket(NamedTuple):
    """Worth ``total + scale * x``, or ``total + scale / x``, where x is the operand that is awaited."""

    total: Fraction = Fraction(0)
    scale: Fraction = Fraction(1)
    divides: bool = False

    def term(self, x: Fraction) -> Fraction | None:
        """The term in work when the operand is x; None: division by zero."""
        if not self.divides:
            return self.scale * x
        return self.scale / x if x else None


class Partial(NamedTuple):
    """A prefix: its open brackets (the expression itself is the first), the term in work if an operand has just ended,
    and the numbers that are left."""

    brackets: tuple[Bracket, ...]
    term: Fraction | None
    left: Hand

    def completes(self, target: Fraction) -> bool:
        """Whether nothing is missing: no number, no bracket, and the value is the target."""
        if len(self.brackets) > 1 or self.left or self.term is None:
            return False
        return self.brackets[0].total + self.term == target


def parse_prefix(text: str, hand: Hand) -> Iterator[Partial]:
    """What the text can be the beginning of: nothing if it is no beginning of an expression with these numbers, several
    if it ends within a number."""
    brackets, left = [Bracket()], Counter(hand)
    term: Fraction | None = None
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return
        at = token.end()
        if token.lastgroup == "blank":
            continue
        written = token.group()
        if token.lastgroup == "number":
            if term is None and at == len(text):
                yield from _with_last_number(brackets, written, left)
                return
            number = Fraction(int(written))
            if term is not None or str(number) != written or not left[number]:
                return
            left -= Counter([number])
            term = brackets[-1].term(number)
            if term is None:
                return
        elif not _fold(brackets, term, written):
            return
        else:
            term = None
            if written == ")":
                worth = brackets.pop()
                term = brackets[-1].term(worth.total)
                if term is None:
                    return
    yield Partial(tuple(brackets), term, hand_of(left.elements()))


def begins_expression(text: str) -> bool:
    """Whether some expression of any numbers begins so: such a one can go on to any value."""
    brackets, at = [Bracket()], 0
    term: Fraction | None = None
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return False
        at, written = token.end(), token.group()
        if token.lastgroup == "blank":
            continue
        if token.lastgroup == "number":
            if term is not None or str(int(written)) != written:
                return False
            term = brackets[-1].term(Fraction(int(written)))
        elif not _fold(brackets, term, written):
            return False
        elif written != ")":
            term = None
            continue
        else:
            worth = brackets.pop()
            term = brackets[-1].term(worth.total)
        if term is None:
            return False
    return True


def _with_last_number(brackets: list[Bracket], digits: str, left: Counter[Fraction]) -> Iterator[Partial]:
    """One for each number that these digits may be the beginning of."""
    for number in {number for number in left.elements() if str(number).startswith(digits)}:
        term = brackets[-1].term(number)
        if term is not None:
            yield Partial(tuple(brackets), term, hand_of((left - Counter([number])).elements()))


def _fold(brackets: list[Bracket], term: Fraction | None, written: str) -> bool:
    """Take an operator or a bracket into the open brackets; a closing one leaves its value as the total of the last.
    False: it cannot stand here."""
    last = brackets[-1]
    if term is None:
        if written == "-":
            brackets[-1] = last._replace(scale=-last.scale)
        elif written == "(":
            brackets.append(Bracket())
        return written in ("-", "(")
    if written in ("*", "/"):
        brackets[-1] = Bracket(last.total, term, written == "/")
    elif written in ("+", "-"):
        brackets[-1] = Bracket(last.total + term, Fraction(-1 if written == "-" else 1))
    elif written == ")":
        brackets[-1] = Bracket(last.total + term)
    return written in ("*", "/", "+", "-") or (written == ")" and len(brackets) > 1)
