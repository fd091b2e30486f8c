"""Questions on one table: lists, the first of an order, different values, totals, groups, extremes."""

from __future__ import annotations

from rlsf_lightning.prompts.sources.text_to_sql.domains.parts import Amount, Date, Number, Words
from rlsf_lightning.prompts.sources.text_to_sql.query import Aggregate, Comparison, Key, Query
from rlsf_lightning.prompts.sources.text_to_sql.questions import wording
from rlsf_lightning.prompts.sources.text_to_sql.questions.draw import Asked, Draw
from rlsf_lightning.prompts.sources.text_to_sql.questions.groups import finished
from rlsf_lightning.prompts.sources.text_to_sql.schema import Column, Table


def listing(draw: Draw) -> Asked:
    """Columns of all rows that fulfil some conditions."""
    table = draw.rng.choice(draw.schema.tables)
    columns, where = draw.shown(table), draw.where([table], draw.rng.choice([0, 1, 1, 1, 2, 2]), table)
    what = wording.listed(columns)
    if any(column.is_unique for column in columns):
        verb = draw.one_of("List", "Show", "Give", "Find", "Return")
        question = f"{verb} {what} of {draw.one_of('all', 'the')} {table.plural}{where.clause}"
    else:
        question = draw.one_of(
            f"For each {table.noun}{where.clause}, show {what}",
            f"For every {table.noun}{where.clause}, return {what}",
            f"Show {what} of the {table.plural}{where.clause}, one row for each {table.noun}",
        )
    order: tuple[Key, ...] = ()
    if draw.maybe(0.4):
        keys = draw.columns(table, object)
        first = Key(draw.rng.choice(keys), draw.maybe(0.5))
        question += f", {draw.sorted_by(first)}"
        order = (first,)
        assert isinstance(first.of, Column)
        if not first.of.is_unique and draw.maybe(0.5):
            order += (draw.tie_key(table),)
            question += f", {draw.tied(order[1])}"
    query = Query(columns, table.name, where=where.conditions, connective=where.connective, order=order)
    return Asked(query, f"{question}.")


def ranked(draw: Draw) -> Asked | None:
    """The first few rows of an order."""
    table = draw.rng.choice(draw.schema.tables)
    sortable = draw.columns(table, Number, Amount, Date)
    if not sortable:
        return None
    key, tie = Key(draw.rng.choice(sortable), draw.maybe(0.6)), draw.tie_key(table)
    assert isinstance(key.of, Column)
    columns, where = draw.shown(table), draw.where([table], draw.rng.choice([0, 0, 1]), table)
    count = draw.rng.choice([1, 1, 2, 3, 3, 4, 5])
    what, best, phrase = wording.listed(columns), wording.superlative(key.of, key.is_descending), key.of.phrase
    how, equal = wording.direction(key.of.kind, key.is_descending, draw.rng), draw.tied(tie)
    if count == 1:
        question = draw.one_of(
            f"Which {table.noun}{where.clause} has the {best} {phrase}? Show {what} of this one row; {equal}.",
            f"Show {what} of the one {table.noun}{where.clause} with the {best} {phrase}; {equal}.",
        )
    else:
        many = f"{count} {table.plural}{where.clause}"
        question = draw.one_of(
            f"Which {many} have the {best} {phrase}? Sort them by it, {how}; {equal}. Show {what}.",
            f"Sort the {table.plural}{where.clause} by {phrase}, {how}; {equal}. Show {what} of the first {count}.",
            f"Show {what} of the {many} with the {best} {phrase}. Sort by the {phrase}, {how}; {equal}.",
        )
    query = Query(
        columns, table.name, where=where.conditions, connective=where.connective, order=(key, tie), limit=count
    )
    return Asked(query, question)


def different(draw: Draw) -> Asked | None:
    """The different values of one or two columns."""
    table = draw.rng.choice(draw.schema.tables)
    repeated = draw.columns(table, Words) + draw.columns(table, Number)
    if not repeated:
        return None
    columns = tuple(draw.rng.sample(repeated, min(len(repeated), draw.rng.choice([1, 1, 2]))))
    where = draw.where([table], draw.rng.choice([0, 1, 1]), table)
    if len(columns) == 1:
        question = draw.one_of(
            f"List the different values of the {columns[0].phrase} of {table.plural}{where.clause}",
            f"List every {columns[0].phrase} that occurs among the {table.plural}{where.clause}, each only once",
        )
    else:
        question = (
            f"List the different pairs of {columns[0].phrase} and {columns[1].phrase} of {table.plural}{where.clause}"
        )
    order: tuple[Key, ...] = ()
    if draw.maybe(0.35):
        order = (Key(columns[0], draw.maybe(0.4)), *(Key(column) for column in columns[1:]))
        question += f", {draw.sorted_by(order[0])}" + "".join(f", {draw.tied(key)}" for key in order[1:])
    query = Query(
        columns, table.name, where=where.conditions, connective=where.connective, order=order, is_distinct=True
    )
    return Asked(query, f"{question}.")


