"""Rechecks a certificate on a SMILES: by plain loops over the text, and by embedding what passes in the reference.

Independent of ``verify``: that findings show what they say, that a mapping keeps elements and bonds, and that what passes has
the reference's atoms and embeds in it. Not independent: valences beside those of carbon, oxygen and fluorine,
kekulisation, that a substructure is the largest; for these the verifier has to say the same again.
"""

from __future__ import annotations

from rlsf_lightning.records import Certificate, Verdict
from rlsf_lightning.symbolic import certificates
from rlsf_lightning.symbolic.chemistry.crosscheck import agrees_with_text, dead_from_stands
from rlsf_lightning.symbolic.chemistry.embedding.reference import known_reference
from rlsf_lightning.symbolic.chemistry.embedding.viable import find_death
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.chemistry.validity import Limits
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.smiles.task import Task
from rlsf_lightning.symbolic.verifiers.smiles.viable import is_viable


def stands(certificate: Certificate, task: Task, completion: str, limits: Limits) -> bool:
    """Whether nothing is found against a certificate that a second run repeats."""
    text, offset = stripped(completion)
    if len(text) > limits.max_chars:
        return [finding.kind for finding in certificate.findings] == ["too_long"]
    target = task.target(limits.elements)
    if not agrees_with_text(certificate, text, offset, None if target is None else target.smiles):
        return False
    if target is not None and certificate.verdict is Verdict.PASS:
        # The search finds the whole reference, too; it does not see hydrogens that are written as atoms.
        has_hydrogens = any(atom.symbol == "H" for atom in read_smiles(text).atoms)
        return has_hydrogens or find_death(known_reference(target.smiles), text).at is None
    dead = certificate.dead_from
    return dead is None or dead_from_stands(dead, completion, lambda prefix: is_viable(prefix, task, limits))


def repeats(certificate: Certificate, again: Certificate) -> bool:
    """Whether a second run says the same; of a comparison that the clock ended in one of them, the rest."""
    if any("search_complete" in each.witness and "mapping" not in each.witness for each in (certificate, again)):
        kept = ("verdict", "score", "dead_from", "tool", "version")
        return all(getattr(certificate, name) == getattr(again, name) for name in kept)
    return certificates.repeats(certificate, again)
