"""Exact evaluation of one side of an equation: literal numbers, + - * / ^, brackets (shunting-yard). No ``eval``.

What people read in two ways has no value here: -2^2, 2^3^2, 8/2(2+2). Powers and sizes are bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from rlsf_lightning.symbolic.verifiers.math.parse.lexer import Token

#: More tokens than these are no step.
MAX_TOKENS = 100
MAX_EXPONENT = 64
#: Numerators and denominators beyond this many bits are given up.
MAX_BITS = 4096

#: What tokens of kind ``percent`` may stand for instead of 1.
FACTORS = {"%": Fraction(1, 100), "cents": Fraction(1, 100), "dozen": Fraction(12)}

_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2, "minus": 3, "^": 4}


class NoValue(Exception):
    """This is no expression, or not one that everybody reads alike."""


class DividesByZero(Exception):
    """There is a division by zero."""


def value_of(tokens: Sequence[Token], percent: Fraction) -> Fraction:
    """The value where a per-cent sign stands for the factor ``percent``. Raises NoValue and DividesByZero."""
    values: list[Fraction] = []
    for token in _postfix_of(tokens):
        if token.kind == "number":
            assert token.value is not None
            values.append(token.value)
        elif token.kind == "percent":
            values[-1] *= percent
        elif token.text == "minus":
            values[-1] = -values[-1]
        else:
            right, left = values.pop(), values.pop()
            values.append(_operate(left, token.text, right))
    assert len(values) == 1
    return values[0]


def _postfix_of(tokens: Sequence[Token]) -> list[Token]:
    """The tokens in postfix order. Raises NoValue."""
    if not 0 < len(tokens) <= MAX_TOKENS or any(token.kind == "root" for token in tokens):
        raise NoValue
    tokens = _with_products(tokens)
    done: list[Token] = []
    waiting: list[Token] = []

    def pop(strength: int) -> None:
        while waiting and waiting[-1].kind != "open" and _STRENGTH[waiting[-1].text] >= strength:
            done.append(waiting.pop())

    wants_operand = True
    for token in tokens:
        if wants_operand != (token.kind in ("number", "open") or (wants_operand and token.text == "-")):
            raise NoValue
        if token.kind in ("number", "percent"):
            done.append(token)
            wants_operand = False
        elif token.kind == "open":
            waiting.append(token)
        elif token.kind == "close":
            pop(0)
            if not waiting:
                raise NoValue
            waiting.pop()
        elif wants_operand:
            waiting.append(token._replace(text="minus"))
        else:
            if token.text == "^" and waiting and waiting[-1].text in ("minus", "^"):
                raise NoValue
            pop(_STRENGTH[token.text])
            waiting.append(token)
            wants_operand = True
    if wants_operand or any(token.kind == "open" for token in waiting):
        raise NoValue
    pop(0)
    return done


def _with_products(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with a times sign where a bracket directly follows an operand, 2(3+4)."""
    out: list[Token] = []
    for token in tokens:
        before = out[-1] if out else None
        if (
            token.kind == "open"
            and before is not None
            and before.kind in ("number", "close")
            and before.end == token.start
        ):
            if any(other.text == "/" for other in tokens):
                raise NoValue
            out.append(Token("operator", "*", token.start, token.start))
        out.append(token)
    return out


def _operate(left: Fraction, operator: str, right: Fraction) -> Fraction:
    if operator == "/" and not right:
        raise DividesByZero
    if operator == "^":
        return _power(left, right)
    if operator == "*":
        result = left * right
    elif operator == "/":
        result = left / right
    else:
        result = left + right if operator == "+" else left - right
    if max(result.numerator.bit_length(), result.denominator.bit_length()) > MAX_BITS:
        raise NoValue
    return result


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if exponent.denominator != 1 or abs(exponent) > MAX_EXPONENT or bits * abs(exponent) > MAX_BITS:
        raise NoValue
    if not base and exponent <= 0:
        raise NoValue if not exponent else DividesByZero
    return base**exponent.numerator
