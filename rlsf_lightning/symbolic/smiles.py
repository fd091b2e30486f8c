"""SMILES against a reference molecule, with RDKit: what is wrong, at which characters, and where it was made.

Covered: every syntax error, valence and kekulisation error at its atom; for a valid molecule that is not the reference,
the atoms outside the maximum common substructure and what is missing; the first dead character (``smiles_viable``).
Everything that RDKit would silently accept is refused first: blanks, text after them, characters that are not ASCII,
CXSMILES, no atoms. Strings are capped, so that RDKit is safe inside the calling process.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic import smiles_rdkit
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.smiles_compare import Comparison, compare
from rlsf_lightning.symbolic.smiles_map import SmilesMap, read_smiles
from rlsf_lightning.symbolic.smiles_reference import reference_of
from rlsf_lightning.symbolic.smiles_viable import find_death, is_viable

INVALID_KINDS = frozenset(
    "empty too_long bad_character bad_bracket_atom unclosed_ring unclosed_branch extra_close dangling_bond duplicate_bond "
    "ring_to_self syntax valence kekulisation".split()
)
KINDS = INVALID_KINDS | {"wildcard", "radical", "wrong_atoms", "missing_atoms", "wrong_stereo", "other_molecule"}
#: More findings than these are summed up in a last one.
MAX_FINDINGS = 50
#: A molecule that is not the reference scores less than 1, however similar it is.
MOST_WITHOUT_PASS = 0.999
#: Bad ring systems that are looked for, one after the other.
MAX_RING_SYSTEMS = 10
#: Beyond this many characters of a reference the search for dead prefixes is not tried.
MAX_REFERENCE_CHARS = 500

_MORGAN = rdFingerprintGenerator.GetMorganGenerator(radius=2)


class SmilesVerifier:
    """PASS when the completion spells the reference molecule in any way; without a reference, when it is a valid molecule.

    Args:
        explain: for a valid but wrong molecule, find the atoms outside the maximum common substructure. Without it such a
            molecule gets one finding for the whole; ``dead_from`` is there in any case.
        mcs_seconds: how long that may take.
        max_chars: longer completions are not parsed, > 0.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS

    def __init__(self, *, explain: bool = True, mcs_seconds: float = 0.3, max_chars: int = 500) -> None:
        if not 0 < max_chars <= 1000:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to 1000, beyond which RDKit may hang or crash")
        self.explain, self.mcs_seconds, self.max_chars = explain, mcs_seconds, max_chars

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Never raises on a completion."""
        start = time.perf_counter()
        text, offset = stripped(completion)
        target = None if prompt.reference is None else _target(prompt.reference)
        if prompt.reference is not None and target is None:
            return self._certificate(Verdict.ABSTAIN, start, witness={"reason": "RDKit cannot read the reference"})
        findings, molecule = self._validity(text)
        canonical = "" if molecule is None else smiles_rdkit.canonical(molecule)
        witness: dict[str, Any] = {"canonical": canonical} if molecule is not None else {}
        if molecule is not None and (canonical == target[0] if target else not findings):
            return self._certificate(Verdict.PASS, start, score=1.0, witness=witness)
        score = 0.0
        if molecule is not None and target:
            compared = self._difference(text, target)
            findings += compared.findings
            witness |= compared.witness
            score = min(
                MOST_WITHOUT_PASS, DataStructs.TanimotoSimilarity(_MORGAN.GetCountFingerprint(molecule), target[1])
            )
        dead = self._dead_from(text, prompt.reference)
        return self._certificate(
            Verdict.FAIL,
            start,
            findings=tuple(_shifted(finding, offset) for finding in _bounded(findings)),
            score=score,
            dead_from=None if dead is None else len(completion) if dead == len(text) else dead + offset,
            witness=witness,
        )

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether some continuation of ``prefix`` passes; None: cannot tell. Without a reference: as far as syntax says."""
        text = prefix.lstrip()
        if len(text) > self.max_chars or any(_is_bad(c) for c in text):
            return False
        reference = None if prompt.reference is None else reference_of(prompt.reference)
        if reference is None:
            return False if read_smiles(text).dead_from is not None else None
        return is_viable(reference, text)

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Confirm a certificate with plain Python, without RDKit's verdict.

        Spans lie in the completion; a pass embeds into the reference as a whole; the mapping of a wrong molecule maps
        equal elements one to one and leaves out exactly the atoms that are called wrong.
        """
        text, offset = stripped(completion)
        if any(span.end > len(completion) for finding in certificate.findings for span in finding.spans):
            return False
        reference = None if prompt.reference is None else reference_of(prompt.reference)
        if certificate.verdict is Verdict.PASS:
            return reference is None or find_death(reference, text).complete
        atoms = read_smiles(text).atoms
        mapping = certificate.witness.get("mapping")
        if mapping is None or prompt.reference is None:
            return bool(certificate.findings) or certificate.verdict is Verdict.ABSTAIN
        sites = reference.sites if reference else []
        ours, theirs = [pair[0] for pair in mapping], [pair[1] for pair in mapping]
        wrong = {s.start - offset for f in certificate.findings if f.kind == "wrong_atoms" for s in f.spans}
        return (
            len(set(ours)) == len(ours)
            and len(set(theirs)) == len(theirs)
            and all(atoms[i].symbol == sites[j].symbol for i, j in mapping)
            and wrong.isdisjoint(atoms[i].start for i in ours)
        )

    def _certificate(self, verdict: Verdict, start: float, **fields: Any) -> Certificate:
        seconds = time.perf_counter() - start
        return Certificate(verdict, tool="RDKit", version=smiles_rdkit.VERSION, seconds=seconds, **fields)

    def _validity(self, text: str) -> tuple[list[Finding], Any | None]:
        """What keeps ``text`` from being one whole valid molecule, and the molecule if it is one."""
        if not text:
            return [Finding("empty", "there is no SMILES")], None
        bad = [Span(i, i + 1) for i, character in enumerate(text[: self.max_chars]) if _is_bad(character)]
        if len(text) > self.max_chars:
            return [Finding("too_long", f"{len(text)} characters; at most {self.max_chars} are read")], None
        if bad:
            shown = ", ".join(ascii(text[span.start]) for span in bad[:5])
            return [Finding("bad_character", f"no SMILES has {shown}", tuple(bad))], None
        read = read_smiles(text)
        written, log, positions = smiles_rdkit.parse_as_written(text)
        if written is None or read.problems:
            return _syntax_findings(text, read, log, positions), None
        findings = _chemistry_findings(written, read)
        molecule = None if findings else smiles_rdkit.parse(text)
        if molecule is None:
            return findings or [Finding("empty", "there is no heavy atom")], None
        return _odd_atoms(molecule, smiles_rdkit.parse_all_atoms(text), read), molecule

    def _difference(self, text: str, target: tuple[str, Any, Any]) -> Comparison:
        if not self.explain:
            return Comparison([Finding("other_molecule", "a valid molecule, but not the reference")], {})
        return compare(text, target[2], self.mcs_seconds)

    def _dead_from(self, text: str, reference: str | None) -> int | None:
        """Offset in ``text`` of the first dead character; its length where only the end is wrong; None: cannot tell."""
        read_to = next((i for i, character in enumerate(text[: self.max_chars]) if _is_bad(character)), len(text))
        legible = text[: min(read_to, self.max_chars)]
        known = None if reference is None or len(reference) > MAX_REFERENCE_CHARS else reference_of(reference)
        if known is None:
            read = read_smiles(legible)
            # What is only unfinished could still have been finished: stopping there was wrong.
            dead = len(legible) if read.problems and read.dead_from is None else read.dead_from
        else:
            death = find_death(known, legible)
            dead = death.at
            if death.complete and len(legible) == len(text):
                dead = _first_stereo(text)  # the right molecule but for its stereochemistry
        if dead is None or dead >= len(legible):
            return len(legible) if len(legible) < len(text) else dead
        return dead


VERIFIER = SmilesVerifier


@lru_cache(maxsize=4096)
def _target(reference: str) -> tuple[str, Any, Any] | None:
    """Canonical SMILES, fingerprint and molecule of a reference; None if RDKit cannot read it."""
    if len(reference) > 1000 or any(_is_bad(c) for c in reference):
        return None
    molecule = smiles_rdkit.parse(reference)
    return (
        None
        if molecule is None
        else (smiles_rdkit.canonical(molecule), _MORGAN.GetCountFingerprint(molecule), molecule)
    )


def _is_bad(character: str) -> bool:
    """Blanks, control characters and everything that is not ASCII: RDKit stops at them or drops them silently."""
    return not "!" <= character <= "~"


def _syntax_findings(text: str, read: SmilesMap, log: str, positions: list[int]) -> list[Finding]:
    """The mapper's mistakes, and RDKit's place where the mapper has none near it."""
    findings = [Finding(p.kind, p.message, (Span(p.start, p.end),)) for p in read.problems]
    for position in sorted(set(positions)):
        place = min(max(position, 0), len(text) - 1)
        if not findings:
            reason = (
                log.splitlines()[0].split(" for input")[0].removeprefix("SMILES Parse Error: ") if log else "rejected"
            )
            findings.append(Finding("syntax", f"RDKit: {reason[:120]}", (Span(place, place + 1),)))
    return findings or [Finding("syntax", "RDKit rejects the string without naming a place")]


def _chemistry_findings(written: Any, read: SmilesMap) -> list[Finding]:
    """Valence errors and every ring system that cannot be kekulised, at their atoms."""

    def at(atoms: Any) -> tuple[Span, ...]:
        return tuple(Span(read.atoms[i].start, read.atoms[i].end) for i in sorted(atoms))

    findings: list[Finding] = []
    molecule = Chem.RWMol(written)
    for _ in range(MAX_RING_SYSTEMS):
        with smiles_rdkit.quiet():
            problems = Chem.DetectChemistryProblems(molecule)
        rings: set[int] = set()
        for problem in problems:
            if problem.GetType() == "AtomValenceException":
                finding = Finding("valence", problem.Message(), at([problem.GetAtomIdx()]))
            else:
                atoms = problem.GetAtomIndices() if problem.GetType() == "KekulizeException" else [problem.GetAtomIdx()]
                rings |= set(atoms)
                finding = Finding("kekulisation", "no alternating single and double bonds fit these atoms", at(atoms))
            if finding not in findings:
                findings.append(finding)
        if not rings:
            break
        _dearomatise(molecule, rings)
    return findings or _sanitisation_findings(written, at)


def _sanitisation_findings(written: Any, at: Any) -> list[Finding]:
    """DetectChemistryProblems misses a few of what sanitisation then refuses."""
    try:
        with smiles_rdkit.quiet():
            Chem.SanitizeMol(Chem.Mol(written))
    except Chem.AtomValenceException as error:
        return [Finding("valence", str(error), at([error.cause.GetAtomIdx()]))]  # type: ignore[attr-defined]
    except Chem.KekulizeException as error:
        return [Finding("kekulisation", str(error).strip(), at(error.cause.GetAtomIndices()))]  # type: ignore[attr-defined]
    except (Chem.MolSanitizeException, RuntimeError, ValueError) as error:
        return [Finding("valence", f"RDKit: {str(error)[:120]}")]
    return []


def _dearomatise(molecule: Any, atoms: set[int]) -> None:
    """Take a bad ring system out of the way, so that the next one shows."""
    for index in atoms:
        atom = molecule.GetAtomWithIdx(index)
        atom.SetIsAromatic(False)
        for bond in atom.GetBonds():
            if bond.GetIsAromatic():
                bond.SetIsAromatic(False)
                bond.SetBondType(Chem.BondType.SINGLE)


def _odd_atoms(molecule: Any, all_atoms: Any, read: SmilesMap) -> list[Finding]:
    """Wildcards and radicals, which RDKit calls valid."""
    findings = []
    spans = [Span(atom.start, atom.end) for atom in read.atoms]
    wild = [spans[a.GetIdx()] for a in all_atoms.GetAtoms() if a.GetAtomicNum() == 0]
    if wild:
        findings.append(Finding("wildcard", "a wildcard stands for no atom", tuple(wild)))
    radicals = [spans[a.GetIdx()] for a in all_atoms.GetAtoms() if a.GetNumRadicalElectrons()]
    if radicals:
        findings.append(
            Finding("radical", "an unpaired electron: hydrogens are missing in the bracket", tuple(radicals))
        )
    return findings


def _first_stereo(text: str) -> int:
    """Offset of the first mark of stereochemistry, or the end where only marks are missing."""
    return min((place for mark in "@/\\" if (place := text.find(mark)) >= 0), default=len(text))


def _bounded(findings: list[Finding]) -> list[Finding]:
    if len(findings) <= MAX_FINDINGS:
        return findings
    rest = len(findings) - MAX_FINDINGS
    return [*findings[:MAX_FINDINGS], Finding(findings[MAX_FINDINGS].kind, f"and {rest} more findings")]


def _shifted(finding: Finding, offset: int) -> Finding:
    spans = tuple(Span(span.start + offset, span.end + offset) for span in finding.spans)
    return Finding(finding.kind, finding.message, spans, finding.weight)
