"""Data for a schema: rows near the constants of a query, so that one with slightly other constants has other rows."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

from rlsf_lightning.prompts.sources.text_to_sql.domains.parts import Label, Value
from rlsf_lightning.prompts.sources.text_to_sql.query import Between, Comparison, Like, OneOf, Query, Within, literal
from rlsf_lightning.prompts.sources.text_to_sql.schema import Column, Schema, Table

Row = tuple[Value | None, ...]
#: Rows of tables that are referred to, and of those that are not.
FEW, MANY = (6, 9), (14, 20)
#: How likely a value is near a constant of the query, one that is in the column already, or NULL.
NEAR, AGAIN, NULL = 0.45, 0.25, 0.3
#: The share of a table's rows that others refer to.
REFERRED = 0.75


def constants_of(query: Query) -> Mapping[str, Sequence[Value]]:
    """By the concept of their column."""
    found: defaultdict[str, list[Value]] = defaultdict(list)
    for of in query.where:
        if isinstance(of, Comparison) and isinstance(of.left, Column) and not isinstance(of.right, Query):
            found[of.left.concept].append(of.right)
        elif isinstance(of, Between):
            found[of.column.concept] += [of.low, of.high]
        elif isinstance(of, OneOf):
            found[of.column.concept] += of.values
        elif isinstance(of, Like):
            found[of.column.concept].append(of.pattern.rstrip("%"))
        inner = of.query if isinstance(of, Within) else of.right if isinstance(of, Comparison) else None
        if isinstance(inner, Query):
            for concept, values in constants_of(inner).items():
                found[concept] += values
    return found


def drawn(schema: Schema, constants: Mapping[str, Sequence[Value]], rng: random.Random) -> dict[str, list[Row]]:
    """The rows of every table, by its name."""
    referred = {reference.parent for table in schema.tables for reference in table.references}
    keys: dict[str, list[int]] = {}
    rows: dict[str, list[Row]] = {}
    for table in schema.tables:
        count = rng.randint(*(FEW if table.name in referred else MANY))
        count += 3 * bool(table.references and table.name in referred)
        keys[table.name] = list(range(1, count + 1))
        columns = [
            _values(column, count, table, keys, constants.get(column.concept, ()), rng) for column in table.all_columns
        ]
        rows[table.name] = list(zip(*columns, strict=True))
    return rows


def script_of(schema: Schema, rows: Mapping[str, Sequence[Row]]) -> str:
    """CREATE TABLE and INSERT statements."""
    inserted = []
    for table in schema.tables:
        written = ", ".join(
            f"({', '.join('NULL' if v is None else literal(v) for v in row)})" for row in rows[table.name]
        )
        inserted.append(f"INSERT INTO {table.name} VALUES {written};")
    return "\n".join([schema.sql(), *inserted])


def _values(
    column: Column,
    count: int,
    table: Table,
    keys: Mapping[str, Sequence[int]],
    constants: Sequence[Value],
    rng: random.Random,
) -> list[Value | None]:
    """Of one column, from the first row to the last."""
    if column.is_key:
        return list(keys[table.name])
    parent = next((reference.parent for reference in table.references if reference.column == column), None)
    if parent is not None:
        known = keys[parent]
        referred = rng.sample(known, max(2, round(REFERRED * len(known))))
        return [rng.choice(referred) for _ in range(count)]
    values: list[Value | None] = []
    while len(values) < count:
        value = _value(column, values, constants, rng)
        if not column.is_unique or value not in values:
            values.append(value)
    return values


def _value(
    column: Column, before: Sequence[Value | None], constants: Sequence[Value], rng: random.Random
) -> Value | None:
    if column.may_be_null and rng.random() < NULL:
        return None
    if constants and rng.random() < NEAR:
        return column.kind.near(rng.choice(constants), rng)
    if before and not isinstance(column.kind, Label) and rng.random() < AGAIN:
        return rng.choice(before)
    return column.kind.draw(rng)
