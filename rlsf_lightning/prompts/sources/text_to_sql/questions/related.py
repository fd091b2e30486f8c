"""Questions on rows by what refers to them: those that nothing refers to, or something does, and how often."""

from __future__ import annotations

from dataclasses import replace

from rlsf_lightning.prompts.sources.text_to_sql.query import Aggregate, Join, Key, Missing, Query, Within
from rlsf_lightning.prompts.sources.text_to_sql.questions import wording
from rlsf_lightning.prompts.sources.text_to_sql.questions.draw import Asked, Draw
from rlsf_lightning.prompts.sources.text_to_sql.schema import Reference, Table


def childless(draw: Draw) -> Asked:
    """Rows that nothing refers to, or nothing of a certain sort: by LEFT JOIN, or NOT IN."""
    table, child, reference = _pair(draw)
    columns = draw.shown(table, 2)
    where = draw.where([child], draw.rng.choice([0, 0, 1]), child)
    what = wording.listed(columns)
    question = draw.one_of(
        f"For each {table.noun} that has no {child.noun}{where.clause}, show {what}.",
        f"Which {table.plural} have no {child.noun}{where.clause}? Show {what} of each of them.",
        f"Show {what} of every {table.noun} without any {child.noun}{where.clause}.",
    )
    if where.conditions or draw.maybe(0.4):
        inner = Query((reference.column,), child.name, where=where.conditions)
        return Asked(Query(columns, table.name, where=(Within(table.key, inner, False),)), question)
    outer = Join(child.name, table.key, reference.column, is_outer=True)
    return Asked(Query(columns, table.name, (outer,), (Missing(child.key),)), question)


def with_children(draw: Draw) -> Asked:
    """Rows that something of a certain sort refers to, each once."""
    table, child, reference = _pair(draw)
    columns, where = draw.shown(table, 2), draw.where([child], draw.rng.choice([1, 1, 2]), child)
    what = wording.listed(columns)
    inner = Query((reference.column,), child.name, where=where.conditions, connective=where.connective)
    question = draw.one_of(
        f"For each {table.noun} that has at least one {child.noun}{where.clause}, show {what} once.",
        f"Which {table.plural} have some {child.noun}{where.clause}? Show {what}, one row for each {table.noun}.",
    )
    join = Join(child.name, table.key, reference.column)
    repeated = Query(columns, table.name, (join,), where.conditions, where.connective)
    return Asked(Query(columns, table.name, where=(Within(table.key, inner),)), question, (repeated,))


def counted_with_none(draw: Draw) -> Asked | None:
    """How many rows refer to each row, with 0 for those that none refers to."""
    table, child, reference = _pair(draw)
    if table.label is None:
        return None
    outer = Join(child.name, table.key, reference.column, is_outer=True)
    where = draw.where([table], draw.rng.choice([0, 0, 1]), table)
    query = Query(
        (table.label, Aggregate("COUNT", child.key)), table.name, (outer,), where.conditions, group=(table.label,)
    )
    wrong = replace(query, select=(table.label, Aggregate("COUNT")))
    question = draw.one_of(
        f"For every {table.noun}{where.clause}, show the {table.label.phrase} and the number of its {child.plural}, "
        "0 where there are none",
        f"How many {child.plural} does each {table.noun}{where.clause} have? Show the {table.label.phrase} and the number, "
        f"also for {table.plural} without any {child.noun}",
    )
    if draw.maybe(0.4):
        key, tie = Key(query.select[1], draw.maybe(0.7)), Key(table.label, draw.maybe(0.3))
        order = "most first" if key.is_descending else "fewest first"
        query = replace(query, order=(key, tie))
        wrong = replace(query, select=wrong.select)
        question += f", sorted by the number, {order}, {draw.tied(tie)}"
    return Asked(query, f"{question}.", (wrong,))


def number_with_children(draw: Draw) -> Asked:
    """How many different rows something of a certain sort refers to."""
    table, child, reference = _pair(draw)
    where = draw.where([child], 1, child)
    question = draw.one_of(
        f"How many different {table.plural} have at least one {child.noun}{where.clause}?",
        f"Count the {table.plural} with at least one {child.noun}{where.clause}, each of them once.",
    )
    return Asked(Query((Aggregate("COUNT", reference.column, True),), child.name, where=where.conditions), question)


def related_by_both(draw: Draw) -> Asked | None:
    """Rows that share a child with rows of another table of a certain sort."""
    children = [table for table in draw.schema.tables if len(table.references) > 1]
    if not children:
        return None
    child = draw.rng.choice(children)
    one, other = (draw.schema.parent(reference) for reference in draw.rng.sample(child.references, 2))
    if one.label is None:
        return None
    where = draw.where([other], 1, child)
    query = Query(
        (one.label,), child.name, draw.path(child, [one, other]), where.conditions, where.connective, is_distinct=True
    )
    question = draw.one_of(
        f"Show the {one.label.phrase} of each {one.noun} with at least one {child.noun}{where.clause}, each only once.",
        f"Which {one.plural} have {wording.with_article(child.noun)}{where.clause}? List each {one.label.phrase} once.",
    )
    return Asked(query, question)


def _pair(draw: Draw) -> tuple[Table, Table, Reference]:
    """A table, one that refers to it, and how."""
    child = draw.rng.choice([table for table in draw.schema.tables if table.references])
    reference = draw.rng.choice(child.references)
    return draw.schema.parent(reference), child, reference
