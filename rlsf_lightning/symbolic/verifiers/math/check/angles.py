"""Degrees beside radians: inside of a sine they are a number, elsewhere the unit of the answer."""

from __future__ import annotations

import re
from collections.abc import Callable

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.symbolic.verifiers.math.check.quantity import DEGREES, Quantity

_FUNCTION = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![A-Za-z])")
_NUMBER_OF_DEGREES = re.compile(rf"([0-9]+(?:\.[0-9]+)?|\\frac\s*\{{[0-9]+\}}\s*\{{[0-9]+\}}){DEGREES.pattern}")


def evaluated(text: str) -> str:
    r"""With `\sin 30^\circ` as the sine of a number. Raises ToolFailed for degrees of anything but a number in such a text."""
    if not DEGREES.search(text) or not _FUNCTION.search(text):
        return text
    text = _NUMBER_OF_DEGREES.sub(r"{\\frac{\1\\pi}{180}}", text)
    if DEGREES.search(text):
        raise ToolFailed("what has the degree sign in an expression with a sine or its like is not known")
    return text


def same_angle(ours: Quantity, theirs: Quantity, is_same: Callable[[str, str], bool | None]) -> bool | None:
    """Whether both are the same number of the same unit. Raises ToolFailed for the same angle in the other one.

    Args:
        ours, theirs: at least one in degrees or radians, and the other so or without unit.
        is_same: (reference, answer) -> whether these expressions are equal; None: not known.
    """
    units = {ours.angle, theirs.angle}
    equal = False if units == {"degree", "radian"} else is_same(theirs.text, ours.text)
    if units == {"degree"}:
        if ours.in_radians or theirs.in_radians:
            if bool(is_same(_radians(theirs), _radians(ours))) is not bool(equal):
                raise ToolFailed("which of the numbers are degrees is not the same in both")
        return equal
    if equal and units == {"degree", ""} and r"\pi" in (theirs.text if ours.angle else ours.text):
        raise ToolFailed("without unit a multiple of pi is in radians to most readers, and the other one is in degrees")
    if not equal and len(units) == 2:
        is_ours_in_degrees = ours.angle == ("degree" if "degree" in units else "")
        if is_ours_in_degrees:
            is_converted = is_same(theirs.text, _radians(ours))
        elif theirs.in_radians:
            is_converted = is_same(theirs.in_radians, ours.text)
        else:
            is_converted = is_same(theirs.text, rf"\frac{{180}}{{\pi}}\cdot({ours.text})")
        if is_converted:
            raise ToolFailed("the angle is that of the reference if one of them is in degrees and the other in radians")
    return equal


def _radians(quantity: Quantity) -> str:
    return quantity.in_radians or rf"\frac{{\pi}}{{180}}\cdot({quantity.text})"
