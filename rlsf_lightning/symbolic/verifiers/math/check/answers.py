"""Compares two final answers: plain numbers exactly, with their units and bases; other texts as spelled, or by a tool."""

from __future__ import annotations

import re
from collections.abc import Callable, Set
from fractions import Fraction

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.symbolic.verifiers.math.check.angles import evaluated, same_angle
from rlsf_lightning.symbolic.verifiers.math.check.quantity import Quantity, read_quantity
from rlsf_lightning.symbolic.verifiers.math.parse.notation import latex
from rlsf_lightning.symbolic.verifiers.math.parse.units import UNITS, Tail, nouns

#: Longer answers are not compared, and stand in the witness cut.
MAX_ANSWER = 300

#: Two numbers without an operator: to some readers a sum, to others a product.
_SIDE_BY_SIDE = re.compile(
    r"(?<![0-9_^])[0-9]+(?:\s|\\[,;:! ]|~|\\q?quad(?![A-Za-z]))+[0-9]"
    r"|[0-9]\s*\["
    r"|(?<![0-9._^{])[0-9]+\s*\\frac\s*\{[0-9]+\}\s*\{[0-9]+\}"
)
#: A quotient with a factor behind.
_SLASH = re.compile(r"(?<![0-9.}])([0-9]+)\s*/\s*([0-9]+)(?=\s*(?:\\pi|\\sqrt|[A-Za-z(]))")
#: Words in a formula that its reader knows.
_FUNCTIONS = frozenset("sin cos tan cot sec csc arcsin arccos arctan log exp lim max min gcd lcm mod sqrt and".split())

#: (reference, answer) -> whether they are the same; None: not known. May raise ToolFailed.
Same = Callable[[str, str], bool | None]


def same_answer(reference: str, answer: str, ask: Same | None, question: str = "") -> bool | None:
    """Whether both are the same. Raises ToolFailed where that cannot be decided, and says why.

    Args:
        ask: says so of what is no plain number; without it that differs unless it is spelled alike.
        question: its nouns may be counted.
    """
    if _spelled(reference) == _spelled(answer):
        return True
    if len(answer) > MAX_ANSWER:
        return False
    known = nouns(f"{question} {reference}")
    reference, answer = evaluated(latex(reference)), evaluated(latex(answer))
    ours, theirs = read_quantity(answer, known, reference), read_quantity(reference, known, answer)
    if _spelled(ours.text) == _spelled(theirs.text) and (ours.tail, ours.in_radians) == (
        theirs.tail,
        theirs.in_radians,
    ):
        return True
    if ours.is_subscripted or theirs.is_subscripted:
        raise ToolFailed("a number has a subscript, and what that means here is not known")
    if ours.base is not None or theirs.base is not None:
        return _is_same_numeral(ours, theirs)
    if ours.tail is not None and ours.tail.changes:
        return False
    equal = _is_equal(ours, theirs, ask)
    return equal and _is_same_unit(ours, theirs, known)


def _spelled(text: str) -> str:
    """The text in one notation; of words, those alone: `\\text{Even}` is even."""
    words = re.fullmatch(r"\\(?:text|mathrm|textbf)\s*\{([^{}]*)\}", text.strip())
    plain = words[1] if words else text
    if re.fullmatch(r"\s*[A-Za-z]{3}[A-Za-z\s]*", plain):
        return " ".join(plain.lower().split())
    return " ".join(latex(plain).split())


def _is_equal(ours: Quantity, theirs: Quantity, ask: Same | None) -> bool | None:
    """Whether the values are equal, units left aside but for their factor."""
    factor = _conversion(ours.tail, theirs.tail)
    units = {ours.angle, theirs.angle}
    if ours.value is not None and theirs.value is not None and units != {"degree", "radian"}:
        return _is_same_number(ours, theirs, factor)

    def is_same(reference: str, answer: str) -> bool | None:
        return _is_same_expression(reference, answer, ask)

    if None not in units and units not in ({""}, {"radian"}):
        equal = same_angle(ours, theirs, is_same)
    elif ours.in_hundredths or theirs.in_hundredths:
        equal = _is_same_share(ours, theirs, is_same)
    else:
        equal = is_same(theirs.text, ours.text)
    if equal and {ours.text[:1], theirs.text[:1]} == {"\\", "("} and (ours.text + theirs.text).count("\\{") == 1:
        raise ToolFailed("one of the answers is a set, and the other has an order")
    if equal and (doubt := _doubt(ours) or _doubt(theirs)):
        raise ToolFailed(doubt)
    return equal


