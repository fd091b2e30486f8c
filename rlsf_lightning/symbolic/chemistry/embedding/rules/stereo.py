"""Rules of stereochemistry: whether the marks that are written agree with the reference, as far as they are determined.

A stereocentre's chirality is determined once all but one of its neighbours are known; before that, either chirality may
come out, by the order in which the others are written. Where few orders are left, each is tried. A double bond's
configuration is determined once both of its ends have a mark, or one of them can get none any more.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from rlsf_lightning.symbolic.chemistry.embedding.constraints import Slot, StereoMarks
from rlsf_lightning.symbolic.chemistry.embedding.placement import Placement
from rlsf_lightning.symbolic.chemistry.embedding.reference import bits
from rlsf_lightning.symbolic.chemistry.embedding.reference_stereo import HYDROGEN, Sides
from rlsf_lightning.symbolic.chemistry.embedding.rules.reach import within_reach


def marks_fit(placement: Placement, marks: StereoMarks) -> bool:
    """Whether nothing that is determined is wrong."""
    chiral_orders = placement.reference.stereo.chiral_orders
    for atom in marks.centres:
        right = chiral_orders.get(placement.image[atom])
        if right is not None and not _may_be_chiral(placement, marks, atom, right):
            return False
    for atom in marks.ends:
        for sides in placement.pattern.ends.get(placement.image[atom], ()):
            if not _sides_may_fit(placement, marks, atom, sides):
                return False
    return True


def _may_be_chiral(placement: Placement, marks: StereoMarks, atom: int, right: tuple[int, ...]) -> bool:
    """Whether some order of what is still open gives a centre the right chirality. ``right``: an order for ``@``."""
    slots = [slot for slot in placement.pattern.slots[atom] if slot.since <= marks.step]
    known = [_image(placement, slot) if slot.known <= marks.step else None for slot in slots]
    left = [place for place in right if place not in known]
    wanted = placement.pattern.chirality[atom] == 1
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
            len(left) == 1 or _is_possible(placement, marks, atom, chosen, open_slots)
        ):
            return True
    return False


def _is_possible(placement: Placement, marks: StereoMarks, atom: int, chosen: Sequence[int], open_slots: int) -> bool:
    """Whether the open ring digits of an atom may lead to the first of ``chosen``, and what comes next to the one after."""
    reach = marks.reach
    fixed = (atom, [1 << place for place in chosen[:open_slots]])
    is_next = reach.child and reach.open[-1].atom == atom and open_slots < len(chosen)
    return within_reach(placement, reach, fixed, 1 << chosen[open_slots] if is_next else -1)


def _is_even(order: list[int]) -> bool:
    return sum(a > b for a, b in itertools.combinations(order, 2)) % 2 == 0


def _image(placement: Placement, slot: Slot) -> int:
    assert slot.other is not None, "what is known is an atom"
    return slot.other if slot.other == HYDROGEN else placement.image[slot.other]


def _sides_may_fit(placement: Placement, marks: StereoMarks, atom: int, sides: Sides) -> bool:
    """Whether the marks at both ends of a double bond may come to say what the reference says."""
    near = _ups(placement, marks, atom, sides.x, sides.b)
    partner = next((s.other for s in _known(placement, marks, atom) if _image(placement, s) == sides.b), None)
    if sides.same is None:
        if partner is None:
            return True
        return None in near or None in _ups(placement, marks, partner, sides.y, sides.a)
    if near == {None}:
        return False
    if partner is None:
        return True
    far = _ups(placement, marks, partner, sides.y, sides.a)
    return any((x == y) == sides.same for x in near - {None} for y in far - {None})


def _known(placement: Placement, marks: StereoMarks, atom: int) -> list[Slot]:
    return [slot for slot in placement.pattern.slots[atom] if slot.known <= marks.step]


def _ups(placement: Placement, marks: StereoMarks, atom: int, x: int, across: int) -> set[int | None]:
    """On which side of a double bond (+1, -1) the neighbour on ``x`` may come to lie; None: no mark may come to say it."""
    known = [slot for slot in _known(placement, marks, atom) if _image(placement, slot) not in (HYDROGEN, across)]
    if any(slot.up is None for slot in known):
        return {1, -1, None}
    around = placement.reference.neighbours[placement.image[atom]] & ~(1 << across)
    for slot in known:
        around &= ~(1 << _image(placement, slot))
    said: set[int | None] = {slot.up if _image(placement, slot) == x else -slot.up for slot in known if slot.up}
    if len(said) == 2:
        return {None}  # RDKit drops two that contradict each other
    if said:
        return {*said, None} if around else said
    if not around:
        return {None}
    last = marks.reach.open[-1].atom
    if marks.up and last == atom:
        places = bits(placement.writable(atom, around, marks.reach.order))
        if len(places) == around.bit_count() == 1:
            return {marks.up if places == [x] else -marks.up}
    return {1, -1, None}
