"""The pattern of a subgraph embedding: a prefix of a SMILES as a partial graph, with its constraints on a placement.

The tokens are read from left to right, as far as is asked for, and the constraints are what can be said of the written
graph alone: which atom is bonded to which, which ring digits are open, and to which atoms something can still be attached
(the current one and those that open branches leave from). ``search`` looks for a placement that meets them all.
"""

from __future__ import annotations

from collections.abc import Callable

from rlsf_lightning.symbolic.chemistry.embedding.bonds import AROMATIC, LOOSE, ORDER_OF_SYMBOL, SINGLE
from rlsf_lightning.symbolic.chemistry.embedding.constraints import (
    ANY,
    AtomFinished,
    AtomState,
    CloseRing,
    Constraint,
    Dot,
    NewAtom,
    OpenBranch,
    OpenRing,
    PendingBond,
    Reach,
    Slot,
    StereoMarks,
)
from rlsf_lightning.symbolic.chemistry.embedding.reference import Reference
from rlsf_lightning.symbolic.chemistry.embedding.reference_stereo import DIRECTIONS, HYDROGEN
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, Step
from rlsf_lightning.symbolic.chemistry.smiles_tokens import Atom

_CHIRALITY = {"@": 1, "@TH1": 1, "@@": -1, "@TH2": -1}
_NOBODY = AtomState(-1, 0, (), ())


