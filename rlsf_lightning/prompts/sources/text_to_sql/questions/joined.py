"""Questions on rows and what they refer to: lists, totals, groups."""

from __future__ import annotations

from rlsf_lightning.prompts.sources.text_to_sql.domains.parts import Words
from rlsf_lightning.prompts.sources.text_to_sql.query import Key, Query
from rlsf_lightning.prompts.sources.text_to_sql.questions import wording
from rlsf_lightning.prompts.sources.text_to_sql.questions.draw import Asked, Draw
from rlsf_lightning.prompts.sources.text_to_sql.questions.groups import finished
from rlsf_lightning.prompts.sources.text_to_sql.questions.single import counted
from rlsf_lightning.prompts.sources.text_to_sql.schema import Column, Table


def joined_listing(draw: Draw) -> Asked:
    """Columns of rows and of those that they refer to."""
    table, others = _child(draw)
    own, shown = draw.shown(table, 2), list[Column]()
    parts = [f"{wording.listed(own)} of the {table.noun}"]
    for other in others:
        column = other.label if other.label is not None and draw.maybe(0.75) else draw.rng.choice(other.columns)
        shown.append(column)
        parts.append(f"the {column.phrase} of the {other.noun}")
    where = draw.where([table, *others], draw.rng.choice([0, 1, 1, 2]), table)
    what = wording.joined(parts)
    question = draw.one_of(
        f"For each {table.noun}{where.clause}, show {what}",
        f"Show {what}, for every {table.noun}{where.clause}",
        f"Return one row for each {table.noun}{where.clause}: {what}",
    )
    order: tuple[Key, ...] = ()
    if draw.maybe(0.3):
        keys = draw.columns(table, object)
        order = (Key(draw.rng.choice(keys), draw.maybe(0.5)), draw.tie_key(table))
        question += f", {draw.sorted_by(order[0], table)}"
        if order[0].of == order[1].of:
            order = order[:1]
        else:
            question += f", {draw.tied(order[1], table)}"
    query = Query((*own, *shown), table.name, draw.path(table, others), where.conditions, where.connective, order=order)
    return Asked(query, f"{question}.")


def joined_total(draw: Draw) -> Asked | None:
    """Numbers about rows that refer to certain ones."""
    table, others = _child(draw)
    about = draw.where(others[:1], 1, table)
    own = draw.where([table], 1, table) if draw.maybe(0.4) else None
    clause = about.clause + (f" and{own.clause}" if own is not None else "")
    conditions = about.conditions + (own.conditions if own is not None else ())
    return counted(draw, table, Query((), table.name, draw.path(table, others[:1]), conditions), clause)


def joined_groups(draw: Draw) -> Asked | None:
    """A number for each row that is referred to, or for each value of one of its columns."""
    table, (other, *_) = _child(draw)
    values = draw.columns(other, Words)
    where = draw.where([table], draw.rng.choice([0, 0, 1]), table)
    if other.label is not None and draw.maybe(0.65):
        group, phrase = other.label, f"{other.label.phrase} of the {other.noun}"
        intro = draw.one_of(
            f"For each {other.noun} that has any {table.plural}{where.clause}",
            f"For every {other.noun} with at least one {table.noun}{where.clause}",
        )
        intro += ", counting no others" if where.clause else ""
    elif values:
        group = draw.rng.choice(values)
        phrase = f"{group.phrase} of the {other.noun}"
        intro = draw.one_of(
            f"Group the {table.plural}{where.clause} by the {phrase}; for each group",
            f"For each {phrase} that {table.plural}{where.clause} lead to",
        )
    else:
        return None
    rows = Query((), table.name, draw.path(table, [other]), where.conditions, where.connective, (group,))
    return finished(draw, table, rows, intro, phrase)


def _child(draw: Draw) -> tuple[Table, list[Table]]:
    """A table that refers to others, and one or two of these."""
    table = draw.rng.choice([table for table in draw.schema.tables if table.references])
    ancestors = draw.ancestors(table)
    return table, draw.rng.sample(ancestors, min(len(ancestors), draw.rng.choice([1, 1, 2])))
