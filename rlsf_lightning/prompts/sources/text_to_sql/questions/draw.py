"""Draws from a schema for all sorts of questions: tables, columns, conditions, orders."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from rlsf_lightning.prompts.sources.text_to_sql.domains.parts import Amount, Date, Label, Number, Value, Words
from rlsf_lightning.prompts.sources.text_to_sql.query import (
    Aggregate,
    Between,
    Comparison,
    Condition,
    Join,
    Key,
    Like,
    Missing,
    OneOf,
    Query,
)
from rlsf_lightning.prompts.sources.text_to_sql.questions import wording
from rlsf_lightning.prompts.sources.text_to_sql.schema import Column, Schema, Table

#: Of which a sum says something are numbers whose phrase has none of these words.
_NO_SUM = frozenset(
    "year birth age grade floor gate room shirt stars rating height chart score priority spiciness elevation".split()
)


class Asked(NamedTuple):
    """A question and its answer. ``wrong``: queries that ask something else, as is easily done."""

    query: Query
    question: str
    wrong: tuple[Query, ...] = ()


class Where(NamedTuple):
    """Conditions, what stands between them, and how a question says them."""

    conditions: tuple[Condition, ...] = ()
    connective: str = "AND"
    clause: str = ""


class Draw:
    """Draws from one schema."""

    def __init__(self, rng: random.Random, schema: Schema) -> None:
        self.rng, self.schema = rng, schema

    def maybe(self, probability: float) -> bool:
        return self.rng.random() < probability

    def one_of(self, *wordings: str) -> str:
        return self.rng.choice(wordings)

    def columns(self, table: Table, *kinds: type, may_be_null: bool = False) -> list[Column]:
        """Those of some kinds, without keys and references."""
        own = (*((table.label,) if table.label is not None else ()), *table.columns)
        return [column for column in own if isinstance(column.kind, kinds) and (may_be_null or not column.may_be_null)]

    def shown(self, table: Table, most: int = 3) -> tuple[Column, ...]:
        """One to ``most`` columns, often with the label, in any order."""
        others = [*table.columns, *([table.key] if self.maybe(0.15) else [])]
        label = [table.label] if table.label is not None and self.maybe(0.75) else []
        count = self.rng.randint(0 if label else 1, min(len(others), most - len(label)))
        chosen = [*label, *self.rng.sample(others, count)]
        if self.maybe(0.2):
            self.rng.shuffle(chosen)
        return tuple(chosen)

    def where(self, tables: Sequence[Table], count: int, subject: Table) -> Where:
        """At most ``count`` conditions on different columns of these tables."""
        nouns = {table.name: "" if table == subject else table.noun for table in tables}
        free = [column for table in tables for column in self.columns(table, object, may_be_null=True)]
        chosen = self.rng.sample(free, min(count, len(free)))
        conditions = [self.condition(column) for column in chosen]
        connective = self.rng.choice(["AND", "AND", "OR"])
        named = [(of, nouns[column.table]) for of, column in zip(conditions, chosen, strict=True)]
        return Where(tuple(conditions), connective, wording.clause(named, connective, self.rng))

    def condition(self, column: Column) -> Condition:
        """A condition on a column that its values can fulfil."""
        if column.may_be_null and self.maybe(0.7):
            return Missing(column, self.maybe(0.5))
        value = column.kind.constant(self.rng)
        if isinstance(column.kind, Label):
            return Like(column, f"{str(value)[:1]}%") if self.maybe(0.7) else Comparison(column, "=", value)
        if isinstance(column.kind, Words):
            return self._of_words(column, column.kind, value)
        if isinstance(column.kind, Date):
            return Comparison(column, self.rng.choice([">=", "<"]), value)
        if self.maybe(0.2):
            assert not isinstance(value, str)
            high = column.kind.high
            return Between(column, value, value + max(1, (high - value) // 3))
        if isinstance(column.kind, Number) and self.maybe(0.12):
            return Comparison(column, "=", value)
        return Comparison(column, self.rng.choice([">", ">=", "<", "<="]), value)

    def _of_words(self, column: Column, kind: Words, value: Value) -> Condition:
        draw = self.rng.random()
        if draw < 0.15 and len(kind.values) > 3:
            return OneOf(column, tuple(self.rng.sample(kind.values, 2)))
        return Comparison(column, "<>" if draw < 0.3 and not column.may_be_null else "=", value)

    def aggregate(self, table: Table) -> Aggregate | None:
        """A function of a column; None where no column has one."""
        columns = self.columns(table, Number, Amount, Date, may_be_null=True)
        if not columns:
            return None
        column = self.rng.choice(columns)
        functions = ["MIN", "MAX"]
        if not isinstance(column.kind, Date):
            functions += ["AVG", "AVG"]
            functions += [] if _NO_SUM.intersection(column.phrase.split()) else ["SUM", "SUM"]
        return Aggregate(self.rng.choice(functions), column)

    def tie_key(self, table: Table) -> Key:
        """A key by which no two rows of a table are equal, and which is not the order in which they are stored."""
        return Key(table.key, True) if table.label is None else Key(table.label, self.maybe(0.3))

    def sorted_by(self, key: Key, of: Table | None = None) -> str:
        """How a question says it. ``of``: the table, where that is not plain."""
        assert isinstance(key.of, Column)
        about = f"the {key.of.phrase}" + (f" of the {of.noun}" if of is not None else "")
        how = wording.direction(key.of.kind, key.is_descending, self.rng)
        return self.one_of(f"sorted by {about}, {how}", f"ordered by {about}, {how}")

    def tied(self, key: Key, of: Table | None = None) -> str:
        """How a question says what decides between equal ones."""
        assert isinstance(key.of, Column)
        return wording.tie(key.of, key.is_descending, of, self.rng)

    def ancestors(self, table: Table) -> list[Table]:
        """The tables that a row of this one leads to."""
        found: list[Table] = []
        for reference in table.references:
            parent = self.schema.parent(reference)
            found += [parent, *self.ancestors(parent)]
        return found

    def path(self, table: Table, ancestors: Sequence[Table]) -> tuple[Join, ...]:
        """The joins by which a row of a table leads to some of its ancestors."""
        joins: list[Join] = []
        for reference in table.references:
            parent = self.schema.parent(reference)
            beyond = self.path(parent, ancestors)
            if parent in ancestors or beyond:
                joins += [Join(parent.name, reference.column, parent.key), *beyond]
        return tuple(joins)
