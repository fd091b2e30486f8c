"""Upper bounds that the facts put on a prefix: of elements, rings, fragments and weight. Plain Python, no RDKit.

Atoms, closed rings and finished fragments never go away again, nor do hydrogens of an atom to which nothing more can be
attached: a prefix that has more of them than any molecule of the description is dead, whatever follows. Nothing is said
of groups, which what follows may turn into others, nor of what is missing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from rlsf_lightning.symbolic.certificates import first_dead
from rlsf_lightning.symbolic.chemistry.elements import first_dead_atom
from rlsf_lightning.symbolic.chemistry.periodic_table import ATOMIC_WEIGHTS, VALENCES
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.chemistry.smiles_tokens import BOND_ORDERS
from rlsf_lightning.symbolic.verifiers.molecule.facts.fact import Fact


class Budget:
    """The most that the facts allow of everything that can only grow."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.elements: dict[str, float] = {}
        self.others = self.heavy_atoms = self.weight = self.rings = self.fragments = math.inf
        for fact in facts:
            if fact.formula is not None:
                counts = {"H": 0, **dict(fact.formula.counts)}
                for symbol in self.elements.keys() | counts.keys():
                    known = self.elements.get(symbol, self.others)
                    self.elements[symbol] = min(known, counts.get(symbol, 0))
                self.others = 0
            elif fact.subject == "element":
                self.elements[fact.name] = min(self.elements.get(fact.name, self.others), fact.high)
        at_most = {fact.name: fact.high for fact in facts if fact.subject == "property"}
        self.heavy_atoms = at_most.get("heavy_atoms", math.inf)
        self.weight = at_most.get("molecular_weight", math.inf)
        self.rings = at_most.get("rings", math.inf)
        self.fragments = at_most.get("fragments", math.inf)
        self.hydrogens = self.elements.get("H", self.others)

    def dead_from(self, text: str, read: SmilesMap) -> int | None:
        """The first character of ``text`` with which more is there than the facts allow; None: no such character."""
        found = (self._atom(text, read), self._ring(read), self._finished(text, read))
        return min((at for at in found if at is not None), default=None)

    def _atom(self, text: str, read: SmilesMap) -> int | None:
        """The first atom too many."""
        if not self.elements and self.others == self.heavy_atoms == self.weight == math.inf:
            return None
        there, at = Counter[str](), 0
        heavy, weight = 0, 0.0

        def may_add(i: int, symbol: str) -> bool:
            nonlocal at, heavy, weight
            while at < i:  # the atoms before this one are there
                before = read.atoms[at]
                there[before.symbol] += 1
                heavy += before.symbol not in ("H", "*")
                weight += 0.0 if before.isotope else ATOMIC_WEIGHTS.get(before.symbol, 0.0)
                at += 1
            if symbol == "*":
                return True
            own = 0.0 if read.atoms[i].isotope else ATOMIC_WEIGHTS[symbol]
            return (
                there[symbol] < self.elements.get(symbol, self.others)
                and heavy + (symbol != "H") <= self.heavy_atoms
                and weight + own <= self.weight + 0.01  # rounding
            )

        return first_dead_atom(read, len(text), may_add)

    def _ring(self, read: SmilesMap) -> int | None:
        """The digit that closes the first ring too many."""
        if self.rings == math.inf:
            return None
        closed, parts = 0, _Parts(len(read.atoms))
        for bond in sorted(read.bonds, key=read.closed_at):
            closed += not parts.join(bond.first, bond.second)
            if closed > self.rings:
                return read.closed_at(bond)
        return None

    def _finished(self, text: str, read: SmilesMap) -> int | None:
        """Where hydrogens or fragments are too many that nothing can change any more."""
        if self.hydrogens == self.fragments == math.inf or not self._is_over(read):
            return None
        return first_dead(text[:-1], lambda prefix: not self._is_over(read_smiles(prefix)))

    def _is_over(self, read: SmilesMap) -> bool:
        open_atoms = _open_atoms(read)
        return hydrogens_of(read, open_atoms) > self.hydrogens or _fragments(read, open_atoms) > self.fragments


def hydrogens_of(read: SmilesMap, open_atoms: set[int]) -> int:
    """Hydrogens that are certain: those in brackets, those written as atoms, and those that closed atoms are filled with."""
    orders: list[int | None] = [0] * len(read.atoms)
    for bond in read.bonds:
        order = BOND_ORDERS.get(bond.symbol)
        for end in (bond.first, bond.second):
            known = orders[end]
            orders[end] = None if known is None or order is None else known + order
    total = 0
    for i, (atom, used) in enumerate(zip(read.atoms, orders, strict=True)):
        total += atom.hydrogens + (atom.symbol == "H")
        if not (atom.bracket or atom.aromatic or i in open_atoms or used is None):
            room = [valence - used for valence in VALENCES.get(atom.symbol, ()) if valence >= used]
            total += room[0] if room else 0
    return total


def _open_atoms(read: SmilesMap) -> set[int]:
    """The atoms that something can still be attached to."""
    stack: list[int] = []
    for step in read.steps:
        if step.action == "push":
            stack.append(step.atom)
        elif step.action == "pop":
            stack.pop()
    return {*stack, read.current, *(atom for atom, _ in read.open_rings.values())} - {-1}


def _fragments(read: SmilesMap, open_atoms: set[int]) -> int:
    """The fewest fragments that the whole molecule can have."""
    parts = _Parts(len(read.atoms))
    for bond in read.bonds:
        parts.join(bond.first, bond.second)
    living = {parts.root(atom) for atom in open_atoms}
    finished = {parts.root(atom) for atom in range(len(read.atoms))} - living
    another = bool(living) or (read.current < 0 and bool(read.atoms))
    return len(finished) + another


class _Parts:
    """Connected components of atoms, by union-find."""

    def __init__(self, size: int) -> None:
        self.parent = list(range(size))

    def root(self, atom: int) -> int:
        while self.parent[atom] != atom:
            self.parent[atom] = self.parent[self.parent[atom]]
            atom = self.parent[atom]
        return atom

    def join(self, a: int, b: int) -> bool:
        """Whether they were not connected before."""
        a, b = self.root(a), self.root(b)
        self.parent[a] = b
        return a != b
