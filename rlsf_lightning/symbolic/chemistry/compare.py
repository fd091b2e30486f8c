"""Where a valid molecule differs from the reference: the maximum common substructure, within a time limit."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator, rdFMCS

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.chemistry.spans import atom_spans
from rlsf_lightning.symbolic.chemistry.stereo_difference import wrong_marks

_WRITTEN = "written"  # atom property: the atom's place among those of the string
_NAMED_ATOMS = 20
#: In larger molecules no common substructure is looked for: the search looks at its clock too rarely.
MAX_ATOMS = 120
#: Nor in those with more rings, in which a single step may take a second.
MAX_RINGS = 12
#: Steps of the search: of 250 pairs of real molecules that share next to nothing, the hardest took 1,925.
MAX_STEPS = 2_000
_MORGAN = rdFingerprintGenerator.GetMorganGenerator(radius=2)

Pairs = list[tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Target:
    """A reference, ready for comparison."""

    smiles: str
    molecule: Any
    canonical: str

    @cached_property
    def flat(self) -> str:
        """The canonical SMILES without stereochemistry."""
        return _flat(self.molecule)

    @cached_property
    def fingerprint(self) -> Any:
        """That of the molecule."""
        return fingerprint(self.molecule)


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
    molecule, reference = _with_written_numbers(text), _with_written_numbers(target.smiles)
    if same_but_for_stereo(text, molecule, target):
        spans = wrong_marks(text, target.canonical)
        return Comparison([Finding("wrong_stereo", "the same bonds, but another stereochemistry", spans)], {})
    if any(_is_large(each) for each in (molecule, reference)):
        message = f"a valid molecule, but not the reference; over {MAX_ATOMS} atoms or {MAX_RINGS} rings: not compared"
        return Comparison([Finding("other_molecule", message)], {})
    pairs, is_complete = _common(molecule, reference, seconds)
    if pairs is None:  # what was found till then depends on the machine
        message = f"a valid molecule, but not the reference; not compared in mcs_seconds={seconds:g}"
        return Comparison([Finding("other_molecule", message)], {"search_complete": False})
    findings = _differences(molecule, reference, dict(pairs), read)
    if not findings:
        findings = [Finding("other_molecule", "the same atoms and bonds, but another molecule")]
    return Comparison(findings, {"mapping": [list(pair) for pair in sorted(pairs)], "search_complete": is_complete})


def common_atoms(text: str, target: Target, seconds: float) -> list[list[int]] | None:
    """The mapping of ``compare`` alone; None where there is none."""
    molecule, reference = _with_written_numbers(text), _with_written_numbers(target.smiles)
    if any(_is_large(each) for each in (molecule, reference)):
        return None
    pairs, _ = _common(molecule, reference, seconds)
    return None if pairs is None else [list(pair) for pair in sorted(pairs)]


def same_but_for_stereo(text: str, molecule: Any, target: Target) -> bool:
    """Whether ``molecule``, written as ``text``, differs from the reference in stereochemistry only."""
    has_any = target.canonical != target.flat or any(mark in text for mark in "@/\\")
    return has_any and _flat(molecule) == target.flat


def _flat(molecule: Any) -> str:
    copy = Chem.Mol(molecule)
    Chem.RemoveStereochemistry(copy)
    return rdkit_io.canonical(copy)


def _with_written_numbers(smiles: str) -> Any:
    molecule = rdkit_io.parse_all_atoms(smiles)
    assert molecule is not None, f"not a valid SMILES: {smiles!r}"
    for atom in rdkit_io.atoms_of(molecule):
        atom.SetIntProp(_WRITTEN, atom.GetIdx())
    return rdkit_io.merged(molecule)


def written_numbers(text: str, molecule: Any, read: SmilesMap) -> list[int]:
    """For each atom of ``molecule``, which is the sanitised ``text``, its place among those that are written."""
    if molecule.GetNumAtoms() == len(read.atoms):
        return list(range(len(read.atoms)))
    return [_number(atom) for atom in rdkit_io.atoms_of(_with_written_numbers(text))]


def _is_large(molecule: Any) -> bool:
    return molecule.GetNumAtoms() > MAX_ATOMS or molecule.GetNumBonds() - molecule.GetNumAtoms() >= MAX_RINGS


def _number(atom: Any) -> int:
    return int(atom.GetIntProp(_WRITTEN))


def _differences(molecule: Any, reference: Any, mapped: dict[int, int], read: SmilesMap) -> list[Finding]:
    """Findings for a mapping between written numbers."""
    ours = {_number(atom): atom for atom in rdkit_io.atoms_of(molecule)}
    theirs = {_number(atom): atom for atom in rdkit_io.atoms_of(reference)}
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
    findings, met, extra = [], set(), []
    for ends, order in ours.items():
        if ends <= mapped.keys():
            image = frozenset(mapped[end] for end in ends)
            met.add(image)
            if theirs.get(image) != order:
                extra.append(ends)
    if extra:
        findings.append(Finding("wrong_bonds", "the reference has no such bond here", _bond_spans(read, extra)))
    lacking = [ends for ends in theirs if ends <= set(mapped.values()) and ends not in met]
    if lacking:
        findings.append(Finding("missing_bonds", f"bonds of the reference that are not there: {len(lacking)}"))
    return findings


def _bonds(molecule: Any) -> dict[frozenset[int], str]:
    return {
        frozenset((_number(bond.GetBeginAtom()), _number(bond.GetEndAtom()))): str(bond.GetBondType())
        for bond in rdkit_io.bonds_of(molecule)
    }


def _bond_spans(read: SmilesMap, bonds: Iterable[frozenset[int]]) -> tuple[Span, ...]:
    """The symbols and ring digits of bonds; of one without either, its second atom."""
    wanted = set(bonds)
    found = [bond for bond in read.bonds if frozenset((bond.first, bond.second)) in wanted]
    spans = [span for bond in found for span in bond.spans or [read.atoms[bond.second][:2]]]
    return tuple(sorted({Span(*span) for span in spans}))


def _symbols(atoms: dict[int, Any], which: Iterable[int]) -> str:
    symbols = [atoms[i].GetSymbol() for i in sorted(which)]
    return " ".join(symbols[:_NAMED_ATOMS]) + (" ..." if len(symbols) > _NAMED_ATOMS else "")


def _state(atom: Any) -> tuple[int, ...]:
    return atom.GetFormalCharge(), atom.GetIsotope(), atom.GetAtomMapNum()


class _Clock(rdFMCS.MCSProgress):
    """Ends the search after so many steps: RDKit's own limit is one of time, and in whole seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.steps, self.too_late = MAX_STEPS, False
        self.end = time.thread_time() + seconds  # computed by this thread: others may be busy

    def __call__(self, state: Any, parameters: Any) -> bool:
        self.steps -= 1
        self.too_late |= time.thread_time() > self.end
        return self.steps > 0 and not self.too_late


