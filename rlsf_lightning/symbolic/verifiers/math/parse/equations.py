r"""Finds the equations of literal numbers in a text, `48/2 = 24`.

One is taken only where its sides certainly are what they seem: 2x + 3 = 7, f(2) + 1 = 5, 17 mod 5 + 1 = 3,
5 km + 3 miles, Is 5 + 3 = 9? are left alone, and so is all that is glued to something unknown. LaTeX (\times, \cdot, \div,
\frac and \sqrt of numbers), currency signs, thousands and some words (``phrases``) are read. Lines are read one by one; a
side that two of them share is left alone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.math.parse.lexer import Token, tokens_of
from rlsf_lightning.symbolic.verifiers.math.parse.lines import broken_equations, is_markup
from rlsf_lightning.symbolic.verifiers.math.parse.phrases import remainder, rewritten
from rlsf_lightning.symbolic.verifiers.math.parse.sentence import (
    MOST_AFTER,
    MOST_BEFORE,
    Run,
    is_clean_after,
    is_clean_before,
    scaled,
)

_ARITHMETIC = frozenset(("number", "operator", "open", "close", "equals", "about", "percent", "root"))
#: How a fraction or a root begins.
_COMPUTED = ("\\frac", "\\dfrac", "\\tfrac", "\\sqrt", "sqrt", "\u221a")
#: Whole lines in which equations do not mean what they say.
_OTHER_ARITHMETIC = re.compile(
    r"\bmod(?:ulo)?\b|\\[pb]?mod\b|\bbase[\s-]*[0-9]|\b(?:in|to|from) base\b|_\{?[0-9]|o'clock", re.IGNORECASE
)
#: What a calculator was asked, and its result.
_CALCULATION = re.compile(r"<<([^<>=]*)=[^<>]*>>")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")


class Side(NamedTuple):
    """One side of an equation."""

    tokens: tuple[Token, ...]
    start: int
    end: int

    @property
    def is_expression(self) -> bool:
        """Whether something is computed: by an operator, or by a bracket after a number or another one, `3(4)`."""
        products = any(
            before.kind in ("number", "close") and token.kind == "open" and before.end == token.start
            for before, token in pairwise(self.tokens)
        )
        return products or any(token.kind == "operator" for token in self.tokens[1:])

    @property
    def is_computed(self) -> bool:
        """Whether it is an expression, a fraction or a root."""
        return self.is_expression or any(token.text.startswith(_COMPUTED) for token in self.tokens)


class Equation(NamedTuple):
    """Two sides that are said to be equal; ``relation``: equals, about (approximately equal), or copy (see ``_copied``,
    ``_around_brackets``)."""

    left: Side
    right: Side
    relation: str

    @property
    def start(self) -> int:
        return self.left.start

    @property
    def end(self) -> int:
        return self.right.end


def read_equations(text: str) -> Iterator[Equation]:
    """Every equation that means what it says, in order; that its sides are expressions is not yet known."""
    start, lines = 0, text.split("\n")
    breaks = [False, *broken_equations(lines), False]
    for line, is_begun, goes_on in zip(lines, breaks, breaks[1:], strict=False):
        if ("=" in line or "\u2248" in line or "approx" in line) and not _OTHER_ARITHMETIC.search(line):
            for equation in itertools.chain(_in_line(line, start), _around_brackets(line, start)):
                is_whole = not (is_begun and is_markup(line[: equation.start - start]))
                if is_whole and not (goes_on and is_markup(line[equation.end - start :])):
                    yield equation
        start += len(line) + 1


def _in_line(line: str, start: int) -> Iterator[Equation]:
    for run in _runs(rewritten(tokens_of(line, start))):
        yield from _equations_of(run)


def _around_brackets(line: str, start: int) -> Iterator[Equation]:
    """Of `70+40 = <<60+40=100>>100`, that 70+40 is 100: what a reader sees who leaves the calculator's brackets out.

    Only where as many numbers stand before the brackets as in them: else it is not certain where the expression begins.
    """
    calculations = list(_CALCULATION.finditer(line))
    plain = _CALCULATION.sub(lambda match: " " * len(match.group()), line) if calculations else ""
    for equation in _in_line(plain, start):
        first, last = equation.left.end - start, equation.right.start - start
        between = [match for match in calculations if first <= match.start() and match.end() <= last]
        begins_clean = not re.search(r"[0-9],\s*$", line[: equation.start - start])
        numbers = sum(token.kind == "number" for token in equation.left.tokens)
        if len(between) == 1 and begins_clean and len(_NUMBER.findall(between[0][1])) == numbers:
            yield equation._replace(relation="copy")


def _runs(tokens: list[Token]) -> Iterator[Run]:
    """The longest rows of arithmetic tokens that have an equals sign."""
    at = 0
    while at < len(tokens):
        end = at
        while end < len(tokens) and tokens[end].kind in _ARITHMETIC:
            end += 1
        if any(token.kind in ("equals", "about") for token in tokens[at:end]):
            yield Run(tokens[at:end], tokens[max(0, at - MOST_BEFORE) : at], tokens[end : end + MOST_AFTER])
        at = max(end, at + 1)


def _equations_of(run: Run) -> Iterator[Equation]:
    relations = [i for i, token in enumerate(run.tokens) if token.kind in ("equals", "about")]
    bounds = [-1, *relations, len(run.tokens)]
    sides: list[Side | None] = []
    for first, last in pairwise(bounds):
        part = _unbracketed(run.tokens[first + 1 : last], is_first=first == -1, is_last=last == len(run.tokens))
        sides.append(Side(tuple(part), part[0].start, part[-1].end) if part else None)
    if not is_clean_before(run):
        sides[0] = None
    scale, end = scaled(run), sides[-1]
    rest = remainder(sides[-2].tokens if sides[-2] else (), end.tokens if end else (), run.after)
    if rest and end is not None:
        sides[-1] = Side(rest, end.start, rest[-3].end)
    elif scale is not None and end is not None:  # the word belongs to the value, but not to the place
        sides[-1] = end._replace(tokens=(*end.tokens, scale))
    elif not is_clean_after(run):
        sides[-1] = None
    has_expression = False
    for left, right, relation in zip(sides, sides[1:], relations, strict=False):
        has_expression = has_expression or bool(left and left.is_computed)
        if left is None or right is None:
            continue
        if has_expression or right.is_expression:
            yield Equation(left, right, run.tokens[relation].kind)
    copy = _copied(run)
    if copy is not None and sides[-2] is not None and sides[-2].is_computed:
        yield Equation(sides[-2], Side((copy,), copy.start, copy.end), "copy")


def _copied(run: Run) -> Token | None:
    """Of `<<60+40=100>>10`, the 10: a calculator's result is written once more behind its brackets, as it is."""
    opening, closing = ("".join(token.text for token in part) for part in (run.before[-2:], run.after[:2]))
    if not opening.endswith("<<") or closing != ">>" or len(run.after) < 3:
        return None
    copy, *rest = run.after[2:]
    is_whole = not rest or rest[0].kind not in ("number", "operator", "open", "root")
    return copy if copy.kind == "number" and is_whole else None


def _unbracketed(tokens: list[Token], is_first: bool, is_last: bool) -> list[Token]:
    """Without the brackets of the sentence around the equation: those that have no partner on this side."""
    start, end = 0, len(tokens)
    if is_first:
        unclosed = sum((token.kind == "open") - (token.kind == "close") for token in tokens)
        while start < unclosed and tokens[start].kind == "open":
            start += 1
    if is_last:
        depth = 0
        for i, token in enumerate(tokens):
            depth += (token.kind == "open") - (token.kind == "close")
            if depth < 0:
                return tokens[start:i]
        while end > start and tokens[end - 1].kind == "open":
            end -= 1
    return tokens[start:end]
