"""Compares two final answers: plain numbers exactly, with a unit after them perhaps; other texts as spelled, or by a tool."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

#: Longer answers are not compared, and stand in the witness cut.
MAX_ANSWER = 300
#: Longer texts are no plain numbers.
_MAX_NUMBER = 100

_NUMBER = r"-?(?:[0-9]{1,3}(?:(?:,|\{,\})[0-9]{3})+|[0-9]+)?(?:\.[0-9]+)?"
#: Words after a number that change its value.
_SCALES = r"(?:hundred|thousand|million|billion|trillion|dozen|percent|over|plus|minus|times|or|and|to|mod|pi)\b"
_FRACTION = re.compile(r"(-?)\\[dt]?frac\{(-?[0-9]+)\}\{([0-9]+)\}|(-?[0-9]+)\s*/\s*([0-9]+)")
_PLAIN = re.compile(
    rf"(?P<number>{_NUMBER})(?P<percent>\s*(?:\\?%|percent\b))?(?:\s+(?!{_SCALES})[A-Za-z]{{2}}[A-Za-z .-]{{0,40}})?"
)

#: (reference, answer) -> whether they are the same; None: not known. May raise ToolFailed.
Same = Callable[[str, str], bool | None]


class _Plain(NamedTuple):
    """A plain number: its value, and whether a per-cent sign follows."""

    value: Fraction
    is_percent: bool


def same_answer(reference: str, answer: str, ask: Same | None) -> bool | None:
    """Whether both are the same.

    Args:
        ask: says so of what is no plain number; without it that differs unless it is spelled alike.
    """
    if " ".join(reference.split()) == " ".join(answer.split()):
        return True
    if len(answer) > MAX_ANSWER:
        return False
    ours, theirs = _plain_number(answer), _plain_number(reference)
    if ours is not None and theirs is not None:
        return _is_same_number(ours, theirs)
    return ask(reference, answer) if ask is not None else False


def _plain_number(text: str) -> _Plain | None:
    """The value of a number, with a unit after it perhaps; None: it is something else."""
    stripped = text.strip()
    if len(stripped) > _MAX_NUMBER:
        return None
    fraction = _FRACTION.fullmatch(stripped)
    if fraction:
        sign, over, under, over_plain, under_plain = fraction.groups()
        below = int(under or under_plain)
        return _Plain(Fraction(int(over or over_plain), below) * (-1 if sign else 1), False) if below else None
    match = _PLAIN.fullmatch(stripped)
    if match is None or not re.search("[0-9]", match["number"]):
        return None
    return _Plain(Fraction(match["number"].replace("{,}", "").replace(",", "")), match["percent"] is not None)


def _is_same_number(one: _Plain, other: _Plain) -> bool:
    """Equal exactly. Where only one has a per-cent sign, it may stand for a hundredth or for the unit."""
    if one.is_percent == other.is_percent:
        return one.value == other.value
    percent, plain = (one, other) if one.is_percent else (other, one)
    return plain.value in (percent.value, percent.value / 100)
