"""The rows of a query tree by loops over rows as dictionaries: no SQL, no SQLite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rlsf_lightning.prompts.sources.text_to_sql.query import (
    Aggregate,
    Between,
    Comparison,
    Condition,
    Expression,
    Like,
    Missing,
    OneOf,
    Query,
    Within,
)
from rlsf_lightning.prompts.sources.text_to_sql.schema import Column, Schema

#: From (table, column) to its value.
Row = Mapping[tuple[str, str], Any]
Tables = Mapping[str, Sequence[tuple[Any, ...]]]

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b, "<>": lambda a, b: a != b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
}  # fmt: skip


def rows_of(query: Query, schema: Schema, tables: Tables) -> list[tuple[Any, ...]]:
    """In the order of the query where it has one."""
    found: list[Row] = _read(query.table, schema, tables)
    for join in query.joins:
        more, joined = _read(join.table, schema, tables), list[Row]()
        for row in found:
            fits = [{**row, **other} for other in more if other[_place(join.right)] == row[_place(join.left)]]
            nothing = {place: None for place in more[0]}
            joined += fits or ([{**row, **nothing}] if join.is_outer else [])
        found = joined
    decide = any if query.connective == "OR" else all
    if query.where:
        found = [row for row in found if decide(_holds(of, [row], schema, tables) for of in query.where)]
    is_total = not query.group and any(isinstance(of, Aggregate) for of in query.select)
    groups: dict[Any, list[Row]] = {"": []} if is_total else {}
    for number, row in enumerate(found):
        key = tuple(row[_place(column)] for column in query.group) if query.group else "" if is_total else number
        groups.setdefault(key, []).append(row)
    kept = [group for group in groups.values() if query.having is None or _holds(query.having, group, schema, tables)]
    for key in reversed(query.order):
        kept.sort(key=lambda group, key=key: _value(key.of, group), reverse=key.is_descending)
    shown = [tuple(_value(of, group) for of in query.select) for group in kept]
    shown = list(dict.fromkeys(shown)) if query.is_distinct else shown
    return shown if query.limit is None else shown[: query.limit]


def _read(table: str, schema: Schema, tables: Tables) -> list[Row]:
    columns = schema.table(table).all_columns
    return [{_place(column): value for column, value in zip(columns, row, strict=True)} for row in tables[table]]


def _place(column: Column) -> tuple[str, str]:
    return column.table, column.name


def _value(of: Expression, group: Sequence[Row]) -> Any:
    if isinstance(of, Column):
        return group[0][_place(of)]
    if of.column is None:
        return len(group)
    values = [value for row in group if (value := row[_place(of.column)]) is not None]
    values = list(set(values)) if of.is_distinct else values
    if of.function == "COUNT":
        return len(values)
    if not values:
        return None
    if of.function in ("SUM", "AVG") and isinstance(values[0], str):  # SQLite takes the number that a text begins with
        values = [int(value[:4]) if value[:4].isdecimal() else 0 for value in values]
    total = {"SUM": sum, "MIN": min, "MAX": max, "AVG": lambda numbers: sum(numbers) / len(numbers)}
    return total[of.function](values)


def _holds(of: Condition, group: Sequence[Row], schema: Schema, tables: Tables) -> bool:
    """What is compared with NULL does not hold."""
    value = _value(of.left if isinstance(of, Comparison) else of.column, group)
    if isinstance(of, Missing):
        return (value is None) == of.is_missing
    if value is None:
        return False
    if isinstance(of, Comparison):
        right = rows_of(of.right, schema, tables)[0][0] if isinstance(of.right, Query) else of.right
        return right is not None and _COMPARE[of.op](value, right)
    if isinstance(of, Within):
        return ((value,) in rows_of(of.query, schema, tables)) == of.is_within
    if isinstance(of, Between):
        return of.low <= value <= of.high
    if isinstance(of, OneOf):
        return value in of.values
    assert isinstance(of, Like) and of.pattern.endswith("%")
    return value.startswith(of.pattern[:-1])
