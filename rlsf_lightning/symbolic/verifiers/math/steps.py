r"""Finding the equations of literal numbers in a solution, `48/2 = 24`, and judging them exactly.

An equation is judged only where its sides certainly are what they seem: 2x + 3 = 7, f(2) + 1 = 5, 17 mod 5 + 1 = 3,
5 km + 3 km, 1 1/2 + 1, Is 5 + 3 = 9? are left alone, and so is all that is glued to something unknown. A stated decimal may be
rounded or cut at its last place; after an approximate sign an integer too. A per-cent sign may mean a hundredth or a unit,
cents behind a result as well, and a dozen twelve or a unit.
LaTeX (\times, \cdot, \div, \frac of two numbers), currency signs and thousands are read. Lines are read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import islice, pairwise
from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.math.sentence import (
    MOST_AFTER,
    MOST_BEFORE,
    Run,
    is_clean_after,
    is_clean_before,
    is_operand_end,
    scaled,
)
from rlsf_lightning.symbolic.verifiers.math.value import FACTORS, DividesByZero, NoValue, Token, value_of

#: Longer numbers are not read as numbers.
MAX_DIGITS = 40
#: A wrong operand is looked for among so many others, in steps of so many numbers.
MAX_KNOWN = 40
MAX_OPERANDS = 6

_TOKEN = re.compile(
    r"""
    (?P<number>(?<![0-9.,])[0-9]{1,3}(?:(?:,|\{,\})[0-9]{3})+(?:\.[0-9]+)?(?![0-9]) | [0-9]+(?:\.[0-9]+)? | (?<![0-9])\.[0-9]+)
  | (?P<newline>\\\\)
  | \\[dt]?frac\s*\{\s*(?P<over>-?[0-9]+(?:\.[0-9]+)?)\s*\}\s*\{\s*(?P<under>[0-9]+(?:\.[0-9]+)?)\s*\}
  | (?P<power>\^\s*\{\s*(?P<exponent>[0-9]{1,3})\s*\})
  | (?P<stars>\*\*)
  | (?P<times>\\times(?![A-Za-z]) | \\cdot(?![A-Za-z]) | [*\u00d7\u00b7\u22c5])
  | (?P<divide>\\div(?![A-Za-z]) | [/\u00f7])
  | (?P<minus>[-\u2212])
  | (?P<plus>\+)
  | (?P<hat>\^)
  | (?P<about>\\approx(?![A-Za-z]) | \u2248)
  | (?P<relation>[<>!:=~]*=[=<>~]*)
  | (?P<open>(?:\\left\s*)?\()
  | (?P<close>(?:\\right\s*)?\))
  | (?P<percent>\\?%)
  | (?P<skip>\\?\$ | \\[()\[\]] | [\u20ac\u00a3\u00a5\u20b9] | \\[,;!:\ ] | \{\}| [ \t\r&]+)
  | (?P<word>\\?[^\W\d_]+)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPERATORS = {"stars": "^", "times": "*", "divide": "/", "minus": "-", "plus": "+", "hat": "^"}
_KNOWN = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?")
#: Whole lines in which equations do not mean what they say.
_OTHER_ARITHMETIC = re.compile(
    r"\bmod(?:ulo)?\b|\\[pb]?mod\b|\bbase[\s-]*[0-9]|\b(?:in|to|from) base\b|_\{?[0-9]|o'clock", re.IGNORECASE
)
_ENUMERATION = re.compile(r"[ \t]*(?:\(?[0-9]{1,2}[.)]|[*\u2022])[ \t]+")


class Side(NamedTuple):
    """One side of an equation."""

    tokens: tuple[Token, ...]
    start: int
    end: int

    @property
    def is_expression(self) -> bool:
        return any(token.kind == "operator" for token in self.tokens[1:])


class Step(NamedTuple):
    """An equation of two sides. A value is None where there is a division by zero."""

    left: Side
    right: Side
    relation: str
    left_value: Fraction | None
    right_value: Fraction | None
    holds: bool


def read_steps(text: str) -> list[Step]:
    """Every equation that can be judged, in order."""
    steps: list[Step] = []
    start = 0
    for line in text.split("\n"):
        if ("=" in line or "\u2248" in line or "approx" in line) and not _OTHER_ARITHMETIC.search(line):
            for run in _runs(_tokens(line, start)):
                steps += _steps_of(run)
        start += len(line) + 1
    return steps


def readings(tokens: Sequence[Token]) -> list[Fraction]:
    """The values that a side may have: a per-cent sign is a hundredth or a unit, cents are hundredths or units, a dozen is
    twelve or a unit, a first minus may be a dash."""
    percents = sum(token.kind == "percent" for token in tokens)
    numbers = sum(token.kind == "number" for token in tokens)
    if percents and percents != numbers and any(token.text in ("+", "-") for token in tokens):
        raise NoValue  # 50 + 20% is 60 to many
    scales = dict.fromkeys(FACTORS[token.text] for token in tokens if token.kind == "percent")
    factors = [Fraction(1), *scales]
    may_be_dash = len(tokens) > 1 and tokens[0].text == "-" and tokens[0].end < tokens[1].start
    return [value_of(part, factor) for factor in factors for part in (tokens, *([tokens[1:]] if may_be_dash else []))]


