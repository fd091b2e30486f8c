"""The stereochemistry of a reference: its tetrahedral centres and their chirality, and the sides of its double bonds.

All of it is read from a SMILES that RDKit writes, by the rules that prefixes are read by. Left aside, so that nothing is
dead because of it: centres with a lone pair, and everything that is not tetrahedral.
"""

from __future__ import annotations

import ast
from functools import cached_property
from typing import Any, NamedTuple

from rdkit import Chem

from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles

#: In the order of an atom's neighbours: its hydrogen.
HYDROGEN = -1
_CENTRES = (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW)
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

    def __init__(self, molecule: Any) -> None:
        self._molecule = molecule
        self.marked = sum(1 << atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetChiralTag() in _CENTRES)
        self._has_sides = any(bond.GetStereo() != Chem.BondStereo.STEREONONE for bond in molecule.GetBonds())
        self.chiral_orders: dict[int, tuple[int, ...]] = {}
        #: The double bonds at each atom with marks.
        self.ends: dict[int, list[Sides]] = {}
        if self.marked or self._has_sides:
            self._read()

    def ends_for(self, text: str) -> dict[int, list[Sides]]:
        """The double bonds at each atom of which a text may say something wrong."""
        return {**self._silent, **self.ends} if "/" in text or "\\" in text else self.ends

    @cached_property
    def unmarked(self) -> int:
        """The atoms that must not have a mark: each would be a centre by its neighbours alone, and is none in the reference."""
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

    def _read(self) -> None:
        molecule = Chem.Mol(self._molecule)
        text = Chem.MolToSmiles(molecule)
        atom_of = list(ast.literal_eval(molecule.GetProp("_smilesAtomOutputOrder")))
        read = read_smiles(text)
        if read.problems or len(read.atoms) != len(atom_of):  # then no chirality is wrong
            return
        for i, order in enumerate(_orders(read)):
            atom = read.atoms[i]
            if atom.chirality in ("@", "@@") and len(order) == 4:
                named = [j if j == HYDROGEN else atom_of[j] for j in order]
                if atom.chirality == "@@":
                    named[:2] = named[1::-1]
                self.chiral_orders[atom_of[i]] = tuple(named)
        self._read_sides(text, read, atom_of)

    def _read_sides(self, text: str, read: SmilesMap, atom_of: list[int]) -> None:
        ups = _ups(text, read)
        for bond in read.bonds:
            a, b = bond.first, bond.second
            if bond.symbol == "=" and ups[a] and ups[b]:
                (x, x_up), (y, y_up) = next(iter(ups[a].items())), next(iter(ups[b].items()))
                sides = Sides(atom_of[a], atom_of[b], atom_of[x], atom_of[y], x_up == y_up)
                if self._is_stereo(sides):
                    self.ends.setdefault(sides.a, []).append(sides)
                    self.ends.setdefault(sides.b, []).append(sides._replace(a=sides.b, b=sides.a, x=sides.y, y=sides.x))

    def _is_stereo(self, sides: Sides) -> bool:
        """Whether RDKit sees it as well (marks of two neighbouring double bonds may look like those of one between)."""
        bond = self._molecule.GetBondBetweenAtoms(sides.a, sides.b)
        return bool(bond.GetStereo() != Chem.BondStereo.STEREONONE)


def _orders(read: SmilesMap) -> list[list[int]]:
    """For each atom its neighbours in the order in which the text names them."""
    orders: list[list[tuple[int, int]]] = [[] for _ in read.atoms]  # (offset, neighbour)
    for bond in read.bonds:
        first, second = read.atoms[bond.first], read.atoms[bond.second]
        if bond.is_ring_closure:
            orders[bond.first].append((bond.spans[0][0], bond.second))
            orders[bond.second].append((bond.spans[1][0], bond.first))
        else:
            orders[bond.first].append((second.start, bond.second))
            orders[bond.second].append((-1, bond.first))
        assert first.start < second.start, "a bond is read from left to right"
    for i, atom in enumerate(read.atoms):
        if atom.hydrogens == 1:
            orders[i].append((atom.start, HYDROGEN))
    return [[neighbour for _, neighbour in sorted(order)] for order in orders]


def _ups(text: str, read: SmilesMap) -> list[dict[int, int]]:
    """For each atom the neighbours with a direction mark: +1 above it, -1 below."""
    ups: list[dict[int, int]] = [{} for _ in read.atoms]
    for bond in read.bonds:
        up = DIRECTIONS.get(bond.symbol, 0)
        if bond.is_ring_closure:
            opening, closing = (DIRECTIONS.get(text[start], 0) for start, _ in bond.spans)
            up = 0 if opening and closing else opening or -closing
        if up:
            ups[bond.first][bond.second] = up
            ups[bond.second][bond.first] = -up
    return ups
