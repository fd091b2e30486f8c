"""Validity of a SMILES: RDKit's verdict, with a finding at its characters for everything that is wrong.

RDKit names one syntax error at most and often none; the parser (``smiles_parser``) names the others. RDKit names one ring
system that cannot be kekulised at a time; each is taken out of the way to see the next. Nothing here knows a reference.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rdkit import Chem

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.certificates import too_long
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.elements import Elements
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.chemistry.smiles_tokens import is_foreign
from rlsf_lightning.symbolic.chemistry.spans import atom_spans

#: The kinds that mean "no molecule at all".
INVALID_KINDS = frozenset(
    "empty too_long bad_character bad_bracket_atom unclosed_ring unclosed_branch extra_close dangling_bond "
    "duplicate_bond ring_to_self syntax valence kekulisation".split()
)

#: Bad ring systems that are looked for, one after the other.
MAX_RING_SYSTEMS = 10
_MAX_MESSAGE = 120


@dataclass(frozen=True)
class Limits:
    """What a verifier takes for a molecule. Raises ValueError for a length at which RDKit is not safe."""

    max_chars: int
    elements: Elements

    def __post_init__(self) -> None:
        check_max_chars(self.max_chars)


def check_max_chars(max_chars: int) -> None:
    """Raises ValueError unless RDKit is safe with texts of this length."""
    if not 0 < max_chars <= rdkit_io.MAX_CHARS:
        raise ValueError(f"max_chars={max_chars}: must be from 1 to {rdkit_io.MAX_CHARS} (RDKit may crash beyond that)")


def illegible(text: str, max_chars: int) -> list[Finding]:
    """What is refused before RDKit sees the string."""
    if not text:
        return [Finding("empty", "there is no SMILES")]
    if len(text) > max_chars:
        return [too_long(text, max_chars)]
    runs = [list(run) for bad, run in groupby(range(len(text)), lambda i: is_foreign(text[i])) if bad]
    if not runs:
        return []
    shown = ", ".join(ascii(text[run[0] : run[-1] + 1])[:20] for run in runs[:5])
    return [Finding("bad_character", f"no SMILES has {shown}", tuple(Span(run[0], run[-1] + 1) for run in runs))]


def invalid(text: str) -> list[Finding]:
    """Why RDKit rejects ``text``, which has legible characters only; at least one finding."""
    read = read_smiles(text)
    written, log, positions = rdkit_io.parse_as_written(text)
    if written is None or read.problems:
        return _syntax_findings(text, read, log, positions)
    findings = _chemistry_findings(written, read) or _sanitisation_findings(written, read)
    return findings or [Finding("syntax", "RDKit rejects the string without naming a place")]


def read_molecule(text: str, limits: Limits) -> tuple[list[Finding], Any | None]:
    """What is wrong with ``text`` whatever is asked for, and the sanitised molecule if there is one.

    Forbidden atoms are among the findings whether there is a molecule or not; wildcards and radicals are not.
    """
    findings = illegible(text, limits.max_chars)
    if findings:
        return findings, None
    molecule, lonely = _molecule(text)
    if lonely:
        places = atom_spans(read_smiles(text), lonely)
        findings, molecule = [Finding("kekulisation", "a lower-case atom without an aromatic bond", places)], None
    elif molecule is None:
        findings = invalid(text)
    return findings + forbidden_atoms(text, limits.elements), molecule


def valid_molecule(text: str, limits: Limits) -> Any | None:
    """The sanitised molecule where ``read_molecule`` finds nothing wrong, else None; no time is spent on places."""
    if not 0 < len(text) <= limits.max_chars or any(is_foreign(character) for character in text):
        return None
    molecule, lonely = _molecule(text)
    if molecule is None or lonely or forbidden_atoms(text, limits.elements):
        return None
    return molecule


def forbidden_atoms(text: str, elements: Elements) -> list[Finding]:
    """A finding at the atoms of elements that are not among the allowed ones."""
    return [] if elements.is_any else elements.findings(read_smiles(text))


def _molecule(text: str) -> tuple[Any | None, list[int]]:
    """The sanitised molecule of a legible text if there is one, and its lower-case atoms without an aromatic bond."""
    molecule = rdkit_io.parse(text)
    # RDKit cuts large numbers of an atom to a byte or two.
    if molecule is None or ("[" in text and read_smiles(text).problems):
        return None, []
    return molecule, rdkit_io.without_aromatic_bond(text)


def wildcards_and_radicals(text: str, sanitised: Any) -> list[Finding]:
    """Wildcards (atoms and bonds) and radicals, which RDKit calls valid. ``sanitised``: the molecule that ``text`` spells."""
    if not set("[*~") & set(text):  # only in brackets can there be too few hydrogens
        return []
    if "~" not in text and all(a.GetAtomicNum() and not a.GetNumRadicalElectrons() for a in sanitised.GetAtoms()):
        return []
    molecule, read, findings = rdkit_io.parse_all_atoms(text), read_smiles(text), []
    atoms = [] if molecule is None else list(molecule.GetAtoms())
    wild = [atom.GetIdx() for atom in atoms if atom.GetAtomicNum() == 0]
    if wild:
        findings.append(Finding("wildcard", "a wildcard stands for no atom", atom_spans(read, wild)))
    any_bonds = tuple(Span(i, i + 1) for i, character in enumerate(text) if character == "~")
    if any_bonds:
        findings.append(Finding("wildcard", "~ stands for no bond", any_bonds))
    radicals = [atom.GetIdx() for atom in atoms if atom.GetNumRadicalElectrons()]
    if radicals:
        message = "an unpaired electron: hydrogens or a charge are missing in the bracket"
        findings.append(Finding("radical", message, atom_spans(read, radicals)))
    return findings


def _syntax_findings(text: str, read: SmilesMap, log: str, positions: list[int]) -> list[Finding]:
    """The parser's errors; RDKit's where the parser sees none."""
    if read.problems:
        return [Finding(p.kind, p.message, (Span(p.start, p.end),)) for p in read.problems]
    reason = log.partition("\n")[0].removeprefix("SMILES Parse Error: ").partition(" for input")[0][:_MAX_MESSAGE]
    places = sorted({min(max(position, 0), len(text) - 1) for position in positions})
    return [Finding("syntax", f"RDKit: {reason or 'rejected'}", tuple(Span(at, at + 1) for at in places))]


def _chemistry_findings(written: Any, read: SmilesMap) -> list[Finding]:
    """Valence errors and every ring system that cannot be kekulised, at their atoms."""
    findings: list[Finding] = []
    molecule = Chem.RWMol(written)
    for turn in range(MAX_RING_SYSTEMS):
        with rdkit_io.quiet():
            problems = Chem.DetectChemistryProblems(molecule)
        rings: set[int] = set()
        for problem in problems:
            kind = problem.GetType()
            if kind == "AtomValenceException":
                if turn == 0:  # later ones may come from the rings that were changed
                    findings.append(_valence(problem.GetAtomIdx(), problem.Message(), read))
                continue
            atoms = problem.GetAtomIndices() if kind == "KekulizeException" else [problem.GetAtomIdx()]
            findings.append(_kekulisation(atoms, problem.Message(), read))
            rings |= set(atoms)
        if not rings:
            break
        _dearomatise(molecule, rings)
    return list(dict.fromkeys(findings))


def _sanitisation_findings(written: Any, read: SmilesMap) -> list[Finding]:
    """``DetectChemistryProblems`` misses a few of the problems for which sanitisation then fails."""
    try:
        with rdkit_io.quiet():
            Chem.SanitizeMol(Chem.Mol(written))
    except Chem.MolSanitizeException as error:
        cause: Any = error.cause  # type: ignore[attr-defined]
        if isinstance(error, Chem.KekulizeException):
            return [_kekulisation(cause.GetAtomIndices(), str(error), read)]
        if isinstance(error, Chem.AtomSanitizeException):
            return [_valence(cause.GetAtomIdx(), str(error), read)]
        return [Finding("valence", f"RDKit: {str(error)[:_MAX_MESSAGE]}")]
    return []


def _valence(atom: int, message: str, read: SmilesMap) -> Finding:
    return Finding("valence", message.strip()[:_MAX_MESSAGE], atom_spans(read, [atom]))


def _kekulisation(atoms: Iterable[int], message: str, read: SmilesMap) -> Finding:
    if "non-ring" in message:
        return Finding("kekulisation", "a lower-case atom outside a ring", atom_spans(read, atoms))
    return Finding("kekulisation", "no alternating single and double bonds fit these atoms", atom_spans(read, atoms))


def _dearomatise(molecule: Any, atoms: set[int]) -> None:
    """Take a bad ring system out of the way, so that the next one shows."""
    for index in atoms:
        atom = molecule.GetAtomWithIdx(index)
        atom.SetIsAromatic(False)
        for bond in atom.GetBonds():
            if bond.GetIsAromatic():
                bond.SetIsAromatic(False)
                bond.SetBondType(Chem.BondType.SINGLE)
