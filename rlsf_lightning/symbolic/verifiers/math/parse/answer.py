r"""Finds the final answer of a solution.

The last marker counts: \boxed{...}, ####, or "the answer is ...". Without any, it is what follows the last equals sign of a
text of one line, or the last number of the last line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rlsf_lightning.records import Span

#: A sentence that is longer is not cut.
MAX_STATED = 1000

_AFTER = re.compile(r"####|\banswer(?:\*\*)?(?:[ \t]+is\b|[ \t]*[:=])", re.IGNORECASE)
_END = re.compile(r"\n|\.(?=\s|$)|$")
#: A decimal that goes on.
_ELLIPSIS = re.compile(r"[0-9]\.[0-9]+\.\.\.$")
_BOXED = re.compile(r"\\(?:f?boxed)\s*\{")
_LAST_NUMBER = re.compile(r"-?(?:[0-9]+/[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)%?")
#: What may follow an answer in its sentence: a reason or a remark; one that draws a conclusion has no number of its own.
_REASON = re.compile(r",?\s+(?:because|since|given|as)\b|,\s*(?:in total|in all|altogether|rounded)\b")
_REMARK = re.compile(
    r"(?:,\s*(?:which|where|so|hence|thus|therefore|that is|i\.e\.|meaning|making|giving|the"
    r"|and (?:that|this|it|he|she|they|we|the))\b"
    r"|\s+which\b|;\s|\s+\((?=(?:in total|in all|altogether|since|because|as|which|rounded)\b))[^0-9]*$"
)
_CONTRAST = re.compile(r",?\s+(?:and\s+|but\s+)?not\s+\$?-?[0-9][0-9,.]*\$?$")
_TAKEN_BACK = (
    r"but|wrong|incorrect\w*|mistake\w*|mistaken|actually|rather|instead|really|false|sorry|wait|however"
    r"|percent\w*|dozens?|(?:hundred|thousand|million|billion|lakh|crore)(?:th)?s?"
)
#: With these words an answer is taken back or changed, whatever stands between.
_RETRACTION = re.compile(rf"\b(?:{_TAKEN_BACK})\b", re.IGNORECASE)
#: With these, too, or another one is given.
_DENIAL = re.compile(
    rf"\b(?:{_TAKEN_BACK}|not|no|never|nor|or|should|unless|if|else|except)\b|n['\u2019]t\b", re.IGNORECASE
)
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


#: A number that a currency may stand before.
_PLAIN = re.compile(r"-?[0-9][0-9.,]*")


class Answer(NamedTuple):
    """``currency``: the sign that stands before a plain number or behind it, which is left out of ``text`` and ``span``."""

    text: str
    span: Span
    currency: str = ""

    @property
    def written(self) -> str:
        """With its currency in front."""
        return self.currency + self.text


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
        ends = _END.finditer(text, match.end())
        end = next(end.start() for end in ends if end.group() != "." or not _is_ellipsis(text, match.end(), end.end()))
        if text[match.end() : end].strip(" \t*:$#"):
            yield _without_clause(text, Span(match.end(), end))
            return


def _is_ellipsis(text: str, start: int, end: int) -> bool:
    """Whether the dot before ``end`` is the last of those of a decimal that goes on."""
    return text.endswith("...", start, end) and _ELLIPSIS.search(text, max(start, end - 60), end) is not None


def _without_clause(text: str, span: Span) -> Span:
    """Without a reason or a remark after the answer, `72, as required`, unless it takes the answer back."""
    stated = text[span.start : min(span.end, span.start + MAX_STATED)]
    if len(stated) < span.end - span.start:
        return span
    found = [match for pattern in (_REASON, _REMARK, _CONTRAST) if (match := pattern.search(stated)) is not None]
    denials = {_REASON: _RETRACTION, _REMARK: _DENIAL, _CONTRAST: None}
    for match in sorted(found, key=lambda match: match.start()):
        denial = denials[match.re]
        is_denied = denial is not None and denial.search(stated, match.start()) is not None
        if not is_denied and re.search(r"[0-9\\]", stated[: match.start()]):
            return Span(span.start, span.start + match.start())
    return span


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
            is_last = end - start >= len(wrapping) and text.endswith(wrapping, start, end)
            if is_last and not (wrapping == "." and _is_ellipsis(text, start, end)):
                end, changed = end - len(wrapping), True
    if start >= end:
        return None
    return Answer(
        text[start:end], Span(start, end), _currency(text[span.start : start], text[start:end], text[end : span.end])
    )


def _currency(before: str, number: str, behind: str) -> str:
    """Of a plain number: a dollar sign without a partner, which would enclose a formula, or the sign of another currency."""
    if not _PLAIN.fullmatch(number):
        return ""
    found = re.search(r"\\\$|[\u20ac\u00a3]", before + behind)
    if found is not None:
        return found.group()
    return "$" if before.count("$") == behind.count("$") + 1 else ""


def _begins_decimal(text: str, start: int, end: int) -> bool:
    return text[start] == "." and text[start + 1 : end][:1].isdigit()
