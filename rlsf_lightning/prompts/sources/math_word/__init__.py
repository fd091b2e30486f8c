"""Word problems of one to five steps, made by a grammar of twenty schemas, with distractors and worked solutions."""

from __future__ import annotations

import random

from rlsf_lightning.prompts.generated import Generated, Task
from rlsf_lightning.prompts.sources.math_word.quantities import QUANTITIES
from rlsf_lightning.prompts.sources.math_word.story import Story
from rlsf_lightning.prompts.sources.math_word.trade import TRADE

SCHEMAS = (*TRADE, *QUANTITIES)


def prompts(split: str) -> Generated:
    """Endless for training; see ``Generated``. The reference is the answer alone, the target a solution in steps.

    The schema and its numbers decide on the split, whatever the names and the wording.
    """
    return Generated("math_word", make, split)


def make(rng: random.Random) -> Task | None:
    """A problem; None where its numbers do not come out even."""
    schema = rng.choice(SCHEMAS)
    story = Story(rng)
    schema(story)
    return story.task(schema.__name__)
