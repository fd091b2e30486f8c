"""Fenced code blocks of Markdown, as CommonMark reads them (https://spec.commonmark.org/0.31.2/#fenced-code-blocks).

Two liberties, which models take: a fence may be indented as far as it likes, and the block that a text ends in needs no
closing fence. One pass over the lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rlsf_lightning.records import Span

#: A fence opens: indentation, at least three of one character, and the rest of the line.
_OPENING = re.compile(r"[ \t]*(`{3,}|~{3,})([^\n]*)")


class Block(NamedTuple):
    """A code block: the first word behind its opening fence in lower case, and the characters of its lines."""

    language: str
    content: Span


def code_blocks(text: str) -> Iterator[Block]:
    """The code blocks of a text in order. A block's content ends before its last line end, ``\\n`` or ``\\r\\n``."""
    lines = _lines(text)
    for line in lines:
        opening = _OPENING.match(text, line.start, line.end)
        if opening is None or line.end == len(text):
            continue  # the line of a fence that is not complete opens nothing yet
        fence, info = opening[1], opening[2]
        if fence[0] == "`" and "`" in info:
            continue  # code within a line
        start = end = line.end + 1
        for inside in lines:
            if _closes(text[inside.start : inside.end], fence):
                break
            end = inside.end
        else:
            end = _without_begun_fence(text, start, fence)
        words = info.split()
        yield Block(words[0].lower() if words else "", Span(start, max(start, end - text.endswith("\r", start, end))))


def _lines(text: str) -> Iterator[Span]:
    """The lines, without their ``\\n``."""
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield Span(start, end)
        start = end + 1


def _closes(line: str, fence: str) -> bool:
    mark = line.strip(" \t\r")
    return len(mark) >= len(fence) and not mark.strip(fence[0])


def _without_begun_fence(text: str, start: int, fence: str) -> int:
    """The end of a block that nothing closes: a last line that may still become the closing fence is no part of it."""
    last = text.rfind("\n", start - 1) + 1
    mark = text[last:].strip(" \t\r")
    if mark and len(mark) < len(fence) and not mark.strip(fence[0]):
        return max(start, last - 1)
    return max(start, len(text) - text.endswith("\n"))
