"""A matcher for a part of SMARTS without RDKit: subgraph isomorphism by plain backtracking, bounded in steps.

Read are chains, branches and ring digits 1 to 9 of atoms (element symbols, ``*``, ``a``, ``A``, and in brackets also ``#n``,
``X``, ``H``, ``R``, charges, ``!``, ``&``, ``,``, ``;`` and ``$(...)``) and of the bonds ``- = # : ~``. Other patterns are
refused, not misread. Never more than that: no components, no stereochemistry, no ring sizes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from rlsf_lightning.symbolic.chemistry.periodic_table import ELEMENTS
from rlsf_lightning.symbolic.verifiers.molecule.recheck.graph import AROMATIC, Graph, Site

#: Atoms that one search may try.
MAX_STEPS = 2_000_000
_MAX_DEPTH = 8
_ORDERS: dict[str, tuple[int, ...]] = {
    "": (1, AROMATIC),
    "-": (1,),
    "=": (2,),
    "#": (3,),
    ":": (AROMATIC,),
    "~": (AROMATIC, 1, 2, 3, 4),
}
_ATOM = re.compile(r"Cl|Br|[BCNOPSFI]|[bcnops]|[*aA]", re.ASCII)
_PRIMITIVE = re.compile(
    r"(?P<number>#[0-9]{1,3})|X(?P<links>[0-9])|H(?P<hydrogens>[0-9]?)|(?P<ring>R)(?![0-9])|D(?P<degree>[0-9])"
    r"|(?P<charge>\+[0-9]|-[0-9]|\++|-+)|(?P<atom>Cl|Br|[BCNOPSFI]|[bcnops]|[*aA])",
    re.ASCII,
)

Test = Callable[[Graph, Site], bool]


class Unreadable(ValueError):
    """The pattern is outside the part of SMARTS that is read here."""


class Pattern(NamedTuple):
    """Tests of the atoms in the order in which they are met; ``bonds``: for each atom, (earlier atom, orders)."""

    tests: list[Test]
    bonds: list[list[tuple[int, tuple[int, ...]]]]


class _Budget:
    def __init__(self) -> None:
        self.steps = MAX_STEPS


def find(smarts: str, graph: Graph) -> list[tuple[int, ...]] | None:
    """The atoms of every match, each set once, sorted; None if the pattern is not read here or takes too many steps."""
    try:
        pattern = _parse(smarts, 0)
    except Unreadable:
        return None
    budget, found = _Budget(), set[tuple[int, ...]]()
    for start in graph:
        for match in _matches(pattern, graph, start, budget, only_one=False):
            found.add(tuple(sorted(match)))
        if budget.steps <= 0:
            return None
    return sorted(found)


def _matches(pattern: Pattern, graph: Graph, start: int, budget: _Budget, only_one: bool) -> list[tuple[int, ...]]:
    """Every way to place the pattern with its first atom at ``start``."""
    if not pattern.tests[0](graph, graph[start]):
        return []
    found: list[tuple[int, ...]] = []
    stack: list[tuple[int, ...]] = [(start,)]
    while stack and budget.steps > 0:
        placed = stack.pop()
        if len(placed) == len(pattern.tests):
            found.append(placed)
            if only_one:
                break
            continue
        bonds = pattern.bonds[len(placed)]
        for atom in graph[placed[bonds[0][0]]].bonds:
            budget.steps -= 1
            site = graph[atom]
            fits = all(site.bonds.get(placed[earlier], -1) in orders for earlier, orders in bonds)
            if fits and atom not in placed and pattern.tests[len(placed)](graph, site):
                stack.append((*placed, atom))
    return found


@lru_cache(maxsize=512)
def _parse(smarts: str, depth: int) -> Pattern:
    if depth > _MAX_DEPTH:
        raise Unreadable(smarts)
    tests: list[Test] = []
    bonds: list[list[tuple[int, tuple[int, ...]]]] = []
    rings: dict[str, tuple[int, str]] = {}
    branches: list[int] = []
    current, symbol, at = -1, "", 0
    while at < len(smarts):
        character = smarts[at]
        if character == "(" and current >= 0:
            branches.append(current)
            at += 1
        elif character == ")" and branches:
            current, at = branches.pop(), at + 1
        elif character in "123456789" and current >= 0:
            other, opening = rings.pop(character, (-1, ""))
            if other < 0:
                rings[character] = (current, symbol)
            else:
                bonds[current].append((other, _ORDERS[symbol or opening]))
            symbol, at = "", at + 1
        elif character in "-=#:~" and symbol == "" and current >= 0:
            symbol, at = character, at + 1
        else:
            test, at = _read_atom(smarts, at, depth)
            if current < 0 and tests:
                raise Unreadable(smarts)
            tests.append(test)
            bonds.append([(current, _ORDERS[symbol])] if current >= 0 else [])
            current, symbol = len(tests) - 1, ""
    if not tests or rings or branches or symbol:
        raise Unreadable(smarts)
    return Pattern(tests, bonds)


def _read_atom(smarts: str, at: int, depth: int) -> tuple[Test, int]:
    """The test of the atom at this offset, and where the next token begins."""
    if smarts[at] != "[":
        match = _ATOM.match(smarts, at)
        if match is None:
            raise Unreadable(smarts)
        return _element(match[0]), match.end()
    end, level = at + 1, 1
    while end < len(smarts) and level:
        level += (smarts[end] == "[") - (smarts[end] == "]")
        end += 1
    if level or re.match(r"H(?![0-9])", smarts[at + 1 : end]):  # the element, not a number of hydrogens
        raise Unreadable(smarts)
    return _expression(smarts[at + 1 : end - 1], depth), end


def _expression(text: str, depth: int) -> Test:
    """``;`` binds weakest, then ``,``, then ``&`` or nothing; ``!`` strongest."""
    for separator, combine in ((";", all), (",", any)):
        parts = _split(text, separator)
        if len(parts) > 1:
            tests = [_expression(part, depth) for part in parts]
            return lambda graph, site, tests=tests, combine=combine: combine(test(graph, site) for test in tests)  # type: ignore[misc]
    tests, at = [], 0
    while at < len(text):
        test, at = _primitive(text, at, depth)
        tests.append(test)
    if not tests:
        raise Unreadable(text)
    return lambda graph, site: all(test(graph, site) for test in tests)


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators outside parentheses."""
    parts, level = [""], 0
    for character in text:
        level += (character in "([") - (character in ")]")
        if character == separator and level == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _primitive(text: str, at: int, depth: int) -> tuple[Test, int]:
    if text[at] == "&":
        return (lambda graph, site: True), at + 1
    if text[at] == "!" and at + 1 < len(text):
        test, end = _primitive(text, at + 1, depth)
        return (lambda graph, site: not test(graph, site)), end
    if text.startswith("$(", at):
        end, level = at + 2, 1
        while end < len(text) and level:
            level += (text[end] == "(") - (text[end] == ")")
            end += 1
        if level:
            raise Unreadable(text)
        return _recursive(_parse(text[at + 2 : end - 1], depth + 1)), end
    match = _PRIMITIVE.match(text, at)
    if match is None:
        raise Unreadable(text)
    return _simple(match), match.end()


