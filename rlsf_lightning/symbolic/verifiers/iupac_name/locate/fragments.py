"""Locates the tokens of a readable name that carry the wrong atoms.

OPSIN says from which token each atom came; RDKit's maximum common substructure says which atoms the reference has not, and
where it has more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.verifiers.iupac_name.parse import Token

Mapping = list[list[int]]
_OF_ATOMS = frozenset(("multiplier", "unsaturator"))
_OF_SUFFIX = frozenset(("suffix",))
_OF_BONDS = frozenset(("unsaturator", "hydro", "indicatedHydrogen", "subtractivePrefix"))


class Reading(NamedTuple):
    """What OPSIN reads in a name: the SMILES, the tokens, and the token of each atom as they are written in the SMILES.

    An atom's owner is a token i, or -2 - i where it belongs to a suffix of that token, or -1 where that is not known.
    """

    smiles: str
    tokens: tuple[Token, ...]
    owners: list[int]


class Difference(NamedTuple):
    """Atoms of the molecule, counted as they are written."""

    #: Those that the reference has not.
    extra: list[int]
    #: Those at which the reference has more.
    incomplete: list[int]
    #: Those with another bond between them, charge, isotope or number of hydrogens.
    changed: list[int]


def difference(smiles: str, reference: str, mapping: Mapping) -> Difference:
    """Where the molecule differs, under a mapping of its atoms on the reference's (each counted as they are written)."""
    ours, theirs = rdkit_io.parse_all_atoms(smiles), rdkit_io.parse_all_atoms(reference)
    assert ours is not None and theirs is not None, "both were read before"
    image, origin = {i: j for i, j in mapping}, {j: i for i, j in mapping}
    heavy = [atom.GetIdx() for atom in rdkit_io.atoms_of(ours) if atom.GetAtomicNum() > 1]
    extra = [i for i in heavy if i not in image]
    incomplete, changed = set[int](), set[int]()
    for atom in rdkit_io.atoms_of(theirs):
        if atom.GetIdx() not in origin and atom.GetAtomicNum() > 1:
            incomplete |= {origin[n.GetIdx()] for n in atom.GetNeighbors() if n.GetIdx() in origin}
    bonds = {_ends(bond): bond.GetBondType() for bond in rdkit_io.bonds_of(theirs)}
    seen = set()
    for bond in rdkit_io.bonds_of(ours):
        if _ends(bond) <= image.keys():
            ends = frozenset(image[i] for i in _ends(bond))
            seen.add(ends)
            if bonds.get(ends) != bond.GetBondType():
                changed |= _ends(bond)
    for ends in bonds.keys() - seen:
        if ends <= origin.keys():
            changed |= {origin[j] for j in ends}
    for i, j in mapping:
        if _state(ours.GetAtomWithIdx(i)) != _state(theirs.GetAtomWithIdx(j)):
            changed.add(i)
    if not (extra or incomplete or changed):
        hydrogens = [(ours.GetAtomWithIdx(i), theirs.GetAtomWithIdx(j)) for i, j in mapping]
        changed = {a.GetIdx() for a, b in hydrogens if a.GetTotalNumHs(True) != b.GetTotalNumHs(True)}
    return Difference(extra, sorted(incomplete), sorted(changed))


def findings_of(reading: Reading, found: Difference, text: str, is_isomer: bool) -> list[Finding]:
    """The same as findings at the tokens of a name, whose text is given; none where no token is known.

    ``is_isomer``: the molecule has the reference's formula.
    """
    findings = list[Finding]()
    extra = _tokens(reading, found.extra, _OF_ATOMS)
    if extra:
        findings.append(Finding("wrong_fragment", "gives atoms that the reference has not", extra))
    if found.incomplete:
        owners = {_group(reading.owners[atom]) for atom in found.incomplete if atom < len(reading.owners)} - {None}
        spans = {span for owner in owners for span in _gaps(reading.tokens, owner or 0, text)}
        findings.append(Finding("missing_atoms", "the reference has more atoms here", tuple(sorted(spans))))
    changed = _tokens(reading, found.changed, _OF_BONDS)
    if changed and is_isomer and not findings:  # what is bound elsewhere may lack its locant
        owners = {_group(reading.owners[atom]) for atom in found.changed if atom < len(reading.owners)} - {None}
        changed = tuple(
            sorted({*changed, *(span for owner in owners for span in _gaps(reading.tokens, owner or 0, text))})
        )
    if changed:
        findings.append(Finding("wrong_bonds", "the reference has other bonds, charges or hydrogens here", changed))
    return findings


def _gaps(tokens: Sequence[Token], owner: int, text: str) -> set[Span]:
    """Where something may stand that a fragment has: before each of its substituents, and around its own tokens."""
    own = tokens[owner]
    ends = {token.end for token in tokens if token.part == own.part and token.start >= own.start}
    start, depth = own.start, 0
    while start > 0 and depth >= 0 and not text[start - 1].isspace():
        start -= 1
        depth += (text[start] in ")]}") - (text[start] in "([{")
    start += depth < 0
    starts, depth = {start, own.start}, 0
    firsts = {next(t.start for t in tokens if t.part == token.part) for token in tokens}
    for at in range(start, own.start):
        if depth == 0 and at in firsts:
            starts.add(at)
        depth += (text[at] in "([{") - (text[at] in ")]}")
    return {Span(max(0, at - 1), min(len(text), at + 1)) for at in starts | ends}


def _group(owner: int) -> int | None:
    return owner if owner >= 0 else -2 - owner if owner < -1 else None


def _tokens(reading: Reading, atoms: Iterable[int], tags: frozenset[str]) -> tuple[Span, ...]:
    """The tokens that own the atoms, and those of some kinds in the same part; for atoms of a suffix, the suffixes."""
    spans = set()
    for owner in {reading.owners[atom] for atom in atoms if atom < len(reading.owners)} - {-1}:
        if owner >= 0:
            wanted = [reading.tokens[owner], *_beside(reading.tokens, owner, tags)]
        else:
            wanted = _beside(reading.tokens, -2 - owner, _OF_SUFFIX) or [reading.tokens[-2 - owner]]
        spans |= {Span(token.start, token.end) for token in wanted if token.end > token.start}
    return tuple(sorted(spans))


def _beside(tokens: Sequence[Token], owner: int, tags: frozenset[str]) -> list[Token]:
    """The tokens of some kinds in the part of a token."""
    part = tokens[owner].part
    return [token for token in tokens if token.part == part and token.tag in tags]


def _ends(bond: Any) -> frozenset[int]:
    return frozenset((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))


def _state(atom: Any) -> tuple[int, int]:
    return atom.GetFormalCharge(), atom.GetIsotope()
