"""The extractors that ship: from a text to the range of its characters in which the answer stands, or None.

Each is a function of the text and the recipe's ``answer`` block. What they read is a model's output: none backtracks
without a limit, and none takes more than a few passes over the text.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import regex

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.answers.fences import code_blocks
from rlsf_lightning.symbolic.answers.settings import AnswerSettings

#: Seconds that a pattern of the user's may search one text.
REGEX_SECONDS = 1.0


def whole(text: str, settings: AnswerSettings) -> Span | None:
    """Everything: the completion as it stands."""
    return Span(0, len(text))


def fence(text: str, settings: AnswerSettings) -> Span | None:
    """The last code block, of `answer.language` where that is set."""
    found = None
    for block in code_blocks(text):
        if not settings.language or block.language in settings.language:
            found = block.content
    return found


def tag(text: str, settings: AnswerSettings) -> Span | None:
    """The first `<answer>...</answer>`, or another `answer.tag`, without the blanks around what it holds.

    The first, so that an answer that is given cannot be taken back. At the end of a text it needs no closing tag.
    """
    opening, closing = settings.tags
    at = text.find(opening)
    if at < 0:
        return None
    start = at + len(opening)
    end = text.find(closing, start)
    return without_blanks(text, start, _without_begun(text, start, closing) if end < 0 else end)


def after(text: str, settings: AnswerSettings) -> Span | None:
    """What follows the last `answer.marker`, without the blanks around it; nothing there is no answer."""
    at = text.rfind(settings.marker)
    found = None if at < 0 else without_blanks(text, at + len(settings.marker), len(text))
    return found if found and found.start < found.end else None


def last_line(text: str, settings: AnswerSettings) -> Span | None:
    """The last line that is not blank, without the blanks around it."""
    end = len(text.rstrip())
    return without_blanks(text, text.rfind("\n", 0, end) + 1, end) if end else None


def matched(text: str, settings: AnswerSettings) -> Span | None:
    """The last match of `answer.pattern`: its group `answer`, else its first one."""
    pattern = _compiled(settings.pattern)
    group: Any = "answer" if "answer" in pattern.groupindex else 1
    found = None
    try:
        for match in pattern.finditer(text, timeout=REGEX_SECONDS):
            if match.start(group) >= 0:
                found = Span(*match.span(group))
    except TimeoutError:
        raise ToolFailed(
            f"answer.pattern took more than {REGEX_SECONDS:g} s on {len(text)} characters; write one that cannot match "
            "the same text in many ways, or extract=after with answer.marker"
        ) from None
    return found


@cache
def _compiled(pattern: str) -> Any:
    return regex.compile(pattern)


def without_blanks(text: str, start: int, end: int) -> Span:
    """The range without white space at its ends; an empty one lies at its start."""
    part = text[start:end]
    first = start + len(part) - len(part.lstrip())
    return Span(first, first + len(part.strip())) if part.strip() else Span(start, start)


def _without_begun(text: str, start: int, closing: str) -> int:
    """The end of the text without what may still become the closing tag."""
    at = text.rfind(closing[0], max(start, len(text) - len(closing) + 1))
    return at if at >= 0 and closing.startswith(text[at:]) else len(text)