def _is_same_expression(reference: str, answer: str, ask: Same | None) -> bool | None:
    """As spelled, or by the tool. Raises ToolFailed where that depends on whether `1/2 x` is half of x or 1 over 2x."""
    if _spelled(reference) == _spelled(answer):
        return True
    if ask is None:
        return False
    equal, halves = ask(reference, answer), tuple(_SLASH.sub(r"\\frac{\1}{\2}", text) for text in (reference, answer))
    if halves != (reference, answer) and bool(ask(*halves)) is not bool(equal):
        raise ToolFailed("a factor stands behind a quotient with a slash: above or below its line, that is not known")
    return equal


def _doubt(quantity: Quantity) -> str | None:
    """Why the text may mean something else than a reader of formulas makes of it."""
    tail = quantity.tail
    if tail is not None and (tail.factor, tail.power) != (1, 1):
        return "words after the expression change what it is worth"
    if _SIDE_BY_SIDE.search(quantity.text):
        return "two numbers stand side by side, and what that means is not known"
    words = re.findall(
        r"(?<![\\A-Za-z])[A-Za-z]{3,}",
        re.sub(r"\\(?:text|mathrm|begin|end|operatorname)\s*\{[^{}]*\}", " ", quantity.text),
    )
    word = next((word for word in words if word.lower() not in _FUNCTIONS), None)
    return None if word is None else f"what the word {word[:40]} in the expression means is not known"


def _is_same_share(ours: Quantity, theirs: Quantity, is_same: Same) -> bool | None:
    """Of expressions with a per-cent sign on at least one side, as ``_is_same_number`` says it of numbers."""
    equal = is_same(theirs.in_hundredths or theirs.text, ours.in_hundredths or ours.text)
    if not equal and not (ours.in_hundredths and theirs.in_hundredths):
        return is_same(theirs.text, ours.text)
    return equal


def _is_same_number(one: Quantity, other: Quantity, factor: Fraction) -> bool:
    """Equal exactly. Where only one has a per-cent sign, it may stand for a hundredth or for the unit."""
    assert one.value is not None and other.value is not None
    if bool(one.in_hundredths) == bool(other.in_hundredths):
        return one.value in (other.value, other.value / factor)
    percent, plain = (one, other) if one.in_hundredths else (other, one)
    assert percent.value is not None
    return plain.value in (percent.value, percent.value / 100)


def _is_same_numeral(ours: Quantity, theirs: Quantity) -> bool:
    """The same digits in the same base. Raises ToolFailed for the same number in another one."""
    if ours.base == theirs.base:
        return ours.value is not None and ours.value == theirs.value
    if ours.value is not None and ours.value == theirs.value:
        raise ToolFailed("the answer is the number of the reference, in another base")
    if ours.value is None or theirs.value is None:
        return False if ours.base is not None else _undecided_base()
    return False


def _undecided_base() -> bool:
    raise ToolFailed("the reference has a base, and the answer is no numeral")


def _conversion(ours: Tail | None, theirs: Tail | None) -> Fraction:
    """How many of their unit one of ours is, where both measure the same; else 1."""
    one, other = _measure(ours), _measure(theirs)
    if one is None or other is None or one[0] != other[0]:
        return Fraction(1)
    return one[1] / other[1]


def _measure(tail: Tail | None) -> tuple[dict[str, int], Fraction] | None:
    """The dimensions that the unit has, and its size in their first units."""
    dimensions: dict[str, int] = {}
    size = Fraction(1)
    if tail is None or not tail.is_measure:
        return None
    for name, power in tail.unit:
        unit = UNITS[name]
        dimensions[unit.dimension] = dimensions.get(unit.dimension, 0) + power
        size *= unit.factor**power
    return dimensions, size


def _is_same_unit(ours: Quantity, theirs: Quantity, known: Set[str]) -> bool:
    """Of equal values: whether their units are the same, too. Raises ToolFailed where nobody can say."""
    mine, other = ours.tail, theirs.tail
    if mine is not None and mine.unknown is not None:
        if other is None or other.unknown != mine.unknown:
            raise ToolFailed(f"what the word {mine.unknown[:40]} after the number means is not known")
    if mine is None or other is None or not mine.unit or not other.unit or mine.unit == other.unit:
        return True
    if ours.value is not None and theirs.value is not None and _conversion(mine, other) != 1:
        if ours.value != theirs.value:
            raise ToolFailed("the answer is the quantity of the reference, in another unit")
        return False
    if mine.is_measure or other.is_measure:
        return False
    raise ToolFailed("the answer counts something else than the reference, or calls it by another word")
