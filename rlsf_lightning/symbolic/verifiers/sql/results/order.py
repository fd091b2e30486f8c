"""The order that a reference asks for, read by sqlglot: rows that its ORDER BY holds for equal may be exchanged."""

from __future__ import annotations

import importlib.util
import itertools
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.symbolic.verifiers.sql.results.compare import key_of
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database, Limits, Result
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import tokens_of


def require_sqlglot(reference: str) -> None:
    """Raises UserError where a reference has an order and nothing that reads it is installed."""
    if _has_order(reference) and importlib.util.find_spec("sqlglot") is None:
        raise UserError('queries with ORDER BY need sqlglot: pip install "rlsf-lightning[sql]"')


def tie_groups(database: Database, reference: str, result: Result, limits: Limits) -> list[int] | None:
    """How many of the reference's rows in turn its ORDER BY holds for equal; None: it gives no order, or none we can read."""
    if not _has_order(reference):
        return None
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        with_keys = _with_keys(sqlglot.parse_one(reference, dialect="sqlite"))
    except (SqlglotError, RecursionError):
        return None
    if with_keys is None:
        return None
    keyed = database.run(with_keys, limits)
    n = result.columns
    if keyed.error is not None or [row[:n] for row in keyed.rows] != list(result.rows):
        return None
    return [len(list(group)) for _, group in itertools.groupby(keyed.rows, key=lambda row: key_of(row[n:]))]


def _has_order(reference: str) -> bool:
    return any(token.name == "order" for token in tokens_of(reference))


def _with_keys(tree: Any) -> str | None:
    """The query with what it orders by as further columns."""
    from sqlglot import exp

    order = tree.args.get("order")
    if not isinstance(tree, exp.Select) or order is None or tree.args.get("distinct"):
        return None
    named = {item.alias.lower(): item.this for item in tree.expressions if isinstance(item, exp.Alias)}
    has_star = any(item.is_star for item in tree.expressions)
    keys = []
    for item in order.expressions:
        key = item.this
        if isinstance(key, exp.Literal) and not key.is_string:
            place = int(key.this)
            if has_star or not 0 < place <= len(tree.expressions):
                return None
            key = tree.expressions[place - 1].unalias()
        elif isinstance(key, exp.Column) and not key.table and key.name.lower() in named:
            key = named[key.name.lower()]
        keys.append(key.copy())
    wide = tree.copy()
    for number, key in enumerate(keys):
        wide.append("expressions", exp.alias_(key, f"_order_key_{number}"))
    return str(wide.sql(dialect="sqlite"))
