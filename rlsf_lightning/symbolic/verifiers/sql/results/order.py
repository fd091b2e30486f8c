"""The order that a reference asks for, read by sqlglot: rows that its ORDER BY holds for equal may be exchanged.

SQLite itself numbers the rows by that order, so that collations count as it has them. Where a LIMIT cuts through equal rows,
any of them may be in the result.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from rlsf_lightning.errors import UserError, install_hint
from rlsf_lightning.symbolic.verifiers.sql.results.compare import Tolerance, holds_rows
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database, Limits, Result, Row
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import tokens_of


class Group(NamedTuple):
    """``size`` rows in turn, which may be any of ``rows``: more only where a LIMIT cuts through them."""

    size: int
    rows: tuple[Row, ...]


def require_sqlglot(reference: str) -> None:
    """Raises UserError where a reference has an order and nothing that reads it is installed."""
    if _has_word(reference, "order") and importlib.util.find_spec("sqlglot") is None:
        raise UserError(f"queries with ORDER BY need sqlglot: {install_hint('sql')}")


def tie_groups(database: Database, reference: str, result: Result, limits: Limits) -> list[Group] | None:
    """The reference's rows in groups that its ORDER BY holds for equal; None: it gives no order, or none we can read."""
    has_choice = _has_word(reference, "order") or _has_word(reference, "limit")
    if not has_choice or importlib.util.find_spec("sqlglot") is None:
        return None
    queries = _numbered(reference)
    if queries is None:
        return None
    within, all_of_them = (database.run(query, limits) for query in queries)
    if within.error is not None:
        return None
    if all_of_them.error is not None:  # too many without the LIMIT
        all_of_them = within
    groups = _groups_of(within, all_of_them, result.columns, database)
    return groups if in_order(result, result, groups, database) else None


def in_order(ours: Result, theirs: Result, groups: Sequence[Group], database: Database) -> bool:
    """Whether the rows stand in the order of the groups of theirs."""
    if ours.columns != theirs.columns or len(ours.rows) != sum(group.size for group in groups):
        return False
    at = 0
    for size, rows in groups:
        part = Result(ours.rows[at : at + size], ours.columns, is_computed=ours.is_computed)
        if not holds_rows(part, Result(rows, theirs.columns, is_computed=theirs.is_computed), database):
            return False
        at += size
    return True


def _groups_of(within: Result, all_of_them: Result, columns: int, database: Database) -> list[Group]:
    """From rows that go on with their number in the order and the keys of that order."""
    tolerance = Tolerance.of(within, within, database)
    names: dict[int, int] = {}
    members: defaultdict[int, list[Row]] = defaultdict(list)
    before: Row | None = None
    for row in all_of_them.rows:
        number, keys = row[columns], row[columns + 1 :]
        if number not in names:
            is_same = before is not None and all(map(tolerance.is_same, before[columns + 1 :], keys))
            names[number] = len(members) - is_same
        members[names[number]].append(row[:columns])
        before = row
    in_turn = itertools.groupby(names.get(row[columns], -1) for row in within.rows)
    return [Group(len(list(rows)), tuple(members[name])) for name, rows in in_turn]


def _has_word(reference: str, word: str) -> bool:
    return any(token.name == word for token in tokens_of(reference) if token.kind == "word")


@lru_cache(maxsize=64)
def _numbered(reference: str) -> tuple[str, str] | None:
    """The query with a number by its order and the keys of that order as further columns, and the same without its LIMIT."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(reference, dialect="sqlite")
        keys = _keys_of(tree)
        if keys is None:
            return None
        order = ", ".join(key.sql(dialect="sqlite") for key in keys)
        number = sqlglot.parse_one(f"DENSE_RANK() OVER (ORDER BY {order})" if keys else "0", dialect="sqlite")
        for place, column in enumerate([number, *(key.this for key in keys)]):
            tree.append("expressions", sqlglot.exp.alias_(column, f"_order_{place}"))
        whole = tree.copy()
        whole.set("limit", None)
        whole.set("offset", None)
        return str(tree.sql(dialect="sqlite")), str(whole.sql(dialect="sqlite"))
    except (SqlglotError, RecursionError):
        return None


def _keys_of(tree: Any) -> list[Any] | None:
    """What a query orders by, with names and numbers of its columns replaced by what these are. None: cannot be read."""
    from sqlglot import exp

    if not isinstance(tree, exp.Select):
        return None
    columns = [item.unalias() for item in tree.expressions]
    named = {item.alias.lower(): item.this for item in tree.expressions if isinstance(item, exp.Alias)}
    has_star = any(item.is_star for item in tree.expressions)
    order, keys = tree.args.get("order"), []
    for item in order.expressions if order is not None else ():
        key = item.this
        if isinstance(key, exp.Literal) and not key.is_string:
            place = int(key.this)
            if has_star or not 0 < place <= len(columns):
                return None
            key = columns[place - 1]
        elif isinstance(key, exp.Column) and not key.table and key.name.lower() in named:
            key = named[key.name.lower()]
        bare = key.this if isinstance(key, exp.Collate) else key
        if tree.args.get("distinct") and bare not in columns:
            return None  # which of the equal rows gives the key is open
        ordered = item.copy()
        ordered.set("this", key.copy())
        keys.append(ordered)
    return keys
