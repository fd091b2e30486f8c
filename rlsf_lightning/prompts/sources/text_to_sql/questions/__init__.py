"""Sorts of questions, each with the query that answers it; how often each is drawn."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from rlsf_lightning.prompts.sources.text_to_sql.questions import joined, related, single
from rlsf_lightning.prompts.sources.text_to_sql.questions.draw import Asked, Draw
from rlsf_lightning.prompts.sources.text_to_sql.schema import Schema

SORTS: Mapping[Callable[[Draw], Asked | None], int] = {
    single.listing: 4,
    single.ranked: 3,
    single.different: 2,
    single.total: 3,
    single.grouped: 4,
    single.extreme: 2,
    single.beyond_average: 1,
    joined.joined_listing: 4,
    joined.joined_total: 3,
    joined.joined_groups: 5,
    related.childless: 2,
    related.with_children: 2,
    related.counted_with_none: 2,
    related.number_with_children: 1,
    related.related_by_both: 2,
}


def asked(schema: Schema, rng: random.Random) -> Asked | None:
    """A question on this schema; None where the sort that was drawn has none."""
    (sort,) = rng.choices(list(SORTS), weights=list(SORTS.values()))
    return sort(Draw(rng, schema))
