"""Earley's recogniser: the terminals that the rules of a grammar allow after others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rlsf_lightning.symbolic.verifiers.grammar.lalr.grammar import END
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel

#: (origin, right side, how much of it is read, where it began)
_Item = tuple[str, tuple[str, ...], int, int]
_Column = dict[_Item, None]


class _Rules(NamedTuple):
    #: Nonterminal -> right sides.
    sides: dict[str, list[tuple[str, ...]]]
    terminals: set[str]
    #: The nonterminals that may stand for nothing.
    empty: set[str]


def expected_after(rules: Sequence[Any], start: str, types: Sequence[str], fuel: Fuel) -> set[str] | None:
    """The terminals that a grammar allows after these (``END``: they are a sentence); None if they are no beginning.

    Earley's recogniser (1970, https://doi.org/10.1145/362007.362035) with Aycock and Horspool's treatment of empty rules.
    """
    known = _rules_of(rules)
    columns: list[_Column] = []  # one for every place between terminals
    column: _Column = {("$", (start,), 0, 0): None}
    for terminal in (*types, None):
        if not column:
            return None
        columns.append(column)
        _complete(columns, known, fuel)
        column = {
            (o, right, read + 1, began): None for o, right, read, began in column if terminal in right[read : read + 1]
        }
    last = columns[-1]
    expected = {right[read] for _, right, read, _ in last if read < len(right) and right[read] in known.terminals}
    return expected | ({END} if ("$", (start,), 1, 0) in last else set())


def _complete(columns: list[_Column], rules: _Rules, fuel: Fuel) -> None:
    """Predict and complete in the last column until nothing is new."""
    place, column = len(columns) - 1, columns[-1]
    waiting: dict[str, list[_Item]] = {}
    pending = list(column)
    for item in pending:
        origin, right, read, began = item
        new: list[_Item] = []
        if read == len(right):
            parents = waiting.get(origin, []) if began == place else _waiting(columns[began], origin)
            new = [(o, r, k + 1, b) for o, r, k, b in parents]
        elif right[read] not in rules.terminals:
            waiting.setdefault(right[read], []).append(item)
            new = [(right[read], side, 0, place) for side in rules.sides.get(right[read], [])]
            if right[read] in rules.empty:
                new.append((origin, right, read + 1, began))
        fuel.burn(2 + len(new))
        for fresh in new:
            if fresh not in column:
                column[fresh] = None
                pending.append(fresh)


def _waiting(column: _Column, symbol: str) -> list[_Item]:
    return [item for item in column if item[2] < len(item[1]) and item[1][item[2]] == symbol]


def _rules_of(rules: Sequence[Any]) -> _Rules:
    """From Lark's rules."""
    sides: dict[str, list[tuple[str, ...]]] = {}
    for rule in rules:
        sides.setdefault(rule.origin.name, []).append(tuple(symbol.name for symbol in rule.expansion))
    terminals = {symbol.name for rule in rules for symbol in rule.expansion if symbol.is_term}
    empty: set[str] = set()
    while True:
        more = {name for name, rights in sides.items() if any(empty.issuperset(right) for right in rights)}
        if more <= empty:
            return _Rules(sides, terminals, empty)
        empty |= more
