"""SMILES of any molecule of which everything is true that a description states: groups, rings, elements, formula ...

Covered: all that keeps a string from being a valid molecule, as in the verifier ``smiles``; stated facts that do not hold,
what is in excess at its atoms, what is missing for the whole; beginnings that are dead for certain (syntax, forbidden
elements, more atoms, rings, fragments or hydrogens than the facts allow).

Not covered: the place of something that is missing where no single change of one atom, branch or bond mends it; which of
several equal groups is the one too many (all are named); beginnings that die because a group can no longer be made or avoided.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from rdkit import Chem

from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.compare import written_numbers
from rlsf_lightning.symbolic.chemistry.elements import Elements
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.chemistry.spans import bounded, is_bad, shifted
from rlsf_lightning.symbolic.chemistry.syntax_viability import certainly_dead_from, first_dead
from rlsf_lightning.symbolic.chemistry.validity import odd_atoms, sound, unsound
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.molecule import differences
from rlsf_lightning.symbolic.verifiers.molecule.budget import Budget
from rlsf_lightning.symbolic.verifiers.molecule.endings import attempts
from rlsf_lightning.symbolic.verifiers.molecule.facts import Fact, facts_of
from rlsf_lightning.symbolic.verifiers.molecule.measure import measure
from rlsf_lightning.symbolic.verifiers.molecule.mending import MAX_CHANGES, MAX_PLACES, mended
from rlsf_lightning.symbolic.verifiers.molecule.recheck import stands
from rlsf_lightning.symbolic.verifiers.smiles.repair import repairs
from rlsf_lightning.symbolic.verifiers.smiles.verifier import INVALID_KINDS, check_max_chars

KINDS = INVALID_KINDS | frozenset("forbidden_atom wildcard radical".split()) | differences.KINDS
#: Occurrences that a witness lists for one fact at most.
MAX_LISTED = 100
#: Endings that are tried out for a completion, and for a beginning that one asks about.
_FEW_ATTEMPTS, _ATTEMPTS = 10, 60


#: Mistakes of which the reader names one half, and a search may find the other.
_MENDED = frozenset("unclosed_branch extra_close unclosed_ring".split())


class Judgement(NamedTuple):
    """``findings`` of a text, the share of facts that hold, and the witness."""

    findings: list[Finding]
    share: float
    witness: dict[str, Any]


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

    kinds = KINDS
    invalid_kinds = INVALID_KINDS
    metrics = "described_molecules"

    def __init__(
        self,
        *,
        explain: bool = True,
        max_chars: int = 500,
        allowed_elements: Sequence[str] | None = None,
        forbidden_elements: Sequence[str] = (),
    ) -> None:
        check_max_chars(max_chars)
        self.explain, self.max_chars = explain, max_chars
        self.elements = Elements(allowed_elements, forbidden_elements)

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError for wrong facts, and for nothing else."""
        start = time.perf_counter()
        facts = facts_of(prompt)
        try:
            fields = self._certificate(facts, completion)
        except RuntimeError as error:  # what RDKit raises when an invariant of its own fails
            fields = {"verdict": Verdict.ABSTAIN, "witness": {"error": f"RDKit: {error}"[:500]}}
        seconds = time.perf_counter() - start
        return Certificate(tool="RDKit", version=rdkit_io.VERSION, seconds=seconds, **fields)

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """False: no continuation of ``prefix`` passes. True: one was found that does. None: cannot tell."""
        facts = facts_of(prompt)
        text = prefix.lstrip()
        core = text.rstrip()
        if len(core) > self.max_chars or any(is_bad(character) for character in core):
            return False
        if len(core) < len(text):
            return self._passes(facts, core)
        if self._certainly_dead_from(facts, core) is not None:
            return False
        return True if self._lives(facts, core, _ATTEMPTS) else None

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether a second count, on a graph read without RDKit, agrees with a certificate (see ``recheck``)."""
        return stands(certificate, facts_of(prompt), prompt, completion, self)

    def _certificate(self, facts: tuple[Fact, ...], completion: str) -> dict[str, Any]:
        """The certificate's fields."""
        text, offset = stripped(completion)
        findings, share, witness = self.judge(facts, text)
        if not findings:
            return {"verdict": Verdict.PASS, "score": 1.0, "witness": witness}
        if self.explain and findings[0].kind in _MENDED:
            read = read_smiles(text)
            places = repairs(
                text, read, len(text), lambda t: self._passes(facts, t), most=MAX_CHANGES, places=MAX_PLACES
            )
            added = [place for place in places if place not in findings[0].spans]
            findings[0] = replace(findings[0], spans=(*findings[0].spans, *added))
            witness["departure"] = [[place.start + offset, place.end + offset] for place in added]
        elif self.explain:
            findings = self._with_mended(facts, text, offset, findings, witness)

        def dead_of(legible: str) -> int | None:
            certain = self._certainly_dead_from(facts, legible)
            if certain is not None:
                return certain
            return len(legible) if self._lives(facts, legible, _FEW_ATTEMPTS) else None

        dead = first_dead(text, self.max_chars, dead_of, lambda legible: self._passes(facts, legible))
        if dead is not None:
            dead = dead + offset if text else len(completion)
        return {
            "verdict": Verdict.FAIL,
            "findings": shifted(bounded(findings), offset),
            "score": min(MOST_WITHOUT_PASS, share),
            "dead_from": dead,
            "witness": witness,
        }

    def _with_mended(
        self, facts: tuple[Fact, ...], text: str, offset: int, findings: list[Finding], witness: dict[str, Any]
    ) -> list[Finding]:
        """The findings; the first without a place has those where a single change makes all facts true."""
        at = next((i for i, finding in enumerate(findings) if not finding.spans), None)
        if at is None or "facts" not in witness:
            return findings
        changes = mended(text, read_smiles(text), facts, witness["facts"], lambda changed: self._passes(facts, changed))
        if not changes:
            return findings
        witness["mended"] = [[start + offset, end + offset, new] for start, end, new in changes]
        spans = tuple(dict.fromkeys(Span(start, end) for start, end, _ in changes))
        return [*findings[:at], replace(findings[at], spans=spans), *findings[at + 1 :]]

    def judge(self, facts: tuple[Fact, ...], text: str) -> Judgement:
        """What is wrong with a text without white space around it."""
        findings, molecule = unsound(text, self.max_chars, self.elements)
        if molecule is None:
            return Judgement(differences.with_bonds(findings, text), 0.0, {})
        read = read_smiles(text)
        findings += odd_atoms(text, molecule)
        numbers = written_numbers(text, molecule, read)
        charge = int(Chem.GetFormalCharge(molecule))
        rows: list[dict[str, Any]] = []
        for fact in facts:
            found, matches = measure(fact, molecule)
            written = [[numbers[atom] for atom in match] for match in matches]
            if fact.subject == "element" and fact.name == "H":
                written = []
            holds = differences.holds(fact, found, charge)
            if not holds:
                findings += differences.differences(fact, found, written, charge, text, read)
            rows.append({"fact": fact.stated(), "holds": holds, "found": found, "atoms": written[:MAX_LISTED]})
        share = sum(row["holds"] for row in rows) / len(rows)
        return Judgement(findings, share, {"canonical": rdkit_io.canonical(molecule), "facts": rows})

    def _passes(self, facts: tuple[Fact, ...], text: str) -> bool:
        """Whether ``judge`` finds nothing. Hundreds of texts are tried out: no time is spent on places."""
        molecule = sound(text, self.max_chars, self.elements)
        if molecule is None:
            return False
        charge = int(Chem.GetFormalCharge(molecule))
        if not all(differences.holds(fact, measure(fact, molecule).found, charge) for fact in facts):
            return False
        return not odd_atoms(text, molecule)

    def _certainly_dead_from(self, facts: tuple[Fact, ...], text: str) -> int | None:
        read = read_smiles(text)
        found = (
            certainly_dead_from(read),
            self.elements.dead_from(read, len(text)),
            _budget(facts).dead_from(text, read),
        )
        return min((at for at in found if at is not None), default=None)

    def _lives(self, facts: tuple[Fact, ...], text: str, most: int) -> bool:
        """Whether one of the first so many endings makes a molecule of which all facts are true."""
        tried = islice(attempts(facts, read_smiles(text)), most)
        return any(self._passes(facts, text + ending) for ending in tried)


@lru_cache(maxsize=4096)
def _budget(facts: tuple[Fact, ...]) -> Budget:
    return Budget(facts)
