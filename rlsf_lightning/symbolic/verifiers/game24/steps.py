"""The step form of an answer: one line a step, until the target alone is left.

    4 + 8 = 12 (left: 4 6 12)
    6 - 4 = 2 (left: 2 12)
    2 * 12 = 24

What is left may be stated or not, in any order, with blanks or commas between. A value is written as an integer, as a
fraction in lowest terms (`8/3`) or as a decimal that ends (`0.5`); any value may stand in brackets. So each value has a
few spellings, each state a few dozen right steps, and whether a beginning can be continued is decided by trying all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.game24.values import Hand, combine, hand_of, reaches

_BLANKS = " \t\r"
_NUMBER = r"\(?-?[0-9]+(?:\.[0-9]+|/[0-9]+)?\)?"
_INTEGER = r"\(?-?[0-9]+(?:\.[0-9]+)?\)?"
_LINE = r"\s*({})\s*([-+*/])\s*({})\s*=\s*({})\s*(?:\(\s*left\s*:(.*)\)\s*)?".replace(r"\s", r"[ \t\r]")
#: A slash may belong to a fraction or be the operator: every reading of a line.
_READINGS = tuple(re.compile(_LINE.format(a, b, _NUMBER)) for a in (_NUMBER, _INTEGER) for b in (_NUMBER, _INTEGER))
_LEFT = re.compile(rf"[ \t\r]*{_NUMBER}(?:(?:[ \t\r]*,[ \t\r]*|[ \t\r]+){_NUMBER})*[ \t\r]*")
_BAD = re.compile(r"[^-0-9+*/=().,: \t\r\n]+")


class Step(NamedTuple):
    """``a operator b`` makes ``made``, and ``left`` is there for the next step."""

    a: Fraction
    operator: str
    b: Fraction
    made: Fraction
    left: Hand


class Written(NamedTuple):
    """A step as it is written, with the places of its parts."""

    a: tuple[Fraction, Span]
    operator: str
    operator_span: Span
    b: tuple[Fraction, Span]
    stated: tuple[Fraction, Span]
    left: tuple[tuple[Fraction, Span], ...] | None
    #: Of all the numbers that are left.
    left_span: Span

    @property
    def made(self) -> Fraction | None:
        """What the step should make; None: division by zero."""
        try:
            return combine(self.a[0], self.operator, self.b[0])
        except ZeroDivisionError:
            return None


def viable_steps(text: str, hand: Hand, target: Fraction) -> bool:
    """Whether some continuation of ``text`` is a list of right steps to the target."""
    *lines, last = text.split("\n")
    states = {hand} if reaches(hand, target) else set()
    for line in lines:
        states = _after(line, states, target)
    if not last.strip(_BLANKS):
        return bool(states)
    meant = (step for state in states for step in _steps(state) if _match(last, step) is not None)
    return any(reaches(step.left, target) for step in meant)


def steps_pass(text: str, hand: Hand, target: Fraction) -> bool:
    """Whether the whole text is a list of right steps, and the target alone is left."""
    states = {hand} if reaches(hand, target) and len(hand) > 1 else set()
    for line in text.split("\n"):
        states = _after(line, states, target)
    return (target,) in states


def looks_like_steps(text: str, hand: Hand) -> bool:
    """Whether a wrong answer is meant as steps: it says what is left, or its first line is one operation of several."""
    first = text.split("\n", 1)[0]
    begins = re.match(r"[ \t\r]*\(?[0-9]+\)?[ \t\r]*[-+*/][ \t\r]*\(?[0-9]+\)?[ \t\r]*=", first)
    return "left" in text or (begins is not None and (len(hand) > 2 or "=" in text[len(first) :]))


def judge_steps(text: str, offset: int, hand: Hand, target: Fraction) -> tuple[list[Finding], float, dict[str, object]]:
    """(findings, score, witness). Each step is judged by what the one before said was left, so that a mistake is
    reported once."""
    findings: list[Finding] = []
    right = 0
    taken: list[dict[str, object]] = []
    lines: list[tuple[str, Span]] = []
    now, start = list(hand), offset
    for line in text.split("\n"):
        place = Span(start + len(line) - len(line.lstrip(_BLANKS)), start + len(line.rstrip(_BLANKS)))
        written = _read(line, start, now) if line.strip(_BLANKS) else None
        if place.start < place.end:
            lines.append((line, place))
        start += len(line) + 1
        if place.start >= place.end:
            continue
        if written is None:
            findings.append(_unreadable(line, place))
            continue
        found = _wrong_in(written, now)
        now = _next(written, now)
        if not found and not findings:
            if reaches(hand_of(now), target):
                right += 1
            else:
                span = Span(written.a[1].start, written.b[1].end)
                message = f"from {_spelled(now)} nothing leads to {target}"
                found = [Finding("dead_end", message, (span,))]
        findings += found
        taken.append({"span": [place.start, place.end], "value": None if written.made is None else str(written.made)})
    missing = _missing_step(lines, hand, target) if findings or len(now) > 1 else []
    if missing:
        findings = [Finding("number_unused", "with one step more here all would be right", tuple(missing))]
    elif not findings and len(now) > 1:
        end = lines[-1][1].end
        findings.append(Finding("number_unused", f"steps are missing: {_spelled(now)} left", (Span(end - 1, end),)))
    score = 0.9 * min(1.0, right / max(1, len(hand) - 1))
    return findings, score, {"form": "steps", "steps": taken, "left": [str(number) for number in now]}


def _missing_step(lines: list[tuple[str, Span]], hand: Hand, target: Fraction) -> list[Span]:
    """The gaps between lines, where one step is missing, in which some step could stand and all would be right."""
    if len(lines) != len(hand) - 2:
        return []
    places = [place for _, place in lines]
    gaps, states = [], {hand}
    for at in range(len(lines) + 1):
        ends = {step.left for state in states for step in _steps(state)}
        for line, _ in lines[at:]:
            ends = _after(line, ends, target)
        if (target,) in ends:
            before = places[at - 1].end - 1 if at else places[0].start
            gaps.append(Span(before, places[at].start + 1 if at < len(lines) else places[-1].end))
        states = _after(lines[at][0], states, target) if at < len(lines) else states
    return gaps


@lru_cache(maxsize=20_000)
def _steps(state: Hand) -> tuple[Step, ...]:
    """Every step that can be taken."""
    steps: dict[Step, None] = {}
    for i, j in permutations(range(len(state)), 2):
        rest = [number for k, number in enumerate(state) if k not in (i, j)]
        for operator in "+-*/":
            if operator != "/" or state[j]:
                made = combine(state[i], operator, state[j])
                steps[Step(state[i], operator, state[j], made, hand_of([*rest, made]))] = None
    return tuple(steps)


@lru_cache(maxsize=20_000)
def spellings(value: Fraction) -> tuple[str, ...]:
    """Every way to write a value."""
    plain = [str(value)]
    decimal = _decimal(value)
    if decimal is not None:
        plain.append(decimal)
    return (*plain, *(f"({text})" for text in plain))


def _decimal(value: Fraction) -> str | None:
    """As a decimal that ends, if it is no integer and there is one."""
    rest, digits = value.denominator, 0
    while rest % 10 == 0 or rest % 2 == 0 or rest % 5 == 0:
        rest //= 10 if rest % 10 == 0 else 2 if rest % 2 == 0 else 5
        digits += 1
    if rest != 1 or not digits:
        return None
    whole = str(abs(value.numerator) * 10**digits // value.denominator).rjust(digits + 1, "0")
    return f"{'-' if value < 0 else ''}{whole[:-digits]}.{whole[-digits:]}"


def _after(line: str, states: Iterable[Hand], target: Fraction) -> set[Hand]:
    """The states in which a whole line leaves the game."""
    if not line.strip(_BLANKS):
        return set(states)
    ends = {step.left for state in states for step in _steps(state) if _match(line, step)}
    return {state for state in ends if reaches(state, target)}


def _match(line: str, step: Step) -> bool | None:
    """True: the line spells the step. False: it is the beginning of a spelling. None: neither."""
    at, partial = {0}, False
    parts: tuple[tuple[str, ...], ...] = (
        spellings(step.a), (step.operator,), spellings(step.b), ("=",), spellings(step.made),
    )  # fmt: skip
    for part in parts:
        at, runs_out = _advance(line, at, part)
        partial = partial or runs_out
    whole = any(not line[i:].strip(_BLANKS) for i in at)
    for part in (("(",), ("left",), (":",)):
        at, runs_out = _advance(line, at, part)
        partial = partial or runs_out
    at, runs_out = _advance_left(line, at, Counter(step.left), first=True)
    at, runs_out_last = _advance(line, at, (")",))
    whole = whole or any(not line[i:].strip(_BLANKS) for i in at)
    return True if whole else False if partial or runs_out or runs_out_last else None


def _advance(line: str, starts: Iterable[int], texts: Iterable[str]) -> tuple[set[int], bool]:
    """Where one of the texts can end, blanks before it; and whether the line ends before or within one."""
    ends, runs_out = set(), False
    for start in starts:
        while start < len(line) and line[start] in _BLANKS:
            start += 1
        for text in texts:
            if line.startswith(text, start):
                ends.add(start + len(text))
            elif text.startswith(line[start:]):
                runs_out = True
    return ends, runs_out


def _advance_left(line: str, starts: Iterable[int], left: Counter[Fraction], first: bool) -> tuple[set[int], bool]:
    """The same for all the numbers that are left, in any order, with blanks or a comma between two."""
    if not left:
        return set(starts), False
    ends, runs_out = set[int](), False
    for start in starts:
        after = start
        if not first:
            while after < len(line) and line[after] in _BLANKS:
                after += 1
            after += line.startswith(",", after)
            if after == len(line):
                runs_out = True
            if after == start:
                continue
        for number in left:
            places, ended = _advance(line, {after}, spellings(number))
            more, ended_later = (
                _advance_left(line, places, left - Counter([number]), first=False) if places else (set(), False)
            )
            ends |= more
            runs_out = runs_out or ended or ended_later
    return ends, runs_out


def _read(line: str, start: int, now: list[Fraction]) -> Written | None:
    """The reading of a line that is right, or the first whose operands are there, or the first."""
    readings = [written for pattern in _READINGS if (written := _parsed(pattern.fullmatch(line), start)) is not None]
    there = [written for written in readings if not _missing(written, now)]
    right = [written for written in there if not _wrong_in(written, now)]
    return next(iter(right + there + readings), None)


def _parsed(match: re.Match[str] | None, start: int) -> Written | None:
    if match is None:
        return None
    places = [Span(start + match.start(group), start + match.end(group)) for group in (1, 3, 4)]
    numbers = [_number(match.group(group)) for group in (1, 3, 4)]
    left, left_span = None, Span(start, start)
    if match.group(5) is not None:
        left = _numbers_left(match.group(5), start + match.start(5))
        if left is None:
            return None
        left_span = Span(left[0][1].start, left[-1][1].end)
    a, b, stated = numbers
    if a is None or b is None or stated is None:
        return None
    operator_span = Span(start + match.start(2), start + match.end(2))
    return Written((a, places[0]), match.group(2), operator_span, (b, places[1]), (stated, places[2]), left, left_span)


def _numbers_left(text: str, start: int) -> tuple[tuple[Fraction, Span], ...] | None:
    """The numbers after `left:`, if that is what stands there."""
    numbers = []
    for match in re.finditer(r"[^, \t\r]+", text) if _LEFT.fullmatch(text) else ():
        number = _number(match.group())
        if number is None:
            return None
        numbers.append((number, Span(start + match.start(), start + match.end())))
    return tuple(numbers) or None


def _number(text: str) -> Fraction | None:
    """The value, if this is one of its spellings."""
    try:
        value = Fraction(text.strip("()"))
    except (ValueError, ZeroDivisionError):
        return None
    return value if text in spellings(value) else None


def _missing(written: Written, now: list[Fraction]) -> list[tuple[Fraction, Span]]:
    """The operands that are not there."""
    there = Counter(now)
    missing = []
    for operand in (written.a, written.b):
        if there[operand[0]]:
            there[operand[0]] -= 1
        else:
            missing.append(operand)
    return missing


def _wrong_in(written: Written, now: list[Fraction]) -> list[Finding]:
    findings = [
        Finding("number_not_available", f"{number} is not among the numbers left ({_spelled(now)})", (span,))
        for number, span in _missing(written, now)
    ]
    if written.made is None:
        return [
            *findings,
            Finding("division_by_zero", "the divisor is 0", (Span(written.a[1].start, written.b[1].end),)),
        ]
    if written.made != written.stated[0]:
        spans = (*_exchangeable(written), written.stated[1])
        findings.append(Finding("wrong_arithmetic", f"the value is {written.made}", spans))
    if written.left is None:
        return findings
    rest = Counter(_rest(written, now))
    extra = []
    for number, span in written.left:
        if rest[number]:
            rest[number] -= 1
        else:
            extra.append(span)
    if extra or +rest:
        message = f"left should be {_spelled(_rest(written, now))}"
        findings.append(Finding("wrong_remainder", message, tuple(extra) or (written.left_span,)))
    return findings


def _exchangeable(written: Written) -> tuple[Span, ...]:
    """The operator, if with another one the result would be right."""
    others = [written._replace(operator=operator).made for operator in "+-*/"]
    return (written.operator_span,) if written.stated[0] in others else ()


def _rest(written: Written, now: list[Fraction]) -> list[Fraction]:
    """What is left after the step as it is written."""
    rest = Counter(now) - Counter([written.a[0], written.b[0]])
    return [*rest.elements(), written.stated[0]]


def _next(written: Written, now: list[Fraction]) -> list[Fraction]:
    return _rest(written, now) if written.left is None else [number for number, _ in written.left]


def _unreadable(line: str, place: Span) -> Finding:
    start = place.start - (len(line) - len(line.lstrip(_BLANKS)))
    bad = [Span(start + match.start(), start + match.end()) for match in _BAD.finditer(line.replace("left", "    "))]
    if bad:
        return Finding("bad_character", "not part of a step `a + b = c (left: ...)`", tuple(bad))
    return Finding("bad_step", "this is no step `a + b = c (left: ...)` with plain numbers", (place,))


def _spelled(numbers: Iterable[Fraction]) -> str:
    return " ".join(str(number) for number in sorted(numbers))[:200]
