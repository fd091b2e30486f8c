"""Earley's recogniser: the terminals that the rules of a grammar allow after others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlsf_lightning.symbolic.verifiers.grammar.lalr.grammar import END
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel


def expected_after(rules: Sequence[Any], start: str, types: Sequence[str], fuel: Fuel) -> set[str] | None:
    """The terminals that a grammar allows after these (``END``: they are a sentence); None if they are no beginning.

    Earley's recogniser (1970, https://doi.org/10.1145/362007.362035) with Aycock and Horspool's treatment of empty rules.
    """
    by_origin: dict[str, list[tuple[str, ...]]] = {}
    terminals: set[str] = set()
    for rule in rules:
        by_origin.setdefault(rule.origin.name, []).append(tuple(symbol.name for symbol in rule.expansion))
        terminals |= {symbol.name for symbol in rule.expansion if symbol.is_term}
    empty = _nullable(by_origin)
    #: Items (origin, right side, how much of it is read, where it began), for every place between terminals.
    columns: list[dict[tuple[str, tuple[str, ...], int, int], None]] = [{}]
    columns[0] = {("$", (start,), 0, 0): None}
    for place in range(len(types) + 1):
        column = columns[place]
        if not column:
            return None
        columns.append({})
        waiting: dict[str, list[tuple[str, tuple[str, ...], int, int]]] = {}
        pending = list(column)
        for item in pending:
            origin, right, read, began = item
            new: list[tuple[str, tuple[str, ...], int, int]] = []
            if read == len(right):
                parents = waiting.get(origin, []) if began == place else _waiting(columns[began], origin)
                new = [(o, r, k + 1, b) for o, r, k, b in parents]
            elif right[read] in terminals:
                if place < len(types) and types[place] == right[read]:
                    columns[place + 1][(origin, right, read + 1, began)] = None
            else:
                waiting.setdefault(right[read], []).append(item)
                new = [(right[read], side, 0, place) for side in by_origin.get(right[read], [])]
                if right[read] in empty:
                    new.append((origin, right, read + 1, began))
            fuel.burn(2 + len(new))
            for fresh in new:
                if fresh not in column:
                    column[fresh] = None
                    pending.append(fresh)
    last = columns[len(types)]
    expected = {right[read] for _, right, read, _ in last if read < len(right) and right[read] in terminals}
    return expected | ({END} if ("$", (start,), 1, 0) in last else set())


def _waiting(column: Any, symbol: str) -> list[Any]:
    return [item for item in column if item[2] < len(item[1]) and item[1][item[2]] == symbol]


def _nullable(by_origin: dict[str, list[tuple[str, ...]]]) -> set[str]:
    """The symbols that may stand for nothing."""
    empty: set[str] = set()
    while True:
        more = {name for name, sides in by_origin.items() if any(empty.issuperset(side) for side in sides)}
        if more <= empty:
            return empty
        empty |= more
