"""Do the marks of stereochemistry that are written fit the reference, wherever it is clear what they mean?

A centre is clear as soon as all but one of its neighbours are; before that, either hand may come out, by the order in
which the others are written. Where few orders are left, each is tried. A double bond is clear as soon as both of its
ends have a mark, or one of them can get none any more.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rlsf_lightning.symbolic.chemistry.embedding.constraints import HYDROGEN, Slot, Stereo
from rlsf_lightning.symbolic.chemistry.embedding.reach import within_reach
from rlsf_lightning.symbolic.chemistry.embedding.reference import bits
from rlsf_lightning.symbolic.chemistry.embedding.reference_stereo import Sides

if TYPE_CHECKING:
    from rlsf_lightning.symbolic.chemistry.embedding.search import Search


def marks_fit(search: Search, condition: Stereo) -> bool:
    """Whether nothing that is clear is wrong."""
    turns = search.reference.stereo.turns
    for atom in condition.centres:
        right = turns.get(search.place_of[atom])
        if right is not None and not _may_turn(search, condition, atom, right):
            return False
    for atom in condition.ends:
        for sides in search.draft.ends.get(search.place_of[atom], ()):
            if not _may_lie(search, condition, atom, sides):
                return False
    return True


def _may_turn(search: Search, condition: Stereo, atom: int, right: tuple[int, ...]) -> bool:
    """Whether some order of what is still open gives a centre the right hand. ``right``: an order for ``@``."""
    slots = [slot for slot in search.draft.slots[atom] if slot.since <= condition.step]
    known = [_place(search, slot) if slot.known <= condition.step else None for slot in slots]
    left = [place for place in right if place not in known]
    wanted = search.draft.turn[atom] == 1
    if not left:
        return _is_even([right.index(place) for place in known if place is not None]) == wanted
    if len(left) > 2 or HYDROGEN in left:
        return True
    open_slots = known.count(None)
    for chosen in itertools.permutations(left):
        rest = iter(chosen)
        order = [next(rest) if place is None else place for place in known]
        order += list(rest)
        if _is_even([right.index(place) for place in order]) == wanted and (
            len(left) == 1 or _is_possible(search, condition, atom, chosen, open_slots)
        ):
            return True
    return False


def _is_possible(search: Search, condition: Stereo, atom: int, chosen: Sequence[int], open_slots: int) -> bool:
    """Whether the open ring digits of an atom may lead to the first of ``chosen``, and what comes next to the one after."""
    reach = condition.reach
    fixed = (atom, [1 << place for place in chosen[:open_slots]])
    is_next = reach.child and reach.open[-1].atom == atom and open_slots < len(chosen)
    return within_reach(search, reach, fixed, 1 << chosen[open_slots] if is_next else -1)


def _is_even(order: list[int]) -> bool:
    return sum(a > b for a, b in itertools.combinations(order, 2)) % 2 == 0


def _place(search: Search, slot: Slot) -> int:
    assert slot.other is not None, "what is known is an atom"
    return slot.other if slot.other == HYDROGEN else search.place_of[slot.other]


def _may_lie(search: Search, condition: Stereo, atom: int, sides: Sides) -> bool:
    """Whether the marks at both ends of a double bond may come to say what the reference says."""
    near = _ups(search, condition, atom, sides.x, sides.b)
    partner = next((s.other for s in _known(search, condition, atom) if _place(search, s) == sides.b), None)
    if sides.same is None:
        if partner is None:
            return True
        return None in near or None in _ups(search, condition, partner, sides.y, sides.a)
    if near == {None}:
        return False
    if partner is None:
        return True
    far = _ups(search, condition, partner, sides.y, sides.a)
    return any((x == y) == sides.same for x in near - {None} for y in far - {None})


def _known(search: Search, condition: Stereo, atom: int) -> list[Slot]:
    return [slot for slot in search.draft.slots[atom] if slot.known <= condition.step]


def _ups(search: Search, condition: Stereo, atom: int, x: int, across: int) -> set[int | None]:
    """On which side of a double bond (+1, -1) the neighbour on ``x`` may come to lie; None: no mark may come to say it."""
    known = [slot for slot in _known(search, condition, atom) if _place(search, slot) not in (HYDROGEN, across)]
    if any(slot.up is None for slot in known):
        return {1, -1, None}
    around = search.reference.neighbours[search.place_of[atom]] & ~(1 << across)
    for slot in known:
        around &= ~(1 << _place(search, slot))
    marks: set[int | None] = {slot.up if _place(search, slot) == x else -slot.up for slot in known if slot.up}
    if len(marks) == 2:
        return {None}  # RDKit drops two that contradict each other
    if marks:
        return {*marks, None} if around else marks
    if not around:
        return {None}
    last = condition.reach.open[-1].atom
    if condition.up and last == atom:
        places = bits(search.writable(atom, around, condition.reach.order))
        if len(places) == around.bit_count() == 1:
            return {condition.up if places == [x] else -condition.up}
    return {1, -1, None}
