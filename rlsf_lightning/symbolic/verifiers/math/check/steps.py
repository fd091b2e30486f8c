"""Evaluates equations in exact rational arithmetic: which of them are steps, and which hold.

A stated decimal may be rounded or cut at its last place; after an approximate sign an integer too. A per-cent sign may mean a
hundredth or a unit, cents behind a result as well, and a dozen twelve or a unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.math.check.value import FACTORS, DividesByZero, NoValue, value_of
from rlsf_lightning.symbolic.verifiers.math.parse.equations import Equation, Side
from rlsf_lightning.symbolic.verifiers.math.parse.lexer import Token, digits_of


class Step(NamedTuple):
    """An equation with the values of its sides: those readings that agree, if any do; None: it divides by zero."""

    equation: Equation
    left_value: Fraction | None
    right_value: Fraction | None
    holds: bool


def check_steps(equations: Iterable[Equation]) -> list[Step]:
    """Those equations whose sides are expressions that everybody reads alike, in order.

    Of copies of a result, those that are wrong, each once, and none that copies a wrong result: that is told already.
    """
    steps = [step for equation in equations if (step := _step(equation)) is not None]
    told = {
        (step.left_value, step.right_value) for step in steps if step.equation.relation != "copy" and not step.holds
    }
    kept, places = [], set()
    for step in steps:
        if step.equation.relation != "copy":
            kept.append(step)
        elif not step.holds and (step.left_value, step.right_value) not in told and step.equation.right not in places:
            places.add(step.equation.right)
            kept.append(step)
    return kept


def is_right(equation: Equation) -> bool:
    """Whether it is a step, and holds."""
    step = _step(equation)
    return step is not None and step.holds


def _step(equation: Equation) -> Step | None:
    """None: a side is no expression."""
    left, right, relation = equation
    try:
        ours, theirs = _readings(left.tokens), _readings(right.tokens)
    except NoValue:
        return None
    if ours is None or theirs is None:
        return Step(equation, ours[0] if ours else None, theirs[0] if theirs else None, False)
    if relation == "about" and left.is_expression and right.is_expression:
        return None
    if left.tokens[0].kind == right.tokens[0].kind == "root":
        return None
    pairs = [(a, b) for a in ours for b in theirs]
    a, b = next((pair for pair in pairs if _agree(equation, *pair)), pairs[0])
    return Step(equation, a, b, _agree(equation, a, b))


def _readings(tokens: Sequence[Token]) -> list[Fraction] | None:
    """The values that a side may have: a per-cent sign is a hundredth or a unit, cents are hundredths or units, a dozen is
    twelve or a unit, a first minus may be a dash. None: it divides by zero. Raises NoValue."""
    percents = sum(token.kind == "percent" for token in tokens)
    numbers = sum(token.kind == "number" for token in tokens)
    if [token.kind for token in tokens] == ["root"]:
        return [tokens[0].value or Fraction(0)]
    if [token.kind for token in tokens] == ["number", "operator", "number", "percent"] and tokens[1].text in "+-":
        return _changed_by(tokens)
    if percents and percents != numbers and any(token.text in ("+", "-") for token in tokens):
        raise NoValue  # of what the per cents are is not clear
    scales = dict.fromkeys(FACTORS[token.text] for token in tokens if token.kind == "percent")
    factors = [Fraction(1), *scales]
    may_be_dash = len(tokens) > 1 and tokens[0].text == "-" and tokens[0].end < tokens[1].start
    parts = [tokens, tokens[1:]] if may_be_dash else [tokens]
    try:
        return [value_of(part, factor) for factor in factors for part in parts]
    except DividesByZero:
        return None


def _changed_by(tokens: Sequence[Token]) -> list[Fraction]:
    """Of `100 - 20%`: 20 per cent of the number are meant, or a fifth, or 20 of what the number counts."""
    number, _, share, _ = tokens
    values = number.value or Fraction(0), share.value or Fraction(0)
    sign = 1 if tokens[1].text == "+" else -1
    return [values[0] + sign * change for change in (values[0] * values[1] / 100, values[1] / 100, values[1])]


def _agree(equation: Equation, left_value: Fraction, right_value: Fraction) -> bool:
    """Whether the values are equal, or one is a lone number that is the other, rounded or cut at its last place."""
    left, right, relation = equation
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
    digits = digits_of(numbers[0].text)
    if not digits[:1].isdigit() and digits[:1] != ".":  # a fraction or a root
        return None
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
