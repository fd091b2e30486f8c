"""IUPAC names against a reference molecule, read by OPSIN: what is wrong, at which characters, and from where on it is dead.

Covered: the part that OPSIN cannot read, brackets without a partner, locants that its messages quote; for a readable name of
another molecule, the one token whose change gives the reference, else the tokens whose atoms lie outside the maximum
common substructure; the first character after which OPSIN's grammar knows no name (``viable``). OPSIN runs in a Java process of
its own, with limits of time and memory; names are capped, and control characters are refused, before it sees them.

Not covered: whether a name is the preferred one; what OPSIN does not know. Tautomers are different molecules here. An
ambiguous name ("dichlorobenzene") means what OPSIN takes it for; the witness says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Certificate, Edit, Prompt, Span
from rlsf_lightning.symbolic.certificates import failed, issued, passed
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.compare import Target
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.iupac_name.check import check
from rlsf_lightning.symbolic.verifiers.iupac_name.check.similarity import may_pass
from rlsf_lightning.symbolic.verifiers.iupac_name.locate import Locator
from rlsf_lightning.symbolic.verifiers.iupac_name.parse import parse
from rlsf_lightning.symbolic.verifiers.iupac_name.recheck import stands
from rlsf_lightning.symbolic.verifiers.iupac_name.task import Task, task_of
from rlsf_lightning.symbolic.verifiers.iupac_name.tool import opsin
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.server import NameServer
from rlsf_lightning.symbolic.verifiers.iupac_name.viable import Viability

TOOL = "OPSIN"
#: The kinds that mean "no molecule at all".
INVALID_KINDS = frozenset(
    "empty too_long bad_character uninterpretable unmatched_bracket contradiction impossible_molecule".split()
)
KINDS = INVALID_KINDS | frozenset(
    "wrong_token wrong_fragment wrong_bonds wrong_stereo missing_atoms too_large other_molecule".split()
)
#: OPSIN takes ever longer for longer names.
MAX_CHARS = 500


class IupacNameVerifier:
    """PASS when OPSIN reads the completion as the reference molecule; the reference is a SMILES.

    Molecules are compared by isomorphism that keeps stereochemistry; isotopes count. The score of another molecule is
    the Tanimoto similarity of Morgan counts (radius 2), 0 for what is no name. Abstentions are a reference that RDKit cannot
    read, a crash of OPSIN, a name that it does not finish, marks of stereochemistry that nothing here reads, the name of a
    racemate where the reference is one of its forms, and stereochemistry that OPSIN says it cannot assign, in a name that
    says nothing else than the reference.

    Args:
        explain: for a readable name of another molecule, say where it is wrong. Without it such a name gets one finding for
            the whole.
        tries: how many changes of one token are tried to that end, and for a name of no molecule of which OPSIN names no
            place; from 0 to 1000.
        mcs_seconds: of computing, that the search for the maximum common substructure may take; see ``smiles``.
        max_chars: longer names are not read; from 1 to 500.
        seconds: computing time of OPSIN for one name.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS
    tools = opsin.tools()
    #: What decides on the split of a prompt with this reference.
    split_key = staticmethod(rdkit_io.split_key)

    def __init__(
        self,
        *,
        explain: bool = True,
        tries: int = 60,
        mcs_seconds: float = 2.0,
        max_chars: int = 300,
        seconds: float = 3.0,
    ) -> None:
        if not 0 < max_chars <= MAX_CHARS:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to {MAX_CHARS} (OPSIN may hang beyond that)")
        if not seconds > 0:
            raise ValueError(f"seconds={seconds}: must be above 0")
        if not mcs_seconds > 0:
            raise ValueError(f"mcs_seconds={mcs_seconds}: must be above 0 (explain=false leaves the search out)")
        if not 0 <= tries <= 1000:
            raise ValueError(f"tries={tries}: must be from 0 to 1000")
        self.explain, self.tries, self.mcs_seconds = explain, tries, mcs_seconds
        self.max_chars, self.seconds = max_chars, seconds
        found = opsin.find()
        self.version = f"{found.version} + RDKit {rdkit_io.VERSION}"
        self._server = server = NameServer(found, seconds)
        self._reach = lru_cache(maxsize=1024)(lambda word: int(server.ask("reach", word)["reach"]))
        self._locator = Locator(server, tries, mcs_seconds)
        self._viability = Viability(max_chars, self._reach)

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError for wrong facts, never for the completion."""
        task = task_of(prompt)
        return issued(TOOL, self.version, lambda: self._judge(task, completion))

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether some continuation of ``prefix`` passes: False is certain, None means that it is not known.

        Raises ToolFailed where OPSIN crashes.
        """
        task = task_of(prompt)
        return False if self._viability.is_dead(prefix, lambda text: self._may_pass(text, task.target)) else None

    def repairs(self, certificate: Certificate, prompt: Prompt, completion: str) -> Iterator[tuple[Edit, ...]]:
        """The single changes after which OPSIN reads the reference, where the certificate names some."""
        offset = stripped(completion)[1]
        for start, end, new, _ in (r for r in certificate.witness.get("repairs", ()) if r[3] == 1.0):
            yield (Edit(Span(start + offset, end + offset), new),)

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether nothing is found against a certificate.

        Independent of ``verify``: OPSIN's public interface says what a name means; molecules are compared by InChI and
        plain loops; changes are made and read again. Not independent: OPSIN's tokens, how far its grammar goes, and which
        tokens a mapping of atoms blames.
        """
        task = task_of(prompt)
        return stands(
            certificate, task, completion, self._server, self.max_chars, lambda prefix: self.viable(prompt, prefix)
        )

    def _judge(self, task: Task, completion: str) -> Certificate:
        if task.target is None:
            raise ToolFailed("RDKit cannot read the reference")
        try:
            return self._certificate(task.target, completion)
        except RuntimeError as error:  # what RDKit raises when an invariant of its own fails
            raise ToolFailed(str(error)) from None

    def _certificate(self, target: Target, completion: str) -> Certificate:
        text, offset = stripped(completion)
        name = parse(text, self.max_chars, self._server)
        checked = check(name, target, self._server, self._reach)
        if not checked.findings:
            return passed(checked.witness)
        if self.explain:
            checked = self._locator.locate(name, checked, target)
        dead = None
        if not name.is_followed:
            dead = self._viability.dead_from(completion, lambda text: self._may_pass(text, target))
        return failed(checked.findings, score=checked.score, dead_from=dead, witness=checked.witness, offset=offset)

    def _may_pass(self, text: str, target: Target | None) -> bool:
        return may_pass(text, target, self.max_chars, self._server)
