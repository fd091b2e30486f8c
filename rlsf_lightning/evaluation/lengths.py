"""Encodes and measures prompts by the tokenizer and configuration of a recipe's policy, whose weights are not read."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rlsf_lightning.policy.prompt_ids import encode_text
from rlsf_lightning.policy.tokenizer import context_length, load_tokenizer
from rlsf_lightning.prompts import PromptEncoder
from rlsf_lightning.prompts.lengths import PromptLengths

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe


def encoder_of(recipe: Recipe) -> PromptEncoder:
    """The encoder of prompts, for a policy that ``check_policy`` has nothing against.

    Raises UserError: the tokenizer cannot be loaded, or does not suit the ``data`` block.
    """
    tokenizer = load_tokenizer(recipe.policy)
    return PromptEncoder(recipe, tokenizer, partial(encode_text, tokenizer))


def lengths_of(recipe: Recipe) -> PromptLengths:
    """The measure of prompts. Raises UserError as ``encoder_of``."""
    return PromptLengths(encoder_of(recipe), context_length(recipe.policy), recipe.rollout.max_new_tokens)
