"""Databases on which a query has rows and every edit of it other ones: fresh data are drawn until that is so.

Whether rows are the same is decided so that it does not depend on the version of SQLite: queries that leave an order open get
one, and all sums are exact.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from rlsf_lightning.prompts.sources.text_to_sql import rows
from rlsf_lightning.prompts.sources.text_to_sql.mutants import mutants
from rlsf_lightning.prompts.sources.text_to_sql.query import Key, Query, sql_of
from rlsf_lightning.prompts.sources.text_to_sql.schema import Schema

#: Databases of a prompt, and draws of one more before a query is given up.
DATABASES, DRAWS = 3, 12
MOST_ROWS = 15


class Outcome(NamedTuple):
    """The rows as often as they occur, and in turn the keys of the reference's order: nothing where it has none."""

    counted: Counter[tuple[Any, ...]]
    #: None: the query leaves the order open.
    in_turn: tuple[tuple[Any, ...], ...] | None

    def is_like(self, wanted: Outcome) -> bool:
        """Whether these may be the rows that are wanted."""
        return self.counted == wanted.counted and self.in_turn in (None, wanted.in_turn)


def scripts(reference: Query, schema: Schema, wrong: Sequence[Query], rng: random.Random) -> list[str] | None:
    """``DATABASES`` scripts, on each of which the reference has rows, not the same on all of them, and every mutant and
    query of ``wrong`` has other ones on one of them at least. None where no such data were drawn.
    """
    constants = rows.constants_of(reference)
    alive = [*mutants(reference, schema, rng), *wrong]
    chosen: list[str] = []
    outcomes: list[Outcome] = []
    for _ in range(DRAWS):
        script = rows.script_of(schema, rows.drawn(schema, constants, rng))
        with _database(script) as database:
            wanted = outcome(database, reference, reference, schema)
            if not _is_telling(wanted) or wanted in outcomes:
                continue
            left = [query for query in alive if outcome(database, query, reference, schema).is_like(wanted)]
        needed = DATABASES - len(chosen) > 1 or not left
        if not needed or (chosen and len(left) == len(alive) > 0):
            continue
        chosen.append(script)
        outcomes.append(wanted)
        alive = left
        if len(chosen) == DATABASES:
            return chosen
    return None


def outcome(database: sqlite3.Connection, query: Query, reference: Query, schema: Schema) -> Outcome:
    """The rows of a query that may differ from the reference in one place."""
    if query.is_distinct and not reference.is_distinct:  # which of the rows that become one gives the keys is open
        return Outcome(Counter(map(_rounded, database.execute(sql_of(replace(query, order=()))))), None)
    ordered = _with_whole_order(query, schema) if reference.order else query
    width = len(ordered.select)
    keys = () if reference.is_distinct else tuple(key.of for key in reference.order)
    found = [_rounded(row) for row in database.execute(sql_of(replace(ordered, select=(*ordered.select, *keys))))]
    in_turn = tuple(row[0 if reference.is_distinct else width :] for row in found) if reference.order else ()
    return Outcome(Counter(row[:width] for row in found), in_turn)


def _with_whole_order(query: Query, schema: Schema) -> Query:
    """The same with further keys, after which no two rows are equal."""
    if query.group:
        more: Sequence[Any] = query.group
    elif query.is_distinct:
        more = query.select
    else:
        more = [schema.table(name).key for name in (query.table, *(join.table for join in query.joins))]
    known = {key.of for key in query.order}
    return replace(query, order=(*query.order, *(Key(of) for of in more if of not in known)))


@contextmanager
def _database(script: str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.executescript(script)
        yield database


def _is_telling(of: Outcome) -> bool:
    """Whether there are rows, not too many, and not only NULL or 0."""
    values = {value for row in of.counted for value in row}
    return 0 < of.counted.total() <= MOST_ROWS and not values <= {None, 0}


def _rounded(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(round(value, 9) if isinstance(value, float) else value for value in row)
