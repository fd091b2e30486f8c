"""SMILES in and out of RDKit, silently: nothing reaches stderr, and RDKit's messages are handed back.

RDKit's log is one per process and its capture is not thread-safe, so every use of it here stands under one lock. The
user's own log settings are back when a call returns; no handler is installed. Callers bound the length of what they
give: above some thousand characters RDKit hangs or overflows its stack.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rdkit import Chem, rdBase

from rlsf_lightning.errors import ToolFailed

VERSION: str = rdBase.rdkitVersion
#: The longest SMILES that is given to RDKit, which may hang on longer ones or crash.
MAX_CHARS = 1000

_log_lock = threading.RLock()
_POSITION = re.compile(r"check for mistakes around position (\d+):")
_LOWER_CASE = re.compile(r"[bcnopsate]")  # or the second letter of an element: only a filter
_LONELY = Chem.MolFromSmarts("[a;!$(a:;@a)]")
_HYDROGEN_ATOM = re.compile(r"\[[0-9]*(?:H|#1)")  # or the beginning of Hg, or of another number: only a filter
_KEPT = "kept"  # atom property: not to be merged
_TIME = re.compile(r"^\[\d\d:\d\d:\d\d\] ", re.MULTILINE)


def _parser(sanitize: bool, remove_hydrogens: bool) -> Any:
    options: Any = Chem.SmilesParserParams()
    options.sanitize = sanitize
    options.removeHs = remove_hydrogens
    # By default RDKit reads "CC junk" as CC with a name, and "C |^1:0|" as a radical.
    options.parseName = False
    options.allowCXSMILES = False
    return options


_STANDARD = _parser(sanitize=True, remove_hydrogens=True)
_ALL_ATOMS = _parser(sanitize=True, remove_hydrogens=False)
_AS_WRITTEN = _parser(sanitize=False, remove_hydrogens=False)


@contextmanager
def quiet() -> Iterator[None]:
    """RDKit writes nothing to its log, in any thread, while this is entered."""
    with _log_lock, rdBase.BlockLogs():
        yield


@contextmanager
def failing_as_tool() -> Iterator[None]:
    """ToolFailed for the RuntimeError that RDKit raises where an invariant of its own fails."""
    try:
        yield
    except RuntimeError as error:
        raise ToolFailed(f"RDKit: {error}") from error


def parse(smiles: str) -> Any | None:
    """The sanitised molecule, hydrogens merged into the heavy atoms; None if it is invalid or has no atom.

    RDKit merges before it looks at valences and charges, so that it reads C=[H] as methane and O[H+] as water. Here the one is
    invalid, as it is with all atoms, and the other keeps its ion.
    """
    with quiet():
        if _HYDROGEN_ATOM.search(smiles):
            whole = Chem.MolFromSmiles(smiles, _ALL_ATOMS)
            if whole is None or _odd_hydrogens(whole):
                return whole and merged(whole)
        molecule = Chem.MolFromSmiles(smiles, _STANDARD)
    return molecule if molecule is not None and molecule.GetNumAtoms() else None


def parse_all_atoms(smiles: str) -> Any | None:
    """The sanitised molecule in which atom i is the i-th atom that is written, hydrogens included."""
    with quiet():
        return Chem.MolFromSmiles(smiles, _ALL_ATOMS)


def merged(molecule: Any) -> Any:
    """``molecule``, which has all atoms, with its hydrogens merged into the heavy atoms; without loss of a charge or a bond."""
    odd = _odd_hydrogens(molecule)
    for atom in odd:
        atom.SetIsotope(1)  # RDKit merges no hydrogen that has one
        atom.SetBoolProp(_KEPT, True)
    with quiet():
        molecule = Chem.RemoveHs(molecule)
    for atom in atoms_of(molecule) if odd else ():
        if atom.HasProp(_KEPT):
            atom.SetIsotope(0)
            atom.ClearProp(_KEPT)
    return molecule


def _odd_hydrogens(molecule: Any) -> list[Any]:
    """Those that RDKit would merge, though they have a charge or a bond that is not a single one."""
    return [
        atom
        for atom in atoms_of(molecule)
        if atom.GetAtomicNum() == 1
        and not atom.GetIsotope()
        and (atom.GetFormalCharge() or any(bond.GetBondType() != Chem.BondType.SINGLE for bond in atom.GetBonds()))
    ]


def without_aromatic_bond(smiles: str) -> list[int]:
    """The lower-case atoms without an aromatic bond in a ring, which RDKit reads as if they were upper-case: the c of N1cC1."""
    if not _LOWER_CASE.search(smiles):
        return []
    with quiet():
        molecule = Chem.MolFromSmiles(smiles, _AS_WRITTEN)
        Chem.FastFindRings(molecule)
        return sorted(atom for (atom,) in molecule.GetSubstructMatches(_LONELY, maxMatches=len(smiles)))


def parse_as_written(smiles: str) -> tuple[Any | None, str, list[int]]:
    """The unsanitised molecule or None, what RDKit said, and the 0-based positions that it named."""
    with quiet(), rdBase.CaptureErrorLog() as log:
        molecule = Chem.MolFromSmiles(smiles, _AS_WRITTEN)
        text = _TIME.sub("", log.messages)
    return molecule, text, [int(position) - 1 for position in _POSITION.findall(text)]


def atoms_of(molecule: Any) -> list[Any]:
    """Its atoms. RDKit's own iterator asks for their number before each."""
    return [molecule.GetAtomWithIdx(i) for i in range(molecule.GetNumAtoms())]


def bonds_of(molecule: Any) -> list[Any]:
    """Its bonds."""
    return [molecule.GetBondWithIdx(i) for i in range(molecule.GetNumBonds())]


def canonical(molecule: Any) -> str:
    """RDKit's canonical SMILES: isotopes, charges, stereochemistry and atom maps count."""
    return str(Chem.MolToSmiles(molecule))


def flat(molecule: Any) -> str:
    """The canonical SMILES without stereochemistry, which is one for all spellings of a molecule."""
    copy = Chem.Mol(molecule)
    with quiet():
        Chem.RemoveStereochemistry(copy)
    return canonical(merged(copy))  # hydrogens that had marks beside them are atoms


def split_key(reference: str) -> str:
    """The flat SMILES of a reference that RDKit reads, so that all spellings of a molecule fall into one split.

    With stereochemistry the canonical SMILES of one molecule may differ. Any other text is its own key: RDKit takes what
    follows a blank as a name, so that a sentence could pass for a SMILES.
    """
    if len(reference) > MAX_CHARS or any(character.isspace() for character in reference):
        return reference
    try:
        with quiet():
            molecule = Chem.MolFromSmiles(reference)
    except UnicodeEncodeError:  # half of a surrogate pair
        return reference
    return reference if molecule is None else flat(molecule)
