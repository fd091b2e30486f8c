"""Where a wrong SMILES left its reference: the token with which it died, or the gap where a symbol is missing before.

RDKit and the reader say where a mistake shows: at the parenthesis that nothing closes, at the atom that has one bond too
many. With a reference it is known where it was made. For a parenthesis or a ring number too few or too many, each place
before the first dead character is tried; whatever single change makes the text the reference was the mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.chemistry.embedding.reference import Reference
from rlsf_lightning.symbolic.chemistry.embedding.viable import find_death
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles

#: Changes that are tried out at most, those next to the first dead character first.
MAX_CHANGES = 60
MAX_PLACES = 3
_MARKS = {"unclosed_branch": ")", "extra_close": "("}
#: What may stand between an atom and one of its ring numbers: other ones, with their bonds.
_SYMBOLS = "-=#:/\\"
_DIGITS = "0123456789%" + _SYMBOLS


def departure(text: str, read: SmilesMap, reference: Reference, dead: int) -> list[Span]:
    """The places, given the first dead character (the length: only the end was wrong). Empty where nothing is known."""

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
    while start and text[start - 1] in "(" + _SYMBOLS:
        start -= 1
    return Span(start, end)


def repairs(
    text: str,
    read: SmilesMap,
    last: int,
    is_right: Callable[[str], bool],
    most: int = MAX_CHANGES,
    places: int = MAX_PLACES,
) -> list[Span]:
    """Where one parenthesis or ring number, put in before ``last`` or left out, gives what is right.

    At most so many ``places``, found in ``most`` trials.
    """
    found: list[Span] = []
    for start, end, new in islice(_changes(text, read, last), most):
        if is_right(text[:start] + new + text[end:]):
            found.append(Span(start, end) if start < end else _gap(text, start, new))
            if len(found) == places:
                break
    return found


def _gap(text: str, at: int, new: str) -> Span:
    """The characters on both sides of what is missing; a ring number may stand anywhere among those of its atom."""
    end = at
    while new not in _MARKS.values() and end < len(text) and text[end] in _DIGITS:
        end += 1
    return Span(max(0, at - 1), min(len(text), end + 1))


def _changes(text: str, read: SmilesMap, last: int) -> Iterator[tuple[int, int, str]]:
    """(start, end, new text) of the changes that may mend the one thing that the reader finds wrong."""
    kinds = [problem.kind for problem in read.problems]
    if kinds in (["unclosed_branch"], ["extra_close"]):
        problem = read.problems[0]
        yield problem.start, problem.end, ""
        for at in range(last, 0, -1):
            yield at, at, _MARKS[kinds[0]]
    elif kinds == ["unclosed_ring"]:
        problem = read.problems[0]
        yield problem.start, problem.end, ""
        written = text[problem.start : problem.end].lstrip(_SYMBOLS)
        if problem.dead_from is not None:  # it is open at a dot
            last = min(last, problem.dead_from)
        for atom in reversed(read.atoms):
            if atom.end <= last and not (atom.end < len(text) and text[atom.end] == "]"):
                yield atom.end, atom.end, written
    elif kinds == ["unclosed_ring", "unclosed_ring"]:
        first, second = read.problems
        for wrong, right in ((second, first), (first, second)):
            yield wrong.start, wrong.end, text[right.start : right.end].lstrip(_SYMBOLS)
