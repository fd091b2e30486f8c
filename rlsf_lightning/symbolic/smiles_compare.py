"""Where a valid molecule differs from the reference: the maximum common substructure, within a time limit."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from rdkit import Chem
from rdkit.Chem import rdFMCS

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic import smiles_rdkit
from rlsf_lightning.symbolic.smiles_map import read_smiles


class Comparison(NamedTuple):
    """``witness["mapping"]``: pairs (atom as written, atom of the reference), both from 0."""

    findings: list[Finding]
    witness: dict[str, Any]


class _Clock(rdFMCS.MCSProgress):
    """Ends the search: RDKit's own time limit takes whole seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.end = time.monotonic() + seconds

    def __call__(self, state: Any, parameters: Any) -> bool:
        return time.monotonic() < self.end


def compare(text: str, reference: Any, seconds: float) -> Comparison:
    """The atoms of ``text`` (a valid SMILES) outside what it shares with ``reference``, and what is missing."""
    written = smiles_rdkit.parse_all_atoms(text)
    assert written is not None, f"not a valid SMILES: {text!r}"
    for atom in written.GetAtoms():
        atom.SetIntProp("written", atom.GetIdx())
    with smiles_rdkit.quiet():
        molecule = Chem.RemoveHs(written)
    pairs, is_complete = _common(molecule, reference, seconds)
    index = [atom.GetIntProp("written") for atom in molecule.GetAtoms()]
    spans = [Span(atom.start, atom.end) for atom in read_smiles(text).atoms]
    mapped, met = {i for i, _ in pairs}, {j for _, j in pairs}
    wrong = [i for i in range(molecule.GetNumAtoms()) if i not in mapped]
    missing = [j for j in range(reference.GetNumAtoms()) if j not in met]
    findings = []
    if not wrong and not missing:
        wrong = [i for i, j in pairs if _state(molecule.GetAtomWithIdx(i)) != _state(reference.GetAtomWithIdx(j))]
        pairs = [(i, j) for i, j in pairs if i not in wrong]
    if wrong:
        where = tuple(spans[index[i]] for i in wrong)
        findings.append(Finding("wrong_atoms", f"{len(wrong)} atoms are not as in the reference", where))
    if missing:
        symbols = " ".join(reference.GetAtomWithIdx(j).GetSymbol() for j in missing[:20])
        findings.append(Finding("missing_atoms", f"{len(missing)} atoms of the reference are missing: {symbols}"))
    if not findings:
        same = Chem.MolToSmiles(molecule, isomericSmiles=False) == Chem.MolToSmiles(reference, isomericSmiles=False)
        kind, what = ("wrong_stereo", "stereochemistry") if same else ("other_molecule", "bonds")
        findings.append(Finding(kind, f"the same atoms, but other {what}"))
    witness = {"mapping": [[index[i], j] for i, j in pairs], "search_complete": is_complete}
    return Comparison(findings, witness)


def _state(atom: Any) -> tuple[int, int, int]:
    return atom.GetFormalCharge(), atom.GetTotalNumHs(), atom.GetIsotope()


def _common(molecule: Any, reference: Any, seconds: float) -> tuple[list[tuple[int, int]], bool]:
    """Pairs of atoms of the largest common substructure that was found, and whether the search came to its end."""
    parameters = rdFMCS.MCSParameters()
    parameters.AtomTyper = rdFMCS.AtomCompare.CompareElements
    parameters.BondTyper = rdFMCS.BondCompare.CompareOrder
    parameters.BondCompareParameters.RingMatchesRingOnly = True
    clock = _Clock(seconds)  # RDKit holds no reference of its own
    parameters.ProgressCallback = clock
    with smiles_rdkit.quiet():
        found = rdFMCS.FindMCS([molecule, reference], parameters)
        if not found.numAtoms:
            return [], not found.canceled
        pattern = Chem.MolFromSmarts(found.smartsString)
        ours, theirs = molecule.GetSubstructMatch(pattern), reference.GetSubstructMatch(pattern)
    return list(zip(ours, theirs, strict=True)), not found.canceled
