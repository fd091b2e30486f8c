"""Python's regular expressions, matched without backtracking: no pattern can hang, and a match may be cut off by the end.

A pattern is compiled into a list of steps; all ways through it are followed at the same time, in the order in which
Python's ``re`` would try them (Thompson's construction with priorities), so the match is the one that ``re`` finds. What
follows from a state and a character is remembered, as in a lazily built automaton. Every step burns fuel.

Beyond ``re`` it tells whether a match could go on behind the end of the text. Not covered: back-references, conditional,
atomic and possessive parts, which are refused.
"""

from __future__ import annotations

import importlib
import re
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

#: Steps that one compiled pattern may have.
MAX_STEPS = 5_000
#: Remembered states of a pattern.
_MAX_STATES = 2_000

_parser: Any = importlib.import_module("re._parser")
_compiler: Any = importlib.import_module("re._compiler")
_op: Any = importlib.import_module("re._constants")

_MATCH = -1
_Memory = dict[tuple[int, ...], dict[str, tuple[int, ...]]]
_Test = Callable[[str, int, int, "Fuel", bool], "bool | None"]


class OutOfFuelError(Exception):
    """Matching took more steps than it may."""


class Fuel:
    """How many steps may still be taken."""

    def __init__(self, left: int) -> None:
        self.left = left

    def burn(self, steps: int) -> None:
        """Raise OutOfFuelError once it is used up."""
        self.left -= steps
        if self.left < 0:
            raise OutOfFuelError


class Scan(NamedTuple):
    """``end``: where the match ends, None if there is none. ``alive``: with more text a longer or better match is
    possible. ``unsure``: what stands behind the end decides whether ``end`` is right."""

    end: int | None
    alive: bool
    unsure: bool


