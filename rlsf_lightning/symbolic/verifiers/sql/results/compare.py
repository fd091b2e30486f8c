"""Compares the rows of two results.

Rows count as often as they occur; 1 is 1.0, and floating-point numbers are equal up to the last digits.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Result, Row

_SHOWN_ROWS = 5
_SHOWN_CHARS = 200
#: A row with which equal ones are equal.
Key = tuple[tuple[str, Any], ...]


def counted(rows: Sequence[Row]) -> Counter[Key]:
    """How often each row occurs. The number 1 and the text "1" are not equal."""
    return Counter(key_of(row) for row in rows)


def overlap(ours: Result, theirs: Result) -> float:
    """The share of rows that both have, of the larger result; 0 for another number of columns."""
    if ours.columns != theirs.columns:
        return 0.0
    most = max(len(ours.rows), len(theirs.rows))
    return (counted(ours.rows) & counted(theirs.rows)).total() / most if most else 1.0


def same_rows(ours: Result, theirs: Result) -> bool:
    """The same rows, each as often."""
    if ours.columns != theirs.columns or len(ours.rows) != len(theirs.rows):
        return False
    if counted(ours.rows) == counted(theirs.rows):
        return True
    pairs = zip(sorted(ours.rows, key=_sorting), sorted(theirs.rows, key=_sorting), strict=True)
    return all(_close(a, b) for ours_row, theirs_row in pairs for a, b in zip(ours_row, theirs_row, strict=True))


def same_order(ours: Result, theirs: Result, groups: Sequence[int] | None) -> bool:
    """Whether the rows stand in the order of the reference; ``groups``: how many in turn are equal to its ORDER BY."""
    at = 0
    for size in groups or ():
        part = slice(at, at + size)
        if not same_rows(Result(ours.rows[part], ours.columns), Result(theirs.rows[part], theirs.columns)):
            return False
        at += size
    return True


def differing(ours: Result, theirs: Result) -> dict[str, list[list[Any]]]:
    """A few of the rows that one result has more often than the other, as JSON."""
    mine, yours = counted(ours.rows), counted(theirs.rows)
    return {"missing": _shown(yours - mine), "extra": _shown(mine - yours)}


def key_of(row: Row) -> Key:
    """Equal for rows that are the same; see ``counted``."""
    return tuple((_kind(value), _plain(value)) for value in row)


def _kind(value: Any) -> str:
    return "number" if isinstance(value, int | float) else type(value).__name__


def _plain(value: Any) -> Any:
    """A value with which equal ones are equal: floating-point numbers to twelve digits, 2.0 as 2."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return repr(value)
        rounded = float(f"{value:.12g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded
    return ("blob", value.hex()) if isinstance(value, bytes) else value


def _sorting(row: Row) -> Key:
    return tuple((_kind(value), value if value is not None else 0) for value in row)


def _close(a: Any, b: Any) -> bool:
    if isinstance(a, float) or isinstance(b, float):
        numbers = isinstance(a, int | float) and isinstance(b, int | float)
        return numbers and (a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12))
    return type(a) is type(b) and bool(a == b)


def _shown(keys: Iterable[Key]) -> list[list[Any]]:
    return [[_shown_value(value) for _, value in key] for key in list(keys)[:_SHOWN_ROWS]]


def _shown_value(value: Any) -> Any:
    """A value of a key as JSON, long ones cut."""
    if isinstance(value, tuple):
        value = f"x'{value[1]}'"
    return value[:_SHOWN_CHARS] if isinstance(value, str) else value
