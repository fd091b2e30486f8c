"""Rules of degree and bond order: an atom gets all bonds that the reference has there, and no more."""

from __future__ import annotations

from rlsf_lightning.symbolic.chemistry.embedding.constraints import (
    AtomFinished,
    CloseRing,
    Dot,
    OpenBranch,
    OpenRing,
    PendingBond,
)
from rlsf_lightning.symbolic.chemistry.embedding.placement import Placement


def may_finish_atom(placement: Placement, finished: AtomFinished) -> bool:
    """Whether the atom has all of its bonds, open ring digits included, and each digit can still be closed."""
    state = finished.state
    degree = state.degree + finished.child_to_come
    if placement.reference.degree[placement.image[state.atom]] - degree != state.open_rings:
        return False
    return not state.open_rings or placement.awaited(placement.missing(state), finished.open) == 0


def may_open_ring(placement: Placement, ring: OpenRing) -> bool:
    """Whether a bond is missing that the new digit can stand for."""
    state = ring.state
    missing = placement.missing(state)
    missing &= ~placement.awaited(missing, ring.open)
    if missing.bit_count() < state.open_rings:
        return False
    return placement.could_write(state, missing, ring.order, state.orders[:-1])


def may_close_ring(placement: Placement, ring: CloseRing) -> bool:
    """Whether the reference has this bond."""
    place, target = placement.image[ring.atom], placement.image[ring.other]
    is_allowed = bool(placement.reference.allowed[ring.order][place] >> target & 1)
    return is_allowed and placement.write(ring.atom, ring.other, target, ring.order)


def may_bond(placement: Placement, bond: PendingBond) -> bool:
    """Whether a bond of this order is missing."""
    state = bond.state
    missing = placement.missing(state)
    if missing.bit_count() <= state.open_rings:
        return False
    if bond.in_branch:
        missing &= ~placement.placed
    elif bond.typed and placement.awaited(missing, bond.open):
        return True
    return placement.could_write(state, missing, bond.order, state.orders)


def may_branch(placement: Placement, branch: OpenBranch) -> bool:
    """Whether a bond to a new atom is missing."""
    missing = placement.missing(branch.state)
    missing &= ~placement.awaited(missing, branch.open)
    return missing.bit_count() > branch.state.open_rings and missing & ~placement.placed != 0


def may_end_fragment(placement: Placement, dot: Dot) -> bool:
    """Whether the last atom has all of its bonds, open ring digits included, and something is left."""
    written = dot.state.degree + dot.state.open_rings
    is_finished = placement.reference.degree[placement.image[dot.state.atom]] == written
    return is_finished and placement.placed != placement.reference.all
