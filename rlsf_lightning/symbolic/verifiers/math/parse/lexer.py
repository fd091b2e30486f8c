"""Tokenizer of a line: literal numbers, operators in plain notation and LaTeX, words, and everything else."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

#: Longer numbers are not read as numbers.
MAX_DIGITS = 40

_TOKEN = re.compile(
    r"""
    (?P<number>
        (?<![0-9.,])[0-9]{1,3}(?:(?:(?:,|\{,\})(?:\\!)?|\\[,;]|[\u00a0\u2009\u202f])[0-9]{3})+(?:\.[0-9]+)?(?![0-9])
      | (?<![0-9.])[0-9]+\.(?=\ ?(?:[=*/\u00d7\u00f7]|\\times|\\cdot|\\div))
      | [0-9]+(?:\.[0-9]+)? | (?<![0-9])\.[0-9]+)
  | (?P<newline>\\\\)
  | \\[dt]?frac\s*\{\s*(?P<over>-?[0-9]+(?:\.[0-9]+)?)\s*\}\s*\{\s*(?P<under>[0-9]+(?:\.[0-9]+)?)\s*\}
  | (?P<root>
        \\sqrt\s*(?:\[\s*[23]\s*\])?\s*\{\s*[0-9]+(?:\.[0-9]+)?\s*\}
      | (?:\u221a|(?<![A-Za-z\\])sqrt)\s*\(\s*[0-9]+(?:\.[0-9]+)?\s*\)
      | \u221a\s*[0-9]+(?:\.[0-9]+)?(?![0-9.!^\u00b2\u00b3]))
  | (?P<raised>[\u00b2\u00b3])
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
#: Before the text of a line.
_ENUMERATION = re.compile(r"[ \t]*(?:\(?[0-9]{1,2}[.)]|[*\u2022])[ \t]+")


class Token(NamedTuple):
    """``kind``: number, root (an irrational one), operator, open, close, equals, about (approximately equal), percent, word or
    other. ``text`` is the character that stands for it, whatever was written; percent may also be ``cents`` or ``dozen``."""

    kind: str
    text: str
    start: int
    end: int
    value: Fraction | None = None


def tokens_of(line: str, start: int) -> list[Token]:
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
        elif match["raised"]:
            digits = {"\u00b2": "2", "\u00b3": "3"}[match["raised"]]
            tokens.append(Token("number", digits, start + match.start(), start + match.end(), Fraction(int(digits))))
    return [_times(tokens, i) for i in range(len(tokens)) if not _is_markup(tokens, i)]


def digits_of(number: str) -> str:
    """A number without what separates its thousands, and without a full stop behind it."""
    return re.sub(r"\{,\}|\\[,;!]|[,\u00a0\u2009\u202f]", "", number).rstrip(".")


def _root(text: str, place: tuple[int, int]) -> Token:
    """A number where the root is one, else a token of kind ``root`` with a value that is exact to 50 decimals."""
    *index, radicand = re.findall(r"[0-9]+(?:\.[0-9]+)?", text)
    degree = int(index[0]) if index else 2
    if len(text) > MAX_DIGITS:
        return Token("other", text, *place)
    value = Fraction(radicand)
    over, under = (_whole_root(part, degree) for part in (value.numerator, value.denominator))
    if over**degree == value.numerator and under**degree == value.denominator:
        return Token("number", text, *place, Fraction(over, under))
    scale = 10**50
    return Token(
        "root", text, *place, Fraction(_whole_root(value.numerator * scale**degree // value.denominator, degree), scale)
    )


def _whole_root(number: int, degree: int) -> int:
    """Rounded down, by Newton's method from above."""
    guess = 1 << -(-number.bit_length() // degree)
    while guess**degree > number:
        guess = ((degree - 1) * guess + number // guess ** (degree - 1)) // degree
    return guess


def is_operand_end(token: Token | None) -> bool:
    """Whether an operand may end with it."""
    return token is not None and token.kind in ("number", "close", "percent")


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
        return Token("number", text, *place, Fraction(digits_of(text)))
    if name == "root":
        return _root(text, place)
    if match["power"] or name == "raised":
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
