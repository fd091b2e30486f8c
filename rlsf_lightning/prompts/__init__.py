"""Prompts: of a user's own file or data set, or of a source that ships (``sources/``), in splits without leaks.

It never imports torch, and never holds more of a source in memory than it is asked for.
"""

from rlsf_lightning.prompts.columns import fill_template
from rlsf_lightning.prompts.encoding import PromptEncoder
from rlsf_lightning.prompts.source import (
    check_source,
    described,
    example_prompts,
    generated_prompts,
    load_prompts,
    recipe_prompts,
    split_key_of,
)

__all__ = [
    "PromptEncoder",
    "check_source",
    "described",
    "example_prompts",
    "fill_template",
    "generated_prompts",
    "load_prompts",
    "recipe_prompts",
    "split_key_of",
]
