"""Small things about places in a SMILES that every part of this room needs. Plain Python, no RDKit."""

from __future__ import annotations

from collections.abc import Iterable

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap

#: More findings than these are summed up in a last one.
MAX_FINDINGS = 50


def is_bad(character: str) -> bool:
    """Blanks, control characters and everything that is not ASCII: RDKit stops at them or drops them silently."""
    return not "!" <= character <= "~"


def atom_spans(read: SmilesMap, atoms: Iterable[int]) -> tuple[Span, ...]:
    """The places of atoms, those that touch as one."""
    spans: list[Span] = []
    for i in sorted(set(atoms)):
        atom = read.atoms[i]
        if spans and spans[-1].end == atom.start:
            spans[-1] = Span(spans[-1].start, atom.end)
        else:
            spans.append(Span(atom.start, atom.end))
    return tuple(spans)


def bounded(findings: list[Finding]) -> list[Finding]:
    """At most ``MAX_FINDINGS``, and one that says how many more there are."""
    if len(findings) <= MAX_FINDINGS:
        return findings
    rest = len(findings) - MAX_FINDINGS
    return [*findings[:MAX_FINDINGS], Finding(findings[MAX_FINDINGS].kind, f"and {rest} more findings")]


def shifted(findings: list[Finding], offset: int) -> tuple[Finding, ...]:
    """The findings of a text that begins at this offset of the completion."""
    return tuple(
        Finding(f.kind, f.message, tuple(Span(s.start + offset, s.end + offset) for s in f.spans), f.weight)
        for f in findings
    )
