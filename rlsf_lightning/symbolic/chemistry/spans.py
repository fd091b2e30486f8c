"""The spans of atoms and bonds in a SMILES. Plain Python, no RDKit."""

from __future__ import annotations

from collections.abc import Iterable

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.chemistry.smiles_parser import Bond, SmilesMap


def atom_spans(read: SmilesMap, atoms: Iterable[int]) -> tuple[Span, ...]:
    """The places of atoms, those that touch as one."""
    return merged(Span(read.atoms[i].start, read.atoms[i].end) for i in set(atoms))


def bond_spans(read: SmilesMap, bonds: Iterable[Bond]) -> tuple[Span, ...]:
    """The symbols and ring numbers of bonds; of one without either, its second atom."""
    return tuple(sorted({Span(*span) for bond in bonds for span in bond.spans or [read.atoms[bond.second][:2]]}))


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same characters in as few spans as there can be."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)