def exchangeable(step: Step) -> list[Token]:
    """The operators on the left, each of which alone could be another one and the step would be right."""
    found = []
    tokens = step.left.tokens
    for at in range(1, len(tokens)):
        if tokens[at].text in tuple("+-*/") and is_operand_end(tokens[at - 1]):
            others = [[*tokens[:at], tokens[at]._replace(text=o), *tokens[at + 1 :]] for o in "+-*/"]
            if any(is_right(step._replace(left=step.left._replace(tokens=tuple(other)))) for other in others):
                found.append(tokens[at])
    return found


def exchangeable_operands(step: Step, known: Sequence[Fraction], holds: Callable[[Step], bool]) -> list[Token]:
    """The numbers on the left, each of which alone could be one of the known numbers and the step would be right."""
    tokens = step.left.tokens
    numbers = [at for at, token in enumerate(tokens) if token.kind == "number"]
    if not step.left.is_expression or len(numbers) > MAX_OPERANDS:
        return []
    found = []
    for at in numbers:
        for value in known:
            other = (*tokens[:at], tokens[at]._replace(text=str(value), value=value), *tokens[at + 1 :])
            if value != tokens[at].value and holds(step._replace(left=step.left._replace(tokens=other))):
                found.append(tokens[at])
                break
    return found


def known_numbers(question: str, text: str, end: int) -> list[Fraction]:
    """The numbers of the question and of the solution before a step, those next to it first."""
    written = [match.group() for source in (question, text[:end]) for match in _KNOWN.finditer(source)]
    values = (Fraction(number.replace(",", "")) for number in reversed(written) if len(number) <= MAX_DIGITS)
    return list(islice(dict.fromkeys(values), MAX_KNOWN))


def is_right(step: Step) -> bool:
    """Whether it holds as its sides now are."""
    judged = _judge(step.left, step.right, step.relation)
    return judged is not None and judged.holds


def agree(left: Side, right: Side, relation: str, left_value: Fraction, right_value: Fraction) -> bool:
    """Whether the values are equal, or one is a lone number that is the other, rounded or cut at its last place."""
    difference = abs(left_value - right_value)
    for side, written, exact in ((left, left_value, right_value), (right, right_value, left_value)):
        place = _place(side, relation, written)
        if place is not None and (relation == "about" or abs(written) < abs(exact)) and difference < place:
            return True
        if place is not None and 2 * difference <= place:
            return True
    return difference == 0


def _place(side: Side, relation: str, read_as: Fraction) -> Fraction | None:
    """What the last digit of a lone number is worth, if the number may be rounded; ``read_as``: the value it has."""
    numbers = [token for token in side.tokens if token.kind == "number"]
    if len(numbers) != 1 or any(token.kind not in ("number", "percent") and token.text != "-" for token in side.tokens):
        return None
    digits = numbers[0].text.replace("{,}", "").replace(",", "")
    unit = side.tokens[-1].text if side.tokens[-1].kind == "percent" else ""
    is_scaled = unit == "%" or abs(read_as) != numbers[0].value
    worth = FACTORS[unit] if unit and is_scaled else Fraction(1)
    if "." in digits:
        return worth / 10 ** len(digits.partition(".")[2])
    if unit == "cents" and is_scaled:  # 333 cents are 3.33
        return worth
    if relation != "about":
        return None
    return worth * 10 ** (len(digits) - len(digits.rstrip("0")))


def _tokens(line: str, start: int) -> list[Token]:
    """The tokens of a line, blanks and currency signs left out. An enumeration at its beginning is skipped."""
    enumeration = _ENUMERATION.match(line)
    tokens: list[Token] = []
    for match in _TOKEN.finditer(line, enumeration.end() if enumeration else 0):
        token = _token(match, start)
        if token is not None:
            tokens.append(token)
        if match["power"]:
            digits = match["exponent"]
            at = start + match.start("exponent")
            tokens.append(Token("number", digits, at, start + match.end(), Fraction(int(digits))))
    return [_times(tokens, i) for i in range(len(tokens)) if not _is_markup(tokens, i)]


