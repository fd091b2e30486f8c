"""Parser of answers in steps, one line a step, until the target alone is left.

    4 + 8 = 12 (left: 4 6 12)
    6 - 4 = 2 (left: 2 12)
    2 * 12 = 24

What is left may be stated or not, in any order, with blanks or commas between.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.game24.arithmetic.spelling import spelled_value
from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import combine
from rlsf_lightning.symbolic.verifiers.game24.parse.notation import without_stop

#: Within a line.
BLANKS = " \t\r"
_NUMBER = r"\(?-?[0-9]+(?:\.[0-9]+|/[0-9]+)?\)?"
_INTEGER = r"\(?-?[0-9]+(?:\.[0-9]+)?\)?"
_LINE = r"\s*({})\s*([-+*/])\s*({})\s*=\s*({})\s*(?:\(\s*left\s*:(.*)\)\s*)?".replace(r"\s", r"[ \t\r]")
#: A slash may belong to a fraction or be the operator: every reading of a line.
_READINGS = tuple(re.compile(_LINE.format(a, b, _NUMBER)) for a in (_NUMBER, _INTEGER) for b in (_NUMBER, _INTEGER))
_LEFT = re.compile(rf"[ \t\r]*{_NUMBER}(?:(?:[ \t\r]*,[ \t\r]*|[ \t\r]+){_NUMBER})*[ \t\r]*")


class Step(NamedTuple):
    """One way to read a line: the values with their places."""

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


class Line(NamedTuple):
    """A line that is not empty, without the blanks around it. ``readings``: none where it is no step."""

    text: str
    span: Span
    readings: tuple[Step, ...]


def parse_steps(text: str, offset: int = 0) -> list[Line]:
    """The lines of any text that are not empty. ``offset`` is added to every place."""
    lines, start = [], offset
    for whole in text.split("\n"):
        line = without_stop(whole.strip(BLANKS))
        if line:
            at = start + len(whole) - len(whole.lstrip(BLANKS))
            readings = (_step(pattern.fullmatch(line), at) for pattern in _READINGS)
            found = tuple(dict.fromkeys(step for step in readings if step is not None))
            lines.append(Line(line, Span(at, at + len(line)), found))
        start += len(whole) + 1
    return lines


def _step(match: re.Match[str] | None, start: int) -> Step | None:
    if match is None:
        return None
    places = [Span(start + match.start(group), start + match.end(group)) for group in (1, 3, 4)]
    numbers = [spelled_value(match.group(group)) for group in (1, 3, 4)]
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
    return Step((a, places[0]), match.group(2), operator_span, (b, places[1]), (stated, places[2]), left, left_span)


def _numbers_left(text: str, start: int) -> tuple[tuple[Fraction, Span], ...] | None:
    """The numbers after `left:`, if that is what stands there."""
    numbers = []
    for match in re.finditer(r"[^, \t\r]+", text) if _LEFT.fullmatch(text) else ():
        number = spelled_value(match.group())
        if number is None:
            return None
        numbers.append((number, Span(start + match.start(), start + match.end())))
    return tuple(numbers) or None
