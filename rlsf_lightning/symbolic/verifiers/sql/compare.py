"""Two results compared, and the smallest change of a query that gives the right one.

Rows count as often as they occur; 1 is 1.0, and floating-point numbers are equal up to the last digits. Their order counts
only where the reference orders them, and not among rows that its ORDER BY holds for equal.
"""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rlsf_lightning.errors import UserError
from rlsf_lightning.symbolic.verifiers.sql.database import Database, Limits, Result, Row
from rlsf_lightning.symbolic.verifiers.sql.tokens import Token, folded, tokens_of

_MAX_TOKENS = 400
_MAX_TRIED = 40
#: A change of more than this share of a query's tokens says nothing of where it is wrong.
_MOST_CHANGED = 0.5


class Change(NamedTuple):
    """``text`` in the place of ``[start, end)``."""

    start: int
    end: int
    text: str


def plain(value: Any) -> Any:
    """A value with which equal ones are equal: floating-point numbers to twelve digits, 2.0 as 2."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return repr(value)
        rounded = float(f"{value:.12g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded
    return ("blob", value.hex()) if isinstance(value, bytes) else value


def counted(rows: Sequence[Row]) -> Counter[tuple[tuple[str, Any], ...]]:
    """How often each row occurs. The number 1 and the text "1" are not equal."""
    return Counter(_keyed(row) for row in rows)


def overlap(ours: Result, theirs: Result) -> float:
    """The share of rows that both have, of the larger result; 0 for another number of columns."""
    if ours.columns != theirs.columns:
        return 0.0
    most = max(len(ours.rows), len(theirs.rows))
    return (counted(ours.rows) & counted(theirs.rows)).total() / most if most else 1.0


def same_rows(ours: Result, theirs: Result) -> bool:
    """The same rows, each as often."""
    if ours.columns != theirs.columns or len(ours.rows) != len(theirs.rows):
        return False
    if counted(ours.rows) == counted(theirs.rows):
        return True
    pairs = zip(sorted(ours.rows, key=_sorting), sorted(theirs.rows, key=_sorting), strict=True)
    return all(_close(a, b) for ours_row, theirs_row in pairs for a, b in zip(ours_row, theirs_row, strict=True))


def same_order(ours: Result, theirs: Result, groups: Sequence[int] | None) -> bool:
    """Whether the rows stand in the order of the reference; ``groups``: how many in turn are equal to its ORDER BY."""
    at = 0
    for size in groups or ():
        part = slice(at, at + size)
        if not same_rows(Result(ours.rows[part], ours.columns), Result(theirs.rows[part], theirs.columns)):
            return False
        at += size
    return True


def groups_of(database: Database, reference: str, result: Result, limits: Limits) -> list[int] | None:
    """How many of the reference's rows in turn its ORDER BY holds for equal; None: it gives no order, or none we can read."""
    if not any(token.name == "order" for token in tokens_of(reference)):
        return None
    try:
        import sqlglot
        from sqlglot.errors import SqlglotError
    except ModuleNotFoundError:
        raise UserError('queries with ORDER BY need sqlglot: pip install "rlsf-lightning[sql]"') from None
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
    sizes: list[int] = []
    previous: Any = None
    for row in keyed.rows:
        key = _keyed(row[n:])
        if sizes and key == previous:
            sizes[-1] += 1
        else:
            sizes.append(1)
        previous = key
    return sizes


def smallest_change(text: str, reference: str, is_right: Callable[[str], bool]) -> list[Change] | None:
    """A few of the differences from the reference that are enough to make the query right; None: too many differ.

    None of them can be left out.
    """
    ours, theirs = tokens_of(text), tokens_of(reference)
    if len(ours) > _MAX_TOKENS or len(theirs) > _MAX_TOKENS:
        return None
    matcher = difflib.SequenceMatcher(None, [meaning(t) for t in ours], [meaning(t) for t in theirs], autojunk=False)
    hunks = [(i, j, k, m) for tag, i, j, k, m in matcher.get_opcodes() if tag != "equal"]
    if len(hunks) > _MAX_TRIED:
        return None
    changes = [_change(text, reference, ours, theirs, hunk) for hunk in hunks]
    needed = next(([change] for change in changes if is_right(changed(text, [change]))), None)
    if needed is None:
        needed = list(changes)
        if not is_right(changed(text, needed)):
            return None
        for change in changes:
            fewer = [other for other in needed if other != change]
            needed = fewer if is_right(changed(text, fewer)) else needed
    touched = sum(any(c.start <= t.start < c.end for c in needed) for t in ours)
    return needed if touched <= _MOST_CHANGED * len(ours) else None


def changed(text: str, changes: Sequence[Change]) -> str:
    """The text after all changes."""
    for change in sorted(changes, reverse=True):
        text = f"{text[: change.start]} {change.text} {text[change.end :]}"
    return text


def _change(
    text: str, reference: str, ours: Sequence[Token], theirs: Sequence[Token], hunk: tuple[int, int, int, int]
) -> Change:
    i, j, k, m = hunk
    word = reference[theirs[k].start : theirs[m - 1].end] if k < m else ""
    if i < j:
        return Change(ours[i].start, ours[j - 1].end, word)
    at = ours[i - 1].end if i else ours[0].start
    return Change(at, at, word)


def meaning(token: Token) -> str:
    """Equal for tokens that mean the same."""
    if token.kind == "word":
        return folded(token.text)
    return {"<>": "!=", "==": "="}.get(token.text, token.text)


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


def _keyed(row: Sequence[Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((_kind(value), plain(value)) for value in row)


def _kind(value: Any) -> str:
    return "number" if isinstance(value, int | float) else type(value).__name__


def _sorting(row: Sequence[Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((_kind(value), value if value is not None else 0) for value in row)


def _close(a: Any, b: Any) -> bool:
    if isinstance(a, float) or isinstance(b, float):
        numbers = isinstance(a, int | float) and isinstance(b, int | float)
        return numbers and (a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12))
    return type(a) is type(b) and bool(a == b)
