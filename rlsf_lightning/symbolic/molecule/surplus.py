"""Which atoms of a molecule that is too heavy may be the ones too many: without one of them all facts are true."""

from __future__ import annotations

from collections.abc import Callable

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.smiles.map import SmilesMap

#: Places that are named at most; atoms that are tried out are as many as are written.
MAX_PLACES = 8
_BONDS = "-=#:/\\$"


def surplus(text: str, read: SmilesMap, is_right: Callable[[str], bool]) -> list[Span]:
    """The places of single atoms, with the bond and the parentheses that go with them, without which a text is right."""
    found: list[Span] = []
    for atom in read.atoms:
        start, end = atom.start, atom.end
        while start and text[start - 1] in _BONDS:
            start -= 1
        if text[start - 1 : start] == "(" and text[end : end + 1] == ")":
            start, end = start - 1, end + 1
        if is_right(text[:start] + text[end:]):
            found.append(Span(start, end))
            if len(found) == MAX_PLACES:
                break
    return found
