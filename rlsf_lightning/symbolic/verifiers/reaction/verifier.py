"""Reactions: the products of given reactants, or reactants for a given product, against a reference.

An answer is SMILES components between dots, in any order. Stretches that a ring number bonds across a dot (``CC1=O.N1C``) are
one component. Covered: in every component what the verifier of SMILES covers;
components too many or missing; atoms that the reactants cannot supply, elements of the product that no reactant has, and
charge, by the element ledger of both sides; the first dead character (``viable``).

With ``round_trip``, reactants from which a named reaction certainly leads to the product are right as well.

Not covered: whether a reaction would run; another right answer than the reference and those of named reactions; right
components one of which stands within another (``C1.O.C1``), which are an abstention.
"""

from __future__ import annotations

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Certificate, Prompt
from rlsf_lightning.symbolic.certificates import failed, issued, passed
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.validity import check_max_chars
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.reaction.check import INVALID_KINDS, KINDS, check
from rlsf_lightning.symbolic.verifiers.reaction.check.round_trip import is_tried, no_reaction, round_trip
from rlsf_lightning.symbolic.verifiers.reaction.locate import dead_end
from rlsf_lightning.symbolic.verifiers.reaction.parse import parse, sides_of
from rlsf_lightning.symbolic.verifiers.reaction.recheck import stands
from rlsf_lightning.symbolic.verifiers.reaction.repair import superfluous
from rlsf_lightning.symbolic.verifiers.reaction.task import Task, task_of
from rlsf_lightning.symbolic.verifiers.reaction.viable import first_dead, is_viable


class ReactionVerifier:
    """PASS when the answer has the components of the reference, each as often, in any order and spelling.

    Facts of a prompt: ``direction``, forward or retro, and the given side as SMILES, ``reactants`` (reagents
    included) or ``product``. Components are compared as ``smiles`` does, as often as they stand there: a reference names
    each component as often as it means it, and a policy should not be free to repeat itself. The score of other molecules is
    the Tanimoto similarity of the Morgan counts (radius 2) of all components together, 0 where one is no molecule. A
    reference or given side that RDKit cannot read, or a failure of RDKit, is an abstention.

    Args:
        explain: find the atoms outside the maximum common substructure of each wrong component and its nearest partner in
            the reference. Without it the place of such a component is the whole of it.
        mcs_seconds: of computing, that this may take for all components together; see ``smiles``.
        max_chars: longer completions are not parsed; from 1 to 1000.
        round_trip: retro only: reactants are right too where one of the named reactions (``chemistry/reactions``; the fact
            ``reactions`` names some of them) makes the product of them and of nothing else. Where another product is possible,
            or the stereochemistry is not certain, that is an abstention.
    """

    tool = "RDKit"
    version = rdkit_io.VERSION
    kinds = KINDS
    invalid_kinds = INVALID_KINDS
    #: What decides on the split of a prompt with this reference.
    split_key = staticmethod(rdkit_io.split_key)

    def __init__(
        self, *, explain: bool = True, mcs_seconds: float = 2.0, max_chars: int = 500, round_trip: bool = False
    ) -> None:
        check_max_chars(max_chars)
        if not mcs_seconds > 0:
            raise ValueError(f"mcs_seconds={mcs_seconds}: must be above 0 (explain=false leaves the search out)")
        self.explain, self.mcs_seconds, self.max_chars, self.round_trip = explain, mcs_seconds, max_chars, round_trip

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError for wrong facts, never for the completion."""
        task = task_of(prompt, self.round_trip)
        return issued(self.tool, self.version, lambda: self._judge(task, completion))

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether ``prefix``, or some continuation of it, passes; None: cannot tell. Blanks may stand around an answer."""
        return is_viable(prefix, task_of(prompt, self.round_trip), self.max_chars)

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether a certificate stands, by other means than those that made it (see ``recheck``)."""
        return stands(certificate, task_of(prompt, self.round_trip), completion, self.max_chars)

    @rdkit_io.failing_as_tool()
    def _judge(self, task: Task, completion: str) -> Certificate:
        text, offset = stripped(completion)
        sides = sides_of(task)
        parsed = parse(text, self.max_chars)
        checked = check(parsed, sides, self.mcs_seconds if self.explain else 0.0)
        findings = checked.findings
        if not findings:
            return passed(checked.witness)
        trip = round_trip(parsed.components, sides)
        if trip.reaction is not None:
            return passed({"round_trip": trip.reaction})
        if trip.doubt is not None:
            raise ToolFailed(f"not decided: {trip.doubt}")
        dead = first_dead(text, sides, self.max_chars)
        if checked.matched:
            findings += superfluous(checked.matched, sides, dead) if self.explain else []
            findings += dead_end(findings, dead, text) if not sides.reactions else []
        findings += [no_reaction()] if is_tried(parsed.components, sides) else []
        dead = len(completion) if not text else None if dead is None else dead + offset
        return failed(findings, score=checked.score, dead_from=dead, witness=checked.witness, offset=offset)
