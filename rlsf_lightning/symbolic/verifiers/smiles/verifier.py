"""SMILES against a reference molecule, with RDKit: what is wrong, at which characters, and where it was made.

Covered: every syntax error, valence and kekulisation error at its atom, forbidden elements; for a valid molecule that is
not the reference, the atoms and bonds outside the maximum common substructure and what is missing; the first dead
character (``viable``), and the token or the gap in which the reference was left. What RDKit would silently accept is
refused first: blanks and text after them, characters that are not ASCII, CXSMILES, no atoms. Strings are capped, so that
RDKit is safe inside the calling process.

Not covered: which marks of stereochemistry are wrong where more than ``stereo_difference.MAX_COMBINATIONS`` readings exist
(all are named), and the first dead character where the wrong one is of a kind that ``viable`` lets through.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.certificates import failed, issued, passed
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.elements import Elements
from rlsf_lightning.symbolic.chemistry.validity import INVALID_KINDS, Limits
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.smiles.check import KINDS, check
from rlsf_lightning.symbolic.verifiers.smiles.locate import locate
from rlsf_lightning.symbolic.verifiers.smiles.parse import parse
from rlsf_lightning.symbolic.verifiers.smiles.recheck import repeats, stands
from rlsf_lightning.symbolic.verifiers.smiles.task import Task, task_of
from rlsf_lightning.symbolic.verifiers.smiles.viable import first_dead, is_viable


class SmilesVerifier:
    """PASS when the completion spells the reference molecule in any way; without a reference, when it is a valid molecule.

    Molecular graphs are compared: stereochemistry, isotopes and atom maps count, hydrogens may be written as atoms. The
    score of another molecule is the Tanimoto similarity of Morgan counts (radius 2), 0 for what is no molecule. An
    unreadable reference, a mark of stereochemistry that no tool reads, or a failure of RDKit, is an abstention.

    Args:
        explain: for a valid but wrong molecule, find the atoms outside the maximum common substructure. Without it such
            a molecule gets one finding for the whole; ``dead_from`` is there in any case.
        mcs_seconds: of computing, that this may take. The search is bounded by its steps first (some 0.3 s), so that a
            certificate does not depend on the machine.
        max_chars: longer completions are not parsed; from 1 to 1000.
        allowed_elements: the symbols of the elements that a molecule may have, hydrogen always among them; all by default.
        forbidden_elements: the symbols of those that it may not have. A reference with such an atom is an abstention.
    """

    tool = "RDKit"
    version = rdkit_io.VERSION
    kinds = KINDS
    invalid_kinds = INVALID_KINDS
    #: The suite of metrics for its completions.
    metrics = "molecules"
    #: What decides on the split of a prompt with this reference.
    split_key = staticmethod(rdkit_io.split_key)

    def __init__(
        self,
        *,
        explain: bool = True,
        mcs_seconds: float = 2.0,
        max_chars: int = 500,
        allowed_elements: Sequence[str] | None = None,
        forbidden_elements: Sequence[str] = (),
    ) -> None:
        self.limits = Limits(max_chars, Elements(allowed_elements, forbidden_elements))
        if not mcs_seconds > 0:
            raise ValueError(f"mcs_seconds={mcs_seconds}: must be above 0 (explain=false leaves the search out)")
        self.explain, self.mcs_seconds = explain, mcs_seconds

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Never raises on a completion."""
        task = task_of(prompt)
        return issued(self.tool, self.version, lambda: self._judge(task, completion))

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether ``prefix``, or some continuation of it, passes; None: cannot tell. Blanks may stand around a SMILES."""
        return is_viable(prefix, task_of(prompt), self.limits)

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether a second run says the same, and plain loops and searches, without RDKit's verdict, agree with it."""
        if certificate.verdict is Verdict.ABSTAIN:
            return True
        again = self.verify(prompt, completion)
        return repeats(certificate, again) and stands(certificate, task_of(prompt), completion, self.limits)

    @rdkit_io.failing_as_tool()
    def _judge(self, task: Task, completion: str) -> Certificate:
        text, offset = stripped(completion)
        target = task.target(self.limits.elements)
        checked = check(parse(text, self.limits), target, self.mcs_seconds if self.explain else None)
        findings, witness = checked.findings, checked.witness
        if not findings:
            return passed(witness)
        dead = first_dead(text, target, self.limits)
        if self.explain and target is not None and dead is not None:
            findings, added = locate(findings, text, target, dead)
            if added is not None:
                witness["departure"] = [[place.start + offset, place.end + offset] for place in added]
        if dead is not None:
            dead = dead + offset if text else len(completion)
        return failed(findings, score=checked.score, dead_from=dead, witness=witness, offset=offset)
