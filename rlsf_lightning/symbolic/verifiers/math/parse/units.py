"""Words that may follow a number: units, what is counted, and words that make another number of it.

The lists are closed: of any other word nobody knows what it does to the number before it.
"""

from __future__ import annotations

import re
from collections.abc import Set
from fractions import Fraction
from typing import NamedTuple

_F = Fraction


class Unit(NamedTuple):
    """``dimension`` and ``factor`` say which other units measure the same, and by how much they differ."""

    name: str
    dimension: str
    factor: Fraction


def _units(dimension: str, table: dict[str, tuple[Fraction | int, str]]) -> dict[str, Unit]:
    return {
        word: Unit(name, dimension, Fraction(factor))
        for name, (factor, words) in table.items()
        for word in (name, *words.split())
    }


UNITS: dict[str, Unit] = {
    **_units("length", {
        "mm": (_F(1, 1000), "millimeter millimeters millimetre millimetres"),
        "cm": (_F(1, 100), "centimeter centimeters centimetre centimetres"), "m": (1, "meter meters metre metres"),
        "km": (1000, "kilometer kilometers kilometre kilometres kms"), "in": (_F(254, 10000), "inch inches"),
        "ft": (_F(3048, 10000), "foot feet"), "yd": (_F(9144, 10000), "yard yards yds"),
        "mi": (_F(1609344, 1000), "mile miles"),
    }),
    **_units("mass", {
        "mg": (_F(1, 1000), "milligram milligrams"), "g": (1, "gram grams gramme grammes"),
        "kg": (1000, "kilogram kilograms kgs kilo kilos"), "oz": (_F(45359237, 1600000), "ounce ounces"),
        "lb": (_F(45359237, 100000), "lbs pound pounds"), "ton": (1000000, "tons tonne tonnes"),
    }),
    **_units("time", {
        "ms": (_F(1, 1000), "millisecond milliseconds"), "s": (1, "sec secs second seconds"),
        "min": (60, "mins minute minutes"),
        "h": (3600, "hr hrs hour hours"), "day": (86400, "days"), "week": (604800, "weeks"),
        "month": (2629746, "months"), "year": (31556952, "years yr yrs"),
    }),
    **_units("volume", {
        "ml": (1, "mL milliliter milliliters millilitre millilitres"), "L": (1000, "l liter liters litre litres"),
        "gallon": (_F(3785411784, 1000000), "gallons gal"), "quart": (_F(946352946, 1000000), "quarts qt"),
        "pint": (_F(473176473, 1000000), "pints"), "cup": (_F(2365882365, 10000000), "cups"),
    }),
    **_units("money", {"dollar": (1, "dollars usd USD bucks buck"), "cent": (_F(1, 100), "cents penny pennies")}),
    **_units("euro", {"euro": (1, "euros eur EUR")}), **_units("sterling", {"gbp": (1, "GBP")}),
    **_units("yen", {"yen": (1, "")}), **_units("rupee", {"rupee": (1, "rupees Rs rs")}),
    **_units("angle", {"degree": (1, "degrees deg")}), **_units("radian", {"radian": (1, "radians rad rads")}),
    **_units("celsius", {"celsius": (1, "Celsius")}), **_units("fahrenheit", {"fahrenheit": (1, "Fahrenheit")}),
    **_units("energy", {"J": (1, "joule joules"), "kJ": (1000, "kilojoule kilojoules")}),
    **_units("food", {"calorie": (1, "calories cal"), "kcal": (1000, "kilocalorie kilocalories")}),
    **_units("power", {"W": (1, "watt watts"), "kW": (1000, "kilowatt kilowatts")}),
    **_units("force", {"N": (1, "newton newtons")}), **_units("voltage", {"V": (1, "volt volts")}),
    **_units("charge", {"C": (1, "coulomb coulombs")}), **_units("amount", {"mol": (1, "mole moles")}),
    **_units("pressure", {"Pa": (1, "pascal pascals"), "kPa": (1000, "kilopascal kilopascals")}),
    **_units("frequency", {"Hz": (1, "hertz")}), **_units("acre", {"acre": (1, "acres")}),
}  # fmt: skip
#: What is counted, in the singular; other nouns count where the question has them.
COUNTED = frozenset(
    """people person student page piece point book box marble fish bag egg calorie car card orange bottle pack block
    pencil game ticket bill dog cow leg girl boy animal cake serving wheel pen question sandwich step banana rose floor
    stamp episode pill ball candy guest bead leaf photo chicken bird crayon song doll plant man woman child kid case toy
    bar pizza strawberry seat vote coin room player brownie pie glass table sheet package fruit mark tile goal passenger
    crate tablespoon teaspoon letter member employee loaf chocolate tomato donut batch candle class stick puppy muffin
    jellybean trip hat sheep painting jar shell potato meal pet brick nickel dime roll spot soda bracelet frog turtle
    seashell horse house apartment kitten goat plate adult group truck lollipop movie snake necklace wall teacher picture
    daisy apple line match message goldfish tire pig window carrot baby marker follower ear cap towel gift ant log nail
    feather sweater text pot spoon bike packet container token visitor parent hen burger grape rabbit chapter bucket chip
    envelope star segment pancake button duckling shoe lemon tulip sentence biscuit watermelon cracker eraser basket phone
    bug pan knife object video cookie cupcake flower tree sticker shirt balloon customer friend clip unit item job lap
    row slice part ride task test word shot run win loss event way arrangement choice solution side edge vertex vertices
    triangle square circle integer number value outcome permutation combination subset divisor factor digit prime
    member team party boat bus train trip stop hit mistake answer""".split()
)
#: Words that leave the number, and the unit beside them, what they are.
_SILENT = frozenset(
    """of the a an in on at all altogether total left remaining more each every per his her their its our my your extra new
    old red blue green white black yellow large small whole full different possible distinct long tall high wide deep
    away ago apart them""".split()
)
#: Words with which a number is multiplied.
SCALES: dict[str, Fraction] = {
    word: value
    for value, words in {
        _F(100): "hundred hundreds", _F(1000): "thousand thousands k K grand", _F(10**5): "lakh lakhs lac lacs",
        _F(10**6): "million millions mn mio M", _F(10**7): "crore crores", _F(10**9): "billion billions bn B",
        _F(10**12): "trillion trillions tn T", _F(12): "dozen dozens", _F(144): "gross", _F(20): "score scores",
        _F(1, 2): "half halves", _F(1, 3): "third thirds", _F(1, 4): "quarter quarters fourth fourths",
        _F(1, 5): "fifth fifths", _F(1, 6): "sixth sixths", _F(1, 7): "seventh sevenths", _F(1, 8): "eighth eighths",
        _F(1, 9): "ninth ninths", _F(1, 10): "tenth tenths", _F(1, 100): "hundredth hundredths",
        _F(1, 1000): "thousandth thousandths", _F(1, 10**6): "millionth millionths",
    }.items()
    for word in words.split()
}  # fmt: skip
#: Words with which something else than the number before them is meant, wherever they stand.
_CHANGING = frozenset(
    """less fewer than not no never wrong incorrect factorial isn't aren't mod modulo root sqrt log percentage ratio twice
    double triple doubled tripled halved negative reciprocal inverse nearly divided multiplied""".split()
)
#: The same directly after the number; behind a noun they may be harmless, `72 boys and girls`.
_JOINING = frozenset(
    """over plus minus times by added subtracted increased decreased and or to pi point power choose is are was but if between
    from base above below almost about approximately roughly around least most""".split()
)
#: Written in several words, or for several.
_PHRASES = {r"left\s+over": "left", "mph": "mi/h", "(?:kph|kmh)": "km/h"}
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*(?:\s*\^\s*\{?\s*-?[0-9]\s*\}?)?|/")


