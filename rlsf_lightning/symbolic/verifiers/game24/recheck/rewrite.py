"""Second evaluator and second search, for rechecking certificates: slow and plain.

An expression is evaluated by writing the value of each bracket in its place. What can be made of numbers is found by
joining any two of them; whether a prefix lives, by writing on: an operator, a bracket, or a value joined from the numbers
that are left. Shared with the verifier itself: nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

Numbers = tuple[Fraction, ...]
Place = tuple[int, int]
Places = tuple[Place, ...]
#: (kind, places in the text) of a finding.
Said = tuple[str, Places]
Operation = Callable[[Fraction, Fraction], Fraction]
Row = tuple[str | Fraction, ...]

BLANKS = " \t\r\n"
OPERATIONS: Mapping[str, Operation] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
#: Of more numbers than these it is not tried what they can make.
MOST_JOINED = 4
#: Tokens that the search for the life of a prefix looks at, all rows together.
BUDGET = 200_000

_TOKEN = re.compile(r"[0-9]+|[-+*/()]")
#: What no expression holds: an operand after another, an operator or a closing bracket where an operand must stand.
_MISPLACED = re.compile(r"[0-9)]\s*\(|\)\s*[0-9]|[0-9]\s+[0-9]|(?:^|[-+*/(])\s*[+*/)]", re.ASCII)


class DividesByZero(Exception):
    """``places`` are those of the quotients."""

    def __init__(self, places: list[Place]) -> None:
        self.places = tuple(sorted(places))


class _Item(NamedTuple):
    """A token, or the value of a part (None where it divides by zero), with its place."""

    what: str | Fraction | None
    start: int
    end: int


def evaluate(text: str, changed: Mapping[int, Operation] | None = None) -> Fraction:
    """The value; operators at the places ``changed`` mean something else, and signs there nothing.

    Raises ValueError if the text is no expression, and DividesByZero.
    """
    if _TOKEN.sub("", text).strip(BLANKS):
        raise ValueError("not an expression")
    zeros: list[Place] = []
    open_parts: list[list[_Item]] = [[]]  # of the whole, and of every bracket that is open
    for match in _TOKEN.finditer(text):
        if match.group() == "(":
            open_parts.append([])
        elif match.group() != ")":
            open_parts[-1].append(_Item(match.group(), match.start(), match.end()))
        elif len(open_parts) == 1:
            raise ValueError("not an expression")
        else:
            part = _flat(open_parts.pop(), changed or {}, zeros)
            open_parts[-1].append(part)
    if len(open_parts) > 1:
        raise ValueError("not an expression")
    value = _flat(open_parts[0], changed or {}, zeros).what
    if zeros:
        raise DividesByZero(zeros)
    assert isinstance(value, Fraction)
    return value


def _flat(items: list[_Item], changed: Mapping[int, Operation], zeros: list[Place]) -> _Item:
    """The value of a part without brackets; ``zeros`` grows by the places of quotients that have none."""
    done = [_Item(_number(item.what), item.start, item.end) for item in items]
    for i in range(len(done) - 1, -1, -1):  # a minus is a sign if no operand stands before it
        is_sign = done[i].what == "-" and (i == 0 or isinstance(done[i - 1].what, str))
        if is_sign and i + 1 < len(done) and not isinstance(operand := done[i + 1].what, str):
            value = operand if operand is None or done[i].start in changed else -operand
            done[i : i + 2] = [_Item(value, done[i].start, done[i + 1].end)]
    for operators in (("*", "/"), ("+", "-")):
        i = 1
        while i + 1 < len(done):
            (left, start, _), (operator, place, _), (right, _, end) = done[i - 1 : i + 2]
            if isinstance(left, str) or isinstance(right, str) or not isinstance(operator, str):
                raise ValueError("an operand or an operator is missing")
            if operator not in operators:
                i += 2
                continue
            value = None
            try:
                if left is not None and right is not None:
                    value = changed.get(place, OPERATIONS[operator])(left, right)
            except ZeroDivisionError:
                zeros.append((start, end))
            done[i - 1 : i + 2] = [_Item(value, start, end)]
    if len(done) != 1 or isinstance(done[0].what, str):
        raise ValueError("not one value")
    return done[0]


def _number(what: str | Fraction | None) -> str | Fraction | None:
    return Fraction(what) if isinstance(what, str) and what.isdigit() else what


@lru_cache(maxsize=50_000)
def makes(numbers: Numbers, target: Fraction) -> bool | None:
    """Whether joining two of the numbers again and again can leave the target alone. None: too many to try."""
    if len(numbers) > MOST_JOINED:
        return None
    return numbers == (target,) or any(makes(rest, target) for rest in _joins(numbers))


@lru_cache(maxsize=50_000)
def _joins(numbers: Numbers) -> frozenset[Numbers]:
    """The numbers with two of them replaced by what these make."""
    made: set[Numbers] = set()
    for i, j in combinations(range(len(numbers)), 2):
        a, b = numbers[i], numbers[j]
        rest = [number for k, number in enumerate(numbers) if k not in (i, j)]
        values = [a + b, a - b, b - a, a * b, *([a / b] if b else []), *([b / a] if a else [])]
        made.update(tuple(sorted((*rest, value))) for value in values)
    return frozenset(made)


def is_right(text: str, hand: Numbers, target: Fraction) -> bool:
    """Whether it is a right expression, with nothing after each = but what has the target's value."""
    expression, *stated = text.split("=")
    try:
        value = evaluate(expression)
    except (ValueError, DividesByZero):
        return False
    numbers = Counter(re.findall("[0-9]+", expression))
    right = value == target and numbers == Counter(map(str, hand))
    return right and all(stated_value(piece) == target for piece in stated)


