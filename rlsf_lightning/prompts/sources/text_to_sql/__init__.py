"""Schemas of two to four tables, questions about them, and the queries that answer these, with databases that tell.

A schema takes some tables and columns of one of sixteen domains, under names that are drawn; the question and its query come
from a grammar. The data are drawn near the query's constants until every single edit of it gives other rows.
"""

from __future__ import annotations

import random
from functools import partial

from rlsf_lightning.prompts.generated import Draft, Generated, Task
from rlsf_lightning.prompts.sources.text_to_sql import schema, trials
from rlsf_lightning.prompts.sources.text_to_sql.query import shape_of, sql_of
from rlsf_lightning.prompts.sources.text_to_sql.questions import Asked, asked


def prompts(split: str) -> Generated:
    """Endless for training; see ``Generated``. The facts are ``schema`` and ``databases`` of the verifier ``sql``.

    Questions on the same columns of a domain, with a query of the same form, are in one split, whatever the names, wording,
    constants, comparisons, aggregate functions and directions.
    """
    return Generated("text_to_sql", make, split)


def make(rng: random.Random) -> Draft | None:
    """One question; the draft has no data yet."""
    drawn = schema.drawn(rng)
    found = asked(drawn, rng)
    if found is None:
        return None
    table = drawn.table(found.query.table).concept
    key = f"{drawn.domain} {table} {shape_of(found.query)}"
    return Draft(key, partial(_finished, drawn, found, key, rng))


def _finished(drawn: schema.Schema, found: Asked, key: str, rng: random.Random) -> Task | None:
    scripts = trials.scripts(found.query, drawn, found.wrong, rng)
    if scripts is None:
        return None
    first, *others = scripts
    text = f"{drawn.sql()}\n\nQuestion: {found.question}"
    return Task(text, sql_of(found.query), key=key, facts={"schema": first, "databases": others})
