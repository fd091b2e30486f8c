"""A database on which a stranger's query can be run: it may read, and nothing else.

An authorizer refuses everything but SELECT; pragmas, attached files, extensions and functions of chance are refused, too.
Steps of SQLite's machine, seconds, rows and the size of values are bounded, and temporary tables stay in memory. SQLite
looks at its bounds between steps only, so values are kept short enough for no single step to be slow. A sort may hold
about one value for each twenty steps: half a gigabyte with the default limits.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from rlsf_lightning.symbolic.verifiers.sql.sqlite.building import Source, built
from rlsf_lightning.symbolic.verifiers.sql.sqlite.mutants import quoted
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import folded, tokens_of

Row = tuple[Any, ...]
_READS = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE))
#: Their results are not the same twice, or are not about the data.
_REFUSED_FUNCTIONS = frozenset(
    "random randomblob load_extension changes total_changes last_insert_rowid sqlite_version sqlite_source_id "
    "fts3_tokenizer current_timestamp current_date current_time".split()
)
#: Instructions and functions of SQLite's machine whose results are rounded.
_ARITHMETIC = frozenset("Add Subtract Multiply Divide Remainder".split())
_CALCULATING = frozenset(
    "sum total avg round julianday mod pow power sqrt exp ln log log2 log10 sin cos tan asin acos atan atan2 sinh cosh tanh "
    "asinh acosh atanh degrees radians pi cume_dist percent_rank".split()
)
_STEPS_A_LOOK = 100
#: Bytes of a value or row that a query makes, unless the data have longer ones.
_VALUE_BYTES = 10_000
_LIMITS: Mapping[int, int] = {
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_MAX_BYTES = 5_000_000


@dataclass(frozen=True)
class Limits:
    """Of one query: steps of SQLite's machine, seconds, rows of the result."""

    steps: int
    seconds: float
    rows: int


@dataclass(frozen=True)
class Result:
    """``error``: None, what SQLite says, or "too costly", "too slow", "too large"."""

    rows: tuple[Row, ...] = ()
    columns: int = 0
    error: str | None = None
    #: Whether the query calculates, and some of the rows hold floating-point numbers.
    is_computed: bool = False


class Database:
    """Tables made by a script, or of a file. Raises UserError if SQLite refuses it.

    Args:
        script: CREATE TABLE and INSERT statements, or a path.
        seed: of the changes that make a mutant of the data; None: the data as they are.
        is_file: ``script`` is a path.
    """

    def __init__(self, script: str, seed: int | None = None, is_file: bool = False) -> None:
        self._lock = threading.Lock()
        self._connection, longest = built(Source(script, seed, is_file))
        self._connection.set_progress_handler(None, 0)
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(_VALUE_BYTES, 4 * longest))
        for name in ("printf", "format"):
            self._connection.create_function(name, -1, _printf, deterministic=True)
        for limit, value in _LIMITS.items():
            self._connection.setlimit(limit, value)
        masters = "SELECT * FROM sqlite_master UNION ALL SELECT * FROM sqlite_temp_master"
        found = list(self._connection.execute(f"SELECT name, type FROM ({masters}) WHERE type IN ('table', 'view')"))
        self.tables = frozenset(folded(name) for name, _ in found)
        self._base_tables = tuple(quoted(name) for name, sort in found if sort == "table")
        self._connection.set_authorizer(_may_read)

    def error_of(self, query: str) -> str | None:
        """What SQLite has against a query, without running it."""
        with self._lock:
            try:
                self._connection.execute("EXPLAIN " + single_statement(query)).close()
            except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
                return str(error)
        return None

    def run(self, query: str, limits: Limits) -> Result:
        """The query's rows."""
        with self._lock:
            return self._run(query, limits)

    def _run(self, query: str, limits: Limits) -> Result:
        left, deadline, reason = limits.steps, time.perf_counter() + limits.seconds, ""

        def look() -> bool:
            nonlocal left, reason
            left -= _STEPS_A_LOOK
            reason = "too costly" if left < 0 else "too slow" if time.perf_counter() > deadline else ""
            return bool(reason)

        self._connection.set_progress_handler(look, _STEPS_A_LOOK)
        rows: list[Row] = []
        size = 0
        try:
            cursor = self._connection.execute(single_statement(query))
            for row in cursor:
                rows.append(row)
                size += 8 * len(row) + sum(len(value) for value in row if isinstance(value, str | bytes))
                if len(rows) > limits.rows or size > _MAX_BYTES:
                    cursor.close()
                    return Result(error="too large")
            columns = len(cursor.description or ())
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError) as error:
            return Result(error=reason or str(error) or type(error).__name__)
        finally:
            self._connection.set_progress_handler(None, 0)
        has_floats = any(isinstance(value, float) for row in rows for value in row)
        return Result(tuple(rows), columns, is_computed=has_floats and self._computes(query))

    @cached_property
    def stored(self) -> frozenset[float]:
        """Every floating-point number that a table holds."""
        with self._lock:
            rows = (row for name in self._base_tables for row in self._connection.execute(f"SELECT * FROM {name}"))
            return frozenset(value for row in rows for value in row if isinstance(value, float))

    def _computes(self, query: str) -> bool:
        """Whether SQLite's program for a query calculates with numbers."""
        try:
            program = self._connection.execute("EXPLAIN " + single_statement(query)).fetchall()
        except (sqlite3.Error, sqlite3.Warning, ValueError, MemoryError):
            return False
        return any(row[1] in _ARITHMETIC or str(row[5]).partition("(")[0] in _CALCULATING for row in program)


@lru_cache(maxsize=64)
def database_of(source: Source) -> Database:
    """The database of this source."""
    return Database(*source)


def single_statement(query: str) -> str:
    """The query without the empty statements behind it, which Python's reader counts as further ones."""
    if query.count(";") < 2:
        return query
    tokens = tokens_of(query)
    first = next((i for i, token in enumerate(tokens) if token.text == ";"), len(tokens))
    if first == 0 or any(token.text != ";" for token in tokens[first:]):
        return query
    return query[: tokens[first - 1].end]


def _printf(form: Any, *values: Any) -> Any:
    """SQLite's own printf, but for widths that make it run for minutes within one step."""
    if form is None:
        return None
    wide = "*" in str(form) and any(isinstance(value, int) and abs(value) >= _VALUE_BYTES for value in values)
    if wide or re.search("[0-9]{5}", str(form)):
        raise ValueError("the width is too large")
    helper = sqlite3.connect(":memory:")
    try:
        return helper.execute(f"SELECT printf({', '.join('?' * (1 + len(values)))})", (form, *values)).fetchone()[0]
    finally:
        helper.close()


def _may_read(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    allowed = action in _READS and not (
        action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _REFUSED_FUNCTIONS
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
