"""Lengths of prompts in tokens, against the model's context: those that leave no room for a completion."""

from __future__ import annotations

from collections.abc import Iterable

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.encoding import PromptEncoder
from rlsf_lightning.records import Prompt

#: Tokens that a tokenizer may put before and behind a text, beside one for each of its characters.
MARGIN = 8


class PromptLengths:
    """Which prompts fit into the context beside ``rollout.max_new_tokens``.

    Args:
        encode: prompts to token ids.
        context: the model's positions; None: no limit is known.
        max_new_tokens: of a completion.
    """

    def __init__(self, encode: PromptEncoder, context: int | None, max_new_tokens: int) -> None:
        self.encode, self.context, self.max_new_tokens = encode, context, max_new_tokens
        self._around: int | None = None

    def tokens(self, prompt: Prompt) -> int:
        """The tokens of a prompt."""
        return len(self.encode(prompt))

    def fits(self, prompt: Prompt) -> bool:
        """Whether a prompt leaves room for a completion. Short texts are not encoded for that."""
        if self.context is None:
            return True
        room = self.context - self.max_new_tokens
        if self._around is None:
            self._around = self.tokens(prompt) + MARGIN  # no less than what a chat has around its messages
        text = "".join(message["content"] for message in self.encode.messages(prompt))
        # No tokenizer makes more tokens of ASCII than it has characters.
        if text.isascii() and len(text) + self._around <= room:
            return True
        return self.tokens(prompt) <= room


def fitting(lengths: PromptLengths, prompts: Iterable[Prompt], too_long: str, told: str) -> tuple[list[Prompt], str]:
    """The prompts that fit, and a line that tells of the others, empty where all do.

    Args:
        too_long: ``data.too_long``.
        told: which prompts these are, in a message.

    Raises:
        UserError: some are too long and ``too_long`` is "refuse", or all of them are.
    """
    kept, sizes = list[Prompt](), list[int]()
    for prompt in prompts:
        if lengths.fits(prompt):
            kept.append(prompt)
        else:
            sizes.append(lengths.tokens(prompt))
    if not sizes:
        return kept, ""
    line = (
        f"{len(sizes):,} of {len(kept) + len(sizes):,} prompts of {told} are too long for the context of "
        f"{lengths.context} tokens beside rollout.max_new_tokens={lengths.max_new_tokens}; the longest has {max(sizes)} tokens"
    )
    if too_long == "refuse" or not kept:
        way_out = ", or data.too_long=skip to leave them out" if kept else ""
        raise UserError(f"{line}. Write a smaller rollout.max_new_tokens, another policy.name{way_out}")
    return kept, f"data.too_long=skip: {line}: left out"
