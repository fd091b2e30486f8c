"""Viability of the prefix of an expression: exact, by a search over every way to go on.

Going on means dividing the numbers that are left among the open brackets (``parse.prefix``). Any sequence of further factors
equals one factor with a value that their numbers can have; the same holds for terms.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import Hand, reaches_signed, signed, subsets
from rlsf_lightning.symbolic.verifiers.game24.check.expression import stated_value
from rlsf_lightning.symbolic.verifiers.game24.parse.prefix import Bracket, Partial, begins_expression, parse_prefix
from rlsf_lightning.symbolic.verifiers.game24.task import Task

#: Values that one search may look at (about half a second); beyond it the answer is "cannot tell".
BUDGET = 50_000
#: The same for the numbers that are left.
MOST_LEFT = 4


class _OutOfBudget(Exception):
    pass


def viable_expression(text: str, task: Task) -> bool | None:
    """Whether some continuation of ``text`` (no white space before it) is an expression for the target, with each number
    of the hand once, and perhaps equations with the target's value after it. None: cannot tell."""
    before, equals, after = text.partition("=")
    partials = list(parse_prefix(f"{before} " if equals else before, task.hand))
    if equals:
        *stated, last = after.split("=")
        right = all(stated_value(text) == task.target for text in stated) and begins_expression(last)
        return right and any(partial.completes(task.target) for partial in partials)
    answers = {_viable(_reduced(partial), task.target) for partial in partials}
    return True if True in answers else None if None in answers else False


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
