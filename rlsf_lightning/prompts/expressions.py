"""Conditions on the columns of a row: ``data.keep``. An expression is read as Python and walked by hand, never evaluated."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from rlsf_lightning.config.extension_points import KEEP
from rlsf_lightning.config.plugins import resolve
from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.readers import Spelt
from rlsf_lightning.suggest import did_you_mean

#: Where a message begins, and the cells of a row: whether it is kept.
Keeps = Callable[[str, Mapping[str, Any]], bool]

_EXAMPLE = "such as data.keep='len(code) < 400 and level in (1, 2)'"
_REFERENCE = re.compile(r"[^\s()'\"]+:\w+")
_COMPARE: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "len": len,
    "int": int,
    "float": float,
    "str": str,
    "lower": lambda text: str(text).lower(),
    "words": lambda text: len(str(text).split()),
}
_CONSTANTS = (str, int, float, bool, type(None))
_LONGEST = 1000


def is_reference(keep: str) -> bool:
    """Whether ``data.keep`` names a function, and is no expression."""
    return _REFERENCE.fullmatch(keep) is not None


def row_filter(keep: str | None) -> Keeps:
    """The condition that ``data.keep`` means. UserError, with the place: it is none, or does not fit a row."""
    if not keep:
        return lambda told, cells: True
    if is_reference(keep):
        function = resolve(KEEP, keep)
        return lambda told, cells: bool(function(_plain(cells)))
    tree = _parsed(keep)

    def keeps(told: str, cells: Mapping[str, Any]) -> bool:
        try:
            return bool(_value(tree, _plain(cells)))
        except (TypeError, ValueError, OverflowError) as error:
            raise UserError(f"{told}: data.keep={keep}: {error}; convert by int(column) or float(column)") from None

    return keeps


def _plain(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {name: cell.number if isinstance(cell, Spelt) else cell for name, cell in cells.items()}


def _parsed(keep: str) -> ast.expr:
    if len(keep) > _LONGEST:
        raise UserError(
            f"data.keep: {len(keep)} characters, more than {_LONGEST}; write a function: data.keep=mine:keep"
        )
    try:
        tree = ast.parse(keep.strip(), mode="eval").body
        _check(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UserError(
            f"data.keep={keep}: {reason}; expects comparisons of columns with and, or, not, in, {', '.join(_FUNCTIONS)}, "
            f"{_EXAMPLE}, or a function, data.keep=mine:keep"
        ) from None
    return tree


def _check(node: ast.expr) -> None:
    """Raise ValueError for whatever is no condition."""
    if isinstance(node, ast.Constant):
        is_right = isinstance(node.value, _CONSTANTS)
    elif isinstance(node, ast.Call):
        is_right = (
            isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS and len(node.args) == 1 and not node.keywords
        )
    elif isinstance(node, ast.Compare):
        is_right = all(type(sign) in _COMPARE for sign in node.ops)
    elif isinstance(node, ast.UnaryOp):
        is_right = isinstance(node.op, ast.Not | ast.USub)
    else:
        is_right = isinstance(node, ast.Name | ast.BoolOp | ast.Tuple | ast.List)
    if not is_right:
        raise ValueError(f"`{ast.unparse(node)[:60]}` is no condition on columns")
    below = (
        node.args if isinstance(node, ast.Call) else [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
    )
    for each in below:
        _check(each)


def _value(node: ast.expr, cells: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            if node.id not in cells:
                raise UserError(
                    f"data.keep: no column `{node.id}`{did_you_mean(node.id, list(cells))} (columns: {', '.join(cells)})"
                )
            return cells[node.id]
        case ast.Tuple() | ast.List():
            return [_value(each, cells) for each in node.elts]
        case ast.BoolOp():
            both = all if isinstance(node.op, ast.And) else any
            return both(_value(each, cells) for each in node.values)
        case ast.UnaryOp():
            value = _value(node.operand, cells)
            return not value if isinstance(node.op, ast.Not) else -value
        case ast.Call():
            assert isinstance(node.func, ast.Name)
            return _FUNCTIONS[node.func.id](_value(node.args[0], cells))
    assert isinstance(node, ast.Compare)
    values = [_value(each, cells) for each in (node.left, *node.comparators)]
    return all(_COMPARE[type(sign)](a, b) for sign, a, b in zip(node.ops, values, values[1:], strict=False))
