"""Queries as trees, and the text of one: in SQL, or as a shape without names, constants and directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rlsf_lightning.prompts.sources.text_to_sql.domains.parts import Value
from rlsf_lightning.prompts.sources.text_to_sql.schema import Column


@dataclass(frozen=True)
class Aggregate:
    """COUNT, SUM, AVG, MIN or MAX; ``column`` None: of rows."""

    function: str
    column: Column | None = None
    is_distinct: bool = False


Expression = Column | Aggregate


@dataclass(frozen=True)
class Comparison:
    """``left op right``; a query on the right gives one value."""

    left: Expression
    op: str
    right: Value | Query


@dataclass(frozen=True)
class Between:
    """Both ends are included."""

    column: Column
    low: Value
    high: Value


@dataclass(frozen=True)
class OneOf:
    """A column that holds one of these."""

    column: Column
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Like:
    """A column that fits a pattern."""

    column: Column
    pattern: str


@dataclass(frozen=True)
class Missing:
    """A column that is NULL, or is not."""

    column: Column
    is_missing: bool = True


@dataclass(frozen=True)
class Within:
    """A column that is among the rows of a query, or is not."""

    column: Column
    query: Query
    is_within: bool = True


Condition = Comparison | Between | OneOf | Like | Missing | Within


@dataclass(frozen=True)
class Join:
    """``right`` is a column of the joined table."""

    table: str
    left: Column
    right: Column
    is_outer: bool = False


@dataclass(frozen=True)
class Key:
    """One key of an order."""

    of: Expression
    is_descending: bool = False


@dataclass(frozen=True)
class Query:
    """A SELECT. ``connective`` stands between the conditions of ``where``."""

    select: tuple[Expression, ...]
    table: str
    joins: tuple[Join, ...] = ()
    where: tuple[Condition, ...] = ()
    connective: str = "AND"
    group: tuple[Column, ...] = ()
    having: Comparison | None = None
    order: tuple[Key, ...] = ()
    limit: int | None = None
    is_distinct: bool = False


def sql_of(query: Query) -> str:
    """The text; columns are qualified where there is more than one table."""
    names: Callable[[Column], str] = (lambda c: f"{c.table}.{c.name}") if query.joins else (lambda c: c.name)

    def text(of: Expression) -> str:
        return _aggregate(of, names) if isinstance(of, Aggregate) else names(of)

    parts = ["SELECT DISTINCT" if query.is_distinct else "SELECT", ", ".join(map(text, query.select))]
    parts += ["FROM", query.table]
    for join in query.joins:
        on = f"{names(join.right)} = {names(join.left)}"
        parts.append(f"{'LEFT JOIN' if join.is_outer else 'JOIN'} {join.table} ON {on}")
    if query.where:
        parts.append("WHERE " + f" {query.connective} ".join(_condition(one, text) for one in query.where))
    if query.group:
        parts.append("GROUP BY " + ", ".join(map(names, query.group)))
    if query.having is not None:
        parts.append("HAVING " + _condition(query.having, text))
    if query.order:
        keys = (text(key.of) + (" DESC" if key.is_descending else "") for key in query.order)
        parts.append("ORDER BY " + ", ".join(keys))
    if query.limit is not None:
        parts.append(f"LIMIT {query.limit}")
    return " ".join(parts)


def shape_of(query: Query) -> str:
    """Equal for queries that differ in names, constants, comparisons, aggregate functions and directions alone."""
    columns = ",".join(map(_shape, query.select))
    joins = ",".join(sorted(f"{join.right.concept}{'?' * join.is_outer}" for join in query.joins))
    where = query.connective.join(sorted(map(_condition_shape, query.where)))
    group = ",".join(column.concept for column in query.group)
    having = "" if query.having is None else _condition_shape(query.having)
    order = ",".join(_shape(key.of) for key in query.order) + ("..." if query.limit is not None else "")
    return f"{'!' * query.is_distinct}{columns}|{joins}|{where}|{group}|{having}|{order}"


def literal(value: Value) -> str:
    """A constant as SQL writes it; 20.0 as 20."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).removesuffix(".0")


def _aggregate(of: Aggregate, names: Callable[[Column], str]) -> str:
    inner = "*" if of.column is None else names(of.column)
    return f"{of.function}({'DISTINCT ' * of.is_distinct}{inner})"


def _condition(of: Condition, text: Callable[[Expression], str]) -> str:
    if isinstance(of, Comparison):
        right = f"({sql_of(of.right)})" if isinstance(of.right, Query) else literal(of.right)
        return f"{text(of.left)} {of.op} {right}"
    column = text(of.column)
    if isinstance(of, Between):
        return f"{column} BETWEEN {literal(of.low)} AND {literal(of.high)}"
    if isinstance(of, OneOf):
        return f"{column} IN ({', '.join(map(literal, of.values))})"
    if isinstance(of, Like):
        return f"{column} LIKE {literal(of.pattern)}"
    if isinstance(of, Missing):
        return f"{column} IS {'' if of.is_missing else 'NOT '}NULL"
    return f"{column} {'' if of.is_within else 'NOT '}IN ({sql_of(of.query)})"


def _shape(of: Expression) -> str:
    if isinstance(of, Column):
        return of.concept
    return f"f({'!' * of.is_distinct}{'*' if of.column is None else of.column.concept})"


def _condition_shape(of: Condition) -> str:
    if isinstance(of, Comparison):
        return _shape(of.left) + (f"~({shape_of(of.right)})" if isinstance(of.right, Query) else "~")
    if isinstance(of, Within):
        return f"{of.column.concept}~({shape_of(of.query)})"
    return f"{of.column.concept}~"
