"""SMILES against a reference molecule, with RDKit: what is wrong, at which characters, and where it was made.

Covered: every syntax error, valence and kekulisation error at its atom, forbidden elements; for a valid molecule that is
not the reference, the atoms and bonds outside the maximum common substructure and what is missing; the first dead
character (``viable``), and the token or the gap in which the reference was left. What RDKit would silently accept is
refused first: blanks and text after them, characters that are not ASCII, CXSMILES, no atoms. Strings are capped, so that
RDKit is safe inside the calling process.

Not covered: which marks of stereochemistry are wrong where more than ``stereo.MAX_COMBINATIONS`` readings exist (all are
named), and the first dead character where the wrong one is of a kind that ``viable`` lets through.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from rdkit import DataStructs

from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Prompt, Verdict
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.compare import Target, compare, fingerprint, target_of
from rlsf_lightning.symbolic.chemistry.elements import Elements
from rlsf_lightning.symbolic.chemistry.embedding.reference import Reference, reference_of
from rlsf_lightning.symbolic.chemistry.embedding.viable import find_death, is_viable
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.chemistry.spans import bounded, is_bad, shifted
from rlsf_lightning.symbolic.chemistry.syntax_viability import certainly_dead_from, endings, first_dead
from rlsf_lightning.symbolic.chemistry.validity import illegible, odd_atoms, sound, unsound
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.smiles.recheck import dies, repeats, stands
from rlsf_lightning.symbolic.verifiers.smiles.repair import departure

#: The kinds that mean "no molecule at all".
INVALID_KINDS = frozenset(
    "empty too_long bad_character bad_bracket_atom unclosed_ring unclosed_branch extra_close dangling_bond "
    "duplicate_bond ring_to_self syntax valence kekulisation".split()
)
KINDS = INVALID_KINDS | frozenset(
    "forbidden_atom wildcard radical wrong_atoms wrong_bonds wrong_charge wrong_hydrogens wrong_stereo missing_atoms "
    "missing_bonds other_molecule".split()
)
#: Longer strings are never given to RDKit, which may hang on them or crash.
MAX_CHARS = 1000


#: What has its place already, or none.
_PLACED = frozenset("empty too_long bad_character bad_bracket_atom wrong_stereo".split())


class SmilesVerifier:
    """PASS when the completion spells the reference molecule in any way; without a reference, when it is a valid molecule.

    Canonical SMILES are compared: stereochemistry, isotopes and atom maps count, hydrogens may be written as atoms. The
    score of another molecule is the Tanimoto similarity of Morgan counts (radius 2), 0 for what is no molecule. An
    unreadable reference, or a failure of RDKit, is an abstention.

    Args:
        explain: for a valid but wrong molecule, find the atoms outside the maximum common substructure. Without it such
            a molecule gets one finding for the whole; ``dead_from`` is there in any case.
        mcs_seconds: of computing, that this may take. The search is bounded by its steps first (some 0.3 s), so that a
            certificate does not depend on the machine.
        max_chars: longer completions are not parsed; from 1 to 1000.
        allowed_elements: the symbols of the elements that a molecule may have, hydrogen always among them; all by default.
        forbidden_elements: the symbols of those that it may not have. A reference with such an atom is an abstention.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS
    metrics = "molecules"

    def __init__(
        self,
        *,
        explain: bool = True,
        mcs_seconds: float = 2.0,
        max_chars: int = 500,
        allowed_elements: Sequence[str] | None = None,
        forbidden_elements: Sequence[str] = (),
    ) -> None:
        check_max_chars(max_chars)
        if not mcs_seconds > 0:
            raise ValueError(f"mcs_seconds={mcs_seconds}: must be above 0 (explain=false leaves the search out)")
        self.explain, self.mcs_seconds, self.max_chars = explain, mcs_seconds, max_chars
        self.elements = Elements(allowed_elements, forbidden_elements)

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Never raises on a completion."""
        start = time.perf_counter()
        try:
            fields = self._judge(prompt.reference, completion)
        except RuntimeError as error:  # what RDKit raises when an invariant of its own fails
            fields = {"verdict": Verdict.ABSTAIN, "witness": {"error": f"RDKit: {error}"[:500]}}
        seconds = time.perf_counter() - start
        return Certificate(tool="RDKit", version=rdkit_io.VERSION, seconds=seconds, **fields)

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether ``prefix``, or some continuation of it, passes; None: cannot tell. Blanks may stand around a SMILES."""
        text = prefix.lstrip()
        core = text.rstrip()
        if len(core) > self.max_chars or any(is_bad(character) for character in core):
            return False
        target = self._target(prompt.reference)
        if prompt.reference is not None and target is None:
            return None
        if len(core) < len(text):
            return self._passes(core, target)
        return self._viable_alone(core) if target is None else is_viable(_reference(target), core)

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether a second run says the same, and plain loops and searches, without RDKit's verdict, agree with it."""
        text, offset = stripped(completion)
        if certificate.verdict is Verdict.ABSTAIN or not repeats(certificate, self.verify(prompt, completion)):
            return certificate.verdict is Verdict.ABSTAIN
        target = self._target(prompt.reference)
        if len(text) > self.max_chars:
            return [finding.kind for finding in certificate.findings] == ["too_long"]
        if not stands(certificate, text, offset, None if target is None else target.smiles):
            return False
        if target is not None and certificate.verdict is Verdict.PASS:
            # The search finds the whole reference, too; it does not see hydrogens that are written as atoms.
            return any(atom.symbol == "H" for atom in read_smiles(text).atoms) or _finds_all(target, text)
        dead = certificate.dead_from
        return dead is None or dies(dead, completion, partial(self.viable, prompt))

    def _judge(self, reference: str | None, completion: str) -> dict[str, Any]:
        """The certificate's fields."""
        text, offset = stripped(completion)
        target = self._target(reference)
        if reference is not None and target is None:
            unreadable = f"RDKit cannot read the reference {reference[:100]}, or it has forbidden elements"
            return {"verdict": Verdict.ABSTAIN, "witness": {"error": unreadable}}
        findings, molecule = unsound(text, self.max_chars, self.elements)
        witness: dict[str, Any] = {}
        score = 0.0
        if molecule is not None:
            witness["canonical"] = rdkit_io.canonical(molecule)
            if target is None:
                findings = findings + odd_atoms(text, molecule)
            elif witness["canonical"] != target.canonical:
                differences, further = self._difference(text, target)
                findings = findings + differences
                witness |= further
                similarity = DataStructs.TanimotoSimilarity(fingerprint(molecule), target.fingerprint)
                score = min(MOST_WITHOUT_PASS, similarity)
        if not findings:
            return {"verdict": Verdict.PASS, "score": 1.0, "witness": witness}
        dead = self._dead_from(text, target)
        if self.explain and target is not None and dead is not None and findings[0].kind not in _PLACED:
            places = departure(text, read_smiles(text), _reference(target), dead)
            added = [place for place in places if place not in findings[0].spans]
            if added:
                message = f"{findings[0].message}; marked too: where the reference was left"
                findings[0] = replace(findings[0], message=message, spans=(*findings[0].spans, *added))
            witness["departure"] = [[place.start + offset, place.end + offset] for place in added]
        if dead is not None:
            dead = dead + offset if text else len(completion)
        return {
            "verdict": Verdict.FAIL,
            "findings": shifted(bounded(findings), offset),
            "score": score,
            "dead_from": dead,
            "witness": witness,
        }

    def _difference(self, text: str, target: Target) -> tuple[list[Finding], dict[str, Any]]:
        if not self.explain:
            return [Finding("other_molecule", "a valid molecule, but not the reference")], {}
        compared = compare(text, target, self.mcs_seconds)
        return compared.findings, compared.witness

    def _dead_from(self, text: str, target: Target | None) -> int | None:
        """Offset in ``text`` of the first dead character; its length where only the end is wrong; None: cannot tell."""

        def dead_of(legible: str) -> int | None:
            return self._dead_alone(legible) if target is None else find_death(_reference(target), legible).at

        return first_dead(text, self.max_chars, dead_of, lambda legible: self._passes(legible, target))

    def _passes(self, text: str, target: Target | None) -> bool:
        molecule = sound(text, self.max_chars, self.elements)
        if molecule is None:
            return False
        return not odd_atoms(text, molecule) if target is None else rdkit_io.canonical(molecule) == target.canonical

    def _dead_alone(self, text: str) -> int | None:
        """The same where there is no reference."""
        certain = self._certainly_dead_from(text)
        if certain is not None:
            return certain
        return len(text) if self._viable_alone(text) else None

    def _viable_alone(self, text: str) -> bool | None:
        """Whether some ending gives a molecule: False and True are certain."""
        if self._certainly_dead_from(text) is not None:
            return False
        return True if any(self._passes(text + ending, None) for ending in endings(read_smiles(text))) else None

    def _certainly_dead_from(self, text: str) -> int | None:
        read = read_smiles(text)
        found = (certainly_dead_from(read), self.elements.dead_from(read, len(text)))
        return min((at for at in found if at is not None), default=None)

    def _target(self, reference: str | None) -> Target | None:
        """The reference, if it is one that RDKit reads as a whole and that has no forbidden atoms."""
        if (
            reference is None
            or illegible(reference, MAX_CHARS)
            or (not self.elements.is_any and self.elements.findings(read_smiles(reference)))
        ):
            return None
        return target_of(reference)


def check_max_chars(max_chars: int) -> None:
    """Raises ValueError unless RDKit is safe with texts of this length."""
    if not 0 < max_chars <= MAX_CHARS:
        raise ValueError(f"max_chars={max_chars}: must be from 1 to {MAX_CHARS} (RDKit may crash beyond that)")


def _finds_all(target: Target, text: str) -> bool:
    return find_death(_reference(target), text).at is None


def _reference(target: Target) -> Reference:
    reference = reference_of(target.smiles)
    assert reference is not None, f"RDKit read {target.smiles} once"
    return reference
