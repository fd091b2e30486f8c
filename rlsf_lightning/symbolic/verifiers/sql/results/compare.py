"""Compares the rows of two results.

Rows count as often as they occur, and 1 is 1.0. Floating-point numbers are equal only if they are the same, but for results
of arithmetic, whose last digits depend on the order of its steps.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database, Result, Row

_SHOWN_ROWS = 5
_SHOWN_CHARS = 200
#: Relative difference of two results of arithmetic that are equal.
_RELATIVE = 1e-12
#: Units in the last place between a result of arithmetic and a number that is none.
_ULPS = 2
#: A row with which equal ones are equal.
Key = tuple[tuple[str, Any], ...]


class Tolerance(NamedTuple):
    """``computed``: on how many of the two sides there is arithmetic; ``is_stored``: whether a table holds a number."""

    computed: int
    is_stored: Callable[[float], bool]

    @classmethod
    def of(cls, ours: Result, theirs: Result, database: Database) -> Tolerance:
        """For results of queries on this database."""
        return cls(ours.is_computed + theirs.is_computed, lambda number: number in database.stored)

    def is_same(self, a: Any, b: Any) -> bool:
        """Whether two values are the same, or differ as results of arithmetic may."""
        return bool(a == b) or (isinstance(a, float) and isinstance(b, float) and self.holds(a, b))

    def holds(self, a: float, b: float) -> bool:
        """Whether two numbers that differ may be the same result: never two that are in the tables."""
        if not self.computed or (self.is_stored(a) and self.is_stored(b)):
            return False
        if self.computed == 2:
            return math.isclose(a, b, rel_tol=_RELATIVE, abs_tol=0.0)
        return not (a.is_integer() and b.is_integer()) and abs(a - b) <= _ULPS * math.ulp(max(abs(a), abs(b)))


def counted(rows: Iterable[Row], digits: int | None = None) -> Counter[Key]:
    """How often each row occurs. The number 1 and the text "1" are not equal. ``digits``: those of numbers that count."""
    return Counter(key_of(row, digits) for row in rows)


def overlap(ours: Result, theirs: Result) -> float:
    """The share of rows that both have, of the larger result; 0 for another number of columns."""
    if ours.columns != theirs.columns:
        return 0.0
    most = max(len(ours.rows), len(theirs.rows))
    digits = _digits(ours, theirs)
    return (counted(ours.rows, digits) & counted(theirs.rows, digits)).total() / most if most else 1.0


def same_rows(ours: Result, theirs: Result, database: Database) -> bool:
    """The same rows, each as often."""
    if ours.columns != theirs.columns or len(ours.rows) != len(theirs.rows):
        return False
    tolerance = Tolerance.of(ours, theirs, database)
    mine, yours = counted(ours.rows), counted(theirs.rows)
    if mine == yours:
        return True
    if not tolerance.computed:
        return False
    left, other = list((mine - yours).elements()), list((yours - mine).elements())
    return any(
        all(_close(a, b, tolerance) for a, b in zip(sorted(left, key=order), sorted(other, key=order), strict=True))
        for order in (_by_value, _by_digits)
    )


def holds_rows(ours: Result, theirs: Result, database: Database) -> bool:
    """Whether every row of ours is among theirs, as often."""
    if len(ours.rows) == len(theirs.rows):
        return same_rows(ours, theirs, database)
    digits = _digits(ours, theirs)
    return ours.columns == theirs.columns and counted(ours.rows, digits) <= counted(theirs.rows, digits)


def differing(ours: Result, theirs: Result) -> dict[str, list[list[Any]]]:
    """A few of the rows that one result has more often than the other, as JSON."""
    digits = _digits(ours, theirs)
    mine, yours = counted(ours.rows, digits), counted(theirs.rows, digits)
    return {"missing": _shown(yours - mine), "extra": _shown(mine - yours)}


def key_of(row: Row, digits: int | None = None) -> Key:
    """Equal for rows that are the same; see ``counted``."""
    return tuple((_kind(value), value if digits is None else _rounded(value, digits)) for value in row)


def _digits(ours: Result, theirs: Result) -> int | None:
    """How many digits count for the score and what is shown: of results of arithmetic, not the last ones."""
    return 12 if ours.is_computed or theirs.is_computed else None


def _kind(value: Any) -> str:
    return "number" if isinstance(value, int | float) else type(value).__name__


def _rounded(value: Any, digits: int) -> Any:
    return float(f"{value:.{digits}g}") if isinstance(value, float) and math.isfinite(value) else value


def _by_value(key: Key) -> Key:
    return tuple((kind, 0 if value is None else value) for kind, value in key)


def _by_digits(key: Key) -> Key:
    return tuple((kind, 0 if value is None else _rounded(value, 12)) for kind, value in key)


def _close(a: Key, b: Key, tolerance: Tolerance) -> bool:
    pairs = zip(a, b, strict=True)
    return all(kind == other and tolerance.is_same(mine, yours) for (kind, mine), (other, yours) in pairs)


def _shown(keys: Iterable[Key]) -> list[list[Any]]:
    return [[_shown_value(value) for _, value in key] for key in list(keys)[:_SHOWN_ROWS]]


def _shown_value(value: Any) -> Any:
    """A value as JSON, long ones cut, 2.0 as 2."""
    if isinstance(value, bytes):
        value = f"x'{value.hex()}'"
    if isinstance(value, float):
        if not math.isfinite(value):
            return repr(value)
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return value[:_SHOWN_CHARS] if isinstance(value, str) else value
