"""Similarity of a molecule to the reference."""

from __future__ import annotations

from typing import Any

from rdkit import DataStructs

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import MOST_WITHOUT_PASS
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.compare import Target, fingerprint
from rlsf_lightning.symbolic.verifiers.iupac_name.parse import american, illegible
from rlsf_lightning.symbolic.verifiers.iupac_name.task import MAX_SMILES
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.server import NameServer


def is_reference(smiles: str, molecule: Any, target: Target) -> bool | None:
    """Whether ``molecule``, written as ``smiles``, is the reference; None: cannot tell."""
    try:
        return target.is_spelt_by(smiles, rdkit_io.canonical(molecule))
    except ToolFailed:
        return None


def similarity(smiles: str, target: Target) -> float:
    """The Tanimoto similarity of Morgan counts; 1 is the reference and it alone, 0 also what is no molecule."""
    molecule = rdkit_io.parse(smiles) if 0 < len(smiles) <= MAX_SMILES else None
    if molecule is None:
        return 0.0
    return 1.0 if is_reference(smiles, molecule, target) else of_another(molecule, target)


def of_another(molecule: Any, target: Target) -> float:
    """The similarity of a molecule that is not the reference."""
    return float(min(MOST_WITHOUT_PASS, DataStructs.TanimotoSimilarity(fingerprint(molecule), target.fingerprint)))


def may_pass(text: str, target: Target | None, max_chars: int, server: NameServer) -> bool:
    """Whether a text is a name of the reference, or it cannot be told."""
    if target is None or illegible(text, max_chars):
        return False
    smiles = server.ask("plain", american(text)[0])["smiles"][0]
    molecule = rdkit_io.parse(smiles) if 0 < len(smiles) <= MAX_SMILES else None
    return molecule is not None and is_reference(smiles, molecule, target) is not False
