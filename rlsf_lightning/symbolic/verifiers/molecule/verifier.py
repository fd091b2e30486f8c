"""SMILES of any molecule of which everything is true that a description states: groups, rings, elements, formula ...

Covered: all that keeps a string from being a valid molecule, as in the verifier ``smiles``; stated facts that do not hold,
what is in excess at its atoms, what is missing for the whole; beginnings that are dead for certain (syntax, forbidden
elements, more atoms, rings, fragments or hydrogens than the facts allow).

Not covered: the place of something that is missing where no single change of one atom, branch or bond mends it; which of
several equal groups is the one too many (all are named); beginnings that die because a group can no longer be made or avoided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from rlsf_lightning.records import Certificate, Edit, Prompt, Span, Verdict
from rlsf_lightning.symbolic.certificates import failed, issued, passed, repeats
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.elements import Elements
from rlsf_lightning.symbolic.chemistry.validity import INVALID_KINDS, Limits
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.molecule.check import KINDS, check, passes
from rlsf_lightning.symbolic.verifiers.molecule.parse import parse
from rlsf_lightning.symbolic.verifiers.molecule.recheck import stands
from rlsf_lightning.symbolic.verifiers.molecule.repair import repair
from rlsf_lightning.symbolic.verifiers.molecule.task import Task, task_of
from rlsf_lightning.symbolic.verifiers.molecule.viable import first_dead, is_viable


class MoleculeVerifier:
    """PASS when the completion is a valid molecule of which every fact in ``prompt.facts["facts"]`` is true (see ``facts``).

    The score is the share of facts that hold, 0 for what is no molecule. The witness has, for every fact, whether it holds,
    what was found, and the atoms of each occurrence, counted as they are written. A reference is not looked at.

    Args:
        explain: for a parenthesis or a ring number without its partner, find where putting that in makes all facts true,
            and for what is missing, or a molecule that is too heavy, where another element does, or leaving something out.
        max_chars: longer completions are not parsed; from 1 to 1000.
        allowed_elements: the symbols of the elements that a molecule may have, hydrogen always among them; all by default.
        forbidden_elements: the symbols of those that it may not have.
    """

    tool = "RDKit"
    version = rdkit_io.VERSION
    kinds = KINDS
    invalid_kinds = INVALID_KINDS
    #: The suite of metrics for its completions.
    metrics = "described_molecules"
    #: What decides on the split of a prompt with this reference.
    split_key = staticmethod(rdkit_io.split_key)

    def __init__(
        self,
        *,
        explain: bool = True,
        max_chars: int = 500,
        allowed_elements: Sequence[str] | None = None,
        forbidden_elements: Sequence[str] = (),
    ) -> None:
        self.limits = Limits(max_chars, Elements(allowed_elements, forbidden_elements))
        self.explain = explain

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError for wrong facts, never for the completion."""
        task = task_of(prompt)
        return issued(self.tool, self.version, lambda: self._judge(task, completion))

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """False: no continuation of ``prefix`` passes. True: one was found that does. None: cannot tell."""
        return is_viable(prefix, task_of(prompt), self.limits)

    def repairs(self, certificate: Certificate, prompt: Prompt, completion: str) -> Iterator[tuple[Edit, ...]]:
        """The single changes that make all facts true, where the certificate names some."""
        for start, end, new in certificate.witness.get("mended", ()):
            yield (Edit(Span(start, end), new),)

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether a second run says the same, and a second count, on a graph read without RDKit, agrees."""
        if certificate.verdict is Verdict.ABSTAIN:
            return True
        if not repeats(certificate, self.verify(prompt, completion)):
            return False
        return stands(certificate, task_of(prompt), completion, self.limits, partial(self._confirms, prompt))

    def _confirms(self, prompt: Prompt, completion: str) -> bool:
        """Whether a completion passes, and that stands a recheck."""
        certificate = self.verify(prompt, completion)
        return certificate.verdict is Verdict.PASS and self.recheck(certificate, prompt, completion)

    @rdkit_io.failing_as_tool()
    def _judge(self, task: Task, completion: str) -> Certificate:
        text, offset = stripped(completion)
        checked = check(parse(text, self.limits), task)
        if not checked.findings:
            return passed(checked.witness)
        if self.explain:
            checked = repair(checked, text, offset, task, partial(passes, task=task, limits=self.limits))
        dead = first_dead(text, task, self.limits)
        if dead is not None:
            dead = dead + offset if text else len(completion)
        return failed(checked.findings, score=checked.score, dead_from=dead, witness=checked.witness, offset=offset)
