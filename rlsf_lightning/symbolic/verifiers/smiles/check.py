"""Checks a SMILES for a task: whether it is a molecule, the reference if there is one, and made of real atoms."""

from __future__ import annotations

from typing import Any, NamedTuple

from rdkit import DataStructs

from rlsf_lightning.records import MOST_WITHOUT_PASS, Finding
from rlsf_lightning.symbolic.chemistry.compare import Target, compare, fingerprint
from rlsf_lightning.symbolic.chemistry.validity import INVALID_KINDS, wildcards_and_radicals
from rlsf_lightning.symbolic.verifiers.smiles.parse import Parsed

KINDS = INVALID_KINDS | frozenset(
    "forbidden_atom wildcard radical wrong_atoms wrong_bonds wrong_charge wrong_hydrogens wrong_stereo missing_atoms "
    "missing_bonds other_molecule".split()
)


class Checked(NamedTuple):
    """``findings``: none where it is right; ``score``: of what is wrong."""

    findings: list[Finding]
    score: float
    witness: dict[str, Any]


def check(parsed: Parsed, target: Target | None, mcs_seconds: float | None) -> Checked:
    """The findings of a SMILES, spans of its text; ``mcs_seconds`` of computing explain another molecule, None: not at all.

    The score of another molecule is the Tanimoto similarity of Morgan counts (radius 2), 0 for what is no molecule.
    Raises ToolFailed where it cannot be told whether it is the reference.
    """
    canonical = parsed.canonical
    if canonical is None:
        return Checked(parsed.findings, 0.0, {})
    witness: dict[str, Any] = {"canonical": canonical}
    if target is None:
        return Checked(parsed.findings + wildcards_and_radicals(parsed.text, parsed.molecule), 0.0, witness)
    if target.is_spelt_by(parsed.text, canonical):
        return Checked(parsed.findings, 0.0, witness)
    differences = [Finding("other_molecule", "a valid molecule, but not the reference")]
    if mcs_seconds is not None:
        differences, further = compare(parsed.text, target, mcs_seconds)
        witness |= further
    similarity = DataStructs.TanimotoSimilarity(fingerprint(parsed.molecule), target.fingerprint)
    return Checked(parsed.findings + differences, min(MOST_WITHOUT_PASS, similarity), witness)