def _token(match: re.Match[str], start: int) -> Token | None:
    name = match.lastgroup or ""
    place = (start + match.start(), start + match.end())
    if match["over"] is not None:
        under = Fraction(match["under"])
        if not under or len(match.group()) > 2 * MAX_DIGITS:
            return Token("other", "frac", *place)
        return Token("number", match.group(), *place, Fraction(match["over"]) / under)
    text = match.group()
    if name == "number":
        if len(text) > MAX_DIGITS:
            return Token("other", text, *place)
        return Token("number", text, *place, Fraction(text.replace("{,}", "").replace(",", "")))
    if match["power"]:
        return Token("operator", "^", *place)
    if name in _OPERATORS:
        return Token("operator", _OPERATORS[name], *place)
    if name == "relation":
        return Token("equals" if text == "=" else "other", text, *place)
    if name in ("about", "open", "close", "percent"):
        return Token(name, {"open": "(", "close": ")", "percent": "%"}.get(name, "="), *place)
    return None if name == "skip" else Token(name, text, *place)


def _is_markup(tokens: list[Token], i: int) -> bool:
    """Two stars that are bold type, not a power."""
    token = tokens[i]
    if token.kind != "operator" or token.text != "^" or token.end - token.start != 2:
        return False
    before, after = tokens[i - 1] if i else None, tokens[i + 1] if i + 1 < len(tokens) else None
    is_power = is_operand_end(before) and after is not None and after.kind in ("number", "open")
    return not is_power


def _times(tokens: list[Token], i: int) -> Token:
    """The letter x between numbers is a times sign."""
    token = tokens[i]
    if token.kind != "word" or token.text not in ("x", "X") or not 0 < i < len(tokens) - 1:
        return token
    before, after = tokens[i - 1], tokens[i + 1]
    if not is_operand_end(before) or after.kind not in ("number", "open") or before.text == "0":
        return token
    gaps = (token.start - before.end, after.start - token.end)
    spaced = gaps[0] > 0 and gaps[1] > 0
    return token._replace(kind="operator", text="*") if spaced or (gaps == (0, 0) and after.kind == "number") else token


_ARITHMETIC = frozenset(("number", "operator", "open", "close", "equals", "about", "percent"))


def _runs(tokens: list[Token]) -> Iterator[Run]:
    at = 0
    while at < len(tokens):
        end = at
        while end < len(tokens) and tokens[end].kind in _ARITHMETIC:
            end += 1
        if any(token.kind in ("equals", "about") for token in tokens[at:end]):
            yield Run(tokens[at:end], tokens[max(0, at - MOST_BEFORE) : at], tokens[end : end + MOST_AFTER])
        at = max(end, at + 1)


def _steps_of(run: Run) -> Iterator[Step]:
    relations = [i for i, token in enumerate(run.tokens) if token.kind in ("equals", "about")]
    bounds = [-1, *relations, len(run.tokens)]
    sides: list[Side | None] = []
    for first, last in pairwise(bounds):
        part = _unbracketed(run.tokens[first + 1 : last], is_first=first == -1, is_last=last == len(run.tokens))
        sides.append(Side(tuple(part), part[0].start, part[-1].end) if part else None)
    if not is_clean_before(run):
        sides[0] = None
    scale, end = scaled(run), sides[-1]
    if scale is not None and end is not None:  # the word belongs to the value, but not to the place
        sides[-1] = end._replace(tokens=(*end.tokens, scale))
    elif not is_clean_after(run):
        sides[-1] = None
    has_expression = False
    for left, right, relation in zip(sides, sides[1:], relations, strict=False):
        has_expression = has_expression or bool(left and left.is_expression)
        if left is None or right is None:
            continue
        if has_expression or right.is_expression:
            step = _judge(left, right, run.tokens[relation].kind)
            if step is not None:
                yield step


def _unbracketed(tokens: list[Token], is_first: bool, is_last: bool) -> list[Token]:
    """Without the brackets of the sentence around the equation: those that have no partner on this side."""
    start, end = 0, len(tokens)
    if is_first:
        unclosed = sum((token.kind == "open") - (token.kind == "close") for token in tokens)
        while start < unclosed and tokens[start].kind == "open":
            start += 1
    if is_last:
        depth = 0
        for i, token in enumerate(tokens):
            depth += (token.kind == "open") - (token.kind == "close")
            if depth < 0:
                return tokens[start:i]
        while end > start and tokens[end - 1].kind == "open":
            end -= 1
    return tokens[start:end]


def _judge(left: Side, right: Side, relation: str) -> Step | None:
    """The step; None if a side is no expression."""
    values: list[list[Fraction] | None] = []
    for side in (left, right):
        try:
            values.append(readings(side.tokens))
        except NoValue:
            return None
        except DividesByZero:
            values.append(None)
    ours, theirs = values
    if ours is None or theirs is None:
        return Step(left, right, relation, ours[0] if ours else None, theirs[0] if theirs else None, False)
    if relation == "about" and left.is_expression and right.is_expression:
        return None
    pairs = [(a, b) for a in ours for b in theirs]
    a, b = next((pair for pair in pairs if agree(left, right, relation, *pair)), pairs[0])
    return Step(left, right, relation, a, b, agree(left, right, relation, a, b))
