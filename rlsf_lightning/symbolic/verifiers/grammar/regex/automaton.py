"""Simulation of a program: all its ways are followed at the same time, so that none is ever tried twice.

They are followed in the order in which Python's ``re`` would try them (Thompson's simulation with priorities). What follows
from a state and a character is remembered, as in a lazily built automaton, unless the program looks around. Every step burns
fuel.
"""

from __future__ import annotations

from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.regex.program import MATCH, Assert, LookAround, Program, Read, Split
from rlsf_lightning.symbolic.verifiers.grammar.regex.syntax import Place

#: Remembered states of a program.
MAX_STATES = 2_000

#: The steps that are followed at the same time, in order.
State = tuple[int, ...]


class Scan(NamedTuple):
    """``end``: where the match ends, None if there is none. ``alive``: with more text a longer or better match is
    possible. ``unsure``: what stands behind the end decides whether ``end`` is right."""

    end: int | None
    alive: bool
    unsure: bool


class Automaton:
    """One program, and what is remembered of it.

    Args:
        remembers: a remembered step burns no fuel. What looks around does not remember: from every place of a text it may
            read on to the end, and quadratic time has to be paid for.
    """

    def __init__(self, program: Program, *, remembers: bool = True) -> None:
        self._steps, self._entry = program
        never = Read(lambda character: False, MATCH)
        self._reads = [step if isinstance(step, Read) else never for step in self._steps]
        self._around = {
            i: Automaton(step.what.program, remembers=False)
            for i, step in enumerate(self._steps)
            if isinstance(step, Assert) and isinstance(step.what, LookAround)
        }
        self._is_plain = remembers and not any(isinstance(step, Assert) for step in self._steps)
        self._memory: tuple[dict[State, dict[str, State]], dict[State, dict[str, State]]] = ({}, {})
        self._start = self._closure([self._entry], "", 0, 0, Fuel(10**9), False)[0] if self._is_plain else ()

    def scan(self, text: str, start: int, end: int, fuel: Fuel, *, partial: bool) -> Scan:
        """The match that begins at ``start`` and ends at ``end`` or before.

        ``partial``: the text may go on behind ``end``; what depends on it is taken as true, and said to be unsure.
        """
        state, unsure = (self._start, False) if self._is_plain else self.open(text, start, end, fuel, partial)
        best, position = None, start
        while True:
            if state and state[-1] == MATCH:
                best, state = position, state[:-1]
            if not state or position == end:
                return Scan(best, bool(state), unsure)
            state, doubt = self.step(state, text, position, end, fuel, partial)
            unsure, position = unsure or doubt, position + 1

    def open(self, text: str, at: int, end: int, fuel: Fuel, partial: bool, keep: bool = False) -> tuple[State, bool]:
        """The state before anything is read, and whether it depends on what follows a partial text."""
        return self._closure([self._entry], text, at, end, fuel, partial, keep)

    def step(
        self, state: State, text: str, at: int, end: int, fuel: Fuel, partial: bool, keep: bool = False
    ) -> tuple[State, bool]:
        """The state after the character at ``at``. ``keep``: follow what comes after a match in order, too."""
        memory = self._memory[keep]
        if self._is_plain and (known := memory.get(state, {}).get(text[at])) is not None:
            return known, False
        fuel.burn(len(state) + 1)
        reads = [self._reads[i] for i in state if i != MATCH]
        ahead = [read.following for read in reads if read.test(text[at])]
        after, unsure = self._closure(ahead, text, at + 1, end, fuel, partial, keep)
        if self._is_plain:
            if len(memory) > MAX_STATES:
                memory.clear()
            memory.setdefault(state, {})[text[at]] = after
        return after, unsure

    def _closure(
        self, steps: list[int], text: str, at: int, end: int, fuel: Fuel, partial: bool, keep: bool = False
    ) -> tuple[State, bool]:
        """The steps that read a character, reached without reading one, in order; nothing after a match, unless kept."""
        reached: dict[int, None] = {}
        visited: set[int] = set()
        pending, unsure = list(reversed(steps)), False
        while pending:
            i = pending.pop()
            if i in visited:
                continue
            visited.add(i)
            if i == MATCH:
                reached[i] = None
                if not (keep or unsure):
                    break
                continue
            step = self._steps[i]
            if isinstance(step, Read):
                reached[i] = None
            elif isinstance(step, Split):
                pending.extend(reversed(step.ways))
            else:
                holds = self._holds(i, step.what, text, at, end, fuel, partial)
                unsure = unsure or holds is None
                if holds is not False:
                    pending.append(step.following)
        fuel.burn(len(visited))
        if unsure and MATCH in reached:  # what comes after an unsure match stays possible
            reached.pop(MATCH)
            reached[MATCH] = None
        return tuple(reached), unsure

    def _holds(
        self, i: int, what: Place | LookAround, text: str, at: int, end: int, fuel: Fuel, partial: bool
    ) -> bool | None:
        """Whether an assertion holds. None: what follows a partial text decides that."""
        if isinstance(what, Place):
            is_open = at == end or (at == end - 1 and what.looks_behind_newline and text[at] == "\n")
            return None if partial and what.looks_ahead and is_open else what.holds(text, at, end)
        inner = self._around[i]
        if not what.is_ahead:
            before = at - what.width
            found = before >= 0 and inner.scan(text, before, at, fuel, partial=False).end == at
            return found is what.is_positive
        scan = inner.scan(text, at, end, fuel, partial=partial)
        if scan.end is not None and not scan.unsure:
            return what.is_positive
        return None if partial and (scan.alive or scan.unsure) else not what.is_positive
