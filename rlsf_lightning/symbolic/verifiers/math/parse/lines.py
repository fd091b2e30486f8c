r"""Says of line breaks whether an equation goes on behind them, as in `$7 \cdot 6 \cdot` and `5 = 210$`.

A minus, plus or star at a line's start may also begin an item of a list: it goes on with what stood before only within LaTeX.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

_SIGN = r"\\cdot(?![A-Za-z])|\\times(?![A-Za-z])|\\div(?![A-Za-z])|[/\u00d7\u00f7\u00b7\u22c5]"
#: An operator at the end, behind an operand; two stars there are bold type.
_ENDS_OPEN = re.compile(rf"[0-9)}}\]%$][ \t]*(?:{_SIGN}|[-+\u2212]|(?<!\*)\*)[ \t\r]*$")
_BEGINS_WITHIN = re.compile(rf"[ \t]*(?:{_SIGN})")
_BEGINS_WITHIN_LATEX = re.compile(r"(?:[ \t&]|\\q?quad(?![A-Za-z])|\{\})*[-+*\u2212]")
#: What shows that a line goes on in LaTeX: the end of a row, or before the next one's operator its columns.
_ROW_ENDS, _ROW_GOES_ON = re.compile(r"\\\\[ \t\r]*$"), re.compile(r"[ \t]*(?:&|\\q?quad)")
#: A dollar sign; what a formula that it opens has, and a price has not; and the sign that closes the formula in the next line.
_DOLLAR, _FORMULA, _CLOSING = re.compile(r"(?<!\\)\$"), re.compile(r"[=+*/\\]"), re.compile(r"[^$]*[^\s$]\$(?![0-9])")
_OPENS, _CLOSES = re.compile(r"\\\[|\\\(|\\begin\b"), re.compile(r"\\\]|\\\)|\\end\b")
_MARKUP = re.compile(r"(?:[ \t\r&$]|\\\\|\\q?quad(?![A-Za-z])|\\[\[\]()]|\\(?:begin|end)\{[a-z*]*\})*")


def broken_equations(lines: Sequence[str]) -> Iterator[bool]:
    """Of each break between two lines, whether one side of an equation stands on both."""
    dollars = opened = 0
    for line, following in pairwise(lines):
        if not line.strip():  # a paragraph ends
            dollars = opened = 0
        *earlier, last = _DOLLAR.split(line)
        dollars += len(earlier)
        opened = max(0, opened + len(_OPENS.findall(line)) - len(_CLOSES.findall(line)))
        is_formula = dollars % 2 and _FORMULA.search(last) and _CLOSING.match(following)
        is_latex = is_formula or opened or _ROW_ENDS.search(line) or _ROW_GOES_ON.match(following)
        begins_within = _BEGINS_WITHIN.match(following) or (is_latex and _BEGINS_WITHIN_LATEX.match(following))
        yield bool(_ENDS_OPEN.search(line) or begins_within)


def is_markup(text: str) -> bool:
    """Whether nothing that is read stands in it."""
    return _MARKUP.fullmatch(text) is not None
