"""Small changes of a name that may make it right: another locant, another multiplier, a token less, the other configuration.

A change after which OPSIN reads the reference says where the mistake is, and is its own proof.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.iupac_name.text import Token

_NUMBER = re.compile(r"(?<![\d.\[])\d+(?![\d.])")
_HIGHEST = 9
_MULTIPLIERS = (("di", "tri", "tetra", "penta", "hexa"), ("bis", "tris", "tetrakis"))
_PAIRS = (("r", "s"), ("e", "z"), ("d", "l"), ("cis", "trans"), ("alpha", "beta"))
_OTHER = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
_CONFIGURATION = re.compile(r"cis|trans|alpha|beta|[rsezdl]", re.IGNORECASE)
_NUMBERED = frozenset(
    ("locant", "stereoChemistry", "indicatedHydrogen", "colonOrSemiColonDelimitedLocant", "hydro", "lambdaConvention")
)
_LOCATED = frozenset(("group", "multiplier", "suffix", "unsaturator", "openbracket"))
_PARTNER = {"(": ")", "[": "]", "{": "}", ")": "(", "]": "[", "}": "{"}


class Change(NamedTuple):
    """What stands between ``start`` and ``end`` becomes ``new``."""

    start: int
    end: int
    new: str

    def of(self, text: str) -> str:
        """The changed text."""
        return text[: self.start] + self.new + text[self.end :]

    def place(self, length: int) -> Span:
        """Its characters in a text of some length; of an addition, the two around it."""
        if self.end > self.start:
            return Span(self.start, self.end)
        return Span(max(0, self.start - 1), min(length, self.start + 1))


def changes(text: str, tokens: Sequence[Token], may_add: bool) -> Iterator[Change]:
    """The changes that may be worth trying, the likeliest first, without repetition.

    ``may_add``: locants may be missing too.
    """
    sources = [_numbers(text, tokens), _configurations(text, tokens), _multipliers(text, tokens)]
    sources += [_added(text, tokens)] if may_add else []
    seen = set()
    for change in itertools.chain(*sources, _left_out(tokens)):
        if change not in seen:
            seen.add(change)
            yield change


def partners(text: str, at: int) -> Iterator[Change]:
    """What may set right a bracket without a partner: none, or a partner somewhere."""
    yield Change(at, at + 1, "")
    new = _PARTNER[text[at]]
    places = range(at + 2, len(text) + 1) if new in ")]}" else range(at - 1, -1, -1)
    for place in places:
        before = text[place - 1 : place]
        if not (before.isdigit() and text[place : place + 1].isdigit()) and before != ",":
            yield Change(place, place, new)


def _numbers(text: str, tokens: Sequence[Token]) -> Iterator[Change]:
    for token in tokens:
        if token.tag in _NUMBERED:
            for match in _NUMBER.finditer(text, token.start, token.end):
                for number in range(1, _HIGHEST + 1):
                    if str(number) != match[0]:
                        yield Change(*match.span(), str(number))


def _configurations(text: str, tokens: Sequence[Token]) -> Iterator[Change]:
    for token in tokens:
        if token.tag == "stereoChemistry":
            for match in _CONFIGURATION.finditer(text, token.start, token.end):
                other = _OTHER[match[0].lower()]
                yield Change(*match.span(), other if match[0].islower() else other.upper())


def _multipliers(text: str, tokens: Sequence[Token]) -> Iterator[Change]:
    for token in tokens:
        for series in _MULTIPLIERS:
            if token.tag == "multiplier" and text[token.start : token.end].lower() in series:
                yield from (Change(token.start, token.end, other) for other in series)


def _added(text: str, tokens: Sequence[Token]) -> Iterator[Change]:
    """A locant for what has none."""
    for before, token in itertools.pairwise([None, *tokens]):
        if token is not None and token.tag in _LOCATED and token.end > token.start:
            if before is None or before.tag not in ("locant", "multiplier"):
                hyphen = "-" if text[token.start - 1 : token.start].isalpha() else ""
                yield from (Change(token.start, token.start, f"{hyphen}{number}-") for number in range(1, 7))


def _left_out(tokens: Sequence[Token]) -> Iterator[Change]:
    """Each token, and each part up to its last token."""
    for token in tokens:
        if token.end > token.start:
            yield Change(token.start, token.end, "")
    for _, group in itertools.groupby(tokens, key=lambda token: token.part):
        part = list(group)
        if part[-1].end > part[0].start:
            yield Change(part[0].start, part[-1].end, "")
