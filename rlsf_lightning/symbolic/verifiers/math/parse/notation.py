r"""LaTeX for what people write in several ways: `2π`, `√2`, `x²`, `pi/2`, `1e3`, `8\,000`, `0.\overline{3}`, `1 1/2`.

A repeating decimal and a mixed number become fractions of whole numbers, so that nothing is rounded.
"""

from __future__ import annotations

import re

#: Longer texts are returned as they are.
MAX_NOTATION = 2000
#: Digits of a number that is rewritten.
_MOST = 40

_SIGNS = {
    "\u03c0": r"\pi ", "\u221e": r"\infty ", "\u2264": r"\le ", "\u2265": r"\ge ", "\u2260": r"\ne ", "\u222a": r"\cup ",
    "\u2229": r"\cap ", "\u2208": r"\in ", "\u2205": r"\emptyset ", "\u00d7": r"\times ", "\u00b7": r"\cdot ",
    "\u22c5": r"\cdot ", "\u00f7": r"\div ", "\u2212": "-", "\u00b1": r"\pm ", "\u00b0": r"^\circ ", "\u2102": r"\mathbb{C}",
    "\u211d": r"\mathbb{R}", "\u2124": r"\mathbb{Z}", "\u2115": r"\mathbb{N}", "\u211a": r"\mathbb{Q}", "\u03b8": r"\theta ",
    "\u00bd": r"\frac{1}{2}", "\u00bc": r"\frac{1}{4}", "\u00be": r"\frac{3}{4}", "\u2153": r"\frac{1}{3}",
    "\u2154": r"\frac{2}{3}",
}  # fmt: skip
_RAISED = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b"
_SUPERSCRIPTS = str.maketrans(_RAISED, "0123456789-")
_SUBSCRIPTS = str.maketrans("\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089", "0123456789")
_COMMANDS = {
    r"\\varnothing(?![A-Za-z])": r"\\emptyset ",
    r"\\[dtc]frac(?![A-Za-z])": r"\\frac",
    r"\\(?:leq|leqslant)(?![A-Za-z])": r"\\le ",
    r"\\(?:geq|geqslant)(?![A-Za-z])": r"\\ge ",
    r"\\neq(?![A-Za-z])": r"\\ne ",
    r"\\degree(?![A-Za-z])": r"^\\circ ",
    r"\\(?:mathrm|text|rm|operatorname|mathit)\{\s*([ei])\s*\}": r"\1",
    r"\\(?:left|right)(?![A-Za-z])": "",
    r"(?<![A-Za-z\\])pi(?![A-Za-z])": r"\\pi ",
    r"(?<![A-Za-z\\])sqrt\s*\(([^()]*)\)": r"\\sqrt{\1}",
    r"\u221a\s*\(([^()]*)\)": r"\\sqrt{\1}",
    r"\u221a\s*([0-9]+|[A-Za-z])": r"\\sqrt{\1}",
    r"\*\*": "^",
    r"\^\s*\(([^()]*)\)": r"^{\1}",
    r"\^\s*(-?[0-9]{2,}|-[0-9])(?![0-9.])": r"^{\1}",
    r"\\frac\s*([0-9])\s*([0-9])(?![0-9])": r"\\frac{\1}{\2}",
    r"(?<![0-9\\])\\[!,;: ](?![0-9])": " ",
}
_SPACE = r"(?:\\[,;:! ]|\{,\}|[~\u00a0\u2009\u202f ])"
_GROUPS = re.compile(
    rf"(?<![0-9.,_^{{])[0-9]{{1,3}}(?:{_SPACE}[0-9]{{3}})+(?![0-9/])|(?<![0-9.,])[0-9]{{1,3}}(?:\{{,\}}[0-9]{{3}})+"
)
_SCIENTIFIC = re.compile(r"(?<![A-Za-z0-9.\\])([0-9]+(?:\.[0-9]+)?)[eE]([+-]?[0-9]{1,3})(?![A-Za-z0-9.])")
_REPEATING = re.compile(
    r"(?<![0-9.,])(?P<whole>[0-9]*)\.(?P<once>[0-9]*)"
    r"(?:\\(?:overline|bar|dot)\s*(?:\{\s*(?P<bar>[0-9]+)\s*\}|(?P<one>[0-9]))|\((?P<round>[0-9]+)\))(?![0-9])"
)
_DOTS = r"(?:\.\.\.|\u2026|\\[lc]?dots(?![A-Za-z]))"
#: A block that is written out at least twice, a single digit three times.
_WRITTEN_OUT = re.compile(
    rf"(?<![0-9.,])(?P<whole>[0-9]*)\.(?P<once>[0-9]*?)(?:(?P<one>[0-9])(?P=one){{2,}}|(?P<bar>[0-9]{{2,9}})(?P=bar)+)\s*{_DOTS}"
)
_MIXED = re.compile(
    r"(?<![0-9.,/^_{}])(?<![0-9.,/^_{}] )(?P<whole>[0-9]+)(?:\s+(?P<over>[0-9]+)/(?P<under>[0-9]+)"
    r"|\s*\\frac\{(?P<top>[0-9]+)\}\{(?P<bottom>[0-9]+)\})(?![0-9.,/^])"
)


def latex(text: str) -> str:
    """The text in LaTeX; what needs no rewriting is left as it is."""
    if len(text) > MAX_NOTATION:
        return text
    text = _GROUPS.sub(lambda match: re.sub(_SPACE, "", match.group()), text)
    text = re.sub(f"[{_RAISED}]+", lambda match: f"^{{{match.group().translate(_SUPERSCRIPTS)}}}", text)
    text = re.sub("[\u2080-\u2089]+", lambda match: f"_{{{match.group().translate(_SUBSCRIPTS)}}}", text)
    for sign, command in _SIGNS.items():
        text = text.replace(sign, command)
    for pattern, command in _COMMANDS.items():
        text = re.sub(pattern, command, text)
    text = _SCIENTIFIC.sub(lambda match: rf"{match[1]}\times 10^{{{int(match[2])}}}", text)
    text = _WRITTEN_OUT.sub(_fraction, _REPEATING.sub(_fraction, text))
    return _MIXED.sub(_improper, text).strip()


def exact(text: str) -> str:
    """LaTeX with every decimal as a fraction of whole numbers."""
    return re.sub(r"(\^\s*)?(?<![0-9.])([0-9]*)\.([0-9]+)(?![0-9.])", _decimal, text)


def _decimal(match: re.Match[str]) -> str:
    if len(match.group()) > _MOST:
        return match.group()
    fraction = rf"\frac{{{int(match[2] + match[3])}}}{{{10 ** len(match[3])}}}"
    return f"^{{{fraction}}}" if match[1] else fraction


def _fraction(match: re.Match[str]) -> str:
    """A repeating decimal: the digits up to the end of the first period, less those before it, over nines and zeros."""
    groups = match.groupdict()
    period = next(value for value in (groups.get("bar"), groups.get("one"), groups.get("round")) if value)
    before = (groups["whole"] or "") + groups["once"]
    if len(before + period) > _MOST:
        return match.group()
    over = int(before + period) - int(before or "0")
    under = (10 ** len(period) - 1) * 10 ** len(groups["once"])
    return rf"\frac{{{over}}}{{{under}}}"


def _improper(match: re.Match[str]) -> str:
    over, under = match["over"] or match["top"], match["under"] or match["bottom"]
    if max(map(len, (match["whole"], over, under))) > _MOST or int(over) >= int(under):
        return match.group()
    return rf"\frac{{{int(match['whole']) * int(under) + int(over)}}}{{{under}}}"
