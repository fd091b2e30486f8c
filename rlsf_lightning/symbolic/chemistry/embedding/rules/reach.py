"""Whether the rest of the reference can still be written: a bipartite matching of what needs a bond with missing bonds.

Each open ring digit needs a missing bond of its atom, not to an atom that nothing can be attached to any more; what a
parenthesis or a bond symbol promises needs one of the last atom. No bond is there for two of them. What is not written yet
can be reached from an open atom, or by a ring digit that is closed behind a dot.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlsf_lightning.symbolic.chemistry.embedding.constraints import ANY, Reach
from rlsf_lightning.symbolic.chemistry.embedding.placement import Placement
from rlsf_lightning.symbolic.chemistry.embedding.reference import bits

Bond = tuple[int, int]
#: For an atom of the text: the atom of the reference that each of its open ring digits, in order, is to lead to (a mask).
Fixed = tuple[int, Sequence[int]]


def within_reach(placement: Placement, reach: Reach, fixed: Fixed | None = None, child_mask: int = -1) -> bool:
    """Whether such a matching exists. ``child_mask``: what a child to come may be."""
    open_rings = _open_rings(placement, reach, fixed)
    if not reach.child:
        return _all_served([*open_rings.values()])
    last = reach.open[-1]
    place, missing = placement.image[last.atom], placement.missing(last) & child_mask
    fitting = placement.writable(last.atom, missing, reach.order)
    new = fitting & ~placement.placed
    # If more bonds are missing than this one and the open rings, another atom would have to come as a branch.
    may_come = not reach.may_close or placement.missing(last).bit_count() == last.open_rings + 1
    if may_come and _all_served([[_bond(place, target) for target in bits(new)], *open_rings.values()]):
        return True
    if not reach.may_close:
        return False
    opened = [_bond(place, target) for target in bits(fitting & _open_to(placement, reach))]
    if _all_served([opened, *open_rings.values()]):
        return True
    for state in reach.ring_openers:
        target = placement.image[state.atom]
        bond = _bond(place, target)
        for at, order in enumerate(state.orders if missing >> target & 1 else ()):
            # Of two symbols the first counts.
            if bond in open_rings[state.atom, at] and (order != ANY or fitting >> target & 1):
                rest = [others for key, others in open_rings.items() if key != (state.atom, at)]
                if _all_served([[bond], *rest]):
                    return True
    return False


def _open_to(placement: Placement, reach: Reach) -> int:
    """The atoms of the reference that a ring digit can still be closed from: new ones, and those that are open."""
    mask = placement.reference.all & ~placement.placed
    for state in reach.open:
        mask |= 1 << placement.image[state.atom]
    return mask


def _open_rings(placement: Placement, reach: Reach, fixed: Fixed | None) -> dict[tuple[int, int], list[Bond]]:
    """For each open ring digit (atom, its place among those of the atom) the bonds that it may stand for."""
    usable, found = _open_to(placement, reach), {}
    for state in reach.ring_openers:
        place, missing = placement.image[state.atom], placement.missing(state) & usable
        for at, order in enumerate(state.orders):
            targets = missing if order == ANY else placement.writable(state.atom, missing, order)
            if fixed is not None and fixed[0] == state.atom:
                targets &= fixed[1][at]
            found[state.atom, at] = [_bond(place, target) for target in bits(targets)]
    return found


def _bond(a: int, b: int) -> Bond:
    return (a, b) if a < b else (b, a)


def _all_served(wants: Sequence[Sequence[Bond]]) -> bool:
    """Whether each can be given one of the bonds that it names, no bond twice."""
    given: dict[Bond, int] = {}

    def give(want: int, tried: set[Bond]) -> bool:
        for bond in wants[want]:
            if bond not in tried:
                tried.add(bond)
                if bond not in given or give(given[bond], tried):
                    given[bond] = want
                    return True
        return False

    return all(give(want, set()) for want in range(len(wants)))
