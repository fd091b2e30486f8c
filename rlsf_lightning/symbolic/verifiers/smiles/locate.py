"""Locates where a wrong SMILES left its reference: the token with which it died, or the gap where a symbol is missing.

RDKit and the parser say where a mistake shows: at the parenthesis that nothing closes, at the atom that has one bond too
many. With a reference it is known where it was made. For a parenthesis or a ring number too few or too many, each place
before the first dead character is tried; whatever single change makes the text the reference was the mistake.
"""

from __future__ import annotations

from dataclasses import replace

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.chemistry.compare import Target
from rlsf_lightning.symbolic.chemistry.embedding.reference import Reference, known_reference
from rlsf_lightning.symbolic.chemistry.embedding.viable import find_death
from rlsf_lightning.symbolic.chemistry.repair import BOND_SYMBOLS, repairs
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles

#: The kinds that have their place already, or none.
_LOCATED = frozenset("empty too_long bad_character bad_bracket_atom wrong_stereo".split())


def locate(findings: list[Finding], text: str, target: Target, dead: int) -> tuple[list[Finding], list[Span] | None]:
    """The findings, the first of which gets the places where the reference was left, and these; None: not looked for.

    ``dead``: the first dead character, or the length of ``text`` if only its end was wrong.
    """
    first, *others = findings
    if first.kind in _LOCATED:
        return findings, None
    places = _departure(text, read_smiles(text), known_reference(target.smiles), dead)
    added = [place for place in places if place not in first.spans]
    if added:
        message = f"{first.message}; marked too: where the reference was left"
        first = replace(first, message=message, spans=(*first.spans, *added))
    return [first, *others], added


def _departure(text: str, read: SmilesMap, reference: Reference, dead: int) -> list[Span]:
    def is_right(changed: str) -> bool:
        return not read_smiles(changed).problems and find_death(reference, changed).complete

    repaired = repairs(text, read, min(dead + 1, len(text)), is_right)
    if repaired:
        return repaired
    if dead >= len(text):
        return [Span(len(text) - 1, len(text))] if text else []
    return [_token(read, text, dead)]


def _token(read: SmilesMap, text: str, at: int) -> Span:
    """The token that holds the character, with the parenthesis or the bond symbol before it."""
    start, end = next(((a.start, a.end) for a in read.atoms if a.start <= at < a.end), (at, at + 1))
    while start and text[start - 1] in "(" + BOND_SYMBOLS:
        start -= 1
    return Span(start, end)