class Tail(NamedTuple):
    """What stands after a number: the factor and the power it is changed by, its unit, and words that are not known.

    ``unit``: pairs of a name and a power. ``is_measure``: whether it is one of the ``UNITS``.
    """

    factor: Fraction
    power: int
    unit: tuple[tuple[str, int], ...]
    is_measure: bool
    unknown: str | None
    changes: bool


def read_tail(text: str, known: Set[str]) -> Tail | None:
    """The words after a number; None: they are no words. ``known``: nouns of the question, in the singular."""
    for phrase, meaning in _PHRASES.items():
        text = re.sub(rf"\b{phrase}\b", meaning, text)
    words = _WORD.findall(text)
    if re.sub(r"[\s.,]", "", _WORD.sub("", text)):
        return None
    factor, power, sign, powers = Fraction(1), 1, 1, 1
    unit: dict[str, int] = {}
    noun, unknown, is_measure = "", None, False
    for number, written in enumerate(words):
        word, _, exponent = written.replace(" ", "").replace("{", "").replace("}", "").partition("^")
        lower, raised = word.lower(), int(exponent or 1)
        if word == "/" or lower == "per":
            sign = -1
        elif lower in ("squared", "cubed"):
            raised = 2 if lower == "squared" else 3
            if is_measure:
                unit[next(reversed(unit))] *= raised
            else:
                power = raised
        elif lower in _POWERS and number + 1 < len(words):
            powers = _POWERS[lower]
        elif lower in _CHANGING or (lower in _JOINING and number == 0):
            return Tail(factor, power, (), False, None, True)
        elif not unit and not noun and (word in SCALES or (len(word) > 1 and lower in SCALES)):
            factor *= SCALES.get(word, SCALES.get(lower, Fraction(1)))
            unknown = word if singular(lower) in known else unknown  # quarters may be coins
        elif found := _unit_of(word, is_alone=len(words) == 1):
            is_measure = is_measure or not noun
            unit[found.name] = unit.get(found.name, 0) + sign * raised * powers
            powers = 1
        elif singular(lower) in COUNTED or singular(lower) in known:
            noun = noun or singular(lower)
        elif lower not in _SILENT:
            unknown = unknown or word
    if not is_measure:
        unit = {noun: 1} if noun else {}
    return Tail(factor, power, tuple(sorted(unit.items())), is_measure, unknown, False)


def _unit_of(word: str, *, is_alone: bool) -> Unit | None:
    """Signs of one letter are read as they are written; beside other words `in` is no inch."""
    if word.lower() == "in" and not is_alone:
        return None
    return UNITS.get(word) or (UNITS.get(word.lower()) if len(word) > 1 else None)


def singular(word: str) -> str:
    """Of a noun, roughly: both numbers of one noun give the same.

    >>> singular("boxes"), singular("daisies"), singular("clips"), singular("glass")
    ('box', 'daisy', 'clip', 'glass')
    """
    irregular = {"men": "man", "women": "woman", "children": "child", "leaves": "leaf", "loaves": "loaf", "knives": "knife",
                 "mice": "mouse", "teeth": "tooth"}  # fmt: skip
    if word in irregular:
        return irregular[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y" if word not in ("movies", "brownies", "cookies") else word[:-1]
    if len(word) > 4 and re.search("(?:ch|sh|ss|x|to)es$", word):
        return word[:-2]
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word


def nouns(text: str) -> frozenset[str]:
    """The words of a text that may be counted, in the singular."""
    return frozenset(singular(word.lower()) for word in re.findall(r"[A-Za-z]{3,}", text[:20_000])) - _CHANGING
