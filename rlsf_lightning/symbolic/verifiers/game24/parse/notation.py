"""Notations of one and the same answer: typographic and LaTeX operators, square brackets, a full stop, an `Answer:` line.

Every replacement is as long as what it replaces, so that places are those of the text as it was written.
"""

from __future__ import annotations

import re
from typing import NamedTuple

#: White space within an answer.
BLANKS = " \t\r\n"
_CHARACTERS = {
    **dict.fromkeys("\u00d7\u2715\u2716\u22c5\u00b7\u2219\u2217\uff0a", "*"),
    **dict.fromkeys("\u00f7\u2215\u2044\uff0f", "/"),
    **dict.fromkeys("\u2212\u2013\u2010\u2011\ufe63\uff0d", "-"),
    "\uff0b": "+", "\uff08": "(", "\uff09": ")", "\uff1d": "=",
}  # fmt: skip
_COMMANDS = {r"\times": "*", r"\cdot": "*", r"\ast": "*", r"\div": "/", r"\left": "", r"\right": ""}
_TOKEN = re.compile("|".join(map(re.escape, _COMMANDS)) + "|.", re.DOTALL)
_BEGUN_COMMAND = re.compile(r"\\[a-z]*\Z")
_OPENED_BY = {")": "(", "]": "["}
_WORD = "Answer:"
_ANNOUNCEMENT = re.compile(rf"(?:\A|\n)[ \t\r]*{_WORD}", re.IGNORECASE | re.ASCII)


class Announced(NamedTuple):
    """An answer that ``Answer:`` announces, what stands before that line, and where the answer begins."""

    before: str
    answer: str
    start: int


def plain(text: str) -> str:
    """The text with ``+ - * / ( )`` for other spellings of them; a bracket that closes one of another shape becomes ``]``.

    An ``x`` is a times sign after a digit or a closing bracket.
    """
    made: list[str] = []
    opened: list[str] = []
    before = ""
    for match in _TOKEN.finditer(text):
        written = match.group()
        piece = _CHARACTERS.get(written, written)
        if written in _COMMANDS:
            piece = _COMMANDS[written].ljust(len(written))
        elif piece in ("x", "X") and (before == ")" or (before.isascii() and before.isdigit())):
            piece = "*"
        elif piece in ("(", "["):
            opened.append(piece)
            piece = "("
        elif piece in _OPENED_BY:
            piece = ")" if not opened or opened.pop() == _OPENED_BY[piece] else "]"
        made.append(piece)
        before = piece.strip(BLANKS)[-1:] or before
    return "".join(made)


def plain_beginnings(prefix: str) -> list[str]:
    """What a prefix may begin, plain: several where it ends within a command of LaTeX."""
    begun = _BEGUN_COMMAND.search(prefix)
    if begun is None or begun.group() in _COMMANDS:
        return [plain(prefix)]
    whole = {sign: name for name, sign in _COMMANDS.items() if name.startswith(begun.group())}
    return [plain(prefix[: begun.start()] + name) for name in whole.values()]


def without_stop(text: str) -> str:
    """Without a full stop behind a number or a closing bracket that ends the text."""
    rest = text[:-1].rstrip(BLANKS)[-1:] if text.endswith(".") else ""
    return text[:-1] if rest == ")" or (rest.isascii() and rest.isdigit()) else text


def announced(text: str) -> Announced | None:
    """The answer after the first line that begins with ``Answer:``; None: there is no such line."""
    match = _ANNOUNCEMENT.search(text)
    return None if match is None else Announced(text[: match.start()], text[match.end() :], match.end())


def before_announcement(text: str) -> str | None:
    """What stands before a last line that can still become ``Answer:``; None: it cannot."""
    before, _, last = text.rpartition("\n")
    begun = last.lstrip(" \t\r").lower()
    return before if begun and _WORD.lower().startswith(begun) else None
