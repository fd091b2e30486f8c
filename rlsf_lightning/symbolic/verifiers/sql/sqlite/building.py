"""Connections to the databases of a prompt: made by a script in memory, or a file of SQLite's, which is only read.

Files up to ``MOST_IN_MEMORY`` bytes are copied into memory, so that they may have mutants; larger ones are read where they are.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

from rlsf_lightning.errors import UserError
from rlsf_lightning.symbolic.verifiers.sql.sqlite.mutants import mutate, quoted
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import tokens_of

#: Bytes of a file that is copied into memory.
MOST_IN_MEMORY = 4_000_000
#: Bytes of a row of a larger file that can be read.
LONGEST_OF_LARGE = 100_000
_NOT_IN_SCRIPT = frozenset((sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA))
_SECONDS = 10.0
_STEPS_A_LOOK = 100
_EXAMPLE = "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);"


class Source(NamedTuple):
    """How a database is made: by its script, or of its file, alone or as the mutant with this seed."""

    script: str
    seed: int | None = None
    #: ``script`` is a path.
    is_file: bool = False


def built(source: Source) -> tuple[sqlite3.Connection, int]:
    """A connection, and the length of the longest value. Raises UserError if SQLite refuses the script or the file."""
    try:
        return _of_file(source) if source.is_file else _of_script(source)
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError) as error:
        if source.is_file:
            raise UserError(f"the fact `database`: {source.script} cannot be used: {error}") from None
        raise UserError(f"the fact `schema` is no script that SQLite runs: {error}; expected: {_EXAMPLE}") from None


def _of_script(source: Source) -> tuple[sqlite3.Connection, int]:
    connection = _prepared(sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None))
    connection.set_authorizer(_may_build)
    connection.executescript(source.script)
    if source.seed is not None:
        connection.set_authorizer(None)
        mutate(connection, source.seed)
    return connection, max((len(token.text) for token in tokens_of(source.script)), default=0)


def _of_file(source: Source) -> tuple[sqlite3.Connection, int]:
    path = Path(source.script).expanduser()
    if not path.is_file():
        raise ValueError(f"no such file (seen from {Path.cwd()})")
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    stored = _prepared(sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None))
    if path.stat().st_size > MOST_IN_MEMORY:
        if source.seed is not None:
            raise ValueError("too large for mutants")
        stored.execute("SELECT COUNT(*) FROM sqlite_master")
        return stored, LONGEST_OF_LARGE
    connection = _prepared(sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None))
    stored.backup(connection)
    stored.close()
    if source.seed is not None:
        mutate(connection, source.seed)
    return connection, _longest(connection)


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Nothing is attached, temporary tables stay in memory, building ends in time."""
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    deadline = time.perf_counter() + _SECONDS
    connection.set_progress_handler(lambda: time.perf_counter() > deadline, _STEPS_A_LOOK)
    return connection


def _longest(connection: sqlite3.Connection) -> int:
    """Bytes of the longest row, about."""
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    longest = 0
    for table in tables:
        columns = [quoted(row[1]) for row in connection.execute(f"PRAGMA table_info({quoted(table)})")]
        length = " + ".join(f"COALESCE(LENGTH(CAST({column} AS BLOB)), 0)" for column in columns) or "0"
        longest = max(longest, connection.execute(f"SELECT MAX({length}) FROM {quoted(table)}").fetchone()[0] or 0)
    return longest


def _may_build(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    refused = action in _NOT_IN_SCRIPT or (action == sqlite3.SQLITE_FUNCTION and second == "load_extension")
    return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK
