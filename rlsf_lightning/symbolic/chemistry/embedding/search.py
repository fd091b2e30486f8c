"""Where the written part of a SMILES may lie in a reference: a depth-first search for a place that meets all conditions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from rlsf_lightning.symbolic.chemistry.embedding.constraints import (
    ANY,
    CloseRing,
    Condition,
    Dot,
    Draft,
    Held,
    Leave,
    OpenRing,
    Place,
    Push,
    Reach,
    Stereo,
    Wait,
)
from rlsf_lightning.symbolic.chemistry.embedding.marks import marks_fit
from rlsf_lightning.symbolic.chemistry.embedding.reach import within_reach
from rlsf_lightning.symbolic.chemistry.embedding.reference import DOUBLE, SINGLE, bits

#: Conditions that one search may check, those with many open atoms counting more; beyond it the answer is "cannot tell".
BUDGET = 30_000


class Outcome(NamedTuple):
    """``viable``: False if dead, None if it cannot be told. ``step``: the farthest that any embedding came.
    ``everything_placed``: no atom of the reference is left over."""

    viable: bool | None
    step: int
    everything_placed: bool = False


class _Choice(NamedTuple):
    """Where a search goes on after a dead end: the other places of an atom, and the state before it was placed."""

    at: int
    places: int
    placed: int
    single: int
    double: int


class Search:
    """Depth-first search for a place of the draft in the reference."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.reference = draft.reference
        self.place_of: dict[int, int] = {}  # atom of the draft -> atom of the reference
        self.placed = 0  # atoms of the reference that are taken
        self.single = 0  # bonds of changing order that are written as single ...
        self.double = 0  # ... and as double
        self.hydrogen_seen = False
        self.checks: dict[type, Callable[[Any], bool]] = {
            Leave: self.may_leave,
            Reach: partial(within_reach, self),
            Stereo: partial(marks_fit, self),
            OpenRing: self.may_open,
            CloseRing: self.may_close,
            Wait: self.may_wait,
            Push: self.may_push,
            Dot: self.may_dot,
        }

    def run(self) -> Outcome:
        conditions, choices = self.draft.conditions, list[_Choice]()
        at, farthest, budget = 0, -1, BUDGET
        while at < len(conditions) or self.draft.extend():
            if at == len(conditions):
                continue
            condition = conditions[at]
            budget -= _cost(condition)
            if isinstance(condition, Place):
                choices.append(_Choice(at, self.places(condition), self.placed, self.single, self.double))
            elif self.checks[type(condition)](condition):
                at += 1
                continue
            farthest = max(farthest, at)
            while choices and not self.take(choices):
                choices.pop()
            if not choices or budget < 0:
                gave_up = bool(choices) or self.hydrogen_seen
                return Outcome(None if gave_up else False, conditions[farthest].step)
            at = choices[-1].at + 1
        return Outcome(True, conditions[-1].step if conditions else -1, self.placed == self.reference.all)

    def take(self, choices: list[_Choice]) -> bool:
        """Place the atom of the last choice somewhere else; False if no place is left."""
        at, places, placed, single, double = choices[-1]
        condition = self.draft.conditions[at]
        assert isinstance(condition, Place)
        while places:
            lowest = places & -places
            place = lowest.bit_length() - 1
            places &= ~self.reference.twins[place]
            self.placed, self.single, self.double = placed | lowest, single, double
            self.place_of[condition.atom] = place
            parent = condition.parent.atom
            if parent < 0 or self.write(parent, condition.atom, place, condition.order):
                choices[-1] = _Choice(at, places, placed, single, double)
                return True
        return False

    def places(self, condition: Place) -> int:
        """Where an atom may go: free atoms of its kind, beside its parent."""
        held, free = condition.parent, ~self.placed
        if held.atom < 0:
            self.hydrogen_seen |= condition.hydrogen
            return condition.mask & free
        place = self.place_of[held.atom]
        room = self.reference.degree[place] - held.degree - 1 - held.stubs
        if room < 0 or (room > 0 and condition.leaves):
            return 0
        around = free & self.reference.allowed[condition.order][place]
        if condition.hydrogen and around and self.reference.sites[place].hydrogens:
            self.hydrogen_seen = True
        return condition.mask & around

    def write(self, a: int, b: int | None, target: int, order: int) -> bool:
        """Note a bond of written atom ``a`` to ``target``, where atom ``b`` lies; False if its order cannot be right."""
        place = self.place_of[a]
        rewrite = self.reference.rewrites.get((place, target))
        if rewrite is not None:
            charge_a, charge_b = self.draft.charge[a], None if b is None else self.draft.charge[b]
            centre, leaf = (charge_a, charge_b) if rewrite.centre == place else (charge_b, charge_a)
            if order == rewrite.order + 1:
                return centre in (0, None) and leaf in (0, None)
            return leaf in (-1, None) and (centre != 0 or rewrite.optional)
        if order in (SINGLE, DOUBLE):
            bit = self.reference.kekule_bit.get((place, target), 0)
            if bit:
                if order == SINGLE:
                    self.single |= bit
                else:
                    self.double |= bit
                return self.reference.kekule.allow(self.single, self.double)
        return True

    def could_write(self, held: Held, targets: int, order: int, others: tuple[int, ...]) -> bool:
        """Whether a bond of this order could lead from an atom to one of ``targets``, and beside it one of each order that its
        open ring digits (``others``) ask for to another neighbour."""
        fitting = self.writable(held.atom, targets, order)
        if not fitting or order == ANY:
            return fitting != 0
        missing = self.missing(held)
        return all(self._beside(held.atom, fitting, order, missing, other) for other in set(others) - {ANY})

    def _beside(self, atom: int, targets: int, order: int, missing: int, other: int) -> bool:
        single, double = self.single, self.double
        for target in bits(targets):
            self.write(atom, None, target, order)
            found = self.writable(atom, missing & ~(1 << target), other)
            self.single, self.double = single, double
            if found:
                return True
        return False

    def writable(self, atom: int, targets: int, order: int) -> int:
        """Those of ``targets`` that a bond of this order could lead to from ``atom``."""
        if order == ANY:
            return targets
        single, double = self.single, self.double
        possible = 0
        for target in bits(targets & self.reference.allowed[order][self.place_of[atom]]):
            if self.write(atom, None, target, order):
                possible |= 1 << target
            self.single, self.double = single, double
        return possible

    def missing(self, held: Held) -> int:
        """The reference's neighbours to which no bond is written yet."""
        missing = self.reference.neighbours[self.place_of[held.atom]]
        for atom in held.bonded:
            missing &= ~(1 << self.place_of[atom])
        return missing

    def awaited(self, missing: int, open_atoms: tuple[int, ...]) -> int:
        """Those of ``missing`` that are placed and can only be bonded by closing a ring digit of theirs."""
        awaited = missing & self.placed
        if awaited:
            for atom in open_atoms:
                awaited &= ~(1 << self.place_of[atom])
        return awaited

    def may_leave(self, condition: Leave) -> bool:
        held = condition.held
        degree = held.degree + condition.child_to_come
        if self.reference.degree[self.place_of[held.atom]] - degree != held.stubs:
            return False
        return not held.stubs or self.awaited(self.missing(held), condition.open) == 0

    def may_open(self, condition: OpenRing) -> bool:
        held = condition.held
        missing = self.missing(held)
        missing &= ~self.awaited(missing, condition.open)
        return missing.bit_count() >= held.stubs and self.could_write(held, missing, condition.order, held.orders[:-1])

    def may_close(self, condition: CloseRing) -> bool:
        a, b, order = condition.atom, condition.other, condition.order
        place, target = self.place_of[a], self.place_of[b]
        return bool(self.reference.allowed[order][place] >> target & 1) and self.write(a, b, target, order)

    def may_wait(self, condition: Wait) -> bool:
        held = condition.held
        missing = self.missing(held)
        if missing.bit_count() <= held.stubs:
            return False
        if condition.in_branch:
            missing &= ~self.placed
        elif condition.typed and self.awaited(missing, condition.open):
            return True
        return self.could_write(held, missing, condition.order, held.orders)

    def may_push(self, condition: Push) -> bool:
        missing = self.missing(condition.held)
        missing &= ~self.awaited(missing, condition.open)
        return missing.bit_count() > condition.held.stubs and missing & ~self.placed != 0

    def may_dot(self, condition: Dot) -> bool:
        finished = self.reference.degree[self.place_of[condition.held.atom]] == condition.held.degree
        return finished and not condition.unfinished and self.placed != self.reference.all

    def flood(self, part: int) -> int:
        """The connected part of what is not placed that ``part`` lies in."""
        unplaced, neighbours = self.reference.all & ~self.placed, self.reference.neighbours
        edge = part
        while edge:
            grown = 0
            while edge:
                lowest = edge & -edge
                grown |= neighbours[lowest.bit_length() - 1]
                edge ^= lowest
            edge = grown & unplaced & ~part
            part |= edge
        return part


def _cost(condition: Condition) -> int:
    if isinstance(condition, Stereo):
        return 1 + len(condition.centres) // 2
    return 1 + (len(condition.open) // 4 if isinstance(condition, (Leave, Reach, Push)) else 0)
