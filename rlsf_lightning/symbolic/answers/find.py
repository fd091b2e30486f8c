"""Finds the answer in a text: thinking is skipped, then the extractors are tried in order.

An answer is *final* when no continuation of the text can put another one in its place: only then does what is dead in the
answer make the text dead.
"""

from __future__ import annotations

from typing import NamedTuple

from rlsf_lightning.config.extension_points import EXTRACTOR
from rlsf_lightning.config.plugins import resolve
from rlsf_lightning.errors import ToolFailed, UserError
from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.answers.settings import END_OF_THINKING, AnswerSettings

THINK = "<think>"


class Found(NamedTuple):
    """The range of the answer in the text, by which extractor, and whether it is final."""

    span: Span
    extractor: str
    is_final: bool


class AnswerFinder:
    """The recipe's extractors. Raises UserError where one is not there."""

    def __init__(self, settings: AnswerSettings) -> None:
        self.settings = settings
        self._extractors = [(name, resolve(EXTRACTOR, name)) for name in settings.extract]

    def find(self, text: str) -> Found | None:
        """The answer in a text; None where there is none. Raises ToolFailed where that cannot be decided."""
        start = self.thinking_ends(text)
        if start is None:
            return None
        rest = text[start:]
        for number, (name, extract) in enumerate(self._extractors):
            span = self._checked(name, rest, extract(rest, self.settings))
            if span is not None:
                is_final = number == 0 and name in ("whole", "tag")
                return Found(Span(span.start + start, span.end + start), name, is_final)
        return None

    def text_of(self, completion: str) -> str:
        """The answer of a completion, ``data.answer_prefix`` in front; empty where there is none."""
        text = self.settings.prefix + completion
        try:
            found = self.find(text)
        except ToolFailed:
            return ""
        return "" if found is None else text[found.span.start : found.span.end]

    def thinking_ends(self, text: str) -> int | None:
        """Where the text goes on behind its thoughts; 0 where there are none, None where they have not ended."""
        if self.settings.thinking != "opened":
            begun = self.begun_thinking(text)
            if not begun:
                return 0
            if begun < len(THINK):
                return None if begun == len(text.lstrip()) else 0
        end = text.find(END_OF_THINKING)
        return None if end < 0 else end + len(END_OF_THINKING)

    def begun_thinking(self, text: str) -> int:
        """How many characters of ``<think>`` the text begins with, blanks aside, where it may think."""
        is_literal = self.settings.thinking == "auto" and self.settings.extract[0] == "whole"
        return 0 if is_literal else common_start(THINK, text, len(text) - len(text.lstrip()))

    @staticmethod
    def _checked(name: str, text: str, span: object) -> Span | None:
        if span is None or (isinstance(span, Span) and span.end <= len(text)):
            return span
        raise UserError(
            f"answer.extract={name} returned {span!r} for a text of {len(text)} characters; return a Span of it, or None"
        )


def common_start(word: str, text: str, start: int) -> int:
    """How many characters of ``word`` the text has from ``start`` on."""
    return next((n for n, letter in enumerate(word) if not text.startswith(letter, start + n)), len(word))
