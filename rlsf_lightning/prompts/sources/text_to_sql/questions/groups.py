"""The second half of questions on groups: what is shown of each, which are kept, and in what order."""

from __future__ import annotations

from dataclasses import replace

from rlsf_lightning.prompts.sources.text_to_sql.domains.parts import Amount, Date, Number
from rlsf_lightning.prompts.sources.text_to_sql.query import Aggregate, Column, Comparison, Key, Query
from rlsf_lightning.prompts.sources.text_to_sql.questions import wording
from rlsf_lightning.prompts.sources.text_to_sql.questions.draw import Asked, Draw
from rlsf_lightning.prompts.sources.text_to_sql.schema import Table


def finished(draw: Draw, table: Table, rows: Query, intro: str, group_phrase: str) -> Asked:
    """``intro`` says what the groups of ``rows`` (without a SELECT) are; numbers are about rows of ``table``."""
    (group,) = rows.group
    of = draw.aggregate(table) if draw.maybe(0.5) else None
    of = of or Aggregate("COUNT")
    number = _number(of, table, draw)
    select: tuple[Column | Aggregate, ...] = (group, of)
    question = f"{intro}, {draw.one_of('show', 'return', 'give')} the {group_phrase} and {number}"
    query = replace(rows, select=select)
    if draw.maybe(0.4):
        having, kept = _kept(draw, table)
        query = replace(query, having=having)
        question += f", but only {draw.one_of('for those', 'for groups')} {kept}"
    if draw.maybe(0.45):
        query, how = _sorted(draw, query, of, group_phrase)
        question += f". {how}"
    return Asked(query, f"{question}.")


def _number(of: Aggregate, table: Table, draw: Draw) -> str:
    if of.column is None:
        return draw.one_of(f"the number of {table.plural}", f"how many {table.plural} there are")
    return f"the {wording.function(of, draw.rng)} of the {table.plural}"


def _kept(draw: Draw, table: Table) -> tuple[Comparison, str]:
    """A condition on groups."""
    of = draw.aggregate(table) if draw.maybe(0.4) else None
    if of is None or of.column is None or isinstance(of.column.kind, Date | Amount):
        count, op = draw.rng.randint(2, 4), draw.rng.choice([">=", ">=", "<=", ">"])
        amount = wording.compared(op, count, Number(1, 9), draw.rng)
        return Comparison(Aggregate("COUNT"), op, count), f"with {amount} {table.plural}"
    values = [int(of.column.kind.constant(draw.rng)) for _ in range(3)]
    value = sum(values) if of.function == "SUM" else values[0]
    op = draw.rng.choice([">", ">=", "<", "<="])
    amount = wording.compared(op, value, of.column.kind, draw.rng)
    return Comparison(of, op, value), f"where the {wording.function(of, draw.rng)} of the {table.plural} is {amount}"


def _sorted(draw: Draw, query: Query, of: Aggregate, group_phrase: str) -> tuple[Query, str]:
    """By the number and then the group, perhaps with a limit; or by the group, always where the number may be NULL."""
    (group,) = query.group
    by_group = Key(group, draw.maybe(0.3))
    alphabetical = wording.direction(group.kind, by_group.is_descending, draw.rng)
    may_be_null = of.column is not None and of.column.may_be_null
    if may_be_null or draw.maybe(0.3):
        return replace(query, order=(by_group,)), f"Sort by the {group_phrase}, {alphabetical}"
    key = Key(of, draw.maybe(0.7))
    how = wording.direction(of.column.kind if of.column is not None else Number(0, 1), key.is_descending, draw.rng)
    called = "number" if of.column is None else of.column.phrase
    equal = draw.one_of("where it is equal", "for equal ones")
    text = f"Sort by that {called}, {how}, and {equal} by the {group_phrase}, {alphabetical}"
    if draw.maybe(0.5):
        count = draw.rng.choice([1, 1, 2, 3])
        only = "the first row" if count == 1 else f"the first {count} rows"
        return replace(query, order=(key, by_group), limit=count), f"{text}; return only {only}"
    return replace(query, order=(key, by_group)), text