def _common(molecule: Any, reference: Any, seconds: float) -> tuple[Pairs | None, bool]:
    """Pairs of atoms (written numbers) that match, and whether the search came to its end; None if the clock ended it.

    A common substructure is connected, so equal fragments are paired first and the rest is searched.
    """
    pairs: Pairs = []
    rest, reference_rest = [], list(Chem.GetMolFrags(reference, asMols=True))
    for fragment in Chem.GetMolFrags(molecule, asMols=True):
        canonical = rdkit_io.canonical(fragment)
        equal = next((other for other in reference_rest if rdkit_io.canonical(other) == canonical), None)
        if equal is None:
            rest.append(fragment)
            continue
        reference_rest.remove(equal)
        pairs += _match(fragment, equal, fragment)
    if not rest or not reference_rest:
        return pairs, True
    ours, theirs = _combined(rest), _combined(reference_rest)
    parameters = rdFMCS.MCSParameters()
    parameters.AtomTyper = rdFMCS.AtomCompare.CompareElements
    parameters.BondTyper = rdFMCS.BondCompare.CompareOrder
    clock = _Clock(seconds)  # RDKit holds no reference of its own
    parameters.ProgressCallback = clock
    with rdkit_io.quiet():
        found = rdFMCS.FindMCS([ours, theirs], parameters)
        if found.numAtoms:
            pairs += _match(ours, theirs, Chem.MolFromSmarts(found.smartsString))
    return None if clock.too_late else pairs, not found.canceled


def _combined(fragments: list[Any]) -> Any:
    whole = fragments[0]
    for fragment in fragments[1:]:
        whole = Chem.CombineMols(whole, fragment)
    Chem.FastFindRings(whole)
    return whole


def _match(ours: Any, theirs: Any, pattern: Any) -> Pairs:
    """The atoms (written numbers) that a common pattern lies on; none if it is not found in both."""
    places = ours.GetSubstructMatch(pattern), theirs.GetSubstructMatch(pattern)
    if not all(places):
        return []
    return [(_number(ours.GetAtomWithIdx(i)), _number(theirs.GetAtomWithIdx(j))) for i, j in zip(*places, strict=True)]
