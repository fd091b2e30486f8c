"""One pass over all prompts of a recipe: rows that were dropped, lengths in tokens, what splits share. No verifier."""

from __future__ import annotations

import math
import warnings
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from rlsf_lightning.config.extension_points import PROMPT_SOURCE
from rlsf_lightning.config.validation import has_files
from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.checks.shared import Seen
from rlsf_lightning.prompts.columns import fill_template
from rlsf_lightning.prompts.files import Placed, RowCount, placed
from rlsf_lightning.prompts.lengths import PromptLengths
from rlsf_lightning.prompts.source import SAMPLED_FROM, generated_prompts, recipe_prompts, split_key_of
from rlsf_lightning.records import Prompt

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe

#: Prompts that are read of each split of a source that makes them, where no limit is set.
FROM_MADE = 1000
#: The warning of skipped rows, as a regular expression.
SKIPPED = ".* rows were skipped"
SPLITS = ("train", "validation", "test")


@dataclass
class SplitSurvey:
    """The prompts of a split, and their lengths in tokens."""

    prompts: int = 0
    #: Prompts that the split has had before.
    repeated: int = 0
    prompt: array[int] = field(default_factory=lambda: array("l"))
    #: Of known answers, with the token that ends them.
    gold: array[int] = field(default_factory=lambda: array("l"))
    prompt_and_gold: array[int] = field(default_factory=lambda: array("l"))

    def add_lengths(self, lengths: PromptLengths, prompt: Prompt) -> None:
        """Measure one prompt, and its known answer."""
        self.prompt.append(tokens := lengths.tokens(prompt))
        if prompt.reference is None and prompt.target is None:
            return
        try:
            gold = len(lengths.encode.answer_ids(prompt)) + 1
        except UserError:
            return  # told where answers are judged
        self.gold.append(gold)
        self.prompt_and_gold.append(tokens + gold)

    def lengths_dict(self, lengths: PromptLengths) -> dict[str, Any]:
        """JSON-ready."""
        room = math.inf if lengths.context is None else lengths.context - lengths.max_new_tokens
        return {
            **{name: spread(getattr(self, name)) for name in ("prompt", "gold", "prompt_and_gold")},
            "prompts_too_long": sum(tokens > room for tokens in self.prompt),
            "gold_too_long": sum(tokens > lengths.max_new_tokens for tokens in self.gold),
        }


def spread(values: Sequence[int]) -> dict[str, int] | None:
    """Least, median, 99 % (both by nearest rank) and greatest; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)

    def rank(share: float) -> int:
        return ordered[math.ceil(share * len(ordered)) - 1]

    return {"min": ordered[0], "median": rank(0.5), "p99": rank(0.99), "max": ordered[-1]}


@dataclass
class Survey:
    """Of all splits. ``rows``: of files, else None."""

    rows: RowCount | None
    splits: dict[str, SplitSurvey]
    shared: list[dict[str, Any]]
    #: Prompts of a source that makes them, which takes time.
    made: dict[str, list[Prompt]]

    def prompts_of(self, recipe: Recipe, split: str, limit: int | None) -> Iterator[Prompt]:
        """The prompts of a split that are judged: all that were read, or ``limit`` that stand for them."""
        if split in self.made:
            yield from islice(self.made[split], limit)
            return
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=SKIPPED)  # they are counted
            yield from recipe_prompts(recipe, split, limit=limit)


def survey(recipe: Recipe, lengths: PromptLengths | None, limit: int | None) -> Survey:
    """Read every prompt once; of a source that makes them ``limit`` of each split, or 1,000.

    ``lengths``: None: nothing is measured. Raises UserError for what cannot be read.
    """
    rows = RowCount() if has_files(recipe.data) else None
    splits = {name: SplitSurvey() for name in splits_of(recipe)}
    by_prompt, by_group = (
        Seen("prompt"),
        Seen(f"data.split_by={recipe.data.split_by}" if recipe.data.split_by else "answer"),
    )
    made: dict[str, list[Prompt]] = {}
    for prompt, split, group in _placed(recipe, rows, made, limit):
        of = splits[split]
        of.prompts += 1
        if not by_prompt.add(split, fill_template(recipe.data.template, prompt), prompt.id):
            of.repeated += 1
        if group:
            by_group.add(split, group, prompt.id)
        if lengths is not None:
            of.add_lengths(lengths, prompt)
    return Survey(rows, splits, by_prompt.shared() + by_group.shared(), made)


def splits_of(recipe: Recipe) -> tuple[str, ...]:
    """The splits that a recipe's prompts fall into: those of sources that ship keep some apart for ``sft``."""
    ships = not has_files(recipe.data) and recipe.data.source in PROMPT_SOURCE.shipped()
    return ("warm", *SPLITS) if ships else SPLITS


def _placed(
    recipe: Recipe, rows: RowCount | None, made: dict[str, list[Prompt]], limit: int | None
) -> Iterator[Placed]:
    most = None if limit is None else max(limit, SAMPLED_FROM)
    if rows is not None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=SKIPPED)
            yield from islice(placed(recipe.data, rows, split_key_of(recipe)), most)
        return
    for split in splits_of(recipe):
        generated = generated_prompts(recipe, split)
        if generated is None:
            yield from (Placed(prompt, split, "") for prompt in islice(recipe_prompts(recipe, split), most))
        else:
            made[split] = list(islice(generated, limit or FROM_MADE))
            yield from (Placed(prompt, split, "") for prompt in made[split])
