"""Where prompts come from: one file is one source, with a function ``prompts(split)``; a user's own files beside them.

It never imports torch, and never holds more of a source in memory than it is asked for.
"""

from rlsf_lightning.prompts.source import check_source, fill_template, load_prompts, recipe_prompts

__all__ = ["check_source", "fill_template", "load_prompts", "recipe_prompts"]