def total(draw: Draw) -> Asked | None:
    """Numbers about all rows that fulfil some conditions."""
    table = draw.rng.choice(draw.schema.tables)
    where = draw.where([table], draw.rng.choice([1, 1, 2]), table)
    return counted(
        draw, table, Query((), table.name, where=where.conditions, connective=where.connective), where.clause
    )


def counted(draw: Draw, table: Table, rows: Query, clause: str) -> Asked | None:
    """One or two aggregates of the rows of a query without a SELECT, whose subject is ``table``."""
    select: tuple[Aggregate, ...]
    values, of = draw.columns(table, Words), draw.aggregate(table)
    way = draw.rng.random()
    if way < 0.3 or of is None:
        select = (Aggregate("COUNT"),)
        question = draw.one_of(f"How many {table.plural}{clause} are there?", f"Count the {table.plural}{clause}.")
    elif way < 0.42 and values:
        column = draw.rng.choice(values)
        select = (Aggregate("COUNT", column, True),)
        question = f"How many different values of the {column.phrase} do the {table.plural}{clause} have?"
    elif way < 0.6:
        select = (Aggregate("MIN", of.column), Aggregate("MAX", of.column))
        lowest, highest = (wording.superlative(one.column, one.function == "MAX") for one in select if one.column)
        assert of.column is not None
        question = draw.one_of("What are", "Show", "Find")
        question += f" the {lowest} and the {highest} {of.column.phrase} of the {table.plural}{clause}"
        question += "?" if question.startswith("What") else "."
    else:
        select, what = (of,), wording.function(of, draw.rng)
        question = draw.one_of(
            f"What is the {what} of the {table.plural}{clause}?", f"Find the {what} of the {table.plural}{clause}."
        )
    return Asked(Query(select, rows.table, rows.joins, rows.where, rows.connective), question)


def grouped(draw: Draw) -> Asked | None:
    """A number for each value of a column."""
    table = draw.rng.choice(draw.schema.tables)
    columns = draw.columns(table, Words)
    if not columns:
        return None
    group, where = draw.rng.choice(columns), draw.where([table], draw.rng.choice([0, 0, 1]), table)
    if group in (getattr(of, "left", getattr(of, "column", None)) for of in where.conditions):
        return None
    rows = Query((), table.name, where=where.conditions, connective=where.connective, group=(group,))
    intro = draw.one_of(
        f"For each {group.phrase} of {table.plural}{where.clause}",
        f"Group the {table.plural}{where.clause} by {group.phrase}; for each {group.phrase}",
    )
    return finished(draw, table, rows, intro, group.phrase)


def extreme(draw: Draw) -> Asked | None:
    """All rows that share the highest or lowest value."""
    table = draw.rng.choice(draw.schema.tables)
    sortable = draw.columns(table, Number, Amount, Date)
    if not sortable:
        return None
    column, is_highest = draw.rng.choice(sortable), draw.maybe(0.6)
    columns, where = draw.shown(table), draw.where([table], draw.rng.choice([0, 0, 1]), table)
    inner = Query((Aggregate("MAX" if is_highest else "MIN", column),), table.name, where=where.conditions)
    query = Query(columns, table.name, where=(Comparison(column, "=", inner), *where.conditions))
    best, what = wording.superlative(column, is_highest), wording.listed(columns)
    question = draw.one_of(
        f"Of the {table.plural}{where.clause}, which have the {best} {column.phrase}? Show {what} of all that share it.",
        f"Among the {table.plural}{where.clause}, find every one with the {best} {column.phrase}, all if several share it, "
        f"and show {what}.",
    )
    first = Query(columns, table.name, where=where.conditions, order=(Key(column, is_highest),), limit=1)
    return Asked(query, question, (first,))


def beyond_average(draw: Draw) -> Asked | None:
    """Rows above or below the average of all."""
    table = draw.rng.choice(draw.schema.tables)
    numeric = draw.columns(table, Number, Amount)
    if not numeric:
        return None
    column, is_above = draw.rng.choice(numeric), draw.maybe(0.6)
    columns = draw.shown(table)
    inner = Query((Aggregate("AVG", column),), table.name)
    query = Query(columns, table.name, where=(Comparison(column, ">" if is_above else "<", inner),))
    side, what = ("above" if is_above else "below"), wording.listed(columns)
    own = wording.with_article(column.phrase)
    question = draw.one_of(
        f"For each {table.noun} whose {column.phrase} is {side} the average of all {table.plural}, show {what}.",
        f"Which {table.plural} have {own} {side} the average {column.phrase}? Show {what} of each of them.",
    )
    return Asked(query, question)
