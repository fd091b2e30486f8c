"""SMILES against a reference molecule, with RDKit: what is wrong, at which characters, and where it was made.

Covered: every syntax error, valence and kekulisation error at its atom; for a valid molecule that is not the reference,
the atoms and bonds outside the maximum common substructure and what is missing; the first dead character
(``viable``). What RDKit would silently accept is refused first: blanks and text after them, characters that are
not ASCII, CXSMILES, no atoms. Strings are capped, so that RDKit is safe inside the calling process.

Not covered: the place of a mistake of stereochemistry where more than ``stereo.MAX_COMBINATIONS`` readings exist.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from rdkit import DataStructs

from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.smiles import toolkit
from rlsf_lightning.symbolic.smiles.alone import certainly_dead_from, endings
from rlsf_lightning.symbolic.smiles.compare import Target, compare, fingerprint, same_but_for_stereo, target_of
from rlsf_lightning.symbolic.smiles.findings import illegible, invalid, is_bad, odd_atoms
from rlsf_lightning.symbolic.smiles.map import read_smiles
from rlsf_lightning.symbolic.smiles.recheck import dies, stands
from rlsf_lightning.symbolic.smiles.reference import Reference, reference_of
from rlsf_lightning.symbolic.smiles.stereo import wrong_marks
from rlsf_lightning.symbolic.smiles.viable import find_death, is_viable

#: The kinds that mean "no molecule at all".
INVALID_KINDS = frozenset(
    "empty too_long bad_character bad_bracket_atom unclosed_ring unclosed_branch extra_close dangling_bond "
    "duplicate_bond ring_to_self syntax valence kekulisation".split()
)
KINDS = INVALID_KINDS | frozenset(
    "wildcard radical wrong_atoms wrong_bonds wrong_charge wrong_hydrogens wrong_stereo missing_atoms missing_bonds "
    "other_molecule".split()
)
#: More findings than these are summed up in a last one.
MAX_FINDINGS = 50
#: Longer strings are never given to RDKit, which may hang on them or crash.
MAX_CHARS = 1000


class SmilesVerifier:
    """PASS when the completion spells the reference molecule in any way; without a reference, when it is a valid molecule.

    Canonical SMILES are compared: stereochemistry, isotopes and atom maps count, hydrogens may be written as atoms. The
    score of another molecule is the Tanimoto similarity of Morgan counts (radius 2), 0 for what is no molecule. An
    unreadable reference, or a failure of RDKit, is an abstention.

    Args:
        explain: for a valid but wrong molecule, find the atoms outside the maximum common substructure. Without it such
            a molecule gets one finding for the whole; ``dead_from`` is there in any case.
        mcs_seconds: how long that may take.
        max_chars: longer completions are not parsed; from 1 to 1000.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS

    def __init__(self, *, explain: bool = True, mcs_seconds: float = 0.3, max_chars: int = 500) -> None:
        if not 0 < max_chars <= MAX_CHARS:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to {MAX_CHARS} (RDKit may crash beyond that)")
        if not mcs_seconds > 0:
            raise ValueError(f"mcs_seconds={mcs_seconds}: must be above 0 (explain=false leaves the search out)")
        self.explain, self.mcs_seconds, self.max_chars = explain, mcs_seconds, max_chars

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Never raises on a completion."""
        start = time.perf_counter()
        try:
            fields = self._judge(prompt.reference, completion)
        except RuntimeError as error:  # what RDKit raises when an invariant of its own fails
            fields = {"verdict": Verdict.ABSTAIN, "witness": {"error": f"RDKit: {error}"[:500]}}
        seconds = time.perf_counter() - start
        return Certificate(tool="RDKit", version=toolkit.VERSION, seconds=seconds, **fields)

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether ``prefix``, or some continuation of it, passes; None: cannot tell. Blanks may stand around a SMILES."""
        text = prefix.lstrip()
        core = text.rstrip()
        if len(core) > self.max_chars or any(is_bad(character) for character in core):
            return False
        target = _target(prompt.reference)
        if prompt.reference is not None and target is None:
            return None
        if len(core) < len(text):
            return self._passes(core, target)
        return self._viable_alone(core) if target is None else is_viable(_reference(target), core)

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether plain loops, without RDKit's verdict, find nothing against a certificate (see ``recheck``)."""
        text, offset = stripped(completion)
        target = _target(prompt.reference)
        reference = None if target is None else _reference(target)
        if len(text) > self.max_chars:
            return certificate.verdict is Verdict.ABSTAIN or [f.kind for f in certificate.findings] == ["too_long"]
        if not stands(certificate, text, offset, target and target.smiles):
            return False
        if certificate.dead_from is None or reference is None or find_death(reference, text).complete:
            return True  # nothing is said of the place, or it is one of stereochemistry
        return dies(certificate.dead_from, completion, partial(self.viable, prompt))

    def _judge(self, reference: str | None, completion: str) -> dict[str, Any]:
        """The certificate's fields."""
        text, offset = stripped(completion)
        target = _target(reference)
        if reference is not None and target is None:
            unreadable = f"RDKit cannot read the reference {reference[:100]}"
            return {"verdict": Verdict.ABSTAIN, "witness": {"error": unreadable}}
        findings, score = illegible(text, self.max_chars), 0.0
        witness: dict[str, Any] = {}
        molecule = None if findings else toolkit.parse(text)
        if molecule is None:
            findings = findings or invalid(text)
        else:
            witness["canonical"] = toolkit.canonical(molecule)
            if target is None:
                findings = odd_atoms(text)
            elif witness["canonical"] != target.canonical:
                findings, further = self._difference(text, target)
                witness |= further
                similarity = DataStructs.TanimotoSimilarity(fingerprint(molecule), target.fingerprint)
                score = min(MOST_WITHOUT_PASS, similarity)
        if not findings:
            return {"verdict": Verdict.PASS, "score": 1.0, "witness": witness}
        dead = self._dead_from(text, target, molecule)
        if dead is not None:
            dead = dead + offset if text else len(completion)
        return {
            "verdict": Verdict.FAIL,
            "findings": tuple(_shifted(finding, offset) for finding in _bounded(findings)),
            "score": score,
            "dead_from": dead,
            "witness": witness,
        }

    def _difference(self, text: str, target: Target) -> tuple[list[Finding], dict[str, Any]]:
        if not self.explain:
            return [Finding("other_molecule", "a valid molecule, but not the reference")], {}
        compared = compare(text, target, self.mcs_seconds)
        return compared.findings, compared.witness

    def _dead_from(self, text: str, target: Target | None, molecule: Any | None) -> int | None:
        """Offset in ``text`` of the first dead character; its length where only the end is wrong; None: cannot tell."""
        read_to = next((i for i, character in enumerate(text[: self.max_chars]) if is_bad(character)), self.max_chars)
        legible = text[:read_to]
        if target is None:
            dead = self._dead_alone(legible)
        elif molecule is not None and same_but_for_stereo(text, molecule, target):
            return wrong_marks(text, target.canonical).dead_from
        else:
            dead = find_death(_reference(target), legible).at
        if len(legible) == len(text) or (dead is not None and dead < len(legible)):
            return dead
        # Nothing may follow what is legible, but for blanks after the right molecule.
        if self._passes(legible, target):
            return len(text) - len(text[read_to:].lstrip())
        return None if dead is None else read_to

    def _passes(self, text: str, target: Target | None) -> bool:
        molecule = None if illegible(text, self.max_chars) else toolkit.parse(text)
        if molecule is None:
            return False
        return not odd_atoms(text) if target is None else toolkit.canonical(molecule) == target.canonical

    def _dead_alone(self, text: str) -> int | None:
        """The same where there is no reference."""
        certain = certainly_dead_from(read_smiles(text))
        if certain is not None:
            return certain
        return len(text) if self._viable_alone(text) else None

    def _viable_alone(self, text: str) -> bool | None:
        """Whether some ending gives a molecule: False and True are certain."""
        read = read_smiles(text)
        if certainly_dead_from(read) is not None:
            return False
        return True if any(self._passes(text + ending, None) for ending in endings(read)) else None


def _target(reference: str | None) -> Target | None:
    """The reference, if it is one that RDKit reads as a whole."""
    if reference is None or illegible(reference, MAX_CHARS):
        return None
    return target_of(reference)


def _reference(target: Target) -> Reference:
    reference = reference_of(target.smiles)
    assert reference is not None, f"RDKit read {target.smiles} once"
    return reference


def _bounded(findings: list[Finding]) -> list[Finding]:
    if len(findings) <= MAX_FINDINGS:
        return findings
    rest = len(findings) - MAX_FINDINGS
    return [*findings[:MAX_FINDINGS], Finding(findings[MAX_FINDINGS].kind, f"and {rest} more findings")]


def _shifted(finding: Finding, offset: int) -> Finding:
    spans = tuple(Span(span.start + offset, span.end + offset) for span in finding.spans)
    return Finding(finding.kind, finding.message, spans, finding.weight)
