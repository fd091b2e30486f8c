"""The stereochemistry of a reference: its tetrahedral centres and their chirality, and the sides of its double bonds.

Marks that change nothing are none of it. Left aside, so that nothing is dead because of it: the chirality of centres with a
lone pair, and everything that is not tetrahedral.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from rdkit import Chem

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.equality.arrangement import NOTHING, Arrangement
from rlsf_lightning.symbolic.chemistry.equality.isomorphism import Budget, without_void
from rlsf_lightning.symbolic.chemistry.equality.stereo_graph import graph_of
from rlsf_lightning.symbolic.chemistry.equality.written_marks import HYDROGEN, has_marks

#: On which side the next atom lies: above (+1) or below.
DIRECTIONS = {"/": 1, "\\": -1}


class Sides(NamedTuple):
    """A double bond between ``a`` and ``b``: whether ``x`` beside ``a`` and ``y`` beside ``b`` lie on the same side.

    ``same`` is None where the reference does not say, and no spelling of it may.
    """

    a: int
    b: int
    x: int
    y: int
    same: bool | None


class ReferenceStereo:
    """``chiral_orders``: each centre's neighbours in an order that ``@`` stands for. ``marked``: the atoms that need a mark."""

    def __init__(self, molecule: Any, smiles: str) -> None:
        self._molecule = molecule
        self.marked = 0
        self.chiral_orders: dict[int, tuple[int, ...]] = {}
        #: The double bonds at each atom with marks.
        self.ends: dict[int, list[Sides]] = {}
        self._is_read = not has_marks(smiles) or self._read(smiles)

    def ends_for(self, text: str) -> dict[int, list[Sides]]:
        """The double bonds at each atom of which a text may say something wrong."""
        says_something = self._is_read and ("/" in text or "\\" in text)
        return {**self._silent, **self.ends} if says_something else self.ends

    @cached_property
    def unmarked(self) -> int:
        """The atoms that must not have a mark: each would be a centre by its neighbours alone, and is none in the reference."""
        if not self._is_read:
            return 0
        flat = Chem.Mol(self._molecule)
        Chem.RemoveStereochemistry(flat)
        ranks = list(Chem.CanonicalRankAtoms(flat, breakTies=False))
        with rdkit_io.quiet():
            centres = {atom for atom, _ in Chem.FindMolChiralCenters(flat, includeUnassigned=True)}
            found = [each for each in Chem.FindPotentialStereo(flat) if each.type == Chem.StereoType.Atom_Tetrahedral]
        mask = 0
        for each in found:
            atom = flat.GetAtomWithIdx(each.centeredOn)
            around = [ranks[other.GetIdx()] for other in atom.GetNeighbors()]
            if each.centeredOn in centres and len(set(around)) == len(around):
                mask |= 1 << each.centeredOn
        return mask & ~self.marked

    @cached_property
    def _silent(self) -> dict[int, list[Sides]]:
        """The double bonds of which nothing may be said: it would make a difference, and the reference says nothing."""
        flat = Chem.Mol(self._molecule)
        Chem.RemoveStereochemistry(flat)
        ranks = list(Chem.CanonicalRankAtoms(flat, breakTies=False))
        found = {each.centeredOn for each in Chem.FindPotentialStereo(flat) if each.type == Chem.StereoType.Bond_Double}
        Chem.FindPotentialStereoBonds(flat, cleanIt=True)
        silent: dict[int, list[Sides]] = {}
        for bond in flat.GetBonds():
            if bond.GetIdx() not in found or bond.IsInRing() or bond.GetStereo() != Chem.BondStereo.STEREOANY:
                continue
            pair = (bond.GetBeginAtom(), bond.GetEndAtom())
            a, b = (atom.GetIdx() for atom in pair)
            beside = [[n.GetIdx() for n in atom.GetNeighbors() if n.GetIdx() not in (a, b)] for atom in pair]
            is_certain = all(around and len({ranks[n] for n in around}) == len(around) for around in beside)
            if is_certain and a not in self.ends and b not in self.ends:
                silent.setdefault(a, []).append(Sides(a, b, beside[0][0], beside[1][0], None))
                silent.setdefault(b, []).append(Sides(b, a, beside[1][0], beside[0][0], None))
        return silent

    def _read(self, smiles: str) -> bool:
        """False, and nothing, where the steps run out, or atoms are numbered otherwise (hydrogens that RDKit keeps)."""
        try:
            graph = without_void(graph_of(smiles).graph, Budget())
        except ToolFailed:
            return False
        if len(graph.labels) != self._molecule.GetNumAtoms():
            return False
        for each in graph.arrangements:
            if each.kind == "centre":
                self._read_centre(each)
            elif each.kind == "axis" and len(each.holders) == 2:
                self._read_sides(each)
        return True

    def _read_centre(self, centre: Arrangement) -> None:
        (atom,) = centre.holders
        self.marked |= 1 << atom
        if NOTHING not in centre.ligands:
            order = [HYDROGEN if ligand < 0 else ligand for ligand in centre.ligands]
            if centre.sign < 0:
                order[:2] = order[1::-1]
            self.chiral_orders[atom] = tuple(order)

    def _read_sides(self, axis: Arrangement) -> None:
        a, b = axis.holders
        x, y = (next((i for i in pair if 0 <= i < NOTHING), None) for pair in (axis.ligands[:2], axis.ligands[2:]))
        if x is None or y is None:
            return
        is_swapped = (x != axis.ligands[0]) != (y != axis.ligands[2])
        same = (axis.sign == 1) != is_swapped
        self.ends.setdefault(a, []).append(Sides(a, b, x, y, same))
        self.ends.setdefault(b, []).append(Sides(b, a, y, x, same))
