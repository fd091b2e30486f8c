"""Repairs of a SMILES by one token: the parenthesis or the ring number without a partner is paired or left out.

The parser names the half that is there; where its partner should have been, only the caller's verdict on each attempt tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap

#: Attempts, those next to the first dead character first, and places that are named.
MAX_CHANGES = 60
MAX_PLACES = 3
#: Bond symbols that may stand before an atom or a ring number.
BOND_SYMBOLS = "-=#:/\\"
#: The kinds of findings that a repair may explain.
REPAIRABLE = frozenset(["unclosed_branch", "extra_close", "unclosed_ring"])
_PARTNERS = {"unclosed_branch": ")", "extra_close": "("}
#: What may stand between an atom and one of its ring numbers: other ones, with their bonds.
_DIGITS = "0123456789%" + BOND_SYMBOLS


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
    while new not in _PARTNERS.values() and end < len(text) and text[end] in _DIGITS:
        end += 1
    return Span(max(0, at - 1), min(len(text), end + 1))


def _changes(text: str, read: SmilesMap, last: int) -> Iterator[tuple[int, int, str]]:
    """(start, end, new text) of the changes that may repair the one thing that the parser finds wrong."""
    kinds = [problem.kind for problem in read.problems]
    if kinds in (["unclosed_branch"], ["extra_close"]):
        problem = read.problems[0]
        yield problem.start, problem.end, ""
        for at in range(last, 0, -1):
            yield at, at, _PARTNERS[kinds[0]]
    elif kinds == ["unclosed_ring"]:
        problem = read.problems[0]
        yield problem.start, problem.end, ""
        written = text[problem.start : problem.end].lstrip(BOND_SYMBOLS)
        for atom in reversed(read.atoms):
            if atom.end <= last and not (atom.end < len(text) and text[atom.end] == "]"):
                yield atom.end, atom.end, written
    elif kinds == ["unclosed_ring", "unclosed_ring"]:
        first, second = read.problems
        for wrong, right in ((second, first), (first, second)):
            yield wrong.start, wrong.end, text[right.start : right.end].lstrip(BOND_SYMBOLS)