class PatternGraph:
    """The graph that has been read so far, and its constraints."""

    def __init__(self, reference: Reference, text: str, read: SmilesMap) -> None:
        self.reference = reference
        self.text = text
        self.read = read
        self.constraints: list[Constraint] = []
        #: One reading of an unfinished token at the end.
        self.tail: Callable[[], None] | None = None
        #: What a whole token at the end may also stand for, because it may become a longer one.
        self.last_mask = 0
        #: The charge of each atom as it is written; None: not written yet.
        self.charge: list[int | None] = []
        #: The chirality of each atom as it is written (+1: @), 0 without one; and its neighbours in the order of the text.
        self.chirality: list[int] = []
        self.slots: list[list[Slot]] = []
        self._steps = 0  # how many have been turned into constraints
        self._degree: list[int] = []
        self._open_rings: list[dict[int, int]] = []  # number -> what its bond symbol asks for
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
            self.add_atom(step.other, step.symbol, atom.aromatic, mask, atom)
        elif step.action == "open":
            self.open_ring(step.atom, step.symbol, self._number(step))
        elif step.action == "close":
            mark = self.text[step.start - 1]
            self.close_ring(step.atom, step.other, step.symbol, self._number(step), mark)
        elif step.action == "bond":
            self._pending_bond(index, step.atom, step.symbol)
        elif step.action == "push":
            self.constraints.append(OpenBranch(index, self._state(step.atom), (*self._stack, step.atom)))
            self._stack.append(step.atom)
            self._reach(index, step.atom, step.atom, child=True)
        elif step.action == "pop":
            self._stack.pop()
            self.constraints.append(AtomFinished(index, self._state(step.atom), (*self._stack, step.other), False))
            self._reach(index, step.atom, step.other)
        else:
            self.constraints.append(Dot(index, self._state(step.atom)))

    def _number(self, step: Step) -> int:
        return int(self.text[step.start : step.end].strip("%()"))

    def add_atom(
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
        self._open_rings.append({})
        self._bonded.append(())
        self._lower_case.append(lower_case)
        self.charge.append(None if written is None else written.charge)
        self.chirality.append(0 if written is None else _CHIRALITY.get(written.chirality, 0))
        self.slots.append([] if parent < 0 else [Slot(index, parent, -DIRECTIONS.get(symbol, 0))])
        if written is not None and written.hydrogens == 1:
            self.slots[atom].append(Slot(index, HYDROGEN))
        if parent < 0:
            self.constraints.append(NewAtom(index, _NOBODY, ANY, atom, mask, False, hydrogen))
            return
        order = self._order(symbol, parent, atom)
        before = self._state(parent)
        leaves = not self._stack or self._stack[-1] != parent  # else the new atom begins a branch
        if leaves and before.open_rings:
            self.constraints.append(AtomFinished(index, before, tuple(self._stack), True))
        self.constraints.append(NewAtom(index, before, order, atom, mask, leaves, hydrogen))
        self._join(parent, atom)
        self.slots[parent].append(Slot(index, atom, DIRECTIONS.get(symbol, 0)))
        self._reach(index, parent, atom)

    def open_ring(self, atom: int, symbol: str, number: int = -1) -> None:
        """A ring digit after ``atom`` that is to be closed later."""
        index = self._steps - 1
        self._typed |= symbol != ""
        order = ANY if symbol == "" else self._asked(symbol)
        self._open_rings[atom][number] = order
        self._digits[number] = Slot(index, None, DIRECTIONS.get(symbol, 0))
        self.slots[atom].append(self._digits[number])
        self.constraints.append(OpenRing(index, self._state(atom), order, (*self._stack, atom)))
        self._reach(index, atom, atom)

    def close_ring(self, atom: int, other: int, symbol: str, number: int, mark: str) -> None:
        """A ring digit after ``atom`` that bonds it to ``other``. ``mark``: what stands before this digit."""
        index = self._steps - 1
        self.constraints.append(CloseRing(index, atom, other, self._order(symbol, atom, other)))
        del self._open_rings[other][number]
        self._join(atom, other)
        opened = self._digits.pop(number)
        opened.other, opened.known = atom, index
        closing = DIRECTIONS.get(mark, 0)
        up = None if opened.up and closing else opened.up or -closing
        opened.up = up
        self.slots[atom].append(Slot(index, other, None if up is None else -up))
        self._reach(index, other if self._open_rings[other] else atom, atom, other)

    def _pending_bond(self, index: int, atom: int, symbol: str) -> None:
        order = self._asked(symbol)
        in_branch = bool(self._stack) and self._stack[-1] == atom
        open_atoms = (*self._stack, atom)
        self.constraints.append(PendingBond(index, self._state(atom), order, open_atoms, in_branch, self._typed))
        self._reach(index, atom, atom, child=True, order=order, may_close=not in_branch, up=DIRECTIONS.get(symbol, 0))

    def _state(self, atom: int) -> AtomState:
        return AtomState(atom, self._degree[atom], tuple(self._open_rings[atom].values()), self._bonded[atom])

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
        has_stereo = bool(self.ends) or any(self.chirality)
        if not (self._open_rings[atom] or may_close or has_stereo):
            return
        open_atoms = tuple(self._state(a) for a in dict.fromkeys((*self._stack, current)))
        ring_openers = tuple(self._state(a) for a, open_rings in enumerate(self._open_rings) if open_rings)
        reach = Reach(index, open_atoms, ring_openers, child, order, may_close)
        if self._open_rings[atom] or may_close:
            self.constraints.append(reach)
        if has_stereo:
            centres = tuple(i for i, chirality in enumerate(self.chirality) if chirality and self._is_open(i, index))
            ends = tuple(dict.fromkeys(a for a in (atom, current, other) if a >= 0))
            self.constraints.append(StereoMarks(index, centres, ends, reach, up))

    def _is_open(self, atom: int, index: int) -> bool:
        """Whether this step may have determined something about the order of an atom's neighbours."""
        return len(self.slots[atom]) < 4 or any(index <= slot.known for slot in self.slots[atom])

    def _order(self, symbol: str, first: int, second: int) -> int:
        """What the written bond asks for; a direction mark stands for no order."""
        if symbol in ("", "/", "\\"):
            return AROMATIC if self._lower_case[first] and self._lower_case[second] else SINGLE
        return ORDER_OF_SYMBOL.get(symbol, LOOSE)

    def _asked(self, symbol: str) -> int:
        """The same before the second atom is known: the wider of the two for a direction mark."""
        return AROMATIC if symbol in ("/", "\\") else ORDER_OF_SYMBOL.get(symbol, LOOSE)
