"""Patterns of JSON Schema, which are ECMA-262's, as patterns of Python that match the same.

Translated is what the two languages write or mean differently: white space, ``.``, classes of Unicode, named groups, control
characters, code points in braces. Not covered, and told so: back-references, scripts and other binary properties of Unicode,
which the standard library has no tables of.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable
from functools import cache

#: White space and line ends of ECMA-262, https://tc39.es/ecma262/#prod-CharacterClassEscape
_BLANKS = "\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_NO_BLANKS = (
    "\0-\x08\x0e-\x1f!-\u009f\u00a1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff\u3001-\ufefe"
    "\uff00-\U0010ffff"
)
_ANY_BUT_LINE_ENDS = "[^\n\r\u2028\u2029]"
_TOKEN = re.compile(
    r"""\\[pP](?:\{(?P<property>[^{}]*)\}|(?P<letter>[A-Z]))
    |\\c(?P<control>[A-Za-z])
    |\\u\{(?P<point>[0-9A-Fa-f]{1,6})\}
    |\\u(?P<high>[dD][89abAB][0-9A-Fa-f]{2})\\u(?P<low>[dD][c-fC-F][0-9A-Fa-f]{2})
    |(?P<reference>\\k<)
    |(?P<name>\(\?<[\w$]+>)
    |(?P<comma>\{(?=,))
    |(?P<any>\[\^\])|(?P<none>\[\])
    |\\?.""",
    re.DOTALL | re.VERBOSE,
)
#: Long names of general categories, https://www.unicode.org/reports/tr44/#General_Category_Values
_CATEGORIES = {
    "Letter": "L", "Cased_Letter": "LC", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll", "Titlecase_Letter": "Lt",
    "Modifier_Letter": "Lm", "Other_Letter": "Lo", "Mark": "M", "Combining_Mark": "M", "Nonspacing_Mark": "Mn",
    "Spacing_Mark": "Mc", "Enclosing_Mark": "Me", "Number": "N", "Decimal_Number": "Nd", "digit": "Nd", "Letter_Number": "Nl",
    "Other_Number": "No", "Punctuation": "P", "punct": "P", "Connector_Punctuation": "Pc", "Dash_Punctuation": "Pd",
    "Open_Punctuation": "Ps", "Close_Punctuation": "Pe", "Initial_Punctuation": "Pi", "Final_Punctuation": "Pf",
    "Other_Punctuation": "Po", "Symbol": "S", "Math_Symbol": "Sm", "Currency_Symbol": "Sc", "Modifier_Symbol": "Sk",
    "Other_Symbol": "So", "Separator": "Z", "Space_Separator": "Zs", "Line_Separator": "Zl", "Paragraph_Separator": "Zp",
    "Other": "C", "Control": "Cc", "cntrl": "Cc", "Format": "Cf", "Surrogate": "Cs", "Private_Use": "Co", "Unassigned": "Cn",
}  # fmt: skip
_SHORT = frozenset(_CATEGORIES.values())


def to_python(pattern: str) -> str:
    """The pattern for Python's ``re`` with ``re.ASCII``. Raises ValueError for what is not covered."""
    made, in_class = [], False
    for token in _TOKEN.finditer(pattern):
        if in_class and token.lastgroup in ("name", "comma", "any", "none"):  # these are characters of a class
            made += [_in_class(c) for c in token.group()]
            in_class = token.lastgroup not in ("any", "none")
            continue
        made.append(_translated(token, in_class))
        if token.group() == ("]" if in_class else "["):
            in_class = not in_class
    return "".join(made)


def _translated(token: re.Match[str], in_class: bool) -> str:
    text, named = token.group(), token.lastgroup
    if named in ("property", "letter"):
        return _as_class(_of_property(token["property"] or token["letter"], text[1] == "P"), in_class)
    if named == "control":
        return f"\\x{ord(token['control']) % 32:02x}"
    if named == "point":
        return _escaped(int(token["point"], 16))
    if named == "low":
        return _escaped(0x10000 + ((int(token["high"], 16) & 0x3FF) << 10) + (int(token["low"], 16) & 0x3FF))
    if named == "reference":
        raise ValueError("back-references are not covered")
    if named is not None:
        return {"name": "(", "comma": r"\{", "any": r"[\s\S]", "none": "(?!)"}[named]
    if text in (r"\s", r"\S"):
        return _as_class(_BLANKS if text == r"\s" else _NO_BLANKS, in_class)
    if text == "." and not in_class:
        return _ANY_BUT_LINE_ENDS
    return _in_class(text) if in_class else text


def _in_class(text: str) -> str:
    """One character of a class: those by which Python announces sets of sets are escaped."""
    return f"\\{text}" if text in "[&~|" else text


def _as_class(ranges: str, in_class: bool) -> str:
    return ranges if in_class else f"[{ranges}]"


def _escaped(point: int) -> str:
    if point > sys.maxunicode:
        raise ValueError(f"\\u{{{point:x}}} is no character")
    return f"\\U{point:08x}"


@cache
def _of_property(name: str, is_negated: bool) -> str:
    """The characters of a property of Unicode, or all others, as ranges of a class."""
    key, _, value = name.rpartition("=")
    short = _CATEGORIES.get(value, value)
    is_category = short in _SHORT and key in ("", "gc", "General_Category")
    if not is_category and (key or value not in ("Any", "ASCII", "Assigned")):
        raise ValueError(
            f"\\p{{{name}}} is not covered; general categories of Unicode are, such as \\p{{L}} and \\p{{Lu}}"
        )

    def has(category: str, point: int) -> bool:
        if is_category:
            return category in ("Lu", "Ll", "Lt") if short == "LC" else category.startswith(short)
        return value == "Any" or (point < 128 if value == "ASCII" else category != "Cn")

    points = range(sys.maxunicode + 1)
    return _ranges(point for point in points if has(unicodedata.category(chr(point)), point) is not is_negated)


def _ranges(points: Iterable[int]) -> str:
    """Ascending code points as ranges; of none, a range that holds nothing cannot be written, so a noncharacter."""
    ranges: list[list[int]] = []
    for point in points:
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(f"{_escaped(first)}-{_escaped(last)}" for first, last in ranges) or r"\U0010ffff"