class Regex:
    """One pattern, as ``re.compile`` reads it.

    Raises ValueError for what is no pattern, what is not covered, and what has more than ``MAX_STEPS`` steps.
    """

    def __init__(self, pattern: str, flags: int = 0, *, dollar_is_end: bool = False) -> None:
        try:
            tree = _parser.parse(pattern, flags)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a regular expression: {error}") from None
        self._steps: list[tuple[Any, ...]] = []  # (test, next) | (None, alternatives) | (assertion, next, "")
        self._dollar_is_end = dollar_is_end
        self._entry = self._build(tree, _MATCH, tree.state.flags)
        first = tree[0] if len(tree) else (None, None)
        beginnings = (_op.AT_BEGINNING_STRING, *(() if tree.state.flags & re.MULTILINE else (_op.AT_BEGINNING,)))
        self._anchored = first[0] is _op.AT and first[1] in beginnings
        self._plain = all(len(step) == 2 for step in self._steps)
        self._memory: tuple[_Memory, _Memory] = ({}, {})
        self._start = self._close([self._entry], "", 0, 0, Fuel(10**9), False)[0] if self._plain else ()

    def scan(self, text: str, start: int, end: int, fuel: Fuel, *, partial: bool) -> Scan:
        """The match that begins at ``start`` and ends at ``end`` or before.

        ``partial``: the text may go on behind ``end``; what depends on it is taken as true, and said to be unsure.
        """
        state, unsure = (self._start, False) if self._plain else self._open(text, start, end, fuel, partial)
        best, position = None, start
        while True:
            if state and state[-1] == _MATCH:
                best, state = position, state[:-1]
            if not state or position == end:
                return Scan(best, bool(state), unsure)
            state, doubt = self._step(state, text, position, end, fuel, partial)
            unsure, position = unsure or doubt, position + 1

    def covers(self, text: str, fuel: Fuel) -> bool:
        """Whether the whole text can be matched."""
        return self._run(text, fuel, partial=False, anywhere=False, whole=True)[0]

    def finds(self, text: str, fuel: Fuel) -> bool:
        """Whether there is a match anywhere in the text."""
        return self._run(text, fuel, partial=False, anywhere=True, whole=False)[0]

    def may_find(self, text: str, fuel: Fuel) -> bool:
        """Whether there may be a match in the text or in a longer one that begins with it. False is certain."""
        if not self._anchored:
            return True
        scan = self.scan(text, 0, len(text), fuel, partial=True)
        return scan.end is not None or scan.alive

    def may_cover(self, text: str, fuel: Fuel) -> bool:
        """Whether some longer text that begins with this one may be matched as a whole. False is certain."""
        return self._run(text, fuel, partial=True, anywhere=False, whole=True)[1]

    def shortest_rest(self, text: str, fuel: Fuel, alphabet: str) -> str | None:
        """A shortest string of the alphabet's characters with which ``text`` is matched as a whole; None: none found."""
        state = self._open(text, 0, len(text), fuel, True, True)[0]
        for position in range(len(text)):
            state = self._step(state, text, position, len(text), fuel, True, keep=True)[0]
        seen, queue = {state}, deque([(state, "")])
        while queue and len(seen) < _MAX_STATES:
            state, rest = queue.popleft()
            if _MATCH in state and self.covers(text + rest, fuel):
                return rest
            for character in alphabet:
                longer = text + rest + character
                after = self._step(state, longer, len(longer) - 1, len(longer), fuel, True, keep=True)[0]
                if after and after not in seen:
                    seen.add(after)
                    queue.append((after, rest + character))
        return None

    def _run(self, text: str, fuel: Fuel, *, partial: bool, anywhere: bool, whole: bool) -> tuple[bool, bool]:
        """(matched, still alive at the end). ``whole``: only a match that ends with the text counts."""
        end, position, state = len(text), 0, self._open(text, 0, len(text), fuel, partial, whole)[0]
        while True:
            matched = _MATCH in state
            if matched and (not whole or position == end):
                return True, any(step != _MATCH for step in state)
            if position == end:
                return False, bool(state)
            state = self._step(state, text, position, end, fuel, partial, keep=whole or anywhere)[0]
            position += 1
            if anywhere:
                fresh = self._open(text, position, end, fuel, partial, True)[0]
                state = tuple(dict.fromkeys((*state, *fresh)))
            elif not state:
                return False, False

    def _open(
        self, text: str, at: int, end: int, fuel: Fuel, partial: bool, keep: bool = False
    ) -> tuple[tuple[int, ...], bool]:
        return self._close([self._entry], text, at, end, fuel, partial, keep)

    def _step(
        self, state: tuple[int, ...], text: str, at: int, end: int, fuel: Fuel, partial: bool, keep: bool = False
    ) -> tuple[tuple[int, ...], bool]:
        """The state after the character at ``at``. ``keep``: follow what comes after a match in order, too."""
        memory = self._memory[keep]
        if self._plain and (known := memory.get(state, {}).get(text[at])) is not None:
            return known, False
        fuel.burn(len(state) + 1)
        ahead = [step for i in state if i != _MATCH for test, step in [self._steps[i][:2]] if test(text[at])]
        after, unsure = self._close(ahead, text, at + 1, end, fuel, partial, keep)
        if self._plain:
            if len(memory) > _MAX_STATES:
                memory.clear()
            memory.setdefault(state, {})[text[at]] = after
        return after, unsure

    def _close(
        self, steps: list[int], text: str, at: int, end: int, fuel: Fuel, partial: bool, keep: bool = False
    ) -> tuple[tuple[int, ...], bool]:
        """The steps that read a character, reached without reading one, in order; nothing after a match, unless kept."""
        reached: dict[int, None] = {}
        visited: set[int] = set()
        pending, unsure = list(reversed(steps)), False
        while pending:
            i = pending.pop()
            if i in visited:
                continue
            visited.add(i)
            if i == _MATCH:
                reached[i] = None
                if not (keep or unsure):
                    break
                continue
            step = self._steps[i]
            if step[0] is None:
                pending.extend(reversed(step[1]))
            elif len(step) == 3:
                holds = step[0](text, at, end, fuel, partial)
                unsure = unsure or holds is None
                if holds is not False:
                    pending.append(step[1])
            else:
                reached[i] = None
        fuel.burn(len(visited))
        if unsure and _MATCH in reached:  # what comes after an unsure match stays possible
            reached.pop(_MATCH)
            reached[_MATCH] = None
        return tuple(reached), unsure

    # Compilation: from the last node to the first, each with the step that follows it.

    def _add(self, *step: Any) -> int:
        if len(self._steps) >= MAX_STEPS:
            raise ValueError(f"more than {MAX_STEPS} steps: smaller numbers in {{m,n}} make it smaller")
        self._steps.append(step)
        return len(self._steps) - 1

    def _build(self, nodes: Any, following: int, flags: int) -> int:
        for node in reversed(list(nodes)):
            following = self._node(node, following, flags)
        return following

    def _node(self, node: Any, following: int, flags: int) -> int:
        kind, value = node
        if kind in (_op.LITERAL, _op.NOT_LITERAL, _op.ANY, _op.IN):
            return self._add(_one_character(node, flags), following)
        if kind is _op.BRANCH:
            return self._add(None, [self._build(part, following, flags) for part in value[1]])
        if kind is _op.SUBPATTERN:
            _, added, removed, part = value
            return self._build(part, following, (flags | added) & ~removed)
        if kind in (_op.MAX_REPEAT, _op.MIN_REPEAT):
            least, most, part = value
            return self._repeat(kind is _op.MAX_REPEAT, least, most, part, following, flags)
        if kind is _op.AT:
            return self._add(_place(value, flags, self._dollar_is_end), following, "")
        if kind in (_op.ASSERT, _op.ASSERT_NOT):
            return self._add(self._look(kind is _op.ASSERT, value[0], value[1], flags), following, "")
        if kind is _op.FAILURE:
            return self._add(None, [])
        raise ValueError(f"{str(kind).lower()} is not covered (back-references and atomic parts are not)")

    def _repeat(self, greedy: bool, least: int, most: Any, part: Any, following: int, flags: int) -> int:
        if most is _op.MAXREPEAT:
            again = self._add(None, [])
            body = self._build(part, again, flags)
            self._steps[again] = (None, [body, following] if greedy else [following, body])
            entry = again
        else:
            entry = following
            for _ in range(int(most) - least):
                body = self._build(part, entry, flags)
                entry = self._add(None, [body, following] if greedy else [following, body])
        for _ in range(least):
            entry = self._build(part, entry, flags)
        return entry

    def _look(self, positive: bool, direction: int, part: Any, flags: int) -> _Test:
        inner = Regex.__new__(Regex)
        inner._steps, inner._dollar_is_end, inner._memory = [], self._dollar_is_end, ({}, {})
        inner._entry = inner._build(part, _MATCH, flags)
        inner._plain, inner._start = False, ()
        self._steps += [(None, [])] * len(inner._steps)  # the inner steps count for the limit
        width = part.getwidth()[0]

        def look(text: str, at: int, end: int, fuel: Fuel, partial: bool) -> bool | None:
            if direction < 0:
                before = at - width
                found = before >= 0 and inner.scan(text, before, at, fuel, partial=False).end == at
                return found is positive
            scan = inner.scan(text, at, end, fuel, partial=partial)
            if scan.end is not None and not scan.unsure:
                return positive
            return None if partial and (scan.alive or scan.unsure) else not positive

        return look


def _one_character(node: Any, flags: int) -> Callable[[str], bool]:
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


def _place(value: Any, flags: int, dollar_is_end: bool) -> _Test:
    """The assertion of ``^``, ``$``, ``\\b`` and the like. Behind the end of a partial text it is unsure."""
    if dollar_is_end and value is _op.AT_END and not flags & re.MULTILINE:
        value = _op.AT_END_STRING
    matches = _compiled((_op.AT, value), flags).match
    looks_ahead = value not in (_op.AT_BEGINNING, _op.AT_BEGINNING_STRING)

    def holds(text: str, at: int, end: int, fuel: Fuel, partial: bool) -> bool | None:
        if partial and looks_ahead and (at == end or (at == end - 1 and value is _op.AT_END and text[at] == "\n")):
            return None
        return matches(text, at, end) is not None

    return holds


def _compiled(node: Any, flags: int) -> Any:
    state = _parser.State()
    state.flags, state.str = flags, ""
    return _compiler.compile(_parser.SubPattern(state, [node]), flags)