def _recursive(pattern: Pattern) -> Test:
    return lambda graph, site: bool(_matches(pattern, graph, site.number, _Budget(), only_one=True))


def _simple(match: re.Match[str]) -> Test:
    kind, text = match.lastgroup, match[0]
    if kind == "atom":
        return _element(text)
    if kind == "number":
        number = int(text[1:])
        if not 0 < number < len(ELEMENTS):
            raise Unreadable(text)
        return lambda graph, site: site.symbol == ELEMENTS[number]
    if kind == "links":
        return lambda graph, site: len(site.bonds) + site.hydrogens == int(text[1:])
    if kind == "degree":
        return lambda graph, site: len(site.bonds) == int(text[1:])
    if kind == "hydrogens":
        return lambda graph, site: _all_hydrogens(graph, site) == int(text[1:] or 1)
    if kind == "ring":
        return lambda graph, site: bool(site.ring_bonds)
    size = int(text[1:]) if text[1:].isdigit() else len(text)
    return lambda graph, site: site.charge == (size if text[0] == "+" else -size)


def _all_hydrogens(graph: Graph, site: Site) -> int:
    """Isotopes, which stay atoms of their own, are hydrogens too."""
    return site.hydrogens + sum(graph[atom].symbol == "H" for atom in site.bonds)


def _element(symbol: str) -> Test:
    if symbol == "*":
        return lambda graph, site: True
    if symbol in ("a", "A"):
        return lambda graph, site: site.aromatic == (symbol == "a")
    return lambda graph, site: site.symbol == symbol.capitalize() and site.aromatic == symbol.islower()
