"""The graph of a SMILES with all of the stereochemistry that its marks can stand for, symmetric places included.

RDKit judges whether an atom or a bond can hold a mark, on a copy in which every atom is another isotope: its own perception
drops the marks of symmetric places, of which some count (alkylidene-cycloalkanes, spirans, oximes of symmetric rings).
Square-planar complexes and allenes, which it does not judge, are read from the text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from rdkit import Chem

from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.equality.arrangement import NOTHING, Arrangement
from rlsf_lightning.symbolic.chemistry.equality.isomorphism import Graph
from rlsf_lightning.symbolic.chemistry.equality.written_marks import allene, has_marks, square, undecided_marks
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles

_SIGNS = {Chem.ChiralType.CHI_TETRAHEDRAL_CCW: 1, Chem.ChiralType.CHI_TETRAHEDRAL_CW: -1}
_SAME_SIDE = {
    Chem.BondStereo.STEREOZ: 1,
    Chem.BondStereo.STEREOCIS: 1,
    Chem.BondStereo.STEREOE: -1,
    Chem.BondStereo.STEREOTRANS: -1,
}


class StereoGraph(NamedTuple):
    """``undecided``: the places in the text of marks that nothing here can read."""

    graph: Graph
    undecided: tuple[tuple[int, int], ...]


@lru_cache(maxsize=1024)
def graph_of(smiles: str) -> StereoGraph:
    """The graph of a valid SMILES: hydrogens are merged into the atoms beside them, all other atoms keep their order."""
    molecule, isotopes = _all_different(smiles)
    atoms = rdkit_io.atoms_of(molecule)
    is_merged = [_is_plain_hydrogen(atom, isotopes[i]) for i, atom in enumerate(atoms)]
    arrangements: list[Arrangement] = []
    undecided: tuple[tuple[int, int], ...] = ()
    if has_marks(smiles):
        arrangements = [*_centres(atoms, is_merged), *_double_bonds(molecule, is_merged)]
        read, held = read_smiles(smiles), {each.holders[0] for each in arrangements if each.kind == "centre"}
        for i, atom in enumerate(read.atoms):
            if atom.chirality and i not in held:
                found = square(read, i, is_merged) or allene(read, i, atoms, is_merged)
                arrangements += [found] if found else []
        undecided = undecided_marks(read, atoms, arrangements)
    return StereoGraph(_graph(atoms, isotopes, is_merged, arrangements), undecided)


def _all_different(smiles: str) -> tuple[Any, list[int]]:
    """The sanitised molecule with an isotope of its own for every atom, and the isotopes that are written."""
    molecule, _, _ = rdkit_io.parse_as_written(smiles)
    assert molecule is not None, f"not a valid SMILES: {smiles!r}"
    atoms = rdkit_io.atoms_of(molecule)
    isotopes = [atom.GetIsotope() for atom in atoms]
    for i, atom in enumerate(atoms):
        if not _is_plain_hydrogen(atom, isotopes[i]):
            atom.SetIsotope(i + 1)
    with rdkit_io.quiet():
        Chem.SanitizeMol(molecule)
        Chem.AssignStereochemistry(molecule, cleanIt=True, force=True)
    return molecule, isotopes


def _is_plain_hydrogen(atom: Any, isotope: int) -> bool:
    """One that belongs to the atom beside it, whether it is written as an atom or not."""
    if atom.GetAtomicNum() != 1 or isotope or atom.GetFormalCharge() or atom.GetDegree() != 1:
        return False
    bond = atom.GetBonds()[0]
    return bool(bond.GetBondType() == Chem.BondType.SINGLE and bond.GetOtherAtom(atom).GetAtomicNum() > 1)


def _graph(atoms: list[Any], isotopes: list[int], is_merged: list[bool], arrangements: list[Arrangement]) -> Graph:
    kept = [i for i in range(len(atoms)) if not is_merged[i]]
    number = {atom: i for i, atom in enumerate(kept)}
    around = [
        tuple(
            (_bond_label(bond, atoms[i]), number[other])
            for bond in atoms[i].GetBonds()
            if (other := bond.GetOtherAtomIdx(i)) in number
        )
        for i in kept
    ]
    return Graph(
        tuple(_atom_label(atoms[i], isotopes[i], is_merged) for i in kept),
        tuple(around),
        tuple(each.renumbered(number) for each in arrangements),
    )


def _atom_label(atom: Any, isotope: int, is_merged: list[bool]) -> tuple[int, ...]:
    written = sum(is_merged[other.GetIdx()] for other in atom.GetNeighbors())
    hydrogens = atom.GetTotalNumHs() + written
    number, charge, radicals = atom.GetAtomicNum(), atom.GetFormalCharge(), atom.GetNumRadicalElectrons()
    return number, charge, isotope, hydrogens, radicals, atom.GetAtomMapNum(), int(atom.GetIsAromatic())


def _bond_label(bond: Any, atom: Any) -> tuple[str, bool]:
    kind = bond.GetBondType()
    return str(kind), kind == Chem.BondType.DATIVE and bond.GetBeginAtomIdx() == atom.GetIdx()


def _centres(atoms: list[Any], is_merged: list[bool]) -> list[Arrangement]:
    found = []
    for i, atom in enumerate(atoms):
        sign = _SIGNS.get(atom.GetChiralTag())
        if sign is None:
            continue
        written = [bond.GetOtherAtomIdx(i) for bond in atom.GetBonds()]
        ligands = [~i if is_merged[other] else other for other in written]
        # RDKit thinks of a hydrogen that is not written, and of a lone pair, as the last one.
        ligands += [~i] * atom.GetTotalNumHs()
        ligands += [NOTHING] * (4 - len(ligands))
        if len(ligands) == 4:
            found.append(Arrangement("centre", (i,), tuple(ligands), sign))
    return found


def _double_bonds(molecule: Any, is_merged: list[bool]) -> list[Arrangement]:
    found = []
    for bond in rdkit_io.bonds_of(molecule):
        sign = _SAME_SIDE.get(bond.GetStereo())
        if sign is None:
            continue
        ends = (bond.GetBeginAtom(), bond.GetEndAtom())
        ligands: list[int] = []
        for end, other, named in zip(ends, ends[::-1], bond.GetStereoAtoms(), strict=True):
            ligands += _beside(end, other.GetIdx(), named, is_merged)
        if len(ligands) == 4:
            found.append(Arrangement("axis", tuple(end.GetIdx() for end in ends), tuple(ligands), sign))
    return found


def _beside(end: Any, across: int, named: int, is_merged: list[bool]) -> list[int]:
    """Both ligands of one end of a double bond, the named one first."""
    at = end.GetIdx()
    others = [other.GetIdx() for other in end.GetNeighbors() if other.GetIdx() not in (across, named)]
    ligands = [~at if is_merged[other] else other for other in (named, *others)]
    ligands += [~at] * end.GetTotalNumHs()
    return ligands + [NOTHING] * (2 - len(ligands))
