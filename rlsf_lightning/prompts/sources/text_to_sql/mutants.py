"""Single edits of a query, none of which asks the same: the databases of a prompt must tell them from the reference."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from rlsf_lightning.prompts.sources.text_to_sql.domains.parts import Amount, Date, Number, Value
from rlsf_lightning.prompts.sources.text_to_sql.query import (
    Aggregate,
    Between,
    Comparison,
    Condition,
    Expression,
    Key,
    Like,
    Missing,
    OneOf,
    Query,
    Within,
)
from rlsf_lightning.prompts.sources.text_to_sql.schema import Column, Schema

_ORDERED = (">", ">=", "<", "<=")
_NUMERIC = ("SUM", "AVG", "MIN", "MAX")


def mutants(query: Query, schema: Schema, rng: random.Random) -> Iterator[Query]:
    """Every edit of an operator, constant, function, direction, limit; some of columns; parts left out."""
    yield from _of_selected(query, schema, rng)
    yield from _of_conditions(query, schema, rng)
    yield from _of_order(query)
    if query.having is not None:
        yield replace(query, having=None)
        for changed in _condition(query.having, schema, rng):
            assert isinstance(changed, Comparison)
            yield replace(query, having=changed)
    if query.is_distinct:
        yield replace(query, is_distinct=False)
    elif query.limit is None and not any(isinstance(of, Aggregate) or of.is_unique for of in query.select):
        yield replace(query, is_distinct=True)
    for at, join in enumerate(query.joins):
        if join.is_outer or (not query.where and not join.right.is_key):
            joins = [*query.joins]
            joins[at] = replace(join, is_outer=not join.is_outer)
            yield replace(query, joins=tuple(joins))


def _of_selected(query: Query, schema: Schema, rng: random.Random) -> Iterator[Query]:
    for at, of in enumerate(query.select):
        grouped = isinstance(of, Column) and of in query.group
        for other in [] if grouped else _other_expressions(of, schema, rng):
            select = (*query.select[:at], other, *query.select[at + 1 :])
            yield replace(query, select=select)
    if len(query.select) > 1:
        yield replace(query, select=query.select[::-1])


def _other_expressions(of: Expression, schema: Schema, rng: random.Random) -> Iterator[Expression]:
    if isinstance(of, Column):
        yield from _other_columns(of, schema, rng)
        return
    if of.function != "COUNT":
        yield from (replace(of, function=function) for function in _NUMERIC if function != of.function)
    elif of.is_distinct:
        yield replace(of, is_distinct=False)
    if of.column is not None and of.function != "COUNT":
        yield from (replace(of, column=column) for column in _other_columns(of.column, schema, rng))


def _other_columns(of: Column, schema: Schema, rng: random.Random, alike: bool = False) -> list[Column]:
    """At most two of the same table, of the same type (or kind of values)."""
    others = [
        column
        for column in schema.table(of.table).all_columns
        if column != of and (type(column.kind) is type(of.kind) if alike else column.kind.sql == of.kind.sql)
    ]
    return rng.sample(others, min(2, len(others)))


def _of_conditions(query: Query, schema: Schema, rng: random.Random) -> Iterator[Query]:
    for at, of in enumerate(query.where):
        yield replace(query, where=(*query.where[:at], *query.where[at + 1 :]))
        for changed in _condition(of, schema, rng):
            yield replace(query, where=(*query.where[:at], changed, *query.where[at + 1 :]))
    if len(query.where) > 1:
        yield replace(query, connective="OR" if query.connective == "AND" else "AND")


def _condition(of: Condition, schema: Schema, rng: random.Random) -> Iterator[Condition]:
    if isinstance(of, Comparison):
        yield from _comparison(of, schema, rng)
    elif isinstance(of, Between):
        yield replace(of, low=_shifted(of.column, of.low, 1))
        yield replace(of, high=_shifted(of.column, of.high, -1))
        yield replace(of, high=_shifted(of.column, of.high, 1))
    elif isinstance(of, OneOf):
        for value in of.values:
            yield replace(of, values=tuple(other for other in of.values if other != value))
    elif isinstance(of, Missing):
        yield replace(of, is_missing=not of.is_missing)
    elif isinstance(of, Within):
        yield replace(of, is_within=not of.is_within)
        yield from (replace(of, query=inner) for inner in _of_conditions(of.query, schema, rng))
    else:
        assert isinstance(of, Like)
        yield Comparison(of.column, "=", of.pattern.rstrip("%"))


def _comparison(of: Comparison, schema: Schema, rng: random.Random) -> Iterator[Comparison]:
    if isinstance(of.right, Query):
        yield from (replace(of, right=inner) for inner in mutants(of.right, schema, rng))
        if of.op in _ORDERED:  # a value that equals an average is rare
            yield replace(of, op={">": "<", "<": ">"}[of.op])
        return
    if of.op in _ORDERED:
        yield from (replace(of, op=op) for op in _ORDERED if op != of.op)
        column = of.left if isinstance(of.left, Column) else None
        if not isinstance(of.right, str):
            yield from (replace(of, right=_shifted(column, of.right, by)) for by in (-1, 1))
    else:
        yield replace(of, op="<>" if of.op == "=" else "=")
    if isinstance(of.left, Column):
        yield from (replace(of, left=left) for left in _other_columns(of.left, schema, rng, alike=True))
    elif of.left.function != "COUNT":
        yield from (replace(of, left=replace(of.left, function=f)) for f in _NUMERIC if f != of.left.function)


def _shifted(column: Column | None, value: Value, by: int) -> Value:
    if isinstance(value, str):
        assert column is not None and isinstance(column.kind, Date)
        return value[:-2] + f"{max(1, min(28, int(value[-2:]) + by)):02}"
    assert column is None or isinstance(column.kind, Number | Amount)
    return value + by


def _of_order(query: Query) -> Iterator[Query]:
    for at, key in enumerate(query.order):
        turned = Key(key.of, not key.is_descending)
        yield replace(query, order=(*query.order[:at], turned, *query.order[at + 1 :]))
        yield replace(query, order=(*query.order[:at], *query.order[at + 1 :]))
    if query.limit is not None:
        yield replace(query, limit=query.limit + 1)
        yield replace(query, limit=query.limit - 1)
