"""Values that a hand can reach with + - * / and brackets: exact fractions, exhaustive search.

A hand is a sorted tuple of fractions, each of which must be used once. Sets of values are kept for hands of at most
``MOST_LISTED`` numbers; larger hands are answered by working backwards from the wanted value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache

Hand = tuple[Fraction, ...]

#: The set of all values of a hand of this size (some hundreds) is cheap; with one number more it takes 0.1 s.
MOST_LISTED = 3


def hand_of(numbers: Iterable[int | Fraction]) -> Hand:
    """The numbers in the one order that is used here."""
    return tuple(sorted(map(Fraction, numbers)))


def combine(left: Fraction, operator: str, right: Fraction) -> Fraction:
    """The value of ``left operator right``. Raises ZeroDivisionError."""
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    return left * right if operator == "*" else left / right


@lru_cache(maxsize=20_000)
def values(hand: Hand) -> frozenset[Fraction]:
    """Every value that an expression with each number once can have, without a leading minus."""
    assert 1 <= len(hand) <= MOST_LISTED + 1, f"values of {len(hand)} numbers"
    if len(hand) == 1:
        return frozenset(hand)
    made: set[Fraction] = set()
    for first, second in halves(hand):
        for a in values(first):
            for b in values(second):
                made.update((a + b, a - b, b - a, a * b))
                if b:
                    made.add(a / b)
                if a:
                    made.add(b / a)
    return frozenset(made)


@lru_cache(maxsize=20_000)
def signed(hand: Hand) -> frozenset[Fraction]:
    """The same where a minus may stand before any operand: that only adds the negative of each value."""
    return values(hand) | {-value for value in values(hand)}


@lru_cache(maxsize=100_000)
def reaches(hand: Hand, target: Fraction) -> bool:
    """Whether some expression with each number once, and no leading minus, has the value ``target``."""
    if len(hand) <= MOST_LISTED:
        return target in values(hand)
    if not _reaches_size(hand, abs(target)):
        return False
    return any(
        b is None or reaches(large, b)
        for small, large in _by_size(hand)
        for a in values(small)
        for b in _partners(a, target)
    )


def reaches_signed(hand: Hand, target: Fraction) -> bool:
    """The same where a minus may stand before any operand."""
    return _reaches_size(hand, abs(target))


@lru_cache(maxsize=20_000)
def solution(hand: Hand, target: Fraction) -> str | None:
    """An expression for ``target`` with each number of the hand once; None if there is none."""
    if reaches(hand, target):
        return _spelled(hand, target, outermost=True)
    return f"-{_spelled(hand, -target, outermost=False)}" if reaches(hand, -target) else None


@lru_cache(maxsize=20_000)
def halves(hand: Hand) -> tuple[tuple[Hand, Hand], ...]:
    """Every division of a hand into two parts, neither empty; each pair of parts once."""
    return tuple({tuple(sorted(pair)): pair for pair in subsets(hand) if pair[0] and pair[1]}.values())


@lru_cache(maxsize=20_000)
def subsets(hand: Hand) -> tuple[tuple[Hand, Hand], ...]:
    """(part, rest) for every part of a hand, the empty one and the whole included; equal parts once."""
    found: dict[Hand, Hand] = {}
    for mask in range(1 << len(hand)):
        part = tuple(number for i, number in enumerate(hand) if mask >> i & 1)
        found.setdefault(part, tuple(number for i, number in enumerate(hand) if not mask >> i & 1))
    return tuple(found.items())


@lru_cache(maxsize=20_000)
def _sizes(hand: Hand) -> frozenset[Fraction]:
    """The absolute values that a hand can have."""
    return frozenset(map(abs, values(hand)))


@lru_cache(maxsize=100_000)
def _reaches_size(hand: Hand, target: Fraction) -> bool:
    """Whether some expression has this absolute value: signs do not matter to a search from it backwards."""
    if len(hand) <= MOST_LISTED:
        return target in _sizes(hand)
    return any(
        b is None or _reaches_size(large, abs(b))
        for small, large in _by_size(hand)
        for a in _sizes(small)
        for b in dict.fromkeys(_partners(a, target))
    )


@lru_cache(maxsize=20_000)
def _by_size(hand: Hand) -> tuple[tuple[Hand, Hand], ...]:
    """Every division of a hand into two parts, the smaller one first; the most even ones first, which take the least time."""
    pairs = [(one, other) if len(one) <= len(other) else (other, one) for one, other in halves(hand)]
    return tuple(sorted(pairs, key=lambda pair: len(pair[1])))


def _partners(a: Fraction, target: Fraction) -> Iterator[Fraction | None]:
    """Every b with which a, before or after an operator, makes the target; None: with any b."""
    yield target - a
    yield a - target
    yield target + a
    if a:
        yield target / a
        yield target * a
        if target:
            yield a / target
    elif not target:
        yield None


def _roots(hand: Hand, target: Fraction) -> Iterator[tuple[Hand, Fraction, str, Hand, Fraction]]:
    """Every (first, a, operator, second, b) such that a of ``first`` and b of ``second`` give ``target``."""
    for one, other in halves(hand):
        for first, second in ((one, other), (other, one)):
            if len(first) > MOST_LISTED:
                continue
            for a in values(first):
                for operator, b in _right_of(a, target, second):
                    if reaches(second, b):
                        yield first, a, operator, second, b
                if len(second) > MOST_LISTED:  # nor is it listed as a left operand
                    for operator, left in (("-", target + a), ("/", target * a)):
                        if (a or operator == "-") and reaches(second, left):
                            yield second, left, operator, first, a


def _right_of(a: Fraction, target: Fraction, second: Hand) -> Iterator[tuple[str, Fraction]]:
    """(operator, b) with ``a operator b == target``; where any b does, one that ``second`` certainly has."""
    yield "+", target - a
    yield "-", a - target
    if a:
        yield "*", target / a
        if target:
            yield "/", a / target
    elif not target:
        yield "*", sum(second, Fraction(0))


def _spelled(hand: Hand, target: Fraction, outermost: bool) -> str:
    if len(hand) == 1:
        return str(hand[0])
    first, a, operator, second, b = next(_roots(hand, target))
    text = f"{_spelled(first, a, False)}{operator}{_spelled(second, b, False)}"
    return text if outermost else f"({text})"
