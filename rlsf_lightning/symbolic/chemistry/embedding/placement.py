"""A partial placement of the pattern graph in the reference: the state of the search for a subgraph embedding.

Which atom of the reference each written atom lies on, which bonds of changing order are single and double by then, and
what a further bond could lead to. Nothing is decided here.
"""

from __future__ import annotations

from rlsf_lightning.symbolic.chemistry.embedding.bonds import DOUBLE, SINGLE
from rlsf_lightning.symbolic.chemistry.embedding.constraints import ANY, AtomState, NewAtom
from rlsf_lightning.symbolic.chemistry.embedding.pattern_graph import PatternGraph
from rlsf_lightning.symbolic.chemistry.embedding.reference import bits


class Placement:
    """Masks are over the atoms of the reference, or over its bonds whose order differs between Kekulé structures."""

    def __init__(self, pattern: PatternGraph) -> None:
        self.pattern = pattern
        self.reference = pattern.reference
        self.image: dict[int, int] = {}  # atom of the pattern -> atom of the reference
        self.placed = 0  # atoms of the reference that are taken
        self.single = 0  # bonds of changing order that are written as single ...
        self.double = 0  # ... and as double
        self.hydrogen_seen = False

    def candidates(self, new: NewAtom) -> int:
        """Where an atom may go: free atoms of its kind, beside its parent."""
        parent, free = new.parent, ~self.placed
        if parent.atom < 0:
            self.hydrogen_seen |= new.hydrogen
            return new.mask & free
        place = self.image[parent.atom]
        room = self.reference.degree[place] - parent.degree - 1 - parent.open_rings
        if room < 0 or (room > 0 and new.leaves):
            return 0
        around = free & self.reference.allowed[new.order][place]
        if new.hydrogen and around and self.reference.sites[place].hydrogens:
            self.hydrogen_seen = True
        return new.mask & around

    def write(self, a: int, b: int | None, target: int, order: int) -> bool:
        """Note a bond of written atom ``a`` to ``target``, where atom ``b`` lies; False if its order cannot be right."""
        place = self.image[a]
        rewrite = self.reference.rewrites.get((place, target))
        if rewrite is not None:
            charge_a, charge_b = self.pattern.charge[a], None if b is None else self.pattern.charge[b]
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

    def could_write(self, state: AtomState, targets: int, order: int, others: tuple[int, ...]) -> bool:
        """Whether a bond of this order could lead from an atom to one of ``targets``, and beside it one of each order that its
        open ring digits (``others``) ask for to another neighbour."""
        fitting = self.writable(state.atom, targets, order)
        if not fitting or order == ANY:
            return fitting != 0
        missing = self.missing(state)
        return all(self._beside(state.atom, fitting, order, missing, other) for other in set(others) - {ANY})

    def _beside(self, atom: int, targets: int, order: int, missing: int, other: int) -> bool:
        single, double = self.single, self.double
        for target in bits(targets):
            self.write(atom, None, target, order)
            found = self.writable(atom, missing & ~(1 << target), other)
            self.single, self.double = single, double
            if found:
                return True
        return False

    def writable(self, atom: int, targets: int, order: int) -> int:
        """Those of ``targets`` that a bond of this order could lead to from ``atom``."""
        if order == ANY:
            return targets
        single, double = self.single, self.double
        possible = 0
        for target in bits(targets & self.reference.allowed[order][self.image[atom]]):
            if self.write(atom, None, target, order):
                possible |= 1 << target
            self.single, self.double = single, double
        return possible

    def missing(self, state: AtomState) -> int:
        """The reference's neighbours to which no bond is written yet."""
        missing = self.reference.neighbours[self.image[state.atom]]
        for atom in state.bonded:
            missing &= ~(1 << self.image[atom])
        return missing

    def awaited(self, missing: int, open_atoms: tuple[int, ...]) -> int:
        """Those of ``missing`` that are placed and can only be bonded by closing a ring digit of theirs."""
        awaited = missing & self.placed
        if awaited:
            for atom in open_atoms:
                awaited &= ~(1 << self.image[atom])
        return awaited
