"""Marks of stereochemistry that RDKit does not judge: those of square-planar centres and of allenes, read from the text.

What none of this reads is named: octahedra and trigonal bipyramids, longer cumulenes, complexes with fewer ligands.
"""

from __future__ import annotations

from typing import Any

from rdkit import Chem

from rlsf_lightning.symbolic.chemistry.equality.arrangement import Arrangement
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap

#: For a class of square-planar centres the places, in the order of the text, of both pairs of opposite ligands.
_OPPOSITE = {"@SP": (0, 2, 1, 3), "@SP1": (0, 2, 1, 3), "@SP2": (0, 1, 2, 3), "@SP3": (0, 3, 1, 2)}
_ALLENE_SIGNS = {"@": 1, "@@": -1, "@AL": 1, "@AL1": 1, "@AL2": -1}
_TETRAHEDRAL = ("@", "@@", "@TH", "@TH1", "@TH2")
#: A hydrogen in the bracket of an atom, in the order of its neighbours.
HYDROGEN = -1


def has_marks(smiles: str) -> bool:
    """Whether stereochemistry is written."""
    return any(mark in smiles for mark in "@/\\")


def written_orders(read: SmilesMap) -> list[list[int]]:
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


def square(read: SmilesMap, centre: int, is_merged: list[bool]) -> Arrangement | None:
    """The arrangement of a square-planar centre with four ligands; None if ``centre`` is none."""
    places = _OPPOSITE.get(read.atoms[centre].chirality)
    order = written_orders(read)[centre]
    if places is None or len(order) != 4 or order.count(HYDROGEN) + sum(is_merged[i] for i in order if i >= 0) > 1:
        return None
    ligands = [~centre if i == HYDROGEN or is_merged[i] else i for i in order]
    return Arrangement("square", (centre,), tuple(ligands[place] for place in places))


def allene(read: SmilesMap, centre: int, atoms: list[Any], is_merged: list[bool]) -> Arrangement | None:
    """The arrangement of an allene with two ligands at both ends; None if ``centre`` is not the middle of one."""
    sign = _ALLENE_SIGNS.get(read.atoms[centre].chirality)
    if sign is None or not _is_middle(atoms[centre]):
        return None
    orders = written_orders(read)
    ligands: list[int] = []
    for end in orders[centre]:
        if end == HYDROGEN or _is_middle(atoms[end]):
            return None
        order = [i for i in orders[end] if i != centre]
        hydrogens = atoms[end].GetTotalNumHs()
        if hydrogens == 1 and HYDROGEN not in order:  # it follows the atom from which the text comes
            comes_from = any(bond.second == end and not bond.is_ring_closure for bond in read.bonds)
            order.insert(int(comes_from and orders[end][0] != centre), HYDROGEN)
        if len(order) != 2 or hydrogens > 1:
            return None
        ligands += [~end if i == HYDROGEN or is_merged[i] else i for i in order]
    return Arrangement("axis", (centre,), tuple(ligands), sign)


def undecided_marks(read: SmilesMap, atoms: list[Any], arrangements: list[Arrangement]) -> tuple[tuple[int, int], ...]:
    """The places of marks that may mean something, though no arrangement holds them."""
    held = {each.holders[0] for each in arrangements if len(each.holders) == 1}
    ends = {holder for each in arrangements for holder in each.holders if len(each.holders) == 2}
    places = []
    for i, atom in enumerate(read.atoms):
        if atom.chirality and i not in held and _may_count(atom.chirality, atoms[i]):
            places.append((atom.start, atom.end))
    for bond in read.bonds:
        both = (bond.first, bond.second)
        # The configuration of a cumulene with an odd number of double bonds.
        if bond.symbol in ("/", "\\") and any(end not in ends and _is_end(atoms[end]) for end in both):
            places += bond.spans
    return tuple(places)


def _may_count(chirality: str, atom: Any) -> bool:
    if chirality not in _TETRAHEDRAL:
        return True
    if _is_middle(atom):
        return all(_is_middle(other) or other.GetTotalNumHs(includeNeighbors=True) < 2 for other in atom.GetNeighbors())
    return atom.GetDegree() + atom.GetTotalNumHs() > 4 and atom.GetTotalNumHs(includeNeighbors=True) < 2


def _is_end(atom: Any) -> bool:
    """Whether it is the end of a cumulene."""
    return not _is_middle(atom) and any(
        bond.GetBondType() == Chem.BondType.DOUBLE and _is_middle(bond.GetOtherAtom(atom)) for bond in atom.GetBonds()
    )


def _is_middle(atom: Any) -> bool:
    """Whether it has two double bonds and no other one."""
    return [bond.GetBondType() for bond in atom.GetBonds()] == [Chem.BondType.DOUBLE] * 2
