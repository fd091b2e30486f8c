"""The constraints of a subgraph embedding: what each token of a SMILES demands of where its atoms lie in the reference.

Every constraint knows the step of the parser that it comes from. They are data; ``rules`` checks them on a placement.
"""

from __future__ import annotations

from typing import NamedTuple

#: The order of a bond of which nothing is written yet.
ANY = -1
#: A step that does not come.
NEVER = 1 << 30


class AtomState(NamedTuple):
    """A written atom after some step: how many bonds it has, to which atoms, and its open ring digits."""

    atom: int
    degree: int
    #: What the bond symbol of each open ring digit asks for.
    orders: tuple[int, ...]
    bonded: tuple[int, ...]

    @property
    def open_rings(self) -> int:
        """How many ring digits are open."""
        return len(self.orders)


class Slot:
    """One neighbour of a written atom in the order of the text: an atom, ``HYDROGEN`` in its bracket, or a ring digit.

    ``since`` is the step that writes it, ``known`` the one from which on it is clear which atom it is; ``up``: +1 or -1 where
    a direction mark says that the neighbour lies above or below, 0 without one, None where both ends of a ring bond have one.
    """

    __slots__ = ("known", "other", "since", "up")

    def __init__(self, since: int, other: int | None, up: int | None = 0) -> None:
        self.since, self.other, self.up = since, other, up
        self.known = NEVER if other is None else since


class NewAtom(NamedTuple):
    """A new atom lies on one of ``mask``, beside its parent (none: -1), to which nothing more is attached if it ``leaves``."""

    step: int
    parent: AtomState
    order: int
    atom: int
    mask: int
    leaves: bool
    #: It is, or may become, a hydrogen that is written as an atom.
    hydrogen: bool


class AtomFinished(NamedTuple):
    """Nothing more is attached to an atom with open ring digits, which are closed from atoms other than those placed."""

    step: int
    state: AtomState
    open: tuple[int, ...]
    child_to_come: bool


class Reach(NamedTuple):
    """Every open ring digit of ``ring_openers`` can get a missing bond of its own, and every missing part can be reached.

    With a ``child`` to come, which is what a bond of this order leads to, the last open atom needs one bond more: to a new
    atom, or (if it ``may_close``) to what a ring digit leads to.
    """

    step: int
    open: tuple[AtomState, ...]
    ring_openers: tuple[AtomState, ...]
    child: bool = False
    order: int = ANY
    may_close: bool = False


class OpenRing(NamedTuple):
    """There is something that the new ring digit can stand for."""

    step: int
    state: AtomState
    order: int
    open: tuple[int, ...]


class CloseRing(NamedTuple):
    """Two placed atoms are neighbours."""

    step: int
    atom: int
    other: int
    order: int


class PendingBond(NamedTuple):
    """There is something that a bond of this order can lead to; in a new branch it must be a new atom."""

    step: int
    state: AtomState
    order: int
    open: tuple[int, ...]
    in_branch: bool
    #: Some open ring digit has a bond symbol of its own, which would count.
    typed: bool


class OpenBranch(NamedTuple):
    """There is something that a branch can lead to."""

    step: int
    state: AtomState
    open: tuple[int, ...]


class Dot(NamedTuple):
    """Nothing more is attached to the last atom, but for its open ring digits, and other atoms are to come."""

    step: int
    state: AtomState


class StereoMarks(NamedTuple):
    """Marks agree with the reference: of ``centres``, and of double bonds at ``ends``, as far as is determined yet.

    If a ``child`` is to come, it is what the last open atom is bonded to next; ``up``: with a direction mark.
    """

    step: int
    centres: tuple[int, ...]
    ends: tuple[int, ...]
    reach: Reach
    up: int = 0


Constraint = StereoMarks | NewAtom | AtomFinished | Reach | OpenRing | CloseRing | PendingBond | OpenBranch | Dot
