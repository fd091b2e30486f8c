"""The beginning of a SMILES as a list of conditions on where its atoms lie in a reference molecule.

The tokens are read from left to right, as far as is asked for, and the conditions are what can be said of the written
graph alone: which atom is bonded to which, which ring digits are open, and to which atoms something can still be attached
(the current one and those that open branches leave from). ``viable`` searches for a place that meets them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rlsf_lightning.symbolic.chemistry.embedding.reference import AROMATIC, LOOSE, ORDER_OF_SYMBOL, SINGLE, Reference
from rlsf_lightning.symbolic.chemistry.smiles_parser import Atom, SmilesMap, Step

#: The order of a bond of which nothing is written yet.
ANY = -1
#: In a slot: a hydrogen; in a step: none.
HYDROGEN, NEVER = -1, 1 << 30
_TURNS = {"@": 1, "@TH1": 1, "@@": -1, "@TH2": -1}
_UP = {"/": 1, "\\": -1}


class Held(NamedTuple):
    """A written atom as far as it is written: how many bonds and open ring digits it has, and to which atoms."""

    atom: int
    degree: int
    #: What the bond symbol of each open ring digit asks for.
    orders: tuple[int, ...]
    bonded: tuple[int, ...]

    @property
    def stubs(self) -> int:
        """How many ring digits are open."""
        return len(self.orders)


class Slot:
    """One neighbour of a written atom in the order of the text: an atom, a hydrogen in its bracket, or a ring digit.

    ``since`` is the step that writes it, ``known`` the one from which on it is clear which atom it is; ``up``: +1 or -1 where
    a direction mark says that the neighbour lies above or below, 0 without one, None where both ends of a ring bond have one.
    """

    __slots__ = ("known", "other", "since", "up")

    def __init__(self, since: int, other: int | None, up: int | None = 0) -> None:
        self.since, self.other, self.up = since, other, up
        self.known = NEVER if other is None else since


class Place(NamedTuple):
    """A new atom lies on one of ``mask``, beside its parent (none: -1), to which nothing more is attached if it leaves."""

    step: int
    parent: Held
    order: int
    atom: int
    mask: int
    leaves: bool
    #: It is, or may become, a hydrogen that is written as an atom.
    hydrogen: bool


class Leave(NamedTuple):
    """Nothing more is attached to an atom with open ring digits, which are closed from atoms other than those placed."""

    step: int
    held: Held
    open: tuple[int, ...]
    child_to_come: bool


class Reach(NamedTuple):
    """Every open digit of ``stubbed`` can get a missing bond of its own, and every missing part can be reached.

    With a ``child`` to come, which is what a bond of this order leads to, the last open atom needs one bond more: to a new
    atom, or (if it ``may_close``) to what a ring digit leads to.
    """

    step: int
    open: tuple[Held, ...]
    stubbed: tuple[Held, ...]
    child: bool = False
    order: int = ANY
    may_close: bool = False


class OpenRing(NamedTuple):
    """There is something that the new ring digit can stand for."""

    step: int
    held: Held
    order: int
    open: tuple[int, ...]


class CloseRing(NamedTuple):
    """Two placed atoms are neighbours."""

    step: int
    atom: int
    other: int
    order: int


class Wait(NamedTuple):
    """There is something that a bond of this order can lead to; in a new branch it must be a new atom."""

    step: int
    held: Held
    order: int
    open: tuple[int, ...]
    in_branch: bool
    #: Some open ring digit has a bond symbol of its own, which would count.
    typed: bool


class Push(NamedTuple):
    """There is something that a branch can lead to."""

    step: int
    held: Held
    open: tuple[int, ...]


class Dot(NamedTuple):
    """A fragment is finished, and there is another one to come."""

    step: int
    held: Held
    unfinished: bool


class Stereo(NamedTuple):
    """Marks agree with the reference: of ``centres``, and of double bonds at ``ends``, as far as it is clear yet.

    If a ``child`` is to come, it is what the last open atom is bonded to next; ``up``: with a direction mark.
    """

    step: int
    centres: tuple[int, ...]
    ends: tuple[int, ...]
    reach: Reach
    up: int = 0


Condition = Stereo | Place | Leave | Reach | OpenRing | CloseRing | Wait | Push | Dot
_NOBODY = Held(-1, 0, (), ())


class Draft:
    """The graph that has been read so far, and the conditions."""

    def __init__(self, reference: Reference, text: str, read: SmilesMap) -> None:
        self.reference = reference
        self.text = text
        self.read = read
        self.conditions: list[Condition] = []
        #: One reading of an unfinished token at the end.
        self.tail: Callable[[], None] | None = None
        #: What a whole token at the end may also stand for, because it may become a longer one.
        self.last_mask = 0
        #: The charge of each atom as it is written; None: not written yet.
        self.charge: list[int | None] = []
        #: The handedness of each atom as it is written (+1: @), 0 without one; and the neighbours in the order of the text.
        self.turn: list[int] = []
        self.slots: list[list[Slot]] = []
        self._steps = 0  # how many have been turned into conditions
        self._degree: list[int] = []
        self._stubs: list[dict[int, int]] = []  # number -> what its bond symbol asks for
        self._bonded: list[tuple[int, ...]] = []
        self._lower_case: list[bool] = []
        self._stack: list[int] = []  # atoms that an open branch leaves from
        self._typed = False
        self._digits: dict[int, Slot] = {}  # the slots of open ring digits
        #: The double bonds of which the text may say something wrong, by atom of the reference.
        self.ends = reference.stereo.ends_for(text)

    def extend(self) -> bool:
        """Read one token more; False if there is none."""
        if self._steps < len(self.read.steps):
            self._steps += 1
            self._add(self._steps - 1, self.read.steps[self._steps - 1])
            return True
        if self.tail is not None:
            self._steps += 1
            self.tail()
            self.tail = None
            return True
        return False

    def bonded(self, atom: int) -> tuple[int, ...]:
        """The atoms that ``atom`` is bonded to in the whole text."""
        return tuple(a if b == atom else b for a, b, *_ in self.read.bonds if atom in (a, b))

    def _add(self, index: int, step: Step) -> None:
        if step.action == "atom":
            atom = self.read.atoms[step.atom]
            token = self.text[atom.start : atom.end]
            mask = self.reference.atoms_for(token, atom)
            if index == len(self.read.steps) - 1:
                mask |= self.last_mask
            self.place(step.other, step.symbol, atom.aromatic, mask, atom)
        elif step.action == "open":
            self.open_ring(step.atom, step.symbol, self._number(step))
        elif step.action == "close":
            mark = self.text[step.start - 1]
            self.close_ring(step.atom, step.other, step.symbol, self._number(step), mark)
        elif step.action == "bond":
            self._wait(index, step.atom, step.symbol)
        elif step.action == "push":
            self.conditions.append(Push(index, self._held(step.atom), (*self._stack, step.atom)))
            self._stack.append(step.atom)
            self._reach(index, step.atom, step.atom, child=True)
        elif step.action == "pop":
            self._stack.pop()
            self.conditions.append(Leave(index, self._held(step.atom), (*self._stack, step.other), False))
            self._reach(index, step.atom, step.other)
        else:
            unfinished = bool(self._stack) or any(self._stubs)
            self.conditions.append(Dot(index, self._held(step.atom), unfinished))

    def _number(self, step: Step) -> int:
        return int(self.text[step.start : step.end].strip("%()"))

    def place(
        self,
        parent: int,
        symbol: str,
        lower_case: bool,
        mask: int,
        written: Atom | None = None,
        hydrogen: bool = False,
    ) -> None:
        """A new atom, which may stand for those of ``mask``, bonded to ``parent`` (-1: to none).

        ``written`` is the whole token; without it the atom is not finished, and may become a ``hydrogen`` atom.
        """
        index, atom = self._steps - 1, len(self._degree)
        if written is not None:
            hydrogen = written.symbol == "H" and not (written.isotope or written.charge)
        self._degree.append(0)
        self._stubs.append({})
        self._bonded.append(())
        self._lower_case.append(lower_case)
        self.charge.append(None if written is None else written.charge)
        self.turn.append(0 if written is None else _TURNS.get(written.chirality, 0))
        self.slots.append([] if parent < 0 else [Slot(index, parent, -_UP.get(symbol, 0))])
        if written is not None and written.hydrogens == 1:
            self.slots[atom].append(Slot(index, HYDROGEN))
        if parent < 0:
            self.conditions.append(Place(index, _NOBODY, ANY, atom, mask, False, hydrogen))
            return
        order = self._order(symbol, parent, atom)
        before = self._held(parent)
        leaves = not self._stack or self._stack[-1] != parent  # else the new atom begins a branch
        if leaves and before.stubs:
            self.conditions.append(Leave(index, before, tuple(self._stack), True))
        self.conditions.append(Place(index, before, order, atom, mask, leaves, hydrogen))
        self._join(parent, atom)
        self.slots[parent].append(Slot(index, atom, _UP.get(symbol, 0)))
        self._reach(index, parent, atom)

    def open_ring(self, atom: int, symbol: str, number: int = -1) -> None:
        """A ring digit after ``atom`` that is to be closed later."""
        index = self._steps - 1
        self._typed |= symbol != ""
        order = ANY if symbol == "" else self._asked(symbol)
        self._stubs[atom][number] = order
        self._digits[number] = Slot(index, None, _UP.get(symbol, 0))
        self.slots[atom].append(self._digits[number])
        self.conditions.append(OpenRing(index, self._held(atom), order, (*self._stack, atom)))
        self._reach(index, atom, atom)

    def close_ring(self, atom: int, other: int, symbol: str, number: int, mark: str) -> None:
        """A ring digit after ``atom`` that bonds it to ``other``. ``mark``: what stands before this digit."""
        index = self._steps - 1
        self.conditions.append(CloseRing(index, atom, other, self._order(symbol, atom, other)))
        del self._stubs[other][number]
        self._join(atom, other)
        opened = self._digits.pop(number)
        opened.other, opened.known = atom, index
        closing = _UP.get(mark, 0)
        up = None if opened.up and closing else opened.up or -closing
        opened.up = up
        self.slots[atom].append(Slot(index, other, None if up is None else -up))
        self._reach(index, other if self._stubs[other] else atom, atom, other)

    def _wait(self, index: int, atom: int, symbol: str) -> None:
        order = self._asked(symbol)
        in_branch = bool(self._stack) and self._stack[-1] == atom
        open_atoms = (*self._stack, atom)
        self.conditions.append(Wait(index, self._held(atom), order, open_atoms, in_branch, self._typed))
        self._reach(index, atom, atom, child=True, order=order, may_close=not in_branch, up=_UP.get(symbol, 0))

    def _held(self, atom: int) -> Held:
        return Held(atom, self._degree[atom], tuple(self._stubs[atom].values()), self._bonded[atom])

    def _join(self, a: int, b: int) -> None:
        self._degree[a] += 1
        self._degree[b] += 1
        self._bonded[a] += (b,)
        self._bonded[b] += (a,)

    def _reach(
        self,
        index: int,
        atom: int,
        current: int,
        other: int = -1,
        child: bool = False,
        order: int = ANY,
        may_close: bool = False,
        up: int = 0,
    ) -> None:
        """The open digits of ``atom`` take away ways to reach what is missing: it must still be within reach."""
        has_stereo = bool(self.ends) or any(self.turn)
        if not (self._stubs[atom] or may_close or has_stereo):
            return
        held = tuple(self._held(a) for a in dict.fromkeys((*self._stack, current)))
        stubbed = tuple(self._held(a) for a, stubs in enumerate(self._stubs) if stubs)
        reach = Reach(index, held, stubbed, child, order, may_close)
        if self._stubs[atom] or may_close:
            self.conditions.append(reach)
        if has_stereo:
            centres = tuple(i for i, turn in enumerate(self.turn) if turn and self._is_open(i, index))
            ends = tuple(dict.fromkeys(a for a in (atom, current, other) if a >= 0))
            self.conditions.append(Stereo(index, centres, ends, reach, up))

    def _is_open(self, atom: int, index: int) -> bool:
        """Whether something may have become clear with this step about the order of an atom's neighbours."""
        return len(self.slots[atom]) < 4 or any(index <= slot.known for slot in self.slots[atom])

    def _order(self, symbol: str, first: int, second: int) -> int:
        """What the written bond asks for; a direction mark stands for no order."""
        if symbol in ("", "/", "\\"):
            return AROMATIC if self._lower_case[first] and self._lower_case[second] else SINGLE
        return ORDER_OF_SYMBOL.get(symbol, LOOSE)

    def _asked(self, symbol: str) -> int:
        """The same before the second atom is known: the wider of the two for a direction mark."""
        return AROMATIC if symbol in ("/", "\\") else ORDER_OF_SYMBOL.get(symbol, LOOSE)
