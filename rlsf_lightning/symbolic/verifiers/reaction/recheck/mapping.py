"""A second opinion on how a component differs from its partner: plain loops over the mapping in the witness."""

from __future__ import annotations

import re
from typing import Any

from rdkit import Chem

from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles

#: A mark of stereochemistry.
MARK = re.compile(r"@@?|[/\\]")
#: The kinds that follow from a mapping.
DIFFERENCES = frozenset(
    "wrong_atoms missing_atoms wrong_bonds missing_bonds wrong_charge wrong_hydrogens other_molecule".split()
)
Place = tuple[int, int]


def differences_stand(mine: list[Finding], text: str, start: int, reference: str, witness: dict[str, Any]) -> bool:
    """Whether the findings on ``text``, which begins at ``start``, are those that the mapping calls for.

    Every place that a mapping makes wrong must be in a span of its kind, and every span must consist of such places.
    """
    if [finding.kind for finding in mine] == ["wrong_stereo"]:
        marks = {match.span() for match in MARK.finditer(text)}
        return "mapping" not in witness and all((s.start - start, s.end - start) in marks for s in mine[0].spans)
    ours, theirs = rdkit_io.parse_all_atoms(text), rdkit_io.parse_all_atoms(reference)
    mapping = witness.get("mapping")
    if ours is None or theirs is None or not isinstance(mapping, list):
        return False
    image = {i: j for i, j in mapping}
    if len(image) != len(mapping) or len(set(image.values())) != len(mapping):
        return False
    if not (image.keys() <= set(range(ours.GetNumAtoms())) and set(image.values()) <= set(range(theirs.GetNumAtoms()))):
        return False
    if any(ours.GetAtomWithIdx(i).GetSymbol() != theirs.GetAtomWithIdx(j).GetSymbol() for i, j in image.items()):
        return False
    missing = sorted(set(range(theirs.GetNumAtoms())) - set(image.values()))
    if witness.get("missing") != missing:
        return False
    expected = _expected(read_smiles(text), ours, theirs, image, missing)
    return _agree(mine, expected, start)


def _agree(mine: list[Finding], expected: dict[str, set[Place]], start: int) -> bool:
    if [finding.kind for finding in mine] == ["other_molecule"]:
        return not expected
    for finding in mine:
        places = expected.pop(finding.kind, None)
        if places is None:
            return False
        marked = {at - start for span in finding.spans for at in range(span.start, span.end)}
        if marked != {at for a, b in places for at in range(a, b)}:
            return False
    return not expected


def _expected(
    read: SmilesMap, ours: Any, theirs: Any, image: dict[int, int], missing: list[int]
) -> dict[str, set[Place]]:
    """kind -> the places that belong to it; nothing for a kind that is not called for."""
    found: dict[str, set[Place]] = {}
    atoms = [(atom.start, atom.end) for atom in read.atoms]
    extra = [i for i in range(ours.GetNumAtoms()) if i not in image and not _is_plain_hydrogen(ours.GetAtomWithIdx(i))]
    if extra:
        found["wrong_atoms"] = {atoms[i] for i in extra}
    if any(not _is_plain_hydrogen(theirs.GetAtomWithIdx(j)) for j in missing):
        found["missing_atoms"] = set()
    back = {j: i for i, j in image.items()}
    wrong = set()
    for bond in read.bonds:
        if bond.first in image and bond.second in image:
            order = _order(ours, bond.first, bond.second)
            if order != _order(theirs, image[bond.first], image[bond.second]):
                wrong |= set(bond.spans) or {atoms[bond.second]}
    if wrong:
        found["wrong_bonds"] = wrong
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in theirs.GetBonds()]
    if any(a in back and b in back and _order(ours, back[a], back[b]) is None for a, b in ends):
        found["missing_bonds"] = set()
    pairs = [(i, ours.GetAtomWithIdx(i), theirs.GetAtomWithIdx(j)) for i, j in image.items()]
    changed = {atoms[i] for i, a, b in pairs if _state(a) != _state(b)}
    if changed:
        found["wrong_charge"] = changed
    moved = {atoms[i] for i, a, b in pairs if _hydrogens(a) != _hydrogens(b)}
    return found or ({"wrong_hydrogens": moved} if moved else {})


def _is_plain_hydrogen(atom: Any) -> bool:
    """One that belongs to the heavy atom beside it; [H] alone, or a part of [H][H], is an atom like others."""
    return (
        atom.GetAtomicNum() == 1
        and not atom.GetIsotope()
        and not atom.GetFormalCharge()
        and [bond.GetBondType() for bond in atom.GetBonds()] == [Chem.BondType.SINGLE]
        and any(neighbour.GetAtomicNum() > 1 for neighbour in atom.GetNeighbors())
    )


def _order(molecule: Any, a: int, b: int) -> str | None:
    bond = molecule.GetBondBetweenAtoms(a, b)
    return None if bond is None else str(bond.GetBondType())


def _state(atom: Any) -> tuple[int, int, int]:
    return atom.GetFormalCharge(), atom.GetIsotope(), atom.GetAtomMapNum()


def _hydrogens(atom: Any) -> int:
    """Written as atoms or not."""
    return atom.GetTotalNumHs(includeNeighbors=True)
