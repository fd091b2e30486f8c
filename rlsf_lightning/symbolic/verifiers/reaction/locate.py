"""The characters of an answer that its mistakes concern: atoms of components, and where the answer left the reference."""

from __future__ import annotations

from collections.abc import Iterable

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.chemistry.spans import atom_spans
from rlsf_lightning.symbolic.verifiers.reaction.parse import Component


def component_spans(component: Component, atoms: Iterable[int]) -> list[Span]:
    """The places of a component's atoms in the answer."""
    start = component.start
    return [Span(start + s.start, start + s.end) for s in atom_spans(read_smiles(component.text), atoms)]


def lone_charges(read: SmilesMap, sign: int) -> list[int]:
    """The atoms with a charge of this sign that are bonded to none of the other."""
    made_up = set()
    for bond in read.bonds:
        if read.atoms[bond.first].charge * read.atoms[bond.second].charge < 0:
            made_up |= {bond.first, bond.second}
    return [i for i, atom in enumerate(read.atoms) if atom.charge * sign > 0 and i not in made_up]


def dead_end(findings: list[Finding], dead: int | None, text: str) -> list[Finding]:
    """A finding for the first dead character and the one before it, if others do not mark both already.

    Where only stopping was wrong it is the end, without a character.
    """
    if dead is None:
        return []
    place = Span(max(0, dead - 1), dead + 1) if dead < len(text) else Span(dead, dead)
    marked = {at for finding in findings for span in finding.spans for at in range(span.start, span.end)}
    if place.start < place.end and marked.issuperset(range(place.start, place.end)):
        return []
    return [Finding("dead_end", "up to here this could become the reference, from here on it cannot", (place,))]
