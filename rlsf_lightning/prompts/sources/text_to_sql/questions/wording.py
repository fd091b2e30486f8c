"""Phrases of questions: columns, conditions, functions, directions, each in several wordings."""

from __future__ import annotations

import random
from collections.abc import Sequence

from rlsf_lightning.prompts.sources.text_to_sql.domains.parts import Amount, Date, Number, Value
from rlsf_lightning.prompts.sources.text_to_sql.query import (
    Aggregate,
    Between,
    Comparison,
    Condition,
    Like,
    Missing,
    OneOf,
    Query,
    Within,
)
from rlsf_lightning.prompts.sources.text_to_sql.schema import Column, Table

_OF_NUMBERS = {
    ">": ("more than {}", "above {}", "over {}", "greater than {}"),
    ">=": ("at least {}", "{} or more", "no less than {}"),
    "<": ("less than {}", "below {}", "under {}", "smaller than {}"),
    "<=": ("at most {}", "{} or less", "no more than {}"),
    "=": ("exactly {}", "{}"),
}
_OF_DAYS = {">=": ("on or after {}", "{} or later"), "<": ("before {}", "earlier than {}")}
_OF_WORDS = {"=": ("{}", "'{}'"), "<>": ("not {}", "other than '{}'", "anything but {}")}
_FUNCTIONS = {
    "SUM": ("total", "summed"),
    "AVG": ("average", "mean"),
    "MIN": ("lowest", "smallest", "minimum"),
    "MAX": ("highest", "largest", "maximum"),
}
_FUNCTIONS_OF_DAYS = {"MIN": ("earliest", "first"), "MAX": ("latest", "last")}


def written(value: Value) -> str:
    """A constant in a question."""
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def compared(op: str, value: Value, kind: object, rng: random.Random) -> str:
    """``> 5`` as "more than 5"."""
    numeric = isinstance(kind, Number | Amount)
    forms = _OF_NUMBERS if numeric else _OF_DAYS if isinstance(kind, Date) else _OF_WORDS
    return rng.choice(forms[op]).format(written(value))


def joined(parts: Sequence[str], word: str = "and") -> str:
    """With commas, and ``word`` before the last."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def listed(columns: Sequence[Column]) -> str:
    """The columns of one table, in turn."""
    return joined([f"the {column.phrase}" for column in columns])


def clause(conditions: Sequence[tuple[Condition, str]], connective: str, rng: random.Random) -> str:
    """What rows must be like, each condition with the noun that it is about where that is not the subject; with a blank before
    it, or nothing."""
    form = rng.choice(["whose", "where"])
    parts = [_part(of, noun, form, rng) for of, noun in conditions]
    return f" {f' {connective.lower()} '.join(parts)}" if parts else ""


def _part(of: Condition, noun: str, form: str, rng: random.Random) -> str:
    column = of.left if isinstance(of, Comparison) else of.column
    assert isinstance(column, Column)
    if form == "whose":
        about = f"{noun}'s {column.phrase}" if noun else column.phrase
    else:
        about = f"the {column.phrase}" + (f" of the {noun}" if noun else "")
    return f"{form} {about} {_predicate(of, rng)}"


def _predicate(of: Condition, rng: random.Random) -> str:
    if isinstance(of, Comparison):
        assert isinstance(of.left, Column) and not isinstance(of.right, Query)
        return f"is {compared(of.op, of.right, of.left.kind, rng)}"
    assert not isinstance(of, Within)
    if isinstance(of, Between):
        low, high = written(of.low), written(of.high)
        return rng.choice([f"is between {low} and {high} (both included)", f"is from {low} to {high} inclusive"])
    if isinstance(of, OneOf):
        values = joined([written(value) for value in of.values], "or")
        return rng.choice([f"is {values}", f"is either {values}"])
    if isinstance(of, Like):
        start = of.pattern.rstrip("%")
        return rng.choice([f"starts with '{start}'", f"begins with {start}"])
    assert isinstance(of, Missing)
    return f"is {rng.choice(['missing', 'not known', 'NULL'] if of.is_missing else ['known', 'given', 'not NULL'])}"


def function(of: Aggregate, rng: random.Random) -> str:
    """Of a column: "average price"."""
    assert of.column is not None
    forms = _FUNCTIONS_OF_DAYS if isinstance(of.column.kind, Date) else _FUNCTIONS
    return f"{rng.choice(forms[of.function])} {of.column.phrase}"


def with_article(noun: str) -> str:
    """With a or an before it."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def superlative(column: Column, is_descending: bool) -> str:
    """What the first of an order has."""
    if isinstance(column.kind, Date):
        return "latest" if is_descending else "earliest"
    return "highest" if is_descending else "lowest"


def direction(kind: object, is_descending: bool, rng: random.Random) -> str:
    """In which order values of this kind come."""
    if isinstance(kind, Number | Amount):
        down, up = (
            ["highest first", "from highest to lowest", "in descending order"],
            ["lowest first", "in ascending order"],
        )
    elif isinstance(kind, Date):
        down, up = ["latest first", "from latest to earliest"], ["earliest first", "from earliest to latest"]
    else:
        down, up = ["in reverse alphabetical order", "from Z to A"], ["in alphabetical order", "from A to Z"]
    return rng.choice(down if is_descending else up)


def tie(column: Column, is_descending: bool, table: Table | None, rng: random.Random) -> str:
    """What decides between equal ones. ``table``: whose column it is, where that is not plain."""
    of = f" of the {table.noun}" if table is not None else ""
    how = direction(column.kind, is_descending, rng)
    return rng.choice(["where these are equal, by the {}{}, {}", "equal ones by the {}{}, {}"]).format(
        column.phrase, of, how
    )
