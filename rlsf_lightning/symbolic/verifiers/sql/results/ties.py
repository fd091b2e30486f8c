"""References that SQLite may answer in more than one way: a LIMIT that cuts through rows which its ORDER BY holds for equal.

So may a subquery in the place of a value that has several rows, of which SQLite takes the first. Written out are the two
extremes: the smallest of the equal rows taken, and the largest. Where both give the rows of the reference, every other choice
does.

Not seen: the other columns of the row that has the max() or min(), and the order in which group_concat joins.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database, Limits, Result
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import tokens_of


def with_ties_broken(database: Database, reference: str, limits: Limits) -> Iterator[tuple[str, Result]]:
    """The reference with all ties broken in each of two ways, and its rows; nothing where it leaves no choice."""
    words = [token.name for token in tokens_of(reference) if token.kind == "word"]
    if ("limit" in words or words.count("select") > 1) and importlib.util.find_spec("sqlglot") is not None:
        for query in _extremes(database, reference, limits):
            result = database.run(query, limits)
            if result.error is None:
                yield query, result


@lru_cache(maxsize=64)
def _extremes(database: Database, reference: str, limits: Limits) -> tuple[str, ...]:
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        queries = [sqlglot.parse_one(reference, dialect="sqlite") for _ in range(3)]
        for tree, is_descending in zip(queries[1:], (False, True), strict=True):
            for query in list(_choosing(tree)):
                _break_ties(query, _columns_of(database, query, limits), is_descending)
        same, *texts = (str(tree.sql(dialect="sqlite")) for tree in queries)
    except (SqlglotError, RecursionError):
        return ()
    if same in texts or database.run(same, limits) != database.run(reference, limits):  # sqlglot reads something else
        return ()
    return tuple(texts)


def _choosing(tree: Any) -> Iterator[Any]:
    """The queries within a query, and itself, that take some of their rows."""
    from sqlglot import exp

    for query in tree.find_all(exp.Select, exp.SetOperation):
        if query.args.get("limit") is not None or _is_value(query):
            yield query


def _is_value(query: Any) -> bool:
    from sqlglot import exp

    holder = query.parent
    return isinstance(holder, exp.Subquery) and not isinstance(
        holder.parent, exp.From | exp.Join | exp.In | exp.Exists | exp.SetOperation | exp.Subquery
    )


def _columns_of(database: Database, query: Any, limits: Limits) -> int:
    """How many columns a query has; where it cannot be run alone, as many as it names."""
    result = database.run(f"SELECT * FROM ({query.sql(dialect='sqlite')}) LIMIT 0", limits)
    if result.error is None:
        return result.columns
    return 0 if query.is_star else len(query.selects)


def _break_ties(query: Any, columns: int, is_descending: bool) -> None:
    """What stands in the rows decides where the query's own order does not."""
    from sqlglot import exp

    for column in range(1, columns + 1):
        key = exp.Ordered(this=exp.Literal.number(column), desc=is_descending, nulls_first=not is_descending)
        query.order_by(key, copy=False)
