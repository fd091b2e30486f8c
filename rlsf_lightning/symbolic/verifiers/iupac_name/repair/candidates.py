"""Candidates for the change that mends a name: another locant, another multiplier, a token less, the other configuration.

A change after which OPSIN reads the reference says where the mistake is, and is its own proof. Every one that is tried has
to be read, so of a readable name only those are tried that may turn its atoms into the reference's.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.iupac_name.parse import Token

_NUMBER = re.compile(r"(?<![\d.\[])\d+(?![\d.])")
_HIGHEST = 9
_MULTIPLIERS = (("di", "tri", "tetra", "penta", "hexa"), ("bis", "tris", "tetrakis"))
_PAIRS = (("r", "s"), ("e", "z"), ("d", "l"), ("cis", "trans"), ("alpha", "beta"))
_OTHER = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
_CONFIGURATION = re.compile(r"cis|trans|alpha|beta|[rsezdl]", re.IGNORECASE)
_NUMBERED = frozenset(
    ("locant", "stereoChemistry", "indicatedHydrogen", "colonOrSemiColonDelimitedLocant", "hydro", "lambdaConvention")
)
_OF_SUFFIX = frozenset(("infix", "suffix", "suffixPrefix"))
_OF_STEREO = frozenset(("stereoChemistry",))
_OF_VALENCE = frozenset(("lambdaConvention",))
_LOCATED = frozenset(("group", "multiplier", "suffix", "unsaturator", "openbracket"))
_ATOM = re.compile(r"\[\d*([A-Z][a-z]?|\*)[^\]]*\]|(Cl|Br|[A-Z]|\*)")
_ELEMENT = re.compile(r"([A-Z][a-z]?)(\d*)")
_OF_PLACES = re.compile(r"valency|valence|double bonds|Could not find|referring to|locant")
_PARTNER = {"(": ")", "[": "]", "{": "}", ")": "(", "]": "[", "}": "{"}


class Change(NamedTuple):
    """What stands between ``start`` and ``end`` becomes ``new``."""

    start: int
    end: int
    new: str

    def of(self, text: str) -> str:
        """The changed text."""
        return text[: self.start] + self.new + text[self.end :]

    def span(self, length: int) -> Span:
        """Its characters in a text of some length; of an addition, the two around it."""
        if self.end > self.start:
            return Span(self.start, self.end)
        return Span(max(0, self.start - 1), min(length, self.start + 1))


def changes(text: str, tokens: Sequence[Token], message: str) -> Iterator[Change]:
    """The changes of a name of no molecule that may be worth trying, the likeliest first, without repetition.

    ``message``: what OPSIN says of it. Only where parts fit together may it be a locant that is wrong.
    """
    left_out = (_without(group) for group in _groups(tokens))
    if _OF_PLACES.search(message):
        numbers, configurations = _numbers(text, tokens, _NUMBERED), _configurations(text, tokens)
        return _once(numbers, configurations, _added(text, tokens), left_out)
    return _once((change for change, _, _ in _multipliers(text, tokens)), left_out, _added(text, tokens))


class Atoms(NamedTuple):
    """What is known of the atoms of a readable name and of the reference.

    ``formula`` and ``wanted`` are their molecular formulas, ``given`` the heavy atoms that each token of the name gives, and
    ``of_suffix`` those that the suffixes of a part give.
    """

    formula: str
    wanted: str
    given: dict[Token, Counter[str]]
    of_suffix: dict[int, Counter[str]]

    @classmethod
    def of(cls, smiles: str, owners: Sequence[int], tokens: Sequence[Token], formulas: tuple[str, str]) -> Atoms:
        """Of OPSIN's SMILES and its owners (see ``locate.fragments.Reading``)."""
        given, of_suffix = defaultdict[Token, Counter[str]](Counter), defaultdict[int, Counter[str]](Counter)
        for match, owner in zip(_ATOM.finditer(smiles), owners, strict=False):
            symbol = match[1] or match[2]
            if symbol != "H" and owner >= 0:
                given[tokens[owner]][symbol] += 1
            elif symbol != "H" and owner < -1:
                of_suffix[tokens[-2 - owner].part][symbol] += 1
        return cls(*formulas, dict(given), dict(of_suffix))

    def may_be_extra(self, group: Sequence[Token], extra: Counter[str]) -> bool:
        """Whether these atoms may go where these tokens, all of one part, do."""
        given = sum((self.given.get(token, Counter()) for token in group), Counter[str]())
        is_of_suffix = any(token.tag in _OF_SUFFIX for token in group)
        more = self.of_suffix.get(group[0].part, Counter()) if is_of_suffix else Counter()
        return given <= extra <= given + more


