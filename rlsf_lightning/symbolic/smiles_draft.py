"""The beginning of a SMILES as a list of conditions on where its atoms lie in a reference molecule.

One pass over the tokens notes what can be said of the written graph alone: which atom is bonded to which, which ring
digits are open, and to which atoms something can still be attached (the current one and those that open branches leave
from). ``smiles_viable`` then searches for a place in the reference that meets every condition.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from rlsf_lightning.symbolic.smiles_map import Atom, Step
from rlsf_lightning.symbolic.smiles_reference import AROMATIC, LOOSE, ORDER_OF_SYMBOL, SINGLE, Reference

PLACE, LEAVE, REACH, OPEN, CLOSE, WAIT, PUSH, DOT = range(8)
#: The order of a bond of which nothing is written yet.
ANY = -1


class Held(NamedTuple):
    """A written atom as far as it is written: how many bonds and open ring digits it has, and to which atoms."""

    atom: int
    degree: int
    stubs: int
    bonded: tuple[int, ...]


class Condition(NamedTuple):
    """One thing that must hold. ``step``: the token from which on."""

    kind: int
    step: int
    held: Held
    order: int = SINGLE
    #: The atoms to which something can still be attached.
    open: tuple[int, ...] = ()
    #: The same, for REACH.
    held_open: tuple[Held, ...] = ()
    #: PLACE: the atom that is placed; CLOSE: the other end.
    target: int = -1
    #: PLACE: where it may go.
    mask: int = 0
    #: PLACE: the atom is, or may become, a hydrogen that is written as an atom.
    hydrogen: bool = False
    #: WAIT: only a new atom may follow.
    in_branch: bool = False
    #: DOT: something is still open.
    unfinished: bool = False
    #: WAIT: an open ring digit has a bond symbol of its own, which would count.
    typed: bool = False


_NOBODY = Held(-1, 0, 0, ())


@dataclass
class Draft:
    """The graph that has been written so far, and the conditions."""

    reference: Reference
    conditions: list[Condition] = field(default_factory=list)
    degree: list[int] = field(default_factory=list)
    stubs: list[int] = field(default_factory=list)
    bonded: list[list[int]] = field(default_factory=list)
    aromatic: list[bool] = field(default_factory=list)
    #: Atoms that an open branch leaves from.
    stack: list[int] = field(default_factory=list)
    #: Some ring digit was opened with a bond symbol.
    typed: bool = False

    def add(self, index: int, step: Step, text: str, atoms: list[Atom]) -> None:
        """Note what step number ``index`` asks for."""
        if step.action == "atom":
            atom = atoms[step.atom]
            mask = self.reference.atoms_for(text[step.start : step.end], atom)
            hydrogen = atom.symbol == "H" and not (atom.isotope or atom.charge)
            self.place(index, step.other, step.symbol, atom.aromatic, mask, hydrogen)
        elif step.action == "open":
            self.open_ring(index, step.atom, step.symbol)
        elif step.action == "close":
            self.close_ring(index, step.atom, step.other, step.symbol)
        elif step.action == "bond":
            self.wait(index, step.atom, step.symbol)
        elif step.action == "push":
            self._note(PUSH, index, self._held(step.atom), open=(*self.stack, step.atom))
            self.stack.append(step.atom)
        elif step.action == "pop":
            self.stack.pop()
            self._leave(index, self._held(step.atom), (*self.stack, step.other))
            self._reach(index, step.atom, step.other)
        else:
            self._note(DOT, index, self._held(step.atom), unfinished=bool(self.stack) or any(self.stubs))

    def place(self, index: int, parent: int, symbol: str, aromatic: bool, mask: int, hydrogen: bool) -> None:
        """A new atom, which may stand for those of ``mask``, bonded to ``parent`` (-1: to none)."""
        atom = len(self.degree)
        self.degree.append(0)
        self.stubs.append(0)
        self.bonded.append([])
        self.aromatic.append(aromatic)
        if parent < 0:
            self._note(PLACE, index, _NOBODY, target=atom, mask=mask, hydrogen=hydrogen)
            return
        order = self._order(symbol, parent, atom)
        before = self._held(parent)
        self.degree[parent] += 1
        if not self.stack or self.stack[-1] != parent:  # the new atom opens no branch: nothing more goes to its parent
            self._leave(index, before._replace(degree=before.degree + 1), tuple(self.stack))
        self._note(PLACE, index, self._held(parent), order, target=atom, mask=mask, hydrogen=hydrogen)
        self.degree[atom] += 1
        self.bonded[atom].append(parent)
        self.bonded[parent].append(atom)
        self._reach(index, parent, atom)

    def widen(self, mask: int) -> None:
        """Let the last atom that was placed stand for those of ``mask`` too."""
        at = max(i for i, condition in enumerate(self.conditions) if condition.kind == PLACE)
        self.conditions[at] = self.conditions[at]._replace(mask=self.conditions[at].mask | mask)

    def open_ring(self, index: int, atom: int, symbol: str) -> None:
        """A ring digit after ``atom`` that is to be closed later."""
        self.stubs[atom] += 1
        self.typed |= symbol != ""
        order = ANY if symbol == "" else self._asked(symbol)
        self._note(OPEN, index, self._held(atom), order, open=(*self.stack, atom))
        self._reach(index, atom, atom)

    def close_ring(self, index: int, atom: int, other: int, symbol: str) -> None:
        """A ring digit after ``atom`` that bonds it to ``other``."""
        self.stubs[other] -= 1
        self._note(CLOSE, index, self._held(atom), self._order(symbol, atom, other), target=other)
        for a, b in ((atom, other), (other, atom)):
            self.degree[a] += 1
            self.bonded[a].append(b)

    def wait(self, index: int, atom: int, symbol: str) -> None:
        """A bond symbol after ``atom``."""
        in_branch = bool(self.stack) and self.stack[-1] == atom
        more = {"open": (*self.stack, atom), "in_branch": in_branch, "typed": self.typed}
        self._note(WAIT, index, self._held(atom), self._asked(symbol), **more)

    def _note(self, kind: int, index: int, held: Held, order: int = SINGLE, **more: object) -> None:
        self.conditions.append(Condition(kind, index, held, order, **more))  # type: ignore[arg-type]

    def _held(self, atom: int) -> Held:
        return Held(atom, self.degree[atom], self.stubs[atom], tuple(self.bonded[atom]))

    def _leave(self, index: int, held: Held, open_atoms: tuple[int, ...]) -> None:
        self._note(LEAVE, index, held, open=open_atoms)

    def _reach(self, index: int, atom: int, current: int) -> None:
        """The open digits of ``atom`` take away ways to reach what is missing: it must still be within reach."""
        if self.stubs[atom]:
            held = tuple(self._held(a) for a in dict.fromkeys((*self.stack, current)))
            self._note(REACH, index, _NOBODY, held_open=held)

    def _order(self, symbol: str, first: int, second: int) -> int:
        """What the written bond asks for; a direction mark stands for no order."""
        if symbol in ("", "/", "\\"):
            return AROMATIC if self.aromatic[first] and self.aromatic[second] else SINGLE
        return ORDER_OF_SYMBOL.get(symbol, LOOSE)

    def _asked(self, symbol: str) -> int:
        """The same before the second atom is known: the wider of the two for a direction mark."""
        return AROMATIC if symbol in ("/", "\\") else ORDER_OF_SYMBOL.get(symbol, LOOSE)
