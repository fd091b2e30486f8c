"""Patterns as parsed by CPython's own parser, in the few kinds of nodes that the matcher knows.

CPython's parser and compiler of patterns are private, so they are used here and nowhere else, and the trees that they
make are pinned by a test for each version of Python. Which characters a node matches, and where an assertion such as ``\\b``
holds, ``re`` itself is asked.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any, NamedTuple

_parser: Any = importlib.import_module("re._parser")
_compiler: Any = importlib.import_module("re._compiler")
_op: Any = importlib.import_module("re._constants")


class Character(NamedTuple):
    """One character, for which ``matches`` holds."""

    matches: Callable[[str], bool]


class Branch(NamedTuple):
    """One of several ways, tried in this order; of none, there is no match."""

    ways: tuple[Nodes, ...]


class Repeat(NamedTuple):
    """``most`` None: without end."""

    least: int
    most: int | None
    part: Nodes
    is_greedy: bool


class Place(NamedTuple):
    """``^``, ``$``, ``\\b`` and the like: ``holds(text, at, end)``. Some depend on what follows, ``$`` also on what is
    behind a new line."""

    holds: Callable[[str, int, int], bool]
    looks_ahead: bool
    looks_behind_newline: bool


class Look(NamedTuple):
    """A part that has to match, or not, from here on, or up to here with its fixed ``width``."""

    is_positive: bool
    is_ahead: bool
    part: Nodes
    width: int


Node = Character | Branch | Repeat | Place | Look
Nodes = tuple[Node, ...]


class Pattern(NamedTuple):
    """``is_anchored``: a match can only begin where the text does."""

    nodes: Nodes
    is_anchored: bool


def parse_pattern(pattern: str, flags: int = 0, *, dollar_is_end: bool = False) -> Pattern:
    """What ``re.compile(pattern, flags)`` would match. Raises ValueError for what is no pattern, or not covered.

    Args:
        dollar_is_end: ``$`` is the very end, not also the place before a new line there.
    """
    try:
        tree = _parser.parse(pattern, flags)
        nodes = _Translation(dollar_is_end).nodes(tree, tree.state.flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    first = tree[0] if len(tree) else (None, None)
    beginnings = (_op.AT_BEGINNING_STRING, *(() if tree.state.flags & re.MULTILINE else (_op.AT_BEGINNING,)))
    return Pattern(nodes, first[0] is _op.AT and first[1] in beginnings)


class _Translation:
    def __init__(self, dollar_is_end: bool) -> None:
        self.dollar_is_end = dollar_is_end

    def nodes(self, tree: Any, flags: int) -> Nodes:
        return tuple(node for part in tree for node in self._translated(part, flags))

    def _translated(self, node: Any, flags: int) -> Nodes:
        kind, value = node
        if kind in (_op.LITERAL, _op.NOT_LITERAL, _op.ANY, _op.IN):
            return (Character(_character_test(node, flags)),)
        if kind is _op.BRANCH:
            return (Branch(tuple(self.nodes(way, flags) for way in value[1])),)
        if kind is _op.SUBPATTERN:
            _, added, removed, part = value
            return self.nodes(part, (flags | added) & ~removed)
        if kind in (_op.MAX_REPEAT, _op.MIN_REPEAT):
            least, most, part = value
            most = None if most is _op.MAXREPEAT else int(most)
            return (Repeat(least, most, self.nodes(part, flags), kind is _op.MAX_REPEAT),)
        if kind is _op.AT:
            return (self._place(value, flags),)
        if kind is _op.FAILURE or (kind is _op.ASSERT_NOT and not len(value[1])):
            return (Branch(()),)
        if kind in (_op.ASSERT, _op.ASSERT_NOT):
            direction, part = value
            width, most = part.getwidth()
            if direction < 0 and width != most:
                raise re.error("look-behind requires fixed-width pattern")
            return (Look(kind is _op.ASSERT, direction > 0, self.nodes(part, flags), width),)
        raise ValueError(f"{str(kind).lower()} is not covered (back-references and atomic parts are not)")

    def _place(self, value: Any, flags: int) -> Place:
        if self.dollar_is_end and value is _op.AT_END and not flags & re.MULTILINE:
            value = _op.AT_END_STRING
        matches = _compiled((_op.AT, value), flags).match
        looks_ahead = value not in (_op.AT_BEGINNING, _op.AT_BEGINNING_STRING)
        return Place(lambda text, at, end: matches(text, at, end) is not None, looks_ahead, value is _op.AT_END)


def _character_test(node: Any, flags: int) -> Callable[[str], bool]:
    """Whether this node matches a character: ``re`` itself is asked."""
    matches = _compiled(node, flags).match
    known: dict[str, bool] = {}

    def test(character: str) -> bool:
        if character not in known:
            if len(known) > 1_000:
                known.clear()
            known[character] = matches(character) is not None
        return known[character]

    return test


def _compiled(node: Any, flags: int) -> Any:
    state = _parser.State()
    state.flags, state.str = flags, ""
    return _compiler.compile(_parser.SubPattern(state, [node]), flags)
