"""Spellings of a value in a step: an integer, a fraction in lowest terms or a decimal that ends, perhaps in brackets."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache


@lru_cache(maxsize=20_000)
def spellings(value: Fraction) -> tuple[str, ...]:
    """Every way to write a value.

    >>> spellings(Fraction(1, 2))
    ('1/2', '0.5', '(1/2)', '(0.5)')
    """
    plain = [str(value)]
    decimal = _decimal(value)
    if decimal is not None:
        plain.append(decimal)
    return (*plain, *(f"({text})" for text in plain))


def spelled_value(text: str) -> Fraction | None:
    """The value, if this is one of its spellings."""
    try:
        value = Fraction(text.strip("()"))
    except (ValueError, ZeroDivisionError):
        return None
    return value if text in spellings(value) else None


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
