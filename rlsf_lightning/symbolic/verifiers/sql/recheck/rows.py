"""Results compared once more for ``recheck``, by sorting: no code is shared with ``compare``, which counts."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rlsf_lightning.symbolic.verifiers.sql.results.order import Group
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Result, Row

_SHOWN_ROWS = 5
_SHOWN_CHARS = 200


@dataclass(frozen=True)
class Alike:
    """When values of two results are the same. ``computed``: whether each side calculates; ``stored``: the tables' numbers."""

    computed: tuple[bool, bool]
    stored: frozenset[float]

    def values(self, a: Any, b: Any) -> bool:
        """Exactly, or within what the order of the steps of arithmetic may change."""
        if isinstance(a, float) and isinstance(b, float):
            if a == b or not any(self.computed) or {a, b} <= self.stored:
                return a == b
            if all(self.computed):
                return abs(a - b) <= 1e-12 * max(abs(a), abs(b))
            steps = {math.nextafter(a, b), math.nextafter(math.nextafter(a, b), b)}
            return b in steps and (a != math.floor(a) or b != math.floor(b))
        both_numbers = isinstance(a, int | float) and isinstance(b, int | float)
        return (both_numbers or type(a) is type(b)) and bool(a == b)

    def rows(self, ours: Sequence[Row], theirs: Sequence[Row]) -> bool:
        """Those that are written alike set aside, the others sorted by what they are, or by their first digits, are the same in
        pairs."""
        if len(ours) != len(theirs):
            return False
        some, others = _without_twins(ours, theirs)
        return len(some) == len(others) and any(
            all(
                len(a) == len(b) and all(map(self.values, a, b))
                for a, b in zip(sorted(some, key=order), sorted(others, key=order), strict=True)
            )
            for order in (_order, _written)
        )


def alike(ours: Result, theirs: Result, stored: frozenset[float]) -> bool:
    """The same rows, each as often, in any order."""
    if ours.error is not None or theirs.error is not None or ours.columns != theirs.columns:
        return False
    return Alike((ours.is_computed, theirs.is_computed), stored).rows(ours.rows, theirs.rows)


def group_by_group(ours: Result, theirs: Result, groups: Sequence[Group], stored: frozenset[float]) -> bool:
    """Rows taken from each group in turn, as many as it has places."""
    if ours.error is not None or ours.columns != theirs.columns:
        return False
    same = Alike((ours.is_computed, theirs.is_computed), stored)
    left = list(ours.rows)
    for size, allowed in groups:
        taken, left = left[:size], left[size:]
        if size == len(allowed) and not same.rows(taken, allowed):
            return False
        if size != len(allowed) and (len(taken) != size or _without_twins(taken, allowed, any(same.computed))[0]):
            return False
    return not left


def in_common(ours: Result, theirs: Result) -> int:
    """How many rows of one result are also in the other, by striking them out."""
    return len(ours.rows) - len(_without_twins(ours.rows, theirs.rows, ours.is_computed or theirs.is_computed)[0])


def more_of(ours: Result, theirs: Result) -> list[list[Any]]:
    """The first rows that ours has more often than theirs, as a witness shows them."""
    is_rounded = ours.is_computed or theirs.is_computed
    write = _written if is_rounded else _written_out
    left: dict[str, int] = {}
    for row in theirs.rows:
        left[write(row)] = left.get(write(row), 0) - 1
    first: dict[str, Row] = {}
    for row in ours.rows:
        left[write(row)] = left.get(write(row), 0) + 1
        first.setdefault(write(row), row)
    rows = [row for written, row in first.items() if left[written] > 0]
    return [[_shown(value, is_rounded) for value in row] for row in rows[:_SHOWN_ROWS]]


def _without_twins(ours: Sequence[Row], theirs: Sequence[Row], is_rounded: bool = False) -> tuple[list[Row], list[Row]]:
    """Both without the rows that the other has, too."""
    write = _written if is_rounded else _written_out
    waiting: defaultdict[str, list[Row]] = defaultdict(list)
    for row in theirs:
        waiting[write(row)].append(row)
    alone = []
    for row in ours:
        if waiting[write(row)]:
            waiting[write(row)].pop()
        else:
            alone.append(row)
    return alone, [row for rows in waiting.values() for row in rows]


def _order(row: Row) -> list[tuple[str, Any]]:
    return [("", 0) if value is None else (_sort_of(value), value) for value in row]


def _sort_of(value: Any) -> str:
    return "number" if isinstance(value, int | float) else str(type(value))


def _written(row: Row) -> str:
    return repr([(_sort_of(value), _short(value)) for value in row])


def _written_out(row: Row) -> str:
    return repr([(_sort_of(value), _whole(value)) for value in row])


def _short(value: Any) -> Any:
    """A number to twelve digits, and as an integer where it is one exactly."""
    return _whole(float(f"{value:.12g}")) if isinstance(value, float) and math.isfinite(value) else value


def _whole(value: Any) -> Any:
    """A number as an integer where it is one exactly."""
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    return int(value) if value == math.trunc(value) else value


def _shown(value: Any, is_rounded: bool) -> Any:
    """A value as witnesses show it."""
    if isinstance(value, bytes):
        value = f"x'{value.hex()}'"
    if isinstance(value, float):
        value = _short(value) if is_rounded else value
        return str(value) if not math.isfinite(value) else _whole(value) if abs(value) < 2**53 else value
    return value[:_SHOWN_CHARS] if isinstance(value, str) else value
