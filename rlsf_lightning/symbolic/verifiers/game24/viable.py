"""Can this beginning of an expression still become one for the target? Exact: every way to go on is considered.

A prefix is folded into its open brackets. What the bracket in work is worth depends linearly, or inversely, on the operand
that comes next, so a bracket is three numbers, and going on means dividing the numbers that are left among brackets. Any
sequence of further factors equals one factor with a value that their numbers can have; the same holds for terms.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.game24.values import Hand, hand_of, reaches_signed, signed, subsets

#: White space between the tokens of an expression.
BLANKS = " \t\r\n"
#: Values that one search may look at (about half a second); beyond it the answer is "cannot tell".
BUDGET = 50_000
#: The same for the numbers that are left.
MOST_LEFT = 4

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


class _OutOfBudget(Exception):
    pass


def viable_expression(text: str, hand: Hand, target: Fraction) -> bool | None:
    """Whether some continuation of ``text`` (no white space before it) is an expression for ``target``, with each number
    of ``hand`` once, and perhaps ``= target`` after it. None: cannot tell."""
    before, equals, after = text.partition("=")
    partials = list(read_prefix(f"{before} " if equals else before, hand))
    if equals:
        stated = after.strip(BLANKS)
        ended = after != after.rstrip(BLANKS) and bool(stated)
        right = stated == str(target) if ended else str(target).startswith(stated)
        return right and any(is_complete(partial, target) for partial in partials)
    answers = {_viable(_reduced(partial), target) for partial in partials}
    return True if True in answers else None if None in answers else False


def is_complete(partial: Partial, target: Fraction) -> bool:
    """Whether nothing is missing: no number, no bracket, and the value is the target."""
    if len(partial.brackets) > 1 or partial.left or partial.term is None:
        return False
    return partial.brackets[0].total + partial.term == target


def read_prefix(text: str, hand: Hand) -> Iterator[Partial]:
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


def _with_last_number(brackets: list[Bracket], digits: str, left: Counter[Fraction]) -> Iterator[Partial]:
    """One for each number that these digits may be the beginning of."""
    for number in {number for number in left.elements() if str(number).startswith(digits)}:
        term = brackets[-1].term(number)
        if term is not None:
            yield Partial(tuple(brackets), term, hand_of((left - Counter([number])).elements()))


def _fold(brackets: list[Bracket], term: Fraction | None, written: str) -> bool:
    """Take an operator or a bracket into the open brackets; a closing one leaves its value as the total of the last. False: it
    cannot stand here."""
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


def _reduced(partial: Partial) -> Partial:
    """The same question with fewer brackets: in a row of brackets around nothing yet but signs, only their number up to
    that of the numbers left counts, and the product of the signs."""
    most = len(partial.left) + 1
    kept: list[Bracket] = []
    run = 0
    for bracket in partial.brackets[:-1]:
        plain = bracket.total == 0 and abs(bracket.scale) == 1 and not bracket.divides
        run = run + 1 if plain else 0
        if run > most:
            kept[-1] = kept[-1]._replace(scale=kept[-1].scale * bracket.scale)
        else:
            kept.append(bracket)
    return partial._replace(brackets=(*kept, partial.brackets[-1]))


@lru_cache(maxsize=100_000)
def _viable(partial: Partial, target: Fraction) -> bool | None:
    brackets, term, left = partial
    if term is None and all(b.total == 0 and abs(b.scale) == 1 and not b.divides for b in brackets):
        return reaches_signed(left, target)
    if len(left) > MOST_LEFT:
        return None
    try:
        return _Search(target).succeeds(partial)
    except _OutOfBudget:
        return None


class _Search:
    """Depth first, from the innermost bracket outwards."""

    def __init__(self, target: Fraction) -> None:
        self.target = target
        self.looked_at = 0
        self.dead: set[tuple[int, Fraction | None, Hand]] = set()

    def succeeds(self, partial: Partial) -> bool:
        brackets, term, left = partial
        key = len(brackets), term, left
        if key in self.dead:
            return False
        found = self._ends(partial) if len(brackets) == 1 else self._closes(partial)
        if not found:
            self.dead.add(key)
        return found

    def _closes(self, partial: Partial) -> bool:
        """Whether the innermost bracket can be closed with a value that leads on."""
        outer, left = partial.brackets[:-1], partial.left
        for worth, rest in _worths(partial, left):
            self._count()
            term = outer[-1].term(worth)
            if term is not None and self.succeeds(Partial(outer, term, rest)):
                return True
        return False

    def _ends(self, partial: Partial) -> bool:
        """Whether the outermost bracket can have the target's value with all numbers that are left."""
        total = partial.brackets[0].total
        for term, rest in _terms(partial):
            self._count()
            missing = self.target - total - term
            if missing == 0 if not rest else reaches_signed(rest, missing):
                return True
        return False

    def _count(self) -> None:
        self.looked_at += 1
        if self.looked_at > BUDGET:
            raise _OutOfBudget


def _worths(partial: Partial, left: Hand) -> Iterator[tuple[Fraction, Hand]]:
    """(value, numbers left) of every way to close the innermost bracket."""
    total = partial.brackets[-1].total
    for term, rest in _terms(partial):
        yield total + term, rest
        for part, others in subsets(rest):
            if part:
                for value in signed(part):
                    yield total + term + value, others


def _terms(partial: Partial) -> Iterator[tuple[Fraction, Hand]]:
    """(value, numbers left) of every way to end the term in work."""
    last, term = partial.brackets[-1], partial.term
    if term is not None:
        yield term, partial.left
    for part, rest in subsets(partial.left):
        for value in signed(part) if part else ():
            if term is not None:
                yield term * value, rest
                if value:
                    yield term / value, rest
            elif not last.divides:
                yield last.scale * value, rest
            elif value:
                yield last.scale / value, rest
        if term is None and last.divides and _has_nought_over(part):
            yield Fraction(0), rest


def _has_nought_over(hand: Hand) -> bool:
    """Whether a part of the hand can be something to divide by while another part makes 0, which follows as a factor."""
    return any(0 in signed(first) and signed(second) != {0} for first, second in subsets(hand) if first and second)
