r"""Rewrites what is said in words as arithmetic: `3 apples + 4 apples`, `50% of 20`, `3 times 4`, `5 squared`, `1 1/2`.

Each phrase must be a whole side before an equals sign, so that nothing else can change what it means; a word that all terms of
a sum have is what they count, and left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import factorial

from rlsf_lightning.symbolic.verifiers.math.parse.lexer import Token
from rlsf_lightning.symbolic.verifiers.math.parse.sentence import is_plain_word
from rlsf_lightning.symbolic.verifiers.math.parse.units import UNITS, singular

#: The factorial of a larger number is not computed.
_MAX_FACTORIAL = 100
_CODES = {
    "number": "n", "percent": "%", "equals": "e", "about": "e", "open": "(", "close": ")", "root": "r"
}  # fmt: skip
_WORDS = {"times": "t", "plus": "t", "minus": "t", "of": "o", "dozen": "d", "dozens": "d",
          "squared": "q", "cubed": "q", "half": "h",
          "twice": "h", "double": "h", "triple": "h", "percent": "%", "multiplied": "M", "divided": "M", "by": "B"}  # fmt: skip
_OPERATIONS = {"times": "*", "plus": "+", "minus": "-", "multiplied": "*", "divided": "/"}
_FACTORS = {"half": Fraction(1, 2), "twice": Fraction(2), "double": Fraction(2), "triple": Fraction(3)}
_EXPONENTS = {"squared": Fraction(2), "cubed": Fraction(3)}

_UNITS = re.compile(r"(?<![-+*/^n%(L])n[wL]{1,2}(?:[-+*/]n[wL]{0,2})+en")
_ALONE = r"(?<![-+*/^n%(tMBo!qd])"


def rewritten(tokens: list[Token]) -> list[Token]:
    """The tokens of a line with phrases as arithmetic; places stay those of the text."""
    if not any(token.kind in ("equals", "about") for token in tokens):
        return tokens
    tokens = _without_units(_with_mixed_numbers(tokens))
    for pattern, rewrite in _PHRASES:
        tokens = _substituted(tokens, pattern, rewrite)
    return tokens


def remainder(left: Sequence[Token], right: Sequence[Token], after: Sequence[Token]) -> tuple[Token, ...]:
    """Of `7 / 2 = 3 with 1 left over`, or `= 3 R 1`: the right side as 3 + 1 / 2; empty where no remainder is told, or the
    quotient is what the division gives without one."""
    kinds = [[token.kind for token in side] for side in (left, right)]
    if kinds != [["number", "operator", "number"], ["number"]] or left[1].text != "/":
        return ()
    divisor, quotient = left[2], right[0]
    if any(token.value is None or token.value.denominator != 1 for token in (left[0], divisor, quotient)):
        return ()
    if not divisor.value or left[0].value == (quotient.value or 0) * divisor.value:
        return ()
    at = next((i for i, token in enumerate(after) if token.kind == "number"), None)
    if at is None or at > 5 or after[at].value is None:
        return ()
    before = [token.text.lower() for token in after[:at]]
    behind = [token.text.lower() for token in after[at + 1 : at + 3]]
    is_named = bool({"remainder", "r"} & set(before)) and set(before) <= _TELLING
    is_left = set(before) <= _JOINING and bool(_LEFT & set(behind))
    if not is_named and not is_left:
        return ()
    rest = after[at]
    nowhere = Token("operator", "+", rest.start, rest.start)
    return (quotient, nowhere, rest, nowhere._replace(text="/"), divisor._replace(start=rest.end, end=rest.end))


_TELLING = frozenset(", with and a remainder of is : r ( \\text { } \\ the".split())
_JOINING = frozenset(", with and".split())
_LEFT = frozenset("left leftover remaining remainder over spare".split())


def _encoded(tokens: Sequence[Token]) -> str:
    """One character a token: n number, e equals, L letter that is a unit, w another plain word, ... x anything else."""
    return "".join(_code(token) for token in tokens)


def _code(token: Token) -> str:
    if token.kind == "operator":
        return token.text
    if token.kind == "word":
        lower = token.text.lower()
        if lower in _WORDS:
            return _WORDS[lower]
        return "w" if is_plain_word(token) and not token.text.startswith("\\") else "L" if token.text in UNITS else "x"
    return "!" if token.text == "!" else _CODES.get(token.kind, "x")


def _substituted(tokens: list[Token], pattern: str, rewrite: Callable[[list[Token]], list[Token]]) -> list[Token]:
    out, at = [], 0
    for match in re.finditer(pattern, _encoded(tokens)):
        out += [*tokens[at : match.start()], *rewrite(tokens[match.start() : match.end()])]
        at = match.end()
    return [*out, *tokens[at:]]


def _with_mixed_numbers(tokens: list[Token]) -> list[Token]:
    """`1 1/2` and `1\\frac{1}{2}` as one number."""
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        width = _mixed(tokens, at)
        if width:
            whole, parts = tokens[at], tokens[at + 1 : at + width]
            values = [part.value or Fraction(0) for part in parts if part.kind == "number"]
            share = values[0] if len(values) == 1 else values[0] / values[1]
            out.append(Token("number", "\\frac", whole.start, parts[-1].end, (whole.value or 0) + share))
        else:
            out.append(tokens[at])
        at += max(width, 1)
    return out


def _mixed(tokens: list[Token], at: int) -> int:
    """How many tokens the mixed number has that begins here; 0: none does."""
    whole, follows = tokens[at], tokens[at + 1 : at + 4]
    before = tokens[at - 1] if at else None
    is_whole = whole.kind == "number" and whole.text.isdigit() and (before is None or before.kind != "number")
    if not is_whole or not follows or follows[0].kind != "number" or (before is not None and before.text in ("^", "/")):
        return 0
    first, behind = follows[0], tokens[at + 2].kind if at + 2 < len(tokens) else ""
    if "frac" in first.text:
        return 2 if 0 < (first.value or 0) < 1 and behind != "number" else 0
    if len(follows) < 3 or follows[1].text != "/" or not first.text.isdigit() or not follows[2].text.isdigit():
        return 0
    is_close = first.end == follows[1].start and follows[1].end == follows[2].start and first.start - whole.end == 1
    return 4 if is_close and 0 < int(first.text) < int(follows[2].text) else 0


def _without_units(tokens: list[Token]) -> list[Token]:
    """Without the word that every term of a sum has, or one factor of a product, and the result, too."""
    silent: set[int] = set()
    code = _encoded(tokens)
    for match in _UNITS.finditer(code):
        first, last = match.span()
        if re.search(r"[^w]w+$", code[max(0, first - 12) : first]):
            continue  # only plain words stand before it: half of the 4 apples are no 4 apples
        terms = [
            [i for i in range(part.start() + first + 1, part.end() + first)]
            for part in re.finditer("n[wL]*", match.group()[:-2])
        ]
        behind = re.match("[wL]{0,2}", code[last:])
        counted = [singular(tokens[term[-1]].text.lower()) for term in terms if term]
        result = [singular(tokens[last + i].text.lower()) for i in range(behind.end() if behind else 0)]
        operators = set(re.sub("[nwLe]", "", match.group()))
        is_sum = operators <= set("+-") and len(counted) == len(terms)
        is_product = operators <= set("*") and len(counted) == 1
        if len(set(counted)) == 1 and (is_sum or is_product) and counted[0] in result:
            silent.update(i for term in terms for i in term)
            end = last + result.index(counted[0]) + 1
            if code[end : end + 1] != "e":  # after it the chain may go on in another unit
                silent.update(range(last, end))
    return [token for i, token in enumerate(tokens) if i not in silent]


def _said(tokens: list[Token]) -> list[Token]:
    """`3 times 4`, `12 divided by 4`."""
    left, word, *_, right = tokens
    return [left, word._replace(kind="operator", text=_OPERATIONS[word.text.lower()], end=tokens[-2].end), right]


def _share(tokens: list[Token]) -> list[Token]:
    """`50% of 20`, `1/2 of 20`, `half of 20`, `twice 5`."""
    number, first = tokens[-1], tokens[0]
    word = tokens[-2]
    if first.kind != "number":
        value = _FACTORS[first.text.lower()]
        return [first._replace(kind="number", text="\\frac", value=value), _times(first.end, number.start), number]
    if len(tokens) == 4 and tokens[1].text != "/":
        value = (first.value or Fraction(0)) / 100
        first = first._replace(text="\\frac", end=tokens[1].end, value=value)
        return [first, word._replace(kind="operator", text="*"), number]
    return [*tokens[:-2], word._replace(kind="operator", text="*"), number]


def _times(start: int, end: int) -> Token:
    return Token("operator", "*", start, max(start, min(start, end)))


def _squares(tokens: list[Token]) -> list[Token]:
    out: list[Token] = []
    for token in tokens:
        if token.kind == "word":
            out += [
                Token("operator", "^", token.start, token.start),
                token._replace(kind="number", text="\\frac", value=_EXPONENTS[token.text.lower()]),
            ]
        else:
            out.append(token)
    return out


def _dozens(tokens: list[Token]) -> list[Token]:
    number, word = tokens
    return [number._replace(text="\\frac", end=word.end, value=12 * (number.value or Fraction(0)))]


def _factorial(tokens: list[Token]) -> list[Token]:
    number, sign = tokens
    if number.value is None or number.value.denominator != 1 or number.value > _MAX_FACTORIAL:
        return tokens
    return [number._replace(text="\\frac", end=sign.end, value=Fraction(factorial(int(number.value))))]


_PHRASES: tuple[tuple[str, Callable[[list[Token]], list[Token]]], ...] = (
    (_ALONE + "n(?:t|MB)n(?=e)", _said),
    (_ALONE + "(?:n%on|n/non|ho?n)(?=e)", _share),
    (_ALONE + "nq(?:[-+]nq)*(?=e)", _squares),
    (_ALONE + "nd(?=e)", _dozens),
    (_ALONE + "n!(?=e)", _factorial),
)
