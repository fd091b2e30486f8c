"""Step splitters: the reasoning steps of a completion, which VinePPO values one by one. A function of the text alone.

Steps are half-open, follow each other, and together are the whole text: the offsets at which they start say it all. No
torch, and no parser: a splitter must cope with anything a model writes.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

#: text -> the offsets at which its steps begin: ascending, the first is 0.
Splitter = Callable[[str], list[int]]

_LINE = re.compile(r"\n+")
#: The end of a sentence, or of an equation's right side.
_ARITHMETIC = re.compile(r"\n+|[.;]\s+|=\s*-?\$?\d[\d,./]*(?:\s+|$)")
#: Before a branch, after one, and between the components of a SMILES.
_BRANCH = re.compile(r"(?=\()|(?<=\))(?!\()|(?<=\.)")


def lines(text: str) -> list[int]:
    """A step a line; blank lines belong to the one before."""
    return _starts(text, _LINE)


def arithmetic(text: str) -> list[int]:
    """A step a line, a sentence or an equation: ``3 + 4 = 7, so 7 * 2 = 14.`` has two."""
    return _starts(text, _ARITHMETIC)


def branches(text: str) -> list[int]:
    """A step a branch of a SMILES, and a stretch of chain between two: ``CC(=O)Oc1ccccc1`` has three."""
    return _starts(text, _BRANCH)


def steps_of(text: str, splitter: Splitter, most: int) -> list[int]:
    """The splitter's offsets, thinned out evenly to at most ``most`` steps. ValueError: they are no offsets of steps."""
    starts = splitter(text)
    if starts[:1] != [0] or any(b <= a for a, b in itertools.pairwise(starts)) or starts[-1] > len(text):
        raise ValueError(f"a splitter's offsets ascend from 0 within the text, got {starts[:20]}")
    return starts if len(starts) <= most else [starts[i * len(starts) // most] for i in range(most)]


def _starts(text: str, end: re.Pattern[str]) -> list[int]:
    """0 and the ends of all matches, without those at the ends of the text."""
    return sorted({0, *(match.end() for match in end.finditer(text) if 0 < match.end() < len(text))})
