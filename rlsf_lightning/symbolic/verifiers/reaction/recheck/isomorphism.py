"""Whether two molecules are the same, by RDKit's matching of one onto the other; and similarities by hand.

RDKit forgets marks of stereochemistry at symmetric places. For molecules with such marks there is no second opinion.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

from rdkit import Chem, DataStructs

from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.equality import same_molecule as graphs
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.chemistry.smiles_tokens import is_foreign

#: Rounds in which an atom's colour takes in those of its neighbours.
_ROUNDS = 8
_CENTRES = (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW)


@lru_cache(maxsize=4096)
def same_molecule(ours: str, theirs: str) -> bool:
    """Whether two SMILES spell one molecule, stereochemistry, isotopes and atom maps included."""
    if any(map(is_foreign, ours + theirs)):
        return False  # RDKit would drop such characters from the ends
    a, b = rdkit_io.parse(ours), rdkit_io.parse(theirs)
    if a is None or b is None:
        return False
    if not (_keeps_all_marks(ours, a) and _keeps_all_marks(theirs, b)):
        return graphs.same_molecule(ours, theirs)
    if a.GetNumBonds() != b.GetNumBonds():
        return False
    numbers: dict[Any, int] = {}
    if Counter(_colour(a, numbers)) != Counter(_colour(b, numbers)):
        return False
    return bool(a.HasSubstructMatch(b, useChirality=True) and b.HasSubstructMatch(a, useChirality=True))


def _keeps_all_marks(smiles: str, molecule: Any) -> bool:
    """Whether RDKit has kept every centre that is marked, and a double bond at every atom beside a direction mark."""
    read = read_smiles(smiles)
    centres = sum(atom.GetChiralTag() in _CENTRES for atom in molecule.GetAtoms())
    if centres != sum(atom.chirality != "" for atom in read.atoms):
        return False
    beside = {end for bond in read.bonds if bond.symbol in ("/", "\\") for end in (bond.first, bond.second)}
    doubles = [bond for bond in read.bonds if bond.symbol == "=" and beside & {bond.first, bond.second}]
    return len(doubles) == sum(bond.GetStereo() != Chem.BondStereo.STEREONONE for bond in molecule.GetBonds())


def similarity(ours: list[Any], theirs: list[Any]) -> float:
    """The Tanimoto similarity of the summed counts of fingerprints: their common part by all that either has."""
    a, b = _summed(ours), _summed(theirs)
    common = sum((a & b).values())
    return common / (sum(a.values()) + sum(b.values()) - common)


def _summed(fingerprints: list[DataStructs.UIntSparseIntVect]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for fingerprint in fingerprints:
        counts.update(fingerprint.GetNonzeroElements())
    return counts


def _colour(molecule: Any, numbers: dict[Any, int]) -> list[int]:
    """Give every atom a number by what it is and what surrounds it, as an isotope, which substructures must share.

    Equal things get equal numbers in all molecules that are given the same ``numbers``.
    """
    atoms = list(molecule.GetAtoms())
    colours = [
        numbers.setdefault(
            (
                atom.GetAtomicNum(),
                atom.GetFormalCharge(),
                atom.GetIsotope(),
                atom.GetTotalNumHs(),
                atom.GetAtomMapNum(),
                atom.GetNumRadicalElectrons(),
            ),
            len(numbers) + 1,
        )
        for atom in atoms
    ]
    for _ in range(_ROUNDS):
        around: list[list[tuple[str, int]]] = [[] for _ in atoms]
        for bond in molecule.GetBonds():
            a, b, kind = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), str(bond.GetBondType())
            around[a].append((kind, colours[b]))
            around[b].append((kind, colours[a]))
        colours = [
            numbers.setdefault((colour, tuple(sorted(near))), len(numbers) + 1)
            for colour, near in zip(colours, around, strict=True)
        ]
    for atom, colour in zip(atoms, colours, strict=True):
        atom.SetIsotope(colour)
    return colours
