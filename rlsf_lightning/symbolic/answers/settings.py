"""The settings of answers: a recipe's ``answer`` block, and the text that every answer begins with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol


class HasAnswers(Protocol):
    """A recipe, as far as it says where answers stand."""

    answer: Any
    data: Any


@dataclass(frozen=True)
class AnswerSettings:
    """The ``answer`` block of a recipe, as its schema describes it, and ``data.answer_prefix``."""

    extract: tuple[str, ...] = ("whole",)
    #: In lower case; empty: any.
    language: tuple[str, ...] = ()
    tag: str = "answer"
    marker: str = "Answer:"
    pattern: str = ""
    thinking: str = "auto"
    prefix: str = ""

    @classmethod
    def of(cls, recipe: HasAnswers) -> AnswerSettings:
        """Those of a recipe."""
        block = recipe.answer
        return cls(
            extract=_listed(block.extract),
            language=tuple(name.lower() for name in _listed(block.language)),
            tag=block.tag,
            marker=block.marker,
            pattern=block.pattern or "",
            thinking=block.thinking,
            prefix=recipe.data.answer_prefix or "",
        )

    @property
    def tags(self) -> tuple[str, str]:
        """The opening and the closing tag."""
        return f"<{self.tag}>", f"</{self.tag}>"

    @property
    def is_whole(self) -> bool:
        """Whether a completion is its answer, as it stands."""
        return self.extract[0] == "whole" and self.thinking == "auto" and not self.prefix


def _listed(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) or not isinstance(value, Iterable) else tuple(map(str, value))
