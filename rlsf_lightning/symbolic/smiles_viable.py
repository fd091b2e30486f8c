"""Can this beginning of a SMILES still become a SMILES of the reference? And where did a wrong one stop being able to?

A prefix is read into a partial graph, which must fit into the reference: atoms on atoms, bonds on bonds; an atom to which
nothing more can be attached has all of its bonds (open ring digits stand for missing ones), whatever is missing can still
be reached, and some Kekulé structure has the bond orders that are written. Every start, branch order, ring numbering and
mixture of bracket, Kekulé and aromatic forms is allowed. One backtracking search decides a whole string: it meets the
conditions token by token, and the farthest that any embedding comes is the first dead token.

"Dead" is certain, with three exceptions that nobody writes: hydrogens as atoms of their own, fragments that are continued
across a dot, and lower-case letters for atoms on no conjugated ring are not counted as ways to go on. "Viable" is nearly
so: stereochemistry is ignored, and a few aromatic forms that RDKit cannot kekulise are let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rlsf_lightning.symbolic.smiles_draft import (
    ANY,
    CLOSE,
    DOT,
    LEAVE,
    OPEN,
    PLACE,
    PUSH,
    REACH,
    WAIT,
    Condition,
    Draft,
    Held,
)
from rlsf_lightning.symbolic.smiles_map import SmilesMap, may_become_ring_number, read_atom, read_smiles, ring_symbol
from rlsf_lightning.symbolic.smiles_reference import DOUBLE, SINGLE, Reference, bits

#: Atoms that one search may place; beyond that the answer is "cannot tell".
NODE_BUDGET = 10_000
#: Tokens that are the beginning of another one.
_LONGER = {"C": ("Cl", read_atom("Cl")), "B": ("Br", read_atom("Br"))}
#: What may become a hydrogen that is written as an atom of its own.
_HYDROGEN = re.compile(r"\[(?:0?(?:H.*|#(?:1.*)?)?)?", re.ASCII)


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


class _Search:
    """Depth-first search for a place of the draft in the reference."""

    def __init__(self, reference: Reference, conditions: list[Condition], atoms: int) -> None:
        self.reference = reference
        self.conditions = conditions
        self.place_of = [0] * atoms  # atom of the draft -> atom of the reference
        self.placed = 0  # atoms of the reference that are taken
        self.single = 0  # bonds of changing order that are written as single ...
        self.double = 0  # ... and as double
        self.hydrogen_seen = False
        self.checks = {
            LEAVE: self.may_leave,
            REACH: self.all_within_reach,
            OPEN: self.may_open,
            CLOSE: self.may_close,
            WAIT: self.may_wait,
            PUSH: self.may_push,
            DOT: self.may_dot,
        }

    def run(self) -> Outcome:
        conditions, choices = self.conditions, list[_Choice]()
        at, farthest, budget = 0, -1, NODE_BUDGET
        while at < len(conditions):
            condition = conditions[at]
            if condition.kind == PLACE:
                choices.append(_Choice(at, self.places(condition), self.placed, self.single, self.double))
            elif self.checks[condition.kind](condition):
                at += 1
                continue
            farthest = max(farthest, at)
            while choices and not self.take(choices):
                choices.pop()
            budget -= 1
            if not choices or budget < 0:
                gave_up = bool(choices) or self.hydrogen_seen
                return Outcome(None if gave_up else False, conditions[farthest].step)
            at = choices[-1].at + 1
        return Outcome(True, conditions[-1].step if conditions else -1, self.placed == self.reference.all)

    def take(self, choices: list[_Choice]) -> bool:
        """Place the atom of the last choice somewhere else; False if no place is left."""
        at, places, placed, single, double = choices[-1]
        condition = self.conditions[at]
        while places:
            lowest = places & -places
            place = lowest.bit_length() - 1
            places &= ~self.reference.twins[place]
            self.placed, self.single, self.double = placed | lowest, single, double
            parent = condition.held.atom
            if parent < 0 or self.write_order(self.place_of[parent], place, condition.order):
                self.place_of[condition.target] = place
                choices[-1] = _Choice(at, places, placed, single, double)
                return True
        return False

    def places(self, condition: Condition) -> int:
        """Where an atom may go: free atoms of its kind, beside its parent."""
        free = ~self.placed
        parent = condition.held.atom
        if condition.hydrogen and self.reference.merged_hydrogens(self.place_of[parent] if parent >= 0 else -1):
            self.hydrogen_seen = True
        if parent < 0:
            return condition.mask & free
        place = self.place_of[parent]
        if self.reference.degree[place] - condition.held.degree < condition.held.stubs:
            return 0
        return condition.mask & free & self.reference.allowed[condition.order][place]

    def write_order(self, a: int, b: int, order: int) -> bool:
        """Note a single or double bond between two places; False if no Kekulé structure has it beside the others."""
        if order in (SINGLE, DOUBLE):
            bit = self.reference.kekule_bit.get((a, b), 0)
            if bit:
                if order == SINGLE:
                    self.single |= bit
                else:
                    self.double |= bit
                return self.reference.kekule.allow(self.single, self.double)
        return True

    def could_write(self, place: int, targets: int, order: int) -> bool:
        """Whether a bond of this order could lead from ``place`` to one of ``targets``."""
        if order == ANY:
            return targets != 0
        targets &= self.reference.allowed[order][place]
        if order not in (SINGLE, DOUBLE):
            return targets != 0
        single, double = self.single, self.double
        for target in bits(targets):
            possible = self.write_order(place, target, order)
            self.single, self.double = single, double
            if possible:
                return True
        return False

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

    def may_leave(self, condition: Condition) -> bool:
        """Nothing more is attached to an atom: its digits stand for all that is missing, and can still be closed."""
        held = condition.held
        if self.reference.degree[self.place_of[held.atom]] - held.degree != held.stubs:
            return False
        around = self.reference.neighbours[self.place_of[held.atom]] & self.placed
        if around.bit_count() < held.degree or not held.stubs:
            # The new atom of the chain is counted in the degree and not placed yet.
            return True
        return self.awaited(self.missing(held), condition.open) == 0

    def may_open(self, condition: Condition) -> bool:
        """A ring digit needs a neighbour to which no bond leads, and which is not closing a digit of its own."""
        held = condition.held
        missing = self.missing(held)
        awaited = self.awaited(missing, condition.open)
        return (missing & ~awaited).bit_count() >= held.stubs and self.could_write(
            self.place_of[held.atom], missing & ~awaited, condition.order
        )

    def may_close(self, condition: Condition) -> bool:
        a, b = self.place_of[condition.held.atom], self.place_of[condition.target]
        return bool(self.reference.allowed[condition.order][a] >> b & 1) and self.write_order(a, b, condition.order)

    def may_wait(self, condition: Condition) -> bool:
        """A bond symbol needs a neighbour that it can lead to."""
        held = condition.held
        missing = self.missing(held)
        if missing.bit_count() <= held.stubs:
            return False
        if condition.in_branch:
            missing &= ~self.placed
        elif condition.typed and self.awaited(missing, condition.open):
            return True
        return self.could_write(self.place_of[held.atom], missing, condition.order)

    def may_push(self, condition: Condition) -> bool:
        """A branch needs a neighbour that is not placed, beside those that digits stand for."""
        missing = self.missing(condition.held)
        awaited = self.awaited(missing, condition.open)
        return (missing & ~awaited).bit_count() > condition.held.stubs and missing & ~self.placed != 0

    def may_dot(self, condition: Condition) -> bool:
        """A dot needs a finished fragment before it and another one to come."""
        place = self.place_of[condition.held.atom]
        finished = not condition.unfinished and self.reference.degree[place] == condition.held.degree
        return finished and self.placed != self.reference.all

    def all_within_reach(self, condition: Condition) -> bool:
        """Every missing part must get a new atom bonded to an open atom: a ring digit alone does not lead into it."""
        ways: list[list[int]] = []  # for each missing part, the open atoms that lead into it
        room = []
        around = []
        for i, held in enumerate(condition.held_open):
            missing = self.missing(held)
            free = missing & ~self.placed
            around.append(free)
            room.append(free.bit_count() - max(0, held.stubs - (missing & self.placed).bit_count()))
        unplaced = self.reference.all & ~self.placed
        border = 0
        for place in bits(self.placed):
            border |= self.reference.neighbours[place]
        seeds = border & unplaced
        while seeds:
            part = self.flood(seeds & -seeds, unplaced)
            seeds &= ~part
            ways.append([i for i, free in enumerate(around) if free & part])
        return _can_serve(ways, room)

    def flood(self, part: int, unplaced: int) -> int:
        """The connected part of ``unplaced`` that ``part`` lies in."""
        edge = part
        while edge:
            grown = 0
            for place in bits(edge):
                grown |= self.reference.neighbours[place]
            edge = grown & unplaced & ~part
            part |= edge
        return part


def _can_serve(ways: list[list[int]], room: list[int]) -> bool:
    """Whether each of ``ways`` can be given one of the atoms it names, atom i being given at most ``room[i]`` times."""
    given: list[list[int]] = [[] for _ in room]

    def give(part: int, tried: set[int]) -> bool:
        for i in ways[part]:
            if i in tried or room[i] <= 0:
                continue
            tried.add(i)
            if len(given[i]) < room[i]:
                given[i].append(part)
                return True
            for k, other in enumerate(given[i]):
                if give(other, tried):
                    given[i][k] = part
                    return True
        return False

    return all(give(part, set()) for part in range(len(ways)))


def is_viable(reference: Reference, prefix: str) -> bool | None:
    """Whether ``prefix`` or some continuation of it spells the reference; None: cannot tell. Never goes from False back."""
    read = read_smiles(prefix)
    if read.dead_from is not None:
        return False
    unsure = False
    for draft in _readings(reference, prefix, read):
        viable = _search(draft).viable
        if viable:
            return True
        unsure |= viable is None
    return None if unsure else False


class Death(NamedTuple):
    """``at``: the first character with which the string is dead, or its length if it ends too early; None if it cannot
    be told. ``complete``: the string spells the whole reference, as far as this search sees."""

    at: int | None
    complete: bool = False


def find_death(reference: Reference, text: str) -> Death:
    """Where ``text``, which is not a SMILES of the reference, stopped being able to become one."""
    read = read_smiles(text)
    outcome = _search(_draft(reference, text, read))
    if outcome.viable is None:
        return Death(None)
    if not outcome.viable:
        step = read.steps[outcome.step]
        return Death(_first_dead(reference, text, step.start, step.end))
    whole = read.steps[-1].end if read.steps else 0
    if read.dead_from is not None:
        return Death(_first_dead(reference, text, whole, read.dead_from))
    if read.fragment is not None:
        return Death(_first_dead(reference, text, whole, len(text)))
    complete = not read.problems and len(read.bonds) == reference.bond_count and outcome.everything_placed
    return Death(None if complete else len(text), complete)


def _first_dead(reference: Reference, text: str, viable: int, dead: int) -> int | None:
    """The first i for which ``text[: i + 1]`` is dead: ``text[:viable]`` is not, ``text[: dead + 1]`` would be."""
    while viable < dead:
        middle = (viable + dead + 1) // 2
        answer = is_viable(reference, text[:middle])
        if answer is None:
            return None
        if answer:
            viable = middle
        else:
            dead = middle - 1
    return viable


def _draft(reference: Reference, text: str, read: SmilesMap) -> Draft:
    """The conditions of all whole tokens."""
    draft = Draft(reference)
    for index, step in enumerate(read.steps):
        draft.add(index, step, text, read.atoms)
    return draft


def _readings(reference: Reference, prefix: str, read: SmilesMap) -> Iterator[Draft]:
    """The conditions for each thing that the last, perhaps unfinished, token may become."""
    draft, index, current = _draft(reference, prefix, read), len(read.steps), read.current
    if read.fragment is None:
        if prefix[-1:] in ("C", "B"):
            draft.widen(reference.atoms_for(*_LONGER[prefix[-1]]))
        yield draft
        return
    fragment = prefix[read.fragment :]
    if fragment[0] == "[":
        hydrogen = _HYDROGEN.fullmatch(fragment) is not None
        for aromatic in (False, True):
            draft = _draft(reference, prefix, read)
            mask = reference.atoms_from(fragment, aromatic)
            draft.place(index, current, read.pending, aromatic, mask, hydrogen)
            yield draft
        return
    draft.open_ring(index, current, read.pending)
    yield draft
    for number, (atom, symbol) in read.open_rings.items():
        if may_become_ring_number(fragment, number) and atom not in (current, *draft.bonded[current]):
            draft = _draft(reference, prefix, read)
            draft.close_ring(index, current, atom, ring_symbol(symbol, read.pending))
            yield draft


def _search(draft: Draft) -> Outcome:
    return _Search(draft.reference, draft.conditions, len(draft.degree)).run()
