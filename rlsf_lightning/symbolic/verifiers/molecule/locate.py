"""The characters that a finding on a molecule concerns: of matches in excess, of properties, and of bonds beside atoms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.chemistry.spans import atom_spans, bond_spans, merged

_MAY_BE_BONDS = ("valence", "kekulisation")


def match_spans(matches: Sequence[Sequence[int]], read: SmilesMap) -> tuple[Span, ...]:
    """The atoms of matches, and the bonds that are written, and ring digits, between those of the same match.

    A double bond is part of an alkene.
    """
    atoms = atom_spans(read, {atom for match in matches for atom in match})
    bonds = [
        Span(*place)
        for inside in map(set, matches)
        for bond in read.bonds
        if bond.first in inside and bond.second in inside
        for place in bond.spans
    ]
    return merged([*atoms, *bonds])


def property_spans(
    name: str, is_excess: bool, matches: Sequence[Sequence[int]], text: str, read: SmilesMap
) -> tuple[Span, ...]:
    """Charges of the sign that is too many, ring digits, dots, marked centres; nothing has a place where it is missing."""
    if name == "charge":
        return charge_spans(read, 1 if is_excess else -1)
    if not is_excess:
        return ()
    if name == "rings":
        digits = {span for bond in read.bonds if bond.is_ring_closure for span in bond.spans}
        return tuple(Span(*span) for span in sorted(digits))
    if name == "fragments":
        return tuple(Span(match.start(), match.end()) for match in re.finditer(r"\.", text))
    return atom_spans(read, {atom for match in matches for atom in match})


def charge_spans(read: SmilesMap, sign: int) -> tuple[Span, ...]:
    """The atoms that are written with a charge of this sign."""
    return atom_spans(read, [i for i, atom in enumerate(read.atoms) if atom.charge * sign > 0])


def with_bonds(findings: list[Finding], text: str) -> list[Finding]:
    """With the bonds of atoms that have too many, and of rings that cannot be kekulised: any may be the wrong one."""
    if not any(finding.kind in _MAY_BE_BONDS for finding in findings):
        return findings
    read = read_smiles(text)
    return [_with_bonds(finding, read) if finding.kind in _MAY_BE_BONDS else finding for finding in findings]


def _with_bonds(finding: Finding, read: SmilesMap) -> Finding:
    inside = {i for i, atom in enumerate(read.atoms) if any(s.start <= atom.start < s.end for s in finding.spans)}
    if finding.kind == "kekulisation":
        inside |= {end for bond in read.bonds for end in bond[:2] if inside & {*bond[:2]} and read.atoms[end].aromatic}
    beside = [bond for bond in read.bonds if inside & {bond.first, bond.second}]
    return replace(finding, spans=merged({*finding.spans, *bond_spans(read, beside)}))
