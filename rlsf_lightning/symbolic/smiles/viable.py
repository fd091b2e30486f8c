"""Can this beginning of a SMILES still become a SMILES of the reference? And where did a wrong one stop being able to?

A prefix is read into a partial graph, which must fit into the reference: atoms on atoms, bonds on bonds; an atom to
which nothing more can be attached has all of its bonds (open ring digits stand for missing ones), whatever is missing
can still be reached, and some Kekulé structure has the bond orders that are written. Every start, branch order, ring
numbering and mixture of bracket, Kekulé and aromatic forms is allowed. One backtracking search decides a whole string:
it meets the conditions token by token, and the farthest that any embedding comes is the first dead token.

"Dead" is certain, with three exceptions that nobody writes: hydrogens as atoms of their own, fragments that are
continued across a dot, and lower-case letters where no double bond is near are not counted as ways to go on.
"Viable" is nearly so: stereochemistry is ignored, and a few aromatic forms that RDKit cannot kekulise are let through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from rlsf_lightning.symbolic.smiles.draft import (
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
    Wait,
)
from rlsf_lightning.symbolic.smiles.map import (
    SmilesMap,
    may_become_ring_number,
    read_atom,
    read_smiles,
    ring_symbol,
)
from rlsf_lightning.symbolic.smiles.reference import DOUBLE, SINGLE, Reference, bits

#: Conditions that one search may check, those with many open atoms counting more; beyond it the answer is "cannot tell".
BUDGET = 30_000
#: Tokens that are the beginning of another one.
_LONGER = {"C": "Cl", "B": "Br"}
#: The beginning of what may be a hydrogen that is written as an atom of its own, up to its symbol.
_HYDROGEN = re.compile(r"\[0?(?:(?=H)|#(?=1))", re.ASCII)


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
            Reach: self.all_within_reach,
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

    def could_write(self, atom: int, targets: int, order: int) -> bool:
        """Whether a bond of this order could lead from ``atom`` to one of ``targets``."""
        if order == ANY:
            return targets != 0
        single, double = self.single, self.double
        for target in bits(targets & self.reference.allowed[order][self.place_of[atom]]):
            possible = self.write(atom, None, target, order)
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
        return missing.bit_count() >= held.stubs and self.could_write(held.atom, missing, condition.order)

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
        return self.could_write(held.atom, missing, condition.order)

    def may_push(self, condition: Push) -> bool:
        missing = self.missing(condition.held)
        missing &= ~self.awaited(missing, condition.open)
        return missing.bit_count() > condition.held.stubs and missing & ~self.placed != 0

    def may_dot(self, condition: Dot) -> bool:
        finished = self.reference.degree[self.place_of[condition.held.atom]] == condition.held.degree
        return finished and not condition.unfinished and self.placed != self.reference.all

    def all_within_reach(self, condition: Reach) -> bool:
        """Every missing part must get a new atom bonded to an open atom: a ring digit alone does not lead into it."""
        around: list[int] = []  # for each open atom, the new atoms that it can lead to ...
        room: list[int] = []  # ... and to how many of them
        for held in condition.open:
            missing = self.missing(held)
            free = missing & ~self.placed
            around.append(free)
            room.append(free.bit_count() - max(0, held.stubs - (missing & self.placed).bit_count()))
        seeds = 0
        for free in around:
            seeds |= free
        for atom in condition.stubbed:
            seeds |= self.reference.neighbours[self.place_of[atom]] & ~self.placed
        ways: list[list[int]] = []  # for each missing part, the open atoms that lead into it
        while seeds:
            part = self.flood(seeds & -seeds)
            seeds &= ~part
            ways.append([i for i, free in enumerate(around) if free & part])
        return _can_serve(ways, room)

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
    return 1 + (len(condition.open) // 4 if isinstance(condition, (Leave, Reach, Push)) else 0)


def _can_serve(ways: list[list[int]], room: list[int]) -> bool:
    """Whether each of ``ways`` can be given one of the atoms it names, atom i being given at most ``room[i]`` times."""
    if len(ways) == 1:
        return any(room[i] > 0 for i in ways[0])
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
    """Whether ``prefix`` or some continuation of it spells the reference; None: cannot tell. False stays False."""
    read = read_smiles(prefix)
    if read.dead_from is not None:
        return False
    answers = set()
    for draft in _readings(reference, prefix, read):
        answers.add(_Search(draft).run().viable)
        if True in answers:
            return True
    if None not in answers:
        return False
    # A hydrogen as an atom of its own gives no answer, except where no bracket at all was right.
    starts = [atom.start for atom in read.atoms] + ([] if read.fragment is None else [read.fragment])
    before = next((match.end() for match in (_HYDROGEN.match(prefix, start) for start in starts) if match), None)
    return False if before is not None and is_viable(reference, prefix[:before]) is False else None


class Death(NamedTuple):
    """``at``: the first character with which the string is dead, or its length if it ends too early; None if it cannot
    be told. ``complete``: the string spells the whole reference, as far as this search sees."""

    at: int | None
    complete: bool = False


def find_death(reference: Reference, text: str) -> Death:
    """Where ``text``, which is not a SMILES of the reference, stopped being able to become one."""
    read = read_smiles(text)
    outcome = _Search(Draft(reference, text, read)).run()
    if outcome.viable is None:
        return Death(None)
    if not outcome.viable:
        step = read.steps[outcome.step]
        if step.end - step.start == 1 and not _longer_mask(reference, text[step.start]):
            return Death(step.start)
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


def _readings(reference: Reference, prefix: str, read: SmilesMap) -> Iterator[Draft]:
    """The conditions for each thing that the last, perhaps unfinished, token may become."""
    draft, current = Draft(reference, prefix, read), read.current
    if read.fragment is None:
        draft.last_mask = _longer_mask(reference, prefix[-1:])
        yield draft
        return
    fragment = prefix[read.fragment :]
    if fragment[0] == "[":
        hydrogen = _HYDROGEN.match(fragment) is not None
        for lower_case in (False, True):
            draft = Draft(reference, prefix, read)
            mask = reference.atoms_from(fragment, lower_case)
            draft.tail = partial(draft.place, current, read.pending, lower_case, mask, hydrogen and not lower_case)
            yield draft
        return
    draft.tail = partial(draft.open_ring, current, read.pending)
    yield draft
    for number, (atom_index, symbol) in read.open_rings.items():
        if may_become_ring_number(fragment, number) and atom_index not in (current, *draft.bonded(current)):
            draft = Draft(reference, prefix, read)
            draft.tail = partial(draft.close_ring, current, atom_index, ring_symbol(symbol, read.pending))
            yield draft


def _longer_mask(reference: Reference, token: str) -> int:
    """The atoms that a token may come to stand for because it is the beginning of a longer one."""
    longer = _LONGER.get(token)
    atom = read_atom(longer) if longer else None
    return reference.atoms_for(longer, atom) if longer and atom else 0
