"""Results compared once more for ``recheck``, by sorting: no code is shared with ``compare``, which counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Result, Row

_SHOWN_ROWS = 5
_SHOWN_CHARS = 200


def alike(ours: Result, theirs: Result) -> bool:
    """The same rows, each as often, in any order."""
    if ours.error is not None or theirs.error is not None or ours.columns != theirs.columns:
        return False
    return _paired(ours.rows, theirs.rows)


def in_order(ours: Result, theirs: Result, groups: Sequence[int] | None) -> bool:
    """The same rows, and those of each group in turn (see ``compare.groups_of``)."""
    at = 0
    for size in groups or ():
        if not _paired(ours.rows[at : at + size], theirs.rows[at : at + size]):
            return False
        at += size
    return alike(ours, theirs)


def in_common(ours: Result, theirs: Result) -> int:
    """How many rows of one result are also in the other, by striking them out."""
    left: dict[str, int] = {}
    for row in theirs.rows:
        left[_written(row)] = left.get(_written(row), 0) + 1
    common = 0
    for row in ours.rows:
        if left.get(_written(row), 0) > 0:
            left[_written(row)] -= 1
            common += 1
    return common


def more_of(ours: Result, theirs: Result) -> list[list[Any]]:
    """The first rows that ours has more often than theirs, as a witness shows them."""
    left: dict[str, int] = {}
    for row in theirs.rows:
        left[_written(row)] = left.get(_written(row), 0) - 1
    first: dict[str, Row] = {}
    for row in ours.rows:
        left[_written(row)] = left.get(_written(row), 0) + 1
        first.setdefault(_written(row), row)
    rows = [row for written, row in first.items() if left[written] > 0]
    return [[_shown(value) for value in row] for row in rows[:_SHOWN_ROWS]]


def _paired(ours: Sequence[Row], theirs: Sequence[Row]) -> bool:
    """Sorted by what they are, or where the last digits differ by what they are without these, rows are equal in pairs."""
    if len(ours) != len(theirs):
        return False
    by_value = zip(sorted(ours, key=_order), sorted(theirs, key=_order), strict=True)
    if all(_equal(a, b) for a, b in by_value):
        return True
    by_digits = zip(sorted(ours, key=_written), sorted(theirs, key=_written), strict=True)
    return all(_equal(a, b) for a, b in by_digits)


def _equal(ours: Row, theirs: Row) -> bool:
    if len(ours) != len(theirs):
        return False
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, float) or isinstance(b, float):
            numbers = isinstance(a, int | float) and isinstance(b, int | float)
            if not (numbers and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)):
                return False
        elif type(a) is not type(b) or a != b:
            return False
    return True


def _order(row: Row) -> list[tuple[str, Any]]:
    return [("", 0) if value is None else (_sort_of(value), value) for value in row]


def _sort_of(value: Any) -> str:
    return "number" if isinstance(value, int | float) else str(type(value))


def _written(row: Row) -> str:
    return repr([(_sort_of(value), _short(value)) for value in row])


def _short(value: Any) -> Any:
    """A number to twelve digits, and as an integer where it is one exactly."""
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    short = float(f"{value:.12g}")
    return int(short) if short == math.trunc(short) and abs(short) < 2**53 else short


def _shown(value: Any) -> Any:
    """A value as witnesses show it."""
    if isinstance(value, bytes):
        value = f"x'{value.hex()}'"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value[:_SHOWN_CHARS] if isinstance(value, str) else _short(value)
