r"""Finds the final answer of a solution.

The last marker counts: \boxed{...}, ####, or "the answer is ...". Without any, it is what follows the last equals sign of a
text of one line, or the last number of the last line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rlsf_lightning.records import Span

_AFTER = re.compile(r"####|\banswer(?:\*\*)?(?:[ \t]+is\b|[ \t]*[:=])", re.IGNORECASE)
_END = re.compile(r"\n|\.(?=\s|$)|$")
_BOXED = re.compile(r"\\(?:f?boxed)\s*\{")
_LAST_NUMBER = re.compile(r"-?(?:[0-9]+/[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)%?")
#: What may stand around an answer without belonging to it.
_WRAPPING = (
    "$",
    "\\(",
    "\\)",
    "\\[",
    "\\]",
    "**",
    "#",
    "\\$",
    "\\,",
    "\\!",
    "\\ ",
    ".",
    ",",
    ":",
    "=",
    "\u20ac",
    "\u00a3",
)


class Answer(NamedTuple):
    text: str
    span: Span


def find_answer(text: str) -> Answer | None:
    """The final answer, if there is one."""
    marked = max([*_boxed(text), *_announced(text)], key=lambda span: span.start, default=None)
    if marked is not None:
        return _trimmed(text, marked)
    body = text.rstrip()
    start = body.rfind("\n") + 1
    if not body[:start].strip() and not re.search(r"(?<!\\)[A-Za-z]{3,}", body):
        return _trimmed(text, Span(max(start, body.rfind("=") + 1), len(body)))
    numbers = list(_LAST_NUMBER.finditer(body, start))
    return _trimmed(text, Span(*numbers[-1].span())) if numbers else None


def _boxed(text: str) -> Iterator[Span]:
    """The content of every box that is closed."""
    opened: list[int | None] = []  # for each open brace, where the box begins that it opens
    boxes = {match.end() - 1 for match in _BOXED.finditer(text)}
    for at, character in enumerate(text if boxes else ""):
        if character == "{":
            opened.append(at + 1 if at in boxes else None)
        elif character == "}" and opened:
            start = opened.pop()
            if start is not None:
                yield Span(start, at)


def _announced(text: str) -> Iterator[Span]:
    """What follows the last marker that something follows, to the end of the sentence or line."""
    for match in reversed(list(_AFTER.finditer(text))):
        end = _END.search(text, match.end())
        assert end is not None
        if text[match.end() : end.start()].strip(" \t*:$#"):
            yield Span(match.end(), end.start())
            return


def _trimmed(text: str, span: Span) -> Answer | None:
    """Without blanks and signs around it."""
    start, end = span.start, span.end
    changed = True
    while changed and start < end:
        changed = False
        for wrapping in (*_WRAPPING, " ", "\t", "\r", "\n"):
            if (
                text.startswith(wrapping, start)
                and start + len(wrapping) <= end
                and not _begins_decimal(text, start, end)
            ):
                start, changed = start + len(wrapping), True
            if end - start >= len(wrapping) and text.endswith(wrapping, start, end):
                end, changed = end - len(wrapping), True
    return Answer(text[start:end], Span(start, end)) if start < end else None


def _begins_decimal(text: str, start: int, end: int) -> bool:
    return text[start] == "." and text[start + 1 : end][:1].isdigit()
