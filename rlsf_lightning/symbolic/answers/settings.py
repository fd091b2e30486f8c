"""The settings of answers: a recipe's ``answer`` block, and the text that every answer begins with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt

END_OF_THINKING = "</think>"


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

    def written(self, prompt: Prompt) -> str:
        """The known answer of a prompt as a completion: its target as it stands, or its reference, put where it is found."""
        if prompt.target is not None:
            return prompt.target
        answer, place = prompt.reference or "", self.extract[0]
        if place == "fence":
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", answer)), default=0))
            return f"{fence}{self.language[0] if self.language else ''}\n{answer}\n{fence}"
        if place == "tag":
            return f"{self.tags[0]}{answer}{self.tags[1]}"
        return f"{self.marker} {answer}" if place == "after" else answer

    def completion(self, prompt: Prompt) -> str:
        """The known answer as a model is to complete the prompt with it: behind closed thinking, without the prefix.

        Raises UserError where it does not begin with ``data.answer_prefix``.
        """
        answer = self.written(prompt)
        if not answer.startswith(self.prefix):
            raise UserError(
                f"data.answer_prefix={json.dumps(self.prefix)}: the answer of prompt {prompt.id} begins otherwise: "
                f"{answer[:60]!r}; write data.answer_prefix=null, or leave such rows out by data.keep"
            )
        is_thinking = self.thinking == "opened" and END_OF_THINKING not in answer
        return (f"{END_OF_THINKING}\n\n" if is_thinking else "") + answer[len(self.prefix) :]

    @property
    def is_whole(self) -> bool:
        """Whether a completion is its answer, as it stands."""
        return self.extract[0] == "whole" and self.thinking == "auto" and not self.prefix


def _listed(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) or not isinstance(value, Iterable) else tuple(map(str, value))
