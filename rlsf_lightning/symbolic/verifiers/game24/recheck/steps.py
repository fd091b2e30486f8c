"""Second check of steps: each line is split at its signs, and a prefix is viable if one of all steps that could be meant
begins so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product
from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.game24.arithmetic.spelling import spellings
from rlsf_lightning.symbolic.verifiers.game24.parse.notation import without_stop
from rlsf_lightning.symbolic.verifiers.game24.recheck.rewrite import OPERATIONS, Numbers, Place, Said, makes
from rlsf_lightning.symbolic.verifiers.game24.task import Task

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


class Replay(NamedTuple):
    """What steps come to."""

    #: (kind, places) of each; None: cannot tell.
    findings: list[Said] | None
    score: float
    #: (place of the line, value of its operation) of each step that can be read.
    steps: list[tuple[Place, Fraction | None]]
    left: list[Fraction]


def replay(text: str, task: Task) -> Replay:
    """The steps, judged one after the other."""
    now, found, right = list(task.hand), list[Said](), 0
    is_known, steps, lines = True, list[tuple[Place, Fraction | None]](), list[tuple[str, int]]()
    for body, start in _lines(text):
        lines.append((body, start))
        readings = [(reading, _wrong(reading, now)) for reading in _readings(body, start)]
        if not readings:
            bad = [(start + m.start(), start + m.end()) for m in _BAD.finditer(body.replace("left", "    "))]
            found.append(("bad_character", tuple(bad)) if bad else ("bad_step", ((start, start + len(body)),)))
            continue
        reading, wrong = min(readings, key=lambda one: ("number_not_available" in dict(one[1]), bool(one[1])))
        steps.append(((start, start + len(body)), _made(reading)))
        now = _left(reading, now)
        if not wrong and not found:
            reachable = makes(tuple(sorted(now)), task.target)
            is_known = is_known and reachable is not None
            right += reachable is True
            wrong = [("dead_end", ((reading.a[1][0], reading.b[1][1]),))] if reachable is False else []
        found += wrong
    if found or len(now) > 1:
        missing = _gaps(lines, task)
        end = lines[-1][1] + len(lines[-1][0]) if lines else 0
        found = [("number_unused", missing)] if missing else found or [("number_unused", ((end - 1, end),))]
    return Replay(found if is_known else None, 0.9 * min(1.0, right / max(1, len(task.hand) - 1)), steps, now)


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """Each line that is not empty, without the blanks around it, and where it begins."""
    at = 0
    for line in text.split("\n"):
        body = without_stop(line.strip(_BLANKS))
        if body:
            yield body, at + len(line) - len(line.lstrip(_BLANKS))
        at += len(line) + 1


def _made(reading: _Reading) -> Fraction | None:
    """What the operation comes to; None: it divides by zero."""
    if reading.operator == "/" and not reading.b[0]:
        return None
    return OPERATIONS[reading.operator](reading.a[0], reading.b[0])


def _left(reading: _Reading, now: list[Fraction]) -> list[Fraction]:
    """What is there after a step, as it says."""
    if reading.left is not None:
        return [number for number, _ in reading.left]
    return [*(Counter(now) - Counter([reading.a[0], reading.b[0]])).elements(), reading.stated[0]]


def _gaps(lines: list[tuple[str, int]], task: Task) -> tuple[Place, ...]:
    """Where one step put in between makes all the lines right, if one is missing."""
    if len(lines) != len(task.hand) - 2:
        return ()
    gaps = []
    for at in range(len(lines) + 1):
        before = lines[at - 1][1] + len(lines[at - 1][0]) - 1 if at else lines[0][1]
        after = lines[at][1] + 1 if at < len(lines) else lines[-1][1] + len(lines[-1][0])
        begun = _walked(lines[:at], [list(task.hand)])
        if [task.target] in _walked(lines[at:], [rest for now in begun for rest in _joined(now)]):
            gaps.append((before, after))
    return tuple(gaps)


def _walked(lines: list[tuple[str, int]], states: list[list[Fraction]]) -> list[list[Fraction]]:
    """Where right steps lead from these states; nowhere if a line is none."""
    for body, start in lines:
        readings = list(_readings(body, start))
        ends = [sorted(_left(r, now)) for now in states for r in readings if not _wrong(r, now)]
        states = [end for at, end in enumerate(ends) if end not in ends[:at]]
    return states


def _joined(now: list[Fraction]) -> list[list[Fraction]]:
    """What one more operation can leave."""
    ends: list[list[Fraction]] = []
    for i, j in permutations(range(len(now)), 2):
        rest = [number for k, number in enumerate(now) if k not in (i, j)]
        made = [operation(now[i], now[j]) for operator, operation in OPERATIONS.items() if operator != "/" or now[j]]
        ends += [sorted([*rest, value]) for value in made]
    return [end for at, end in enumerate(ends) if end not in ends[:at]]


def steps_end(text: str, task: Task) -> bool:
    """Whether the text is a list of right steps to the target alone."""
    return (task.target,) in _after(text, task)


def _after(text: str, task: Task) -> set[Numbers]:
    """What whole lines leave; where it cannot be told whether that leads to the target, it is taken to do so."""
    states = {task.hand} if makes(task.hand, task.target) is not False else set()
    for body, _ in _lines(text):
        states = {left for state in states for left, whole in _meant(body, state, task.target) if whole}
    return states


def steps_live(text: str, task: Task) -> bool:
    """Whether some continuation is a list of right steps; where it cannot be told, that is taken to be so."""
    before, _, last = text.rpartition("\n")
    states = _after(before, task)
    if last.endswith(".") and any(
        whole for state in states for _, whole in _meant(without_stop(last), state, task.target)
    ):
        return True
    if not last.strip(_BLANKS):
        return bool(states)
    return any(True for state in states for _ in _meant(last, state, task.target))


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