def promising(
    text: str, tokens: Sequence[Token], atoms: Atoms, *, is_stereo: bool, is_ambiguous: bool
) -> Iterator[Change]:
    """The changes of a readable name that may turn its molecule into the reference, the likeliest first.

    Args:
        is_stereo: whether both differ in stereochemistry alone.
        is_ambiguous: whether OPSIN says that locants are missing.
    """
    if is_stereo:
        of_stereo = [token for token in tokens if token.tag in _OF_STEREO]
        left_out = (_without([token]) for token in of_stereo if token.end > token.start)
        return _once(_configurations(text, tokens), _numbers(text, tokens, _OF_STEREO), left_out)
    if atoms.formula == atoms.wanted:
        located = _NUMBERED - _OF_STEREO
        sources = [_numbers(text, tokens, located), _added(text, tokens)]
        left_out = (_without([token]) for token in tokens if token.tag in located and token.end > token.start)
        return _once(*(sources[::-1] if is_ambiguous else sources), left_out)
    ours, theirs = _heavy(atoms.formula), _heavy(atoms.wanted)
    extra, lacking = ours - theirs, theirs - ours
    counts = (c for c, old, new in _multipliers(text, tokens) if _is_multiple(extra, lacking, new - old))
    is_replaced = extra.total() == lacking.total()  # what goes may come back as something else: thi
    groups = _groups(tokens) if is_replaced or not lacking else iter(())
    left_out = (_without(group) for group in groups if atoms.may_be_extra(group, extra))
    return _once(counts, left_out, _numbers(text, tokens, _OF_VALENCE))


def _once(*sources: Iterator[Change]) -> Iterator[Change]:
    seen = set()
    for change in itertools.chain(*sources):
        if change not in seen:
            seen.add(change)
            yield change


def _heavy(formula: str) -> Counter[str]:
    return Counter({element: int(count or 1) for element, count in _ELEMENT.findall(formula) if element != "H"})


def _is_multiple(extra: Counter[str], lacking: Counter[str], more: int) -> bool:
    """Whether so many times more of something may take away what is extra and add what is lacking."""
    wrong, other = (lacking, extra) if more > 0 else (extra, lacking)
    return not other and all(count % more == 0 for count in wrong.values())


def partners(text: str, at: int) -> Iterator[Change]:
    """What may set right a bracket without a partner: none, or a partner somewhere."""
    yield Change(at, at + 1, "")
    new = _PARTNER[text[at]]
    offsets = range(at + 2, len(text) + 1) if new in ")]}" else range(at - 1, -1, -1)
    for offset in offsets:
        before = text[offset - 1 : offset]
        if not (before.isdigit() and text[offset : offset + 1].isdigit()) and before != ",":
            yield Change(offset, offset, new)


def _numbers(text: str, tokens: Sequence[Token], tags: Collection[str]) -> Iterator[Change]:
    for token in tokens:
        if token.tag in tags:
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


def _multipliers(text: str, tokens: Sequence[Token]) -> Iterator[tuple[Change, int, int]]:
    """With the number that stands there, and the new one."""
    for token in tokens:
        for series in _MULTIPLIERS:
            word = text[token.start : token.end].lower()
            if token.tag == "multiplier" and word in series:
                old = series.index(word) + 2
                for new, other in enumerate(series, 2):
                    if new != old:
                        yield Change(token.start, token.end, other), old, new


def _added(text: str, tokens: Sequence[Token]) -> Iterator[Change]:
    """A locant for what has none."""
    for before, token in itertools.pairwise([None, *tokens]):
        if token is not None and token.tag in _LOCATED and token.end > token.start:
            if before is None or before.tag not in ("locant", "multiplier"):
                hyphen = "-" if text[token.start - 1 : token.start].isalpha() else ""
                yield from (Change(token.start, token.start, f"{hyphen}{number}-") for number in range(1, 7))


def _groups(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """What may be left out: each token, and each part."""
    yield from ([token] for token in tokens if token.end > token.start)
    for _, group in itertools.groupby(tokens, key=lambda token: token.part):
        part = list(group)
        if part[-1].end > part[0].start:
            yield part


def _without(group: Sequence[Token]) -> Change:
    return Change(group[0].start, group[-1].end, "")