def stated_value(text: str) -> Fraction | None:
    """The value of what stands after an equals sign; None: it has none, or a number with a needless nought."""
    if re.search("(?<![0-9])0[0-9]", text):
        return None
    try:
        return evaluate(text)
    except (ValueError, DividesByZero):
        return None


def expression_lives(text: str, hand: Numbers, target: Fraction) -> bool | None:
    """Whether some continuation is a right expression. None: too many to try."""
    whole, equals, last = text.rpartition("=")
    if equals:
        return is_right(whole, hand, target) and _begins(last) and _is_defined(last)
    if not _begins(text):
        return False
    if not re.search("[0-9]", text):
        return makes(hand, target) or makes(hand, -target)
    answers = {_Writing(target).lives(whole, left) for whole, left in _with_last_number(text, hand)}
    return True if True in answers else None if None in answers else False


def _begins(text: str) -> bool:
    """Whether tokens and brackets stand as at the beginning of an expression."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return not _TOKEN.sub("", text).strip(BLANKS) and not _MISPLACED.search(text)


def _is_defined(text: str) -> bool:
    """Whether nothing in the beginning of an expression divides by zero for good, and no number has a needless nought."""
    row: Row | None = ()
    for token in _TOKEN.findall(text):
        row = _written(row, Fraction(token) if token.isdigit() else token) if row is not None else None
        if row is None or (not isinstance(row[-1], str) and _folded(row) is None):
            return False
    return not re.search("(?<![0-9])0[0-9]", text)


def _with_last_number(text: str, hand: Numbers) -> Iterator[tuple[str, Numbers]]:
    """The text and the numbers left; once for each number that a last one may be the beginning of."""
    written = re.findall("[0-9]+", text)
    in_hand = Counter(map(str, hand))
    last = written.pop() if text[-1].isdigit() else None
    for number in {number for number in in_hand if number.startswith(last)} if last is not None else {None}:
        used = Counter(written if number is None else [*written, number])
        if not used - in_hand:
            end = "" if number is None or last is None else number[len(last) :]
            yield text + end, tuple(sorted(map(Fraction, (in_hand - used).elements())))


class _Writing:
    """Depth-first search over what can be written next. A state is a row of tokens, in which what is closed or finished has
    been replaced by its value."""

    def __init__(self, target: Fraction) -> None:
        self.target = target
        self.seen: set[tuple[Row, Numbers]] = set()
        self.looked_at = 0

    def lives(self, text: str, left: Numbers) -> bool | None:
        row: Row | None = ()
        for token in _TOKEN.findall(text):
            row = _written(row, Fraction(token) if token.isdigit() else token) if row is not None else None
        states = [(row, left)]
        while states:
            state = states.pop()
            if state[0] is None or state in self.seen:
                continue
            self.seen.add((state[0], left := state[1]))
            self.looked_at += len(state[0]) + 1
            if self.looked_at > BUDGET:
                return None
            if not left and "(" not in state[0] and _folded(state[0]) == (self.target,):
                return True
            states += self._next(state[0], left)
        return False

    def _next(self, row: Row, left: Numbers) -> Iterator[tuple[Row | None, Numbers]]:
        wants_operand = not row or isinstance(row[-1], str)
        if not wants_operand and "(" in row:
            yield _written(row, ")"), left
        for i, number in enumerate(left):
            rest = left[:i] + left[i + 1 :]
            for operator in [None] if wants_operand else OPERATIONS:
                begun = row if operator is None else _written(row, operator)
                for value in (number, -number) if operator in (None, "*", "/") and begun is not None else (number,):
                    yield None if begun is None else (*begun, value), rest
        for joined in _joins(left):
            yield row, joined


def _written(row: Row, token: str | Fraction) -> Row | None:
    """The row with one more token; None: division by zero."""
    if token in ("+", "-") and row and not isinstance(row[-1], str):
        folded = _folded(row)
        return None if folded is None else (*folded, token)
    if token != ")":
        return (*row, token)
    folded = _folded(row)
    return None if folded is None else (*folded[:-2], folded[-1])


def _folded(row: Row) -> Row | None:
    """The row with all after the last open bracket replaced by its value; the row itself if that is not finished. None:
    division by zero."""
    start = len(row) - row[::-1].index("(") if "(" in row else 0
    zeros: list[Place] = []
    try:
        value = _flat([_Item(token, 0, 0) for token in row[start:]], {}, zeros).what
    except ValueError:
        return row
    assert value is None or isinstance(value, Fraction)
    return None if zeros or value is None else (*row[:start], value)
