"""A second opinion on a certificate about a name: OPSIN's public interface instead of its insides, and plain loops.

It refutes. The verdict, the score, the changes that set a name right and the mapping of atoms are worked out anew by other
means; every span must be where those, or the words of OPSIN's message, put it. Not judged: that a common substructure is the
largest, and the wording of messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rdkit import Chem

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Span, Verdict
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.compare import Target, fingerprint
from rlsf_lightning.symbolic.chemistry.crosscheck import heavy_atoms
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.iupac_name.check.doubt import check_racemate, check_unassigned
from rlsf_lightning.symbolic.verifiers.iupac_name.check.similarity import is_reference
from rlsf_lightning.symbolic.verifiers.iupac_name.check.unreadable import MAX_BRACKETS, STOP_CHARS, locants_in
from rlsf_lightning.symbolic.verifiers.iupac_name.locate.fragments import Reading, difference, findings_of
from rlsf_lightning.symbolic.verifiers.iupac_name.parse import Token, american, is_bad, tokens_of
from rlsf_lightning.symbolic.verifiers.iupac_name.repair.candidates import Change
from rlsf_lightning.symbolic.verifiers.iupac_name.task import MAX_SMILES, Task
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.server import NameServer

_INNERMOST = re.compile(r"([(\[{])([^(\[{)\]}]*)([)\]}])")
_BRACKETS = frozenset(("", *"()[]{}"))
_SIMILAR = 1e-6


def stands(
    certificate: Certificate,
    task: Task,
    completion: str,
    server: NameServer,
    max_chars: int,
    viable: Callable[[str], bool | None],
) -> bool:
    """Whether nothing speaks against the certificate. ``viable``: of prefixes of the completion."""
    if certificate.verdict is Verdict.ABSTAIN:
        return not certificate.findings and certificate.score == 0.0
    if task.target is None:
        return False
    text, offset = stripped(completion)
    is_confirmed = _illegible_stands(certificate, text, offset, max_chars)
    try:
        if is_confirmed is None:
            is_confirmed = _Recheck(text, task.target, server).stands(certificate, offset)
        return is_confirmed and _dies(certificate.dead_from, completion, viable)
    except ToolFailed:
        return False


def _dies(dead_from: int | None, completion: str, viable: Callable[[str], bool | None]) -> bool:
    """Whether what stands before ``dead_from`` is not dead, and is with the character there."""
    if dead_from is None:
        return True
    if viable(completion[:dead_from]) is False:
        return False
    return dead_from == len(completion) or viable(completion[: dead_from + 1]) is False


class _Recheck:
    """The second opinion on one name.

    Args:
        text: the name, without blanks around it.
        target: the reference.
        server: OPSIN.
    """

    def __init__(self, text: str, target: Target, server: NameServer) -> None:
        self.text, self.target, self.server = text, target, server
        self.said = server.ask("judge", american(text)[0])

    def stands(self, certificate: Certificate, offset: int) -> bool:
        """Whether the certificate, on a completion in which the name begins at ``offset``, is not refuted."""
        found = [
            (finding.kind, tuple(Span(span.start - offset, span.end - offset) for span in finding.spans))
            for finding in certificate.findings
            if all(span.start >= offset and span.end <= offset + len(self.text) for span in finding.spans)
        ]
        if len(found) < len(certificate.findings):
            return False
        witness = certificate.witness
        if not self.said["smiles"]:
            check_unassigned(self.text, {**self.said, **self._parts()}, self.target, self.server)
            return (
                certificate.verdict is Verdict.FAIL
                and certificate.score == 0.0
                and witness.get("message") == self.said["message"][: len(str(witness.get("message")))]
                and len(found) > 0
                and self._unreadable(found, self._repaired(witness))
            )
        if (
            witness.get("smiles") != self.said["smiles"][:MAX_SMILES]
            or witness.get("warnings") != self.said["warnings"]
        ):
            return False
        if len(self.said["smiles"]) > MAX_SMILES:
            return found == [("too_large", ())] and certificate.score == 0.0 and self._is_larger()
        return self._readable(certificate, found)

    def _is_larger(self) -> bool:
        """Upper-case letters begin atoms; only one of explicit hydrogen is none of the heavy ones."""
        heavy = sum(c.isupper() and c != "H" for c in self.said["smiles"])
        return heavy > self.target.molecule.GetNumHeavyAtoms()

    def _readable(self, certificate: Certificate, found: list[tuple[str, tuple[Span, ...]]]) -> bool:
        smiles, witness = str(self.said["smiles"]), certificate.witness
        molecule = rdkit_io.parse(smiles)
        if molecule is None:
            spans = self._repaired(witness)
            is_failed = certificate.verdict is Verdict.FAIL and certificate.score == 0.0 and "canonical" not in witness
            return is_failed and [kind for kind, _ in found] == ["impossible_molecule"] and set(found[0][1]) == spans
        if witness.get("canonical") != rdkit_io.canonical(molecule):
            return False
        check_racemate(self.server.ask("lenient", american(self.text)[0])["extended"], self.target)
        if certificate.verdict is Verdict.PASS:
            return _same(smiles, self.target)
        if is_reference(smiles, molecule, self.target) or abs(certificate.score - self._score(molecule)) > _SIMILAR:
            return False
        repairs, tokens = self._repaired(witness), self._tokens()
        if repairs is None:
            return False
        if repairs:
            is_right = all(change[3] == 1.0 for change in witness["repairs"])
            kinds = {"wrong_token", "wrong_stereo"}
            return is_right and len(found) == 1 and found[0][0] in kinds and set(found[0][1]) == repairs
        if "mapping" in witness:
            return self._mapped(witness["mapping"], found)
        if found == [("other_molecule", ())]:
            return True
        stereo = tuple(Span(t.start, t.end) for t in tokens if t.tag == "stereoChemistry" and t.end > t.start)
        return found == [("wrong_stereo", stereo)]

    def _score(self, molecule: Any) -> float:
        ours, theirs = (fp.GetNonzeroElements() for fp in (fingerprint(molecule), self.target.fingerprint))
        keys = ours.keys() | theirs.keys()
        common = sum(min(ours.get(key, 0), theirs.get(key, 0)) for key in keys)
        return float(min(MOST_WITHOUT_PASS, common / sum(max(ours.get(key, 0), theirs.get(key, 0)) for key in keys)))

    def _repaired(self, witness: Any) -> set[Span] | None:
        """The spans of the changes in a witness; None if one does not do what it says."""
        spans, repairs = set(), witness.get("repairs", [])
        if len({tuple(repair[:3]) for repair in repairs}) < len(repairs):
            return None
        for start, end, new, similarity in repairs:
            if not (0 <= start <= end <= len(self.text) and isinstance(new, str)):
                return None
            if new in _BRACKETS and (start == end) != bool(new):  # brackets are added or left out, never exchanged
                return None
            change = Change(start, end, new)
            smiles = self.server.ask("judge", american(change.of(self.text))[0])["smiles"]
            molecule = rdkit_io.parse(smiles) if 0 < len(smiles) <= MAX_SMILES else None
            if molecule is None:
                return None
            is_right = is_reference(smiles, molecule, self.target)
            if abs((1.0 if is_right else self._score(molecule)) - similarity) > _SIMILAR:
                return None
            spans.add(change.span(len(self.text)))
        return spans

    def _parts(self) -> dict[str, Any]:
        return self.server.ask("parts", american(self.text)[0])

    def _tokens(self) -> tuple[Token, ...]:
        return tokens_of(self._parts()["tokens"], self.text)

    def _mapped(self, mapping: list[list[int]], found: list[tuple[str, tuple[Span, ...]]]) -> bool:
        smiles = str(self.said["smiles"])
        if not _maps(mapping, read_smiles(smiles), read_smiles(self.target.smiles)):
            return False
        answer = self._parts()
        reading = Reading(smiles, tokens_of(answer["tokens"], self.text), answer["owners"])
        expected = findings_of(reading, difference(smiles, self.target.smiles, mapping), self.text, self._is_isomer())
        return found == ([(finding.kind, finding.spans) for finding in expected] or [("other_molecule", ())])

    def _is_isomer(self) -> bool:
        ours, theirs = (Chem.AddHs(m) for m in (rdkit_io.parse(self.said["smiles"]), self.target.molecule))
        elements = [sorted((a.GetSymbol(), a.GetFormalCharge()) for a in m.GetAtoms()) for m in (ours, theirs)]
        return elements[0] == elements[1]

    def _unreadable(self, found: list[tuple[str, tuple[Span, ...]]], repairs: set[Span] | None) -> bool:
        if repairs is None:
            return False
        kinds, spans = {kind for kind, _ in found}, {span for _, spans in found for span in spans}
        if kinds == {"unmatched_bracket"}:
            return {Span(at, at + 1) for at in unmatched(self.text)[:MAX_BRACKETS]} | repairs == spans
        if kinds == {"uninterpretable"}:
            return not repairs and all(self._is_quoted(span) or self._is_stop(span) for span in spans)
        if kinds != {"contradiction"} or not repairs <= spans:
            return False
        tokens = self._tokens()
        known = {Span(token.start, token.end) for token in tokens}
        known |= {span for token in tokens if token.tag == "locant" for span, _ in locants_in(self.text, token)}
        return spans <= known | repairs

    def _is_quoted(self, span: Span) -> bool:
        """Whether OPSIN's message ends with the characters of the span, or with them before its next sentence."""
        quoted, message, rest = american(self.text[span.start : span.end])[0], self.said["message"], self.said["rest"]
        tail = american(self.text[span.start :])[0]
        begins = rest.endswith(f" not parseable: {tail}") or f" uninterpretable: {tail} The " in rest
        if message.endswith(tail) and " does not conform to its grammar" in message:
            return bool(begins)
        of_section, blank = (
            f" section of the name: {quoted}",
            "  The following was not understandable in the context it was used:",
        )
        is_named = message.endswith((f" it was used: {quoted}", of_section)) or message.rstrip().endswith(
            of_section + blank
        )
        return is_named and (begins or self.text.count(quoted) == 1)

    def _is_stop(self, span: Span) -> bool:
        """Whether the grammar can follow the word of the span up to its last character, and not further."""
        start = self.text.rfind(" ", 0, span.end) + 1
        if start >= span.end or span.start != max(start, span.end - STOP_CHARS):
            return False
        word = american(self.text[start : span.end])[0]
        return int(self.server.ask("reach", word)["reach"]) == len(word) - 1


