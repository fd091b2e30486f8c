"""Mutants of a database: other data of the same schema, on which a query that only fits the given data goes wrong.

Rows are dropped and duplicated, values of a column change places within their type, and columns that may be NULL are in
places. Keys, checks and declared foreign keys hold as the schema states them. The same seed makes the same mutant.
"""

from __future__ import annotations

import random
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

#: Shares of the rows that are dropped, and of those kept that are duplicated, and of the values that become NULL.
DROPPED, DUPLICATED, NULLED = 0.3, 0.2, 0.1
#: Databases with more rows have no mutants: every one would cost as much as the script itself.
MAX_ROWS = 20_000
_MAX_ROUNDS = 20


class _Column(NamedTuple):
    name: str
    may_be_null: bool
    #: SQLite gives a new row its number by itself.
    is_row_number: bool


def mutate(connection: sqlite3.Connection, seed: int) -> None:
    """Change the data of a database in place. Raises ValueError for more than ``MAX_ROWS`` rows, or virtual tables."""
    masters = "SELECT name, type, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    found = connection.execute(masters).fetchall()
    if any((sql or "").upper().startswith("CREATE VIRTUAL") for _, _, sql in found):
        raise ValueError("virtual tables cannot be changed")
    tables = [quoted(name) for name, sort, _ in found if sort == "table"]
    rows = sum(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables)
    if rows > MAX_ROWS:
        raise ValueError(f"{rows} rows, more than {MAX_ROWS}")
    for name, sort, _ in found:
        if sort == "trigger":
            connection.execute(f"DROP TRIGGER {quoted(name)}")
    rng = random.Random(seed)
    for table in tables:
        _change(connection, table, rng)
    _keep_references(connection)


def quoted(name: str) -> str:
    """A name as SQLite reads it in any place."""
    return '"' + name.replace('"', '""') + '"'


def _change(connection: sqlite3.Connection, table: str, rng: random.Random) -> None:
    columns = _columns_of(connection, table)
    names = ", ".join(quoted(column.name) for column in columns)
    rows = [list(row) for row in connection.execute(f"SELECT {names} FROM {table}")]
    kept = [row for row in rows if rng.random() >= DROPPED] or rows[:1]
    for at, column in enumerate(columns):
        _permute(kept, at, rng)
        for row in kept if column.may_be_null else ():
            row[at] = None if rng.random() < NULLED else row[at]
    again = [row for row in kept if rng.random() < DUPLICATED]
    numbered = [[None if c.is_row_number else value for c, value in zip(columns, row, strict=True)] for row in again]
    connection.execute(f"DELETE FROM {table}")
    places = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({places})", [*kept, *numbered])


def _columns_of(connection: sqlite3.Connection, table: str) -> list[_Column]:
    """Those that are written; generated ones are not."""
    found = connection.execute(f"PRAGMA table_info({table})").fetchall()
    keys = sum(key > 0 for *_, key in found)
    return [
        _Column(name, not required and not key, bool(key) and keys == 1 and sort.upper() == "INTEGER")
        for _, name, sort, required, _, key in found
    ]


def _permute(rows: Sequence[list[Any]], at: int, rng: random.Random) -> None:
    """Values of a column change places with others of their type."""
    places: dict[type, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        places[type(row[at])].append(i)
    for same in places.values():
        values = [rows[i][at] for i in same]
        rng.shuffle(values)
        for i, value in zip(same, values, strict=True):
            rows[i][at] = value


def _keep_references(connection: sqlite3.Connection) -> None:
    """Delete rows whose declared foreign keys lead nowhere, unless SQLite calls a declaration a mismatch."""
    for _ in range(_MAX_ROUNDS):
        try:
            broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.OperationalError:
            return
        if not broken:
            return
        for table, row, *_ in broken:
            connection.execute(f"DELETE FROM {quoted(table)} WHERE rowid = ?", (row,))
