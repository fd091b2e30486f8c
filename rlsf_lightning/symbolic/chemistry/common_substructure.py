"""The maximum common substructure of two molecules, bounded in steps and, behind these, in computing time.

Atoms are numbered as they are written: hydrogens that are merged into heavy atoms leave gaps.
"""

from __future__ import annotations

import time
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdFMCS

from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap

_WRITTEN = "written"  # atom property: the atom's place among those of the string
#: In larger molecules no common substructure is looked for: the search looks at its clock too rarely.
MAX_ATOMS = 120
#: Nor in those with more rings, in which a single step may take a second.
MAX_RINGS = 12
#: Steps of the search: of 250 pairs of real molecules that share next to nothing, the hardest took 1,925.
MAX_STEPS = 2_000

#: (atom of the one, atom of the other), as they are numbered.
Pairs = list[tuple[int, int]]


def numbered(smiles: str) -> Any:
    """The molecule of a valid SMILES; its atoms know their number (``number_of``)."""
    molecule = rdkit_io.parse_all_atoms(smiles)
    assert molecule is not None, f"not a valid SMILES: {smiles!r}"
    for atom in rdkit_io.atoms_of(molecule):
        atom.SetIntProp(_WRITTEN, atom.GetIdx())
    return rdkit_io.merged(molecule)


def written_numbers(text: str, molecule: Any, read: SmilesMap) -> list[int]:
    """For each atom of ``molecule``, which is the sanitised ``text``, its place among those that are written."""
    if molecule.GetNumAtoms() == len(read.atoms):
        return list(range(len(read.atoms)))
    return [number_of(atom) for atom in rdkit_io.atoms_of(numbered(text))]


def is_large(molecule: Any) -> bool:
    """Whether the search would take too long."""
    return molecule.GetNumAtoms() > MAX_ATOMS or molecule.GetNumBonds() - molecule.GetNumAtoms() >= MAX_RINGS


def number_of(atom: Any) -> int:
    """Its place among those that are written."""
    return int(atom.GetIntProp(_WRITTEN))


class _Clock(rdFMCS.MCSProgress):
    """Ends the search after so many steps: RDKit's own limit is one of time, and in whole seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.steps, self.too_late = MAX_STEPS, False
        self.end = time.thread_time() + seconds  # computed by this thread: others may be busy

    def __call__(self, state: Any, parameters: Any) -> bool:
        self.steps -= 1
        self.too_late |= time.thread_time() > self.end
        return self.steps > 0 and not self.too_late


def common_substructure(molecule: Any, reference: Any, seconds: float) -> tuple[Pairs | None, bool]:
    """The atoms that match, and whether the search came to its end; None if the clock ended it.

    A common substructure is connected, so equal fragments are paired first and the rest is searched.
    """
    pairs: Pairs = []
    rest, reference_rest = [], list(Chem.GetMolFrags(reference, asMols=True))
    for fragment in Chem.GetMolFrags(molecule, asMols=True):
        canonical = rdkit_io.canonical(fragment)
        equal = next((other for other in reference_rest if rdkit_io.canonical(other) == canonical), None)
        if equal is None:
            rest.append(fragment)
            continue
        reference_rest.remove(equal)
        pairs += _match(fragment, equal, fragment)
    if not rest or not reference_rest:
        return pairs, True
    ours, theirs = _combined(rest), _combined(reference_rest)
    parameters = rdFMCS.MCSParameters()
    parameters.AtomTyper = rdFMCS.AtomCompare.CompareElements
    parameters.BondTyper = rdFMCS.BondCompare.CompareOrder
    clock = _Clock(seconds)  # RDKit holds no reference of its own
    parameters.ProgressCallback = clock
    with rdkit_io.quiet():
        found = rdFMCS.FindMCS([ours, theirs], parameters)
        if found.numAtoms:
            pairs += _match(ours, theirs, Chem.MolFromSmarts(found.smartsString))
    return None if clock.too_late else pairs, not found.canceled


def _combined(fragments: list[Any]) -> Any:
    whole = fragments[0]
    for fragment in fragments[1:]:
        whole = Chem.CombineMols(whole, fragment)
    Chem.FastFindRings(whole)
    return whole


def _match(ours: Any, theirs: Any, pattern: Any) -> Pairs:
    """The atoms that a common pattern lies on; none if it is not found in both."""
    places = ours.GetSubstructMatch(pattern), theirs.GetSubstructMatch(pattern)
    if not all(places):
        return []
    return [
        (number_of(ours.GetAtomWithIdx(i)), number_of(theirs.GetAtomWithIdx(j))) for i, j in zip(*places, strict=True)
    ]
