"""IUPAC names against a reference molecule, read by OPSIN: what is wrong, at which characters, and from where on it is dead.

Covered: the part that OPSIN cannot read, brackets without a partner, locants that its messages quote; for a readable name of
another molecule, the one token whose change gives the reference, else the tokens whose atoms lie outside the maximum
common substructure; the first character after which OPSIN's grammar knows no name (``viable``). OPSIN runs in a Java process of
its own, with limits of time and memory; names are capped, and control characters are refused, before it sees them.

Not covered: whether a name is the preferred one; what OPSIN does not know. Tautomers are different molecules here, as
canonical SMILES are. An ambiguous name ("dichlorobenzene") means what OPSIN takes it for; the witness says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from rdkit import DataStructs
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from rlsf_lightning.errors import ToolFailed, UserError
from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.compare import Target, common_atoms, fingerprint, same_but_for_stereo, target_of
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.iupac_name import opsin
from rlsf_lightning.symbolic.verifiers.iupac_name.blame import Reading, difference, findings_of
from rlsf_lightning.symbolic.verifiers.iupac_name.recheck import Recheck, illegible_stands
from rlsf_lightning.symbolic.verifiers.iupac_name.repair import Atoms, Change, changes, partners, promising
from rlsf_lightning.symbolic.verifiers.iupac_name.server import NameServer
from rlsf_lightning.symbolic.verifiers.iupac_name.text import american, is_bad, tokens_of
from rlsf_lightning.symbolic.verifiers.iupac_name.unreadable import MAX_MESSAGE, TOKEN_INDEX, illegible, unreadable
from rlsf_lightning.symbolic.verifiers.iupac_name.viable import dead_from

#: The kinds that mean "no molecule at all".
INVALID_KINDS = frozenset(
    "empty too_long bad_character uninterpretable unmatched_bracket contradiction impossible_molecule".split()
)
KINDS = INVALID_KINDS | frozenset(
    "wrong_token wrong_fragment wrong_bonds wrong_stereo missing_atoms too_large other_molecule".split()
)
#: OPSIN takes ever longer for longer names.
MAX_CHARS = 500
#: RDKit never sees longer SMILES: a short name may have one of 100,000 characters.
MAX_SMILES = 1000
#: Changes that would set a name right, or nearest to it, that are reported.
MAX_REPAIRS = 4
#: Changes that are tried at once.
BATCH = 32


class IupacNameVerifier:
    """PASS when OPSIN reads the completion as the reference molecule; the reference is a SMILES.

    Canonical SMILES are compared: stereochemistry and isotopes count. The score of another molecule is the Tanimoto
    similarity of Morgan counts (radius 2), 0 for what is no name. A reference that RDKit cannot read, a crash of OPSIN
    and a name that it does not finish are abstentions.

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
        self._server = NameServer(found, seconds)
        self._reach = lru_cache(maxsize=1024)(self._ask_reach)

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError where the prompt has no reference."""
        start = time.perf_counter()
        target = _target(prompt)
        try:
            fields = self._judge(target, completion)
        except (ToolFailed, RuntimeError) as error:  # RDKit raises RuntimeError when an invariant of its own fails
            fields = _abstention(str(error)[:500])
        seconds = time.perf_counter() - start
        return Certificate(tool="OPSIN", version=self.version, seconds=seconds, **fields)

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether some continuation of ``prefix`` passes: False is certain, None means that it is not known.

        Raises ToolFailed where OPSIN crashes.
        """
        text = prefix.lstrip()
        core = text.rstrip()
        if len(core) > self.max_chars or any(map(is_bad, core)):
            return False
        if any(map(is_bad, text)) and not self._passes(_target(prompt), core):
            return False  # nothing but blanks may follow
        return False if dead_from(core, self._reach) is not None else None

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether OPSIN's public interface and plain loops find nothing against a certificate (see ``recheck``)."""
        if certificate.verdict is Verdict.ABSTAIN:
            return not certificate.findings and certificate.score == 0.0
        text, offset = stripped(completion)
        target = _target(prompt)
        if target is None or not {finding.kind for finding in certificate.findings} <= self.kinds:
            return False
        stands = illegible_stands(certificate, text, offset, self.max_chars)
        try:
            if stands is None:
                stands = Recheck(text, target, self._server, MAX_SMILES).stands(certificate, offset)
            return stands and self._dies(certificate, prompt, completion)
        except ToolFailed:
            return False

    def _judge(self, target: Target | None, completion: str) -> dict[str, Any]:
        """The certificate's fields."""
        if target is None:
            return _abstention("RDKit cannot read the reference")
        text, offset = stripped(completion)
        findings = illegible(text, self.max_chars)
        score, witness, is_read = 0.0, dict[str, Any](), False
        if not findings:
            answer = self._server.ask("read", american(text)[0])
            is_read = "smiles" in answer or "tokens" in answer
            if "smiles" not in answer:
                witness["message"] = TOKEN_INDEX.sub("", answer["message"])[:MAX_MESSAGE]
                findings = self._unreadable(text, answer, target, witness)
            else:
                witness |= {"smiles": answer["smiles"], "warnings": answer["warnings"]}
                if len(answer["smiles"]) > MAX_SMILES:
                    return self._too_large(text, answer, target, witness)
                molecule = rdkit_io.parse(answer["smiles"])
                if molecule is None:
                    findings = self._impossible(text, answer, target, witness)
                else:
                    witness["canonical"] = rdkit_io.canonical(molecule)
                    if witness["canonical"] == target.canonical:
                        return {"verdict": Verdict.PASS, "score": 1.0, "witness": witness}
                    similarity = DataStructs.TanimotoSimilarity(fingerprint(molecule), target.fingerprint)
                    score = min(MOST_WITHOUT_PASS, similarity)
                    findings = self._other(text, answer, molecule, target, witness)
        return {
            "verdict": Verdict.FAIL,
            "findings": tuple(_shifted(finding, offset) for finding in findings),
            "score": score,
            "dead_from": None if is_read else self._dead_from(completion, text, offset, target),
            "witness": witness,
        }

    def _unreadable(self, text: str, answer: dict[str, Any], target: Target, witness: dict[str, Any]) -> list[Finding]:
        findings = unreadable(text, answer, self._reach)
        first = findings[0]
        if not self.explain or first.kind == "uninterpretable" or (first.kind == "contradiction" and first.spans):
            return findings
        if first.kind == "unmatched_bracket":
            tried = partners(text, first.spans[0].start) if len(findings) == 1 else iter(())
        else:
            tried = changes(text, tokens_of(answer.get("tokens", []), text), first.message)
        similar = self._try(text, tried, target)
        best = max(similar.values(), default=0.0)
        if best == 1.0 or (best > 0.0 and first.kind == "contradiction"):
            spans = self._nearest(text, similar, witness) | {span for f in findings for span in f.spans}
            return [Finding(first.kind, first.message, tuple(sorted(spans)))]
        return findings

    def _impossible(self, text: str, answer: dict[str, Any], target: Target, witness: dict[str, Any]) -> list[Finding]:
        """A name that OPSIN reads as something with an impossible valence, which the reference has not."""
        tokens = tokens_of(self._parts(text)["tokens"], text) if self.explain else ()
        tried = changes(text, tokens, "valence") if self.explain else iter(())
        spans = self._nearest(text, self._try(text, tried, target), witness)
        return [Finding("impossible_molecule", "RDKit finds an impossible valence in it", tuple(sorted(spans)))]

    def _nearest(self, text: str, similar: dict[Change, float], witness: dict[str, Any]) -> set[Span]:
        """The places of the changes that come nearest to the reference, which are put into the witness."""
        best = max(similar.values(), default=0.0)
        if best == 0.0:
            return set()
        good = [change for change, similarity in similar.items() if similarity == best][:MAX_REPAIRS]
        witness["repairs"] = [[*change, round(best, 6)] for change in good]
        return {change.place(len(text)) for change in good}

    def _too_large(self, text: str, answer: dict[str, Any], target: Target, witness: dict[str, Any]) -> dict[str, Any]:
        """A name of more atoms than the reference has, hydrogens included, is wrong; of no more, RDKit is not asked."""
        most = sum(1 + atom.GetTotalNumHs() for atom in target.molecule.GetAtoms())
        atoms = self._parts(text)["atoms"]
        if atoms <= most:
            return _abstention(f"OPSIN's SMILES has {len(answer['smiles'])} characters, more than {MAX_SMILES}")
        message = f"a molecule of {atoms} atoms; the reference has at most {most}"
        witness["smiles"] = witness["smiles"][:MAX_SMILES]
        return {"verdict": Verdict.FAIL, "findings": (Finding("too_large", message),), "witness": witness}

    def _other(
        self, text: str, answer: dict[str, Any], molecule: Any, target: Target, witness: dict[str, Any]
    ) -> list[Finding]:
        """Where a readable name of another molecule is wrong."""
        whole = Finding("other_molecule", "a readable name, but of another molecule")
        if not self.explain:
            return [whole]
        parts, smiles = self._parts(text), answer["smiles"]
        tokens = tokens_of(parts["tokens"], text)
        formulas = CalcMolFormula(molecule), CalcMolFormula(target.molecule)
        is_isomer = formulas[0] == formulas[1]
        is_stereo = is_isomer and same_but_for_stereo(smiles, molecule, target)
        atoms = Atoms.of(smiles, parts["owners"], tokens, formulas)
        is_ambiguous = "APPEARS_AMBIGUOUS" in answer["warnings"]
        tried = promising(text, tokens, atoms, is_stereo=is_stereo, is_ambiguous=is_ambiguous)
        similar = self._try(text, tried, target)
        repairs = [change for change, similarity in similar.items() if similarity == 1.0][:MAX_REPAIRS]
        if repairs:
            witness["repairs"] = [[*change, 1.0] for change in repairs]
            new = [repr(change.new) if change.new else "nothing" for change in repairs]
            message = f"would be right with {' or '.join(new[:3])} here"
            spans = tuple(sorted({change.place(len(text)) for change in repairs}))
            return [Finding("wrong_stereo" if is_stereo else "wrong_token", message, spans)]
        if is_stereo:
            spans = tuple(Span(t.start, t.end) for t in tokens if t.tag == "stereoChemistry" and t.end > t.start)
            return [Finding("wrong_stereo", "the same bonds, but another stereochemistry", spans)]
        mapping = common_atoms(smiles, target, self.mcs_seconds)
        if mapping is None:
            return [whole]
        witness["mapping"] = mapping
        reading = Reading(smiles, tokens, parts["owners"])
        return findings_of(reading, difference(smiles, target.smiles, mapping), text, is_isomer) or [whole]

    def _try(self, text: str, tried: Iterator[Change], target: Target) -> dict[Change, float]:
        """How similar to the reference the names are that some changes give: 1 is the reference, 0 no name.

        Ends with the batch in which a change gives the reference. Never by the clock: the names are of bounded number, and
        those that mean too many atoms are not read (``NameServer.java``).
        """
        some = islice(tried, self.tries)
        similar: dict[Change, float] = {}
        known: dict[str, float] = {}
        while 1.0 not in known.values() and (batch := list(islice(some, BATCH))):
            found = self._server.ask("try", *(american(change.of(text))[0] for change in batch))["smiles"]
            for change, smiles in zip(batch, found, strict=True):
                if smiles not in known:
                    known[smiles] = self._similarity(smiles, target)
                similar[change] = known[smiles]
        return similar

    def _similarity(self, smiles: str, target: Target) -> float:
        molecule = rdkit_io.parse(smiles) if 0 < len(smiles) <= MAX_SMILES else None
        if molecule is None:
            return 0.0
        if rdkit_io.canonical(molecule) == target.canonical:
            return 1.0
        return float(min(MOST_WITHOUT_PASS, DataStructs.TanimotoSimilarity(fingerprint(molecule), target.fingerprint)))

    def _parts(self, text: str) -> dict[str, Any]:
        """The tokens of a name, its atoms and the token of each."""
        return self._server.ask("parts", american(text)[0])

    def _passes(self, target: Target | None, text: str) -> bool:
        if target is None or illegible(text, self.max_chars):
            return False
        return self._similarity(self._server.ask("plain", american(text)[0])["smiles"][0], target) == 1.0

    def _ask_reach(self, word: str) -> int:
        return int(self._server.ask("reach", word)["reach"])

    def _dead_from(self, completion: str, text: str, offset: int, target: Target) -> int | None:
        """Offset in the completion of the first dead character; None: not known."""
        if not text:
            return len(completion)
        bad = next((at for at, character in enumerate(text[: self.max_chars]) if is_bad(character)), None)
        legible = text[: self.max_chars if bad is None else bad]
        dead = dead_from(legible, self._reach)
        if dead is not None:
            return offset + dead
        passes: bool | None = None
        for at, character in enumerate(text[len(legible) :], len(legible)):
            if not character.isspace():
                return offset + at
            if is_bad(character) and passes is None:
                passes = self._passes(target, legible.rstrip())
            if passes is False:  # not even such a blank may follow
                return offset + at
        return None

    def _dies(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        at = certificate.dead_from
        if at is None:
            return True
        if self.viable(prompt, completion[:at]) is False:
            return False
        return at == len(completion) or self.viable(prompt, completion[: at + 1]) is False


def _target(prompt: Prompt) -> Target | None:
    """The reference; None if RDKit cannot read it. Raises UserError where there is none."""
    smiles = prompt.reference
    if not isinstance(smiles, str) or not smiles.strip():
        raise UserError(
            f"iupac_name needs each prompt's molecule as its `reference`, a SMILES, which is {smiles!r}; "
            'write "reference": "CCO"'
        )
    smiles = smiles.strip()
    return target_of(smiles) if len(smiles) <= MAX_SMILES and smiles.isascii() and smiles.isprintable() else None


def _abstention(error: str) -> dict[str, Any]:
    return {"verdict": Verdict.ABSTAIN, "witness": {"error": error}}


def _shifted(finding: Finding, offset: int) -> Finding:
    spans = tuple(Span(span.start + offset, span.end + offset) for span in finding.spans)
    return Finding(finding.kind, finding.message, spans, finding.weight)