def _maps(mapping: list[list[int]], ours: SmilesMap, theirs: SmilesMap) -> bool:
    """Whether a mapping pairs atoms of equal elements one to one."""
    firsts, seconds = {i for i, _ in mapping}, {j for _, j in mapping}
    if not len(firsts) == len(seconds) == len(mapping):
        return False
    if not (firsts <= set(range(len(ours.atoms))) and seconds <= set(range(len(theirs.atoms)))):
        return False
    return all(ours.atoms[i].symbol == theirs.atoms[j].symbol for i, j in mapping)


def _same(smiles: str, target: Target) -> bool:
    """Whether two SMILES have the same atoms, each with as many neighbours, and the same InChI where there is one."""
    if heavy_atoms(read_smiles(smiles)) != heavy_atoms(read_smiles(target.smiles)):
        return False
    with rdkit_io.quiet():
        inchi = [Chem.MolToInchi(molecule, logLevel=None) for molecule in (rdkit_io.parse(smiles), target.molecule)]
    return "" in inchi or inchi[0] == inchi[1]


def unmatched(text: str) -> list[int]:
    """The offsets of the brackets that are left when pairs are crossed out, the innermost first."""
    while match := _INNERMOST.search(text):
        text = text[: match.start()] + "." + match[2] + "." + text[match.end() :]
    return [at for at, character in enumerate(text) if character in "([{)]}"]


def _illegible_stands(certificate: Certificate, text: str, offset: int, max_chars: int) -> bool | None:
    """Whether the certificate stands for a text that OPSIN is never asked about; None if it is to be asked."""
    bad = {offset + at for at, character in enumerate(text) if is_bad(character)}
    if text and len(text) <= max_chars and not bad:
        return None
    kinds = [finding.kind for finding in certificate.findings]
    if certificate.verdict is not Verdict.FAIL or certificate.score != 0.0 or certificate.witness:
        return False
    spans = [span for finding in certificate.findings for span in finding.spans]
    if not text:
        return kinds == ["empty"] and not spans
    if len(text) > max_chars:
        return kinds == ["too_long"] and spans == [Span(offset + max_chars, offset + len(text))]
    return kinds == ["bad_character"] and {at for span in spans for at in range(span.start, span.end)} == bad
