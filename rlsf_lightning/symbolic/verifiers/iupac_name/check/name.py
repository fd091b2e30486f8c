"""Checks a name against a reference; of readable names of another molecule, nothing narrower than that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.compare import Target
from rlsf_lightning.symbolic.verifiers.iupac_name.check.doubt import check_racemate, check_unassigned
from rlsf_lightning.symbolic.verifiers.iupac_name.check.similarity import of_another
from rlsf_lightning.symbolic.verifiers.iupac_name.check.unreadable import MAX_MESSAGE, TOKEN_INDEX, unreadable
from rlsf_lightning.symbolic.verifiers.iupac_name.parse import Name, american
from rlsf_lightning.symbolic.verifiers.iupac_name.task import MAX_SMILES
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.server import NameServer


class Checked(NamedTuple):
    """A name without findings is right. ``molecule``: that of a readable name of another molecule."""

    findings: list[Finding]
    witness: dict[str, Any]
    score: float = 0.0
    molecule: Any = None


def check(name: Name, target: Target, server: NameServer, reach: Callable[[str], int]) -> Checked:
    """What is wrong with a name. ``reach`` asks OPSIN how far its grammar can follow a word.

    Raises ToolFailed where it cannot be told whether the name is one of the reference.
    """
    if name.mistakes:
        return Checked(name.mistakes, {})
    answer = name.answer
    if "smiles" not in answer:
        check_unassigned(name.text, answer, target, server)
        message = TOKEN_INDEX.sub("", answer["message"])[:MAX_MESSAGE]
        return Checked(unreadable(name.text, answer, reach), {"message": message})
    smiles, witness = answer["smiles"], {"smiles": answer["smiles"], "warnings": answer["warnings"]}
    if len(smiles) > MAX_SMILES:
        return _too_large(name, target, server, witness)
    molecule = rdkit_io.parse(smiles)
    if molecule is None:
        return Checked([Finding("impossible_molecule", "RDKit finds an impossible valence in it")], witness)
    canonical = rdkit_io.canonical(molecule)
    witness["canonical"] = canonical
    is_reference = target.is_spelt_by(smiles, canonical)
    if answer["relative"]:
        check_racemate(server.ask("lenient", american(name.text)[0])["extended"], target)
    if is_reference:
        return Checked([], witness, 1.0)
    other = Finding("other_molecule", "a readable name, but of another molecule")
    return Checked([other], witness, of_another(molecule, target), molecule)


def _too_large(name: Name, target: Target, server: NameServer, witness: dict[str, Any]) -> Checked:
    """A name of more atoms than the reference has, hydrogens included, is wrong; of no more, RDKit is not asked."""
    most = sum(1 + atom.GetTotalNumHs() for atom in target.molecule.GetAtoms())
    atoms, smiles = server.ask("parts", american(name.text)[0])["atoms"], witness["smiles"]
    if atoms <= most:
        raise ToolFailed(f"OPSIN's SMILES has {len(smiles)} characters, more than {MAX_SMILES}")
    finding = Finding("too_large", f"a molecule of {atoms} atoms; the reference has at most {most}")
    return Checked([finding], {**witness, "smiles": smiles[:MAX_SMILES]})
