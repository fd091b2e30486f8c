"""Reactions: the products of given reactants, or reactants for a given product, against a reference.

An answer is SMILES components between dots, in any order, each a SMILES by itself: a ring or a branch that is open at a
dot is a mistake, though RDKit would bond across it. Covered: in every component what the verifier of SMILES covers;
components too many or missing; atoms that the reactants cannot supply, elements of the product that no reactant has, and
charge, by the element ledger of both sides; the first dead character (``viable``).

Not covered: whether a reaction would run; another right answer than the reference.
"""

from __future__ import annotations

import time
from typing import Any

from rdkit import DataStructs

from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Prompt, Verdict
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.spans import bounded, is_bad, shifted
from rlsf_lightning.symbolic.chemistry.syntax_viability import first_dead
from rlsf_lightning.symbolic.chemistry.validity import illegible
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.reaction import ledger
from rlsf_lightning.symbolic.verifiers.reaction.matching import (
    Matched,
    charge_imbalance,
    explain,
    match,
    unsupplied_atoms,
)
from rlsf_lightning.symbolic.verifiers.reaction.places import dead_end, superfluous
from rlsf_lightning.symbolic.verifiers.reaction.recheck import stands
from rlsf_lightning.symbolic.verifiers.reaction.task import Task, task_of
from rlsf_lightning.symbolic.verifiers.reaction.viable import first_dead_of, is_viable_answer
from rlsf_lightning.symbolic.verifiers.smiles.verifier import INVALID_KINDS as INVALID_COMPONENT
from rlsf_lightning.symbolic.verifiers.smiles.verifier import check_max_chars

#: The kinds that mean "no molecules at all, or not only".
INVALID_KINDS = INVALID_COMPONENT | {"empty_component"}
KINDS = INVALID_KINDS | frozenset(
    "wrong_atoms wrong_bonds wrong_charge wrong_hydrogens wrong_stereo missing_atoms missing_bonds other_molecule "
    "dead_end superfluous extra_component missing_component unsupplied_atoms element_imbalance charge_imbalance".split()
)


class ReactionVerifier:
    """PASS when the answer has the components of the reference, each as often, in any order and spelling.

    Facts of a prompt: ``direction``, forward or retro, and the given side as SMILES, ``reactants`` (reagents
    included) or ``product``. Components are compared by canonical SMILES, as often as they stand there: a reference names
    each component as often as it means it, and a policy should not be free to repeat itself. The score of other molecules is
    the Tanimoto similarity of the Morgan counts (radius 2) of all components together, 0 where one is no molecule. A
    reference or given side that RDKit cannot read, or a failure of RDKit, is an abstention.

    Args:
        explain: find the atoms outside the maximum common substructure of each wrong component and its nearest partner in
            the reference. Without it such a component is blamed as a whole.
        mcs_seconds: of computing, that this may take for all components together; see ``smiles``.
        max_chars: longer completions are not parsed; from 1 to 1000.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS

    def __init__(self, *, explain: bool = True, mcs_seconds: float = 2.0, max_chars: int = 500) -> None:
        check_max_chars(max_chars)
        if not mcs_seconds > 0:
            raise ValueError(f"mcs_seconds={mcs_seconds}: must be above 0 (explain=false leaves the search out)")
        self.explain, self.mcs_seconds, self.max_chars = explain, mcs_seconds, max_chars

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError for the prompt, never for a completion."""
        task = task_of(prompt)
        start = time.perf_counter()
        try:
            fields = self._judge(task, completion)
        except RuntimeError as error:  # what RDKit raises when an invariant of its own fails
            fields = {"verdict": Verdict.ABSTAIN, "witness": {"error": f"RDKit: {error}"[:500]}}
        seconds = time.perf_counter() - start
        return Certificate(tool="RDKit", version=rdkit_io.VERSION, seconds=seconds, **fields)

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether ``prefix``, or some continuation of it, passes; None: cannot tell. Blanks may stand around an answer."""
        task = task_of(prompt)
        text = prefix.lstrip()
        core = text.rstrip()
        if len(core) > self.max_chars or any(is_bad(character) for character in core):
            return False
        if isinstance(task, str):
            return None
        return self._passes(task, core) if len(core) < len(text) else is_viable_answer(task, core)

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether a certificate stands, by other means than those that made it (see ``recheck``)."""
        return stands(certificate, prompt, completion, self)

    def _judge(self, task: Task | str, completion: str) -> dict[str, Any]:
        """The certificate's fields."""
        if isinstance(task, str):
            return {"verdict": Verdict.ABSTAIN, "witness": {"error": task}}
        text, offset = stripped(completion)
        findings, score = illegible(text, self.max_chars), 0.0
        witness: dict[str, Any] = {}
        matched: list[Matched] = []
        if not findings:
            matched = match(text, task)
            explained = explain(matched, task, self.mcs_seconds if self.explain else 0.0)
            findings, witness["components"] = explained.findings, explained.witness
            if all(one.known is not None for one in matched):
                books = self._books(matched, task)
                witness["ledger"] = ledger.as_json(*books)
                findings += _imbalance(task, books, explained.free)
                score = _similarity(matched, task)
        if not findings:
            return {"verdict": Verdict.PASS, "score": 1.0, "witness": witness}
        dead = first_dead(text, self.max_chars, lambda t: first_dead_of(task, t), lambda t: self._passes(task, t))
        if witness:
            findings += superfluous(matched, task, dead) if self.explain else []
            findings += dead_end(findings, dead, text)
        return {
            "verdict": Verdict.FAIL,
            "findings": shifted(bounded(findings), offset),
            "score": score,
            "dead_from": len(completion) if not text else None if dead is None else dead + offset,
            "witness": witness,
        }

    def _books(self, matched: list[Matched], task: Task) -> tuple[ledger.Ledger, ledger.Ledger, ledger.Ledger]:
        answer = ledger.total(ledger.ledger_of(one.known.molecule) for one in matched if one.known is not None)
        return task.given, task.wanted_ledger, answer

    def _passes(self, task: Task, text: str) -> bool:
        if illegible(text, self.max_chars):
            return False
        matched = match(text, task)
        return len(matched) == len(task.wanted) and all(one.equal for one in matched)


def _imbalance(task: Task, books: tuple[ledger.Ledger, ledger.Ledger, ledger.Ledger], free: Any) -> list[Finding]:
    """What the books of both sides say against the answer."""
    if task.direction == "forward":
        findings = unsupplied_atoms(ledger.unsupplied(*books), free)
    else:
        findings = ledger.element_imbalance(ledger.unprovided(*books))
    return findings + charge_imbalance(ledger.unbalanced_charge(*books), free)


def _similarity(matched: list[Matched], task: Task) -> float:
    """The Tanimoto similarity of both sides as mixtures: the counts of a mixture are the sums of those of its parts."""
    ours, *more = [one.known.fingerprint for one in matched if one.known is not None]
    theirs, *others = [target.fingerprint for target in task.wanted]
    for fingerprint in more:
        ours = ours + fingerprint
    for fingerprint in others:
        theirs = theirs + fingerprint
    return min(MOST_WITHOUT_PASS, DataStructs.TanimotoSimilarity(ours, theirs))
