"""Comparison of a valid molecule with the reference: outside their maximum common substructure, and in stereochemistry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from rdkit.Chem import rdFingerprintGenerator

from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.common_substructure import (
    MAX_ATOMS,
    MAX_RINGS,
    common_substructure,
    is_large,
    number_of,
    numbered,
)
from rlsf_lightning.symbolic.chemistry.equality.same_molecule import same_molecule
from rlsf_lightning.symbolic.chemistry.equality.written_marks import has_marks
from rlsf_lightning.symbolic.chemistry.equality.wrong_marks import wrong_marks
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.chemistry.spans import atom_spans, bond_spans

_NAMED_ATOMS = 20
_MORGAN = rdFingerprintGenerator.GetMorganGenerator(radius=2)


@dataclass(frozen=True, eq=False)
class Target:
    """A reference, ready for comparison."""

    smiles: str
    molecule: Any
    canonical: str

    @cached_property
    def flat(self) -> str:
        """The canonical SMILES without stereochemistry."""
        return rdkit_io.flat(self.molecule)

    @cached_property
    def fingerprint(self) -> Any:
        """That of the molecule."""
        return fingerprint(self.molecule)

    def is_spelt_by(self, text: str, canonical: str) -> bool:
        """Whether ``text``, a valid SMILES with this canonical form, spells the reference. Raises ToolFailed: undecided.

        Equal canonical forms are the fast path, for what has no stereochemistry: with it they may differ for one molecule, or
        be equal for two.
        """
        if canonical == self.canonical and not has_marks(text) and not has_marks(self.smiles):
            return True
        return same_molecule(text, self.smiles)

    def spells(self, other: Target) -> bool:
        """Whether both are one molecule. Raises ToolFailed: undecided."""
        return other.is_spelt_by(self.smiles, self.canonical)


@lru_cache(maxsize=4096)
def target_of(smiles: str) -> Target | None:
    """The reference, made once for each SMILES; None if RDKit cannot read it."""
    molecule = rdkit_io.parse(smiles)
    if molecule is None:
        return None
    return Target(smiles, molecule, rdkit_io.canonical(molecule))


def fingerprint(molecule: Any) -> Any:
    """Morgan counts of radius 2."""
    return _MORGAN.GetCountFingerprint(molecule)


class Comparison(NamedTuple):
    """``witness["mapping"]``: pairs (atom of the completion, atom of the reference), each counted as they are written."""

    findings: list[Finding]
    witness: dict[str, Any]


def compare(text: str, target: Target, seconds: float) -> Comparison:
    """Where ``text``, a valid SMILES of another molecule, differs.

    Atoms outside the substructure that both share, bonds between the others that the reference has not, and (without a
    place) what is missing. ``seconds`` bounds the search; a substructure that is merely large is used then.
    """
    read = read_smiles(text)
    molecule, reference = numbered(text), numbered(target.smiles)
    if same_but_for_stereo(text, molecule, target):
        spans = wrong_marks(text, target.smiles)
        return Comparison([Finding("wrong_stereo", "the same bonds, but another stereochemistry", spans)], {})
    if any(is_large(each) for each in (molecule, reference)):
        message = f"a valid molecule, but not the reference; over {MAX_ATOMS} atoms or {MAX_RINGS} rings: not compared"
        return Comparison([Finding("other_molecule", message)], {})
    pairs, is_complete = common_substructure(molecule, reference, seconds)
    if pairs is None:  # what was found till then depends on the machine
        message = f"a valid molecule, but not the reference; not compared in mcs_seconds={seconds:g}"
        return Comparison([Finding("other_molecule", message)], {"search_complete": False})
    findings = _differences(molecule, reference, dict(pairs), read)
    if not findings:
        findings = [Finding("other_molecule", "the same atoms and bonds, but another molecule")]
    return Comparison(findings, {"mapping": [list(pair) for pair in sorted(pairs)], "search_complete": is_complete})


def common_atoms(text: str, target: Target, seconds: float) -> list[list[int]] | None:
    """The mapping of ``compare`` alone; None where there is none."""
    molecule, reference = numbered(text), numbered(target.smiles)
    if any(is_large(each) for each in (molecule, reference)):
        return None
    pairs, _ = common_substructure(molecule, reference, seconds)
    return None if pairs is None else [list(pair) for pair in sorted(pairs)]


def same_but_for_stereo(text: str, molecule: Any, target: Target) -> bool:
    """Whether ``molecule``, written as ``text``, differs from the reference in stereochemistry only."""
    return (has_marks(text) or has_marks(target.smiles)) and rdkit_io.flat(molecule) == target.flat


def _differences(molecule: Any, reference: Any, mapped: dict[int, int], read: SmilesMap) -> list[Finding]:
    """Findings for a mapping between written numbers."""
    ours = {number_of(atom): atom for atom in rdkit_io.atoms_of(molecule)}
    theirs = {number_of(atom): atom for atom in rdkit_io.atoms_of(reference)}
    findings = []
    wrong = ours.keys() - mapped.keys()
    if wrong:
        message = f"not in the reference: {_symbols(ours, wrong)}"
        findings.append(Finding("wrong_atoms", message, atom_spans(read, wrong)))
    missing = theirs.keys() - set(mapped.values())
    if missing:
        findings.append(Finding("missing_atoms", f"the reference also has: {_symbols(theirs, missing)}"))
    findings += _bond_differences(_bonds(molecule), _bonds(reference), mapped, read)
    charged = [i for i, j in mapped.items() if _state(ours[i]) != _state(theirs[j])]
    if charged:
        findings.append(Finding("wrong_charge", "another charge, isotope or atom map", atom_spans(read, charged)))
    moved = [i for i, j in mapped.items() if ours[i].GetTotalNumHs() != theirs[j].GetTotalNumHs()]
    if moved and not findings:  # beside other differences they follow from these
        findings.append(Finding("wrong_hydrogens", "another number of hydrogens", atom_spans(read, moved)))
    return findings


def _bond_differences(
    ours: dict[frozenset[int], str], theirs: dict[frozenset[int], str], mapped: dict[int, int], read: SmilesMap
) -> list[Finding]:
    """Bonds between mapped atoms that only one of both molecules has, or with another order."""
    findings, met, extra = [], set(), set()
    for ends, order in ours.items():
        if ends <= mapped.keys():
            image = frozenset(mapped[end] for end in ends)
            met.add(image)
            if theirs.get(image) != order:
                extra.add(ends)
    if extra:
        bonds = [bond for bond in read.bonds if frozenset((bond.first, bond.second)) in extra]
        findings.append(Finding("wrong_bonds", "the reference has no such bond here", bond_spans(read, bonds)))
    lacking = [ends for ends in theirs if ends <= set(mapped.values()) and ends not in met]
    if lacking:
        findings.append(Finding("missing_bonds", f"bonds of the reference that are not there: {len(lacking)}"))
    return findings


def _bonds(molecule: Any) -> dict[frozenset[int], str]:
    return {
        frozenset((number_of(bond.GetBeginAtom()), number_of(bond.GetEndAtom()))): str(bond.GetBondType())
        for bond in rdkit_io.bonds_of(molecule)
    }


def _symbols(atoms: dict[int, Any], which: Iterable[int]) -> str:
    symbols = [atoms[i].GetSymbol() for i in sorted(which)]
    return " ".join(symbols[:_NAMED_ATOMS]) + (" ..." if len(symbols) > _NAMED_ATOMS else "")


def _state(atom: Any) -> tuple[int, ...]:
    return atom.GetFormalCharge(), atom.GetIsotope(), atom.GetAtomMapNum()
