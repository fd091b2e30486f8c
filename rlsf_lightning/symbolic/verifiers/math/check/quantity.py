"""Reads a final answer as a quantity: an expression, its exact value where it is a plain number, a unit, a base."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from rlsf_lightning.symbolic.verifiers.math.parse.notation import latex
from rlsf_lightning.symbolic.verifiers.math.parse.units import Tail, read_tail

#: Longer texts are no plain numbers.
_MAX_NUMBER = 100
#: A power of ten beyond is left to the comparison of expressions; also of a squared number, by its digits.
_MAX_EXPONENT = 300

_PLAIN = r"-?\s*(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]+)?"
_FRACTION = r"-?\s*\\frac\s*\{\s*-?[0-9]+\s*\}\s*\{\s*[0-9]+\s*\}|-?[0-9]+\s*/\s*[0-9]+"
_SCIENTIFIC = (
    rf"(?P<mantissa>{_PLAIN})\s*(?:\\times|\\cdot|\*)\s*10\s*\^\s*"
    r"(?:\{\s*(?P<exponent>-?[0-9]{1,4})\s*\}|(?P<digit>[0-9]))"
)
_NUMBER = re.compile(rf"(?:{_SCIENTIFIC}|{_FRACTION}|{_PLAIN})")
_PERCENT = re.compile(r"\s*(?:\\?%|percent\b)")
#: Of an expression, or of one in a list, with what may close the list.
_PERCENT_OF = re.compile(
    r"(?P<body>[^%=<>]*?[^%=<>\\\s])\s*(?:\\?%|\\text\s*\{\s*(?:percent|\\?%)\s*\}|(?<![A-Za-z])percent)\s*(?P<closing>(?:\\?[)\]}])?)"
)
_BASES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
          "sixteen": 16}  # fmt: skip
_BASE_NAME = rf"(?:[0-9]{{1,2}}|\\(?:text|mathrm)\{{\s*(?:{'|'.join(_BASES)})\s*\}}|{'|'.join(_BASES)})"
_BASED = re.compile(
    rf"(?P<sign>-?)(?:\\(?:text|mathrm)\{{(?P<named>[0-9A-Z]+)\}}|\((?P<round>[0-9A-Z]+)\)|(?P<digits>[0-9A-Z]+))\s*"
    rf"(?:_\s*(?:\{{\s*\(?(?P<low>{_BASE_NAME})\)?\s*\}}|(?P<one>[0-9]))|\(?\s*(?:in\s+)?base[\s-]*(?P<word>{_BASE_NAME})\s*\)?)"
)
#: A number with something below it, inside an expression.
_SUBSCRIPTED = re.compile(r"(?<![A-Za-z])[0-9]+\s*\}?\)?\s*_")
_TEXT = re.compile(
    r"\\(?:text|mathrm|textrm|mbox|textbf|textit|rm)\s*\{(?P<words>[^{}]*)\}\s*(?P<power>\^\s*(?:\{\s*-?[0-9]\s*\}|[0-9]))?\s*$"
)
DEGREES = re.compile(r"\s*\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z]))")
_DEGREE = re.compile(DEGREES.pattern + r"\s*(?:\\(?:text|mathrm)\s*\{\s*)?(?P<scale>[CF]?)\s*\}?\s*$")
_PLAIN_UNIT = re.compile(
    r"(.*[0-9A-Za-z})])\s+([A-Za-z]+(?:\s*(?:/|\bper\b)\s*[A-Za-z]+)?(?:\s*\^\s*\{?[0-9]\}?)?)", re.DOTALL
)
_CURRENCIES = {"\\$": "dollar", "$": "dollar", "\u20ac": "euro", "\u00a3": "gbp", "\u00a5": "yen", "\u20b9": "rupee"}
_MEASURES = {"": "degree", "C": "celsius", "F": "fahrenheit"}


@dataclass(frozen=True)
class Quantity:
    """``text``: the expression in LaTeX, without unit. ``value``: what it is worth, where it is a plain number."""

    text: str
    value: Fraction | None = None
    #: With a per-cent sign: the same as it is if that stands for a hundredth. Else empty.
    in_hundredths: str = ""
    #: With degree signs inside, not after it as a whole: the same with each as a factor. Else empty.
    in_radians: str = ""
    #: Of a numeral with a base: that, else None.
    base: int | None = None
    tail: Tail | None = None
    #: Whether numbers have subscripts in a way that is not understood.
    is_subscripted: bool = False

    @property
    def angle(self) -> str | None:
        """The unit, ``degree`` or ``radian``; empty: there is no unit; None: another one."""
        if self.tail is None or not self.tail.unit:
            return ""
        names = [name for name, power in self.tail.unit if power == 1]
        return names[0] if names in (["degree"], ["radian"]) and len(self.tail.unit) == 1 else None


def read_quantity(written: str, known: Set[str], beside: str = "") -> Quantity:
    """The quantity.

    Args:
        known: nouns that are counted, in the singular.
        beside: what it will be compared with.
    """
    text = latex(written.strip())
    based = _BASED.fullmatch(text) if len(text) <= _MAX_NUMBER else None
    if based is not None and (quantity := _numeral(text, based)) is not None:
        return quantity
    if _SUBSCRIPTED.search(text):
        return Quantity(text, is_subscripted=True)
    if DEGREES.search(text) and ("," in text or len(DEGREES.findall(text)) > 1 or not _DEGREE.search(text)):
        factors = DEGREES.sub(r"\\cdot\\frac{\\pi}{180}", text)
        return Quantity(DEGREES.sub("", text), tail=read_tail("degrees", known), in_radians=factors)
    text, hundredths = _without_percent(text)
    text, tail = _without_unit(text, known)
    match = _NUMBER.match(text) if len(text) <= _MAX_NUMBER else None
    value = _value_of(match) if match is not None else None
    if match is None or value is None:
        return _expression(text, tail, known, beside, hundredths)
    rest = text[match.end() :]
    percent = _PERCENT.match(rest)
    rest = rest[percent.end() :] if percent else rest
    number = Quantity(text[: match.end()], value, _hundredths(text[: match.end()]) if percent else hundredths)
    if not rest.strip():
        return _scaled(replace(number, tail=tail))
    words = re.sub(r"\\(?:text|mathrm)\s*\{([^{}]*)\}", r" \1", rest)
    own = read_tail(words, known) if tail is None and "\\" not in words else None
    if own is None or _is_factor(words, own):
        return _expression(text, tail, known, beside, hundredths)
    return _scaled(replace(number, tail=own))


def _without_percent(text: str) -> tuple[str, str]:
    """The text without a per-cent sign after the whole of it, or after all items of a list, and the same in hundredths."""
    parts = [_PERCENT_OF.fullmatch(part) for part in text.split(",")]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts) or any(part["closing"] for part in found[:-1]) or any(_is_sum(p["body"]) for p in found):
        return text, ""
    bodies, closing = [part["body"] for part in found], found[-1]["closing"]
    if len(found) == 1:
        return (bodies[0], _hundredths(bodies[0])) if not closing else (text, "")
    return ",".join(bodies) + closing, ",".join(body + r"\%" for body in bodies) + closing


def _is_sum(text: str) -> bool:
    """Whether what follows belongs to its last term alone."""
    for _ in range(10):
        text = re.sub(r"\([^(){}]*\)|\{[^(){}]*\}", "0", text)
    return re.search(r"[^\s(\[{][^+]*?[+-]", text) is not None


def _hundredths(text: str) -> str:
    """A decimal stays one, so that what rounds to it is known."""
    if re.fullmatch(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?", text):
        return f"{Decimal(text).scaleb(-2):f}"
    return rf"\frac{{{text}}}{{100}}"


def _expression(text: str, unit: Tail | None, known: Set[str], beside: str, hundredths: str) -> Quantity:
    """With the unit in plain words after it, `\\sqrt{2} km`, where there is none yet. One letter is a unit where no variable is
    in this expression, nor that letter in the other one; else it is a factor."""
    if unit is not None or hundredths:
        return Quantity(text, in_hundredths=hundredths, tail=unit)
    match = _PLAIN_UNIT.fullmatch(text)
    tail = read_tail(match[2], known) if match is not None else None
    if match is None or tail is None or not tail.is_measure or tail.unknown is not None:
        return Quantity(text)
    if len(match[2]) == 1 and (_letters(match[1]) or match[2] in _letters(latex(beside))):
        return Quantity(text)
    return Quantity(match[1], tail=tail)


def _letters(text: str) -> set[str]:
    """The variables of an expression."""
    plain = re.sub(r"\\(?:text|mathrm|textrm|mbox|textbf|textit|operatorname)\s*\{[^{}]*\}|\\[A-Za-z]+", " ", text)
    return set(re.findall("[A-Za-z]", plain)) - {"e", "i"}


def _numeral(text: str, match: re.Match[str]) -> Quantity | None:
    """Of digits with a base; a digit that the base does not have makes it worth nothing."""
    name = match["low"] or match["one"] or match["word"]
    named = re.sub(r"\\(?:text|mathrm)\{\s*(\w+)\s*\}", r"\1", name)
    base = _BASES.get(named) or int(named)
    digits = match["named"] or match["round"] or match["digits"]
    if not 2 <= base <= 36 or (digits.isalpha() and base < 11):
        return None
    try:
        value = Fraction(int(digits, base) * (-1 if match["sign"] else 1))
    except ValueError:
        return Quantity(text, base=base)
    return Quantity(text, value, base=None if base == 10 else base)


def _without_unit(text: str, known: Set[str]) -> tuple[str, Tail | None]:
    """The text without a currency before it and units in ``\\text`` or degrees after it, and these."""
    sign, bare = re.match(r"-?\s*", text), text
    assert sign is not None
    for currency, name in _CURRENCIES.items():
        if text.startswith(currency, sign.end()) and text.count("$") == currency.count("$"):
            bare = sign.group() + text[sign.end() + len(currency) :]
            return bare.strip(), read_tail(name, known) if name != "gbp" else read_tail("GBP", known)
    degree = _DEGREE.search(text)
    if degree and degree.start():
        return text[: degree.start()].strip(), read_tail(_MEASURES[degree["scale"]], known)
    match = _TEXT.search(text)
    if match is None or not match.start() or not re.search(r"[0-9A-Za-z})]\s*$|\\[,;: ]\s*$", text[: match.start()]):
        return text, None
    tail = read_tail(match["words"] + (match["power"] or ""), known)
    if (
        tail is None
        or not (tail.unit or tail.changes or tail.unknown or tail.factor != 1 or tail.power != 1)
        or "," in text
    ):
        return text, None
    return re.sub(r"(?:\\[,;:!~ ]|~|\s)+$", "", text[: match.start()]), tail


def _is_factor(words: str, tail: Tail) -> bool:
    """Whether what follows the number is a factor of an expression: `2x`, `2 x`, `3ab`, but not `5km`."""
    word = words.strip()
    if tail.unit and tail.is_measure:
        return False
    is_glued = not words[:1].isspace() and words[:1] not in "-"
    return (len(word) == 1 and word not in "KMBTk") or (is_glued and tail.unknown is not None)


def _scaled(quantity: Quantity) -> Quantity:
    """With the words that multiply the number or raise it to a power done."""
    value, tail = quantity.value, quantity.tail
    if value is None or tail is None or tail.changes:
        return quantity
    digits = len(str(value))
    return replace(
        quantity, value=value * tail.factor if tail.power == 1 or digits > 60 else (value**tail.power) * tail.factor
    )


def _value_of(match: re.Match[str]) -> Fraction | None:
    text = match.group().replace(",", "").replace(" ", "")
    if not re.search("[0-9]", text):
        return None
    if match["mantissa"] is not None:
        mantissa = match["mantissa"].replace(",", "").replace(" ", "")
        exponent = int(match["exponent"] or match["digit"])
        if not re.search("[0-9]", mantissa) or abs(exponent) > _MAX_EXPONENT:
            return None
        return Fraction(mantissa) * Fraction(10) ** exponent
    fraction = re.fullmatch(r"(-?)\\frac\{(-?[0-9]+)\}\{([0-9]+)\}|(-?[0-9]+)/([0-9]+)", text)
    if fraction is None:
        return Fraction(text)
    sign, over, under, over_plain, under_plain = fraction.groups()
    below = int(under or under_plain)
    return Fraction(int(over or over_plain), below) * (-1 if sign else 1) if below else None
