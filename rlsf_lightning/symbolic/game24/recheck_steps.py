"""Steps of a game of 24, judged a second time: each line is taken apart at its signs, and whether a beginning lives is
decided by writing out every step that could be meant."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product
from typing import NamedTuple

from rlsf_lightning.symbolic.game24.rewrite import OPERATIONS, Numbers, Place, makes
from rlsf_lightning.symbolic.game24.steps import spellings

#: (kind, places in the text)
Said = tuple[str, tuple[Place, ...]]
_BLANKS = " \t\r"
_BAD = re.compile(r"[^-0-9+*/=().,: \t\r]+")
#: In a list of what is left: here a blank or a comma must stand.
_SEPARATOR = ", "


class _Reading(NamedTuple):
    """One way to read a line: values with their places."""

    a: tuple[Fraction, Place]
    operator: str
    operator_place: Place
    b: tuple[Fraction, Place]
    stated: tuple[Fraction, Place]
    left: list[tuple[Fraction, Place]] | None
    left_place: Place


def steps_findings(text: str, hand: Numbers, target: Fraction) -> tuple[list[Said], float] | None:
    """(kind and places of every finding, score). None: cannot tell."""
    now, found, right, at = list(hand), list[Said](), 0, 0
    for line in text.split("\n"):
        body = line.strip(_BLANKS)
        start = at + len(line) - len(line.lstrip(_BLANKS))
        at += len(line) + 1
        if not body:
            continue
        readings = [(reading, _wrong(reading, now)) for reading in _readings(body, start)]
        if not readings:
            bad = [(start + m.start(), start + m.end()) for m in _BAD.finditer(body.replace("left", "    "))]
            found.append(("bad_character", tuple(bad)) if bad else ("bad_step", ((start, start + len(body)),)))
            continue
        reading, wrong = min(readings, key=lambda one: ("number_not_available" in dict(one[1]), bool(one[1])))
        rest = Counter(now) - Counter([reading.a[0], reading.b[0]])
        now = [*rest.elements(), reading.stated[0]] if reading.left is None else [n for n, _ in reading.left]
        if not wrong and not found:
            reachable = makes(tuple(sorted(now)), target)
            if reachable is None:
                return None
            right += reachable
            wrong = [] if reachable else [("dead_end", ((reading.a[1][0], reading.b[1][1]),))]
        found += wrong
    if not found and len(now) > 1:
        found.append(("number_unused", ()))
    return found, 0.9 * min(1.0, right / max(1, len(hand) - 1))


def steps_live(text: str, hand: Numbers, target: Fraction) -> bool:
    """Whether some continuation is a list of right steps; where it cannot be told, that is taken to be so."""
    *lines, last = text.split("\n")
    states = {hand} if makes(hand, target) is not False else set()
    for line in lines:
        if line.strip(_BLANKS):
            states = {left for state in states for left, whole in _meant(line, state, target) if whole}
    if not last.strip(_BLANKS):
        return bool(states)
    return any(True for state in states for _ in _meant(last, state, target))


def _readings(body: str, start: int) -> Iterator[_Reading]:
    """Every way to read a line; a slash may be an operator or belong to a fraction."""
    head, _, tail = body.partition("=")
    result, word, after = tail.partition("left")
    left, left_place = None, (start, start)
    if word:
        result, opening, nothing = result.rpartition("(")
        colon = after.lstrip(_BLANKS)
        if not opening or nothing.strip(_BLANKS) or colon[:1] != ":" or not after.endswith(")"):
            return
        inner = start + len(body) - len(colon) + 1
        left = _list(colon[1:-1], inner)
        if left is None:
            return
        left_place = (left[0][1][0], left[-1][1][1])
    stated = _value(result, start + len(head) + 1)
    for at in range(len(head) - 1, 0, -1):
        a, b = _value(head[:at], start), _value(head[at + 1 :], start + at + 1)
        if head[at] in OPERATIONS and a and b and stated:
            yield _Reading(a, head[at], (start + at, start + at + 1), b, stated, left, left_place)


def _value(text: str, start: int) -> tuple[Fraction, Place] | None:
    """A number and its place, if that is what the text spells."""
    stripped = text.strip(_BLANKS)
    place = start + len(text) - len(text.lstrip(_BLANKS))
    if not re.fullmatch(r"[-()0-9./]+", stripped):
        return None
    try:
        value = Fraction(stripped.strip("()"))
    except (ValueError, ZeroDivisionError):
        return None
    return (value, (place, place + len(stripped))) if stripped in spellings(value) else None


def _list(text: str, start: int) -> list[tuple[Fraction, Place]] | None:
    """The numbers that are said to be left, with blanks or one comma between two."""
    at = start + len(text) - len(text.lstrip(_BLANKS))
    numbers = []
    for i, piece in enumerate(re.split(r"([ \t\r]*,[ \t\r]*|[ \t\r]+)", text.strip(_BLANKS))):
        value = _value(piece, at) if i % 2 == 0 else None
        if i % 2 == 0 and value is None:
            return None
        numbers += [value] if value is not None else []
        at += len(piece)
    return numbers


def _wrong(reading: _Reading, now: list[Fraction]) -> list[Said]:
    found: list[Said] = []
    there = Counter(now)
    for number, place in (reading.a, reading.b):
        if not there[number]:
            found.append(("number_not_available", (place,)))
        there[number] -= 1
    if reading.operator == "/" and not reading.b[0]:
        return [*found, ("division_by_zero", ((reading.a[1][0], reading.b[1][1]),))]
    a, b = reading.a[0], reading.b[0]
    if OPERATIONS[reading.operator](a, b) != reading.stated[0]:
        others = [operation(a, b) for operator, operation in OPERATIONS.items() if operator != "/" or b]
        operator = (reading.operator_place,) if reading.stated[0] in others else ()
        found.append(("wrong_arithmetic", (*operator, reading.stated[1])))
    if reading.left is not None:
        should = Counter(now) - Counter([reading.a[0], reading.b[0]]) + Counter([reading.stated[0]])
        extra = []
        for number, place in reading.left:
            should[number] -= 1
            if should[number] < 0:
                extra.append(place)
        if extra or any(count > 0 for count in should.values()):
            found.append(("wrong_remainder", tuple(extra) or (reading.left_place,)))
    return found


def _meant(line: str, state: Numbers, target: Fraction) -> Iterator[tuple[Numbers, bool]]:
    """(what is left, whether the line is whole) for every good step that the line is, or begins."""
    for i, j in permutations(range(len(state)), 2):
        others = [number for k, number in enumerate(state) if k not in (i, j)]
        for operator, operation in OPERATIONS.items():
            if operator == "/" and not state[j]:
                continue
            made = operation(state[i], state[j])
            left = tuple(sorted((*others, made)))
            whole = _spells(line, state[i], operator, state[j], made, left)
            if whole is not None and makes(left, target) is not False:
                yield left, whole


def _spells(line: str, a: Fraction, operator: str, b: Fraction, made: Fraction, left: Numbers) -> bool | None:
    """True: the line is this step. False: its beginning. None: neither."""
    ends = [
        _follow(line, 0, [one, operator, other, "=", result])
        for one, other, result in product(spellings(a), spellings(b), spellings(made))
    ]
    begins = -1 in ends
    for end in [end for end in ends if end is not None and end >= 0]:
        if not line[end:].strip(_BLANKS):
            return True
        for texts in {texts for order in permutations(left) for texts in product(*map(spellings, order))}:
            listed = [piece for text in texts for piece in (_SEPARATOR, text)][1:]
            stop = _follow(line, end, ["(", "left", ":", *listed, ")"])
            if stop is not None and stop >= 0 and not line[stop:].strip(_BLANKS):
                return True
            begins = begins or stop == -1
    return False if begins else None


def _follow(line: str, at: int, pieces: list[str]) -> int | None:
    """Where the pieces end, with blanks before any of them; -1: the line ends first. None: it is not these."""
    for piece in pieces:
        blank = at
        while at < len(line) and line[at] in _BLANKS:
            at += 1
        if piece == _SEPARATOR:
            at += line.startswith(",", at)
            if at == blank and at < len(line):
                return None
        elif line.startswith(piece, at):
            at += len(piece)
        else:
            return -1 if piece.startswith(line[at:]) else None
    return at
