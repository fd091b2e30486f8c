"""Parts of a domain: tables with their columns, and the kinds of values that a column holds.

All numbers are multiples of 1/4, so that sums are exact and do not depend on the order of adding or the version of SQLite.
"""

from __future__ import annotations

import datetime
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

from rlsf_lightning.prompts.sources._words import FIRST_NAMES, SURNAMES

Value = int | float | str


@dataclass(frozen=True)
class Number:
    """A whole number from ``low`` to ``high``."""

    low: int
    high: int
    sql = "INTEGER"

    def draw(self, rng: random.Random) -> Value:
        return rng.randint(self.low, self.high)

    def constant(self, rng: random.Random) -> Value:
        """Not at the ends, so that there are values on both sides."""
        return rng.randint(self.low + (self.high - self.low) // 4, self.high - (self.high - self.low) // 4)

    def near(self, value: Value, rng: random.Random) -> Value:
        """The value itself or one beside it."""
        return int(value) + rng.choice([-1, 0, 0, 1])


@dataclass(frozen=True)
class Amount:
    """A number with two decimals that is a multiple of 1/4."""

    low: int
    high: int
    sql = "REAL"

    def draw(self, rng: random.Random) -> Value:
        return rng.randint(4 * self.low, 4 * self.high) / 4

    def constant(self, rng: random.Random) -> Value:
        whole = int(Number(self.low, self.high).constant(rng))
        return whole + 0.5 if rng.random() < 0.2 else float(whole)

    def near(self, value: Value, rng: random.Random) -> Value:
        return float(value) + rng.choice([-1.0, -0.25, 0.0, 0.0, 0.25, 0.5, 1.0])


@dataclass(frozen=True)
class Date:
    """A day of the years from ``low`` to ``high``, as YYYY-MM-DD."""

    low: int
    high: int
    sql = "TEXT"

    def draw(self, rng: random.Random) -> Value:
        first = datetime.date(self.low, 1, 1)
        days = (datetime.date(self.high, 12, 31) - first).days
        return (first + datetime.timedelta(days=rng.randint(0, days))).isoformat()

    def constant(self, rng: random.Random) -> Value:
        first = datetime.date(self.low + 1, 1, 1)
        days = (datetime.date(self.high - 1, 12, 31) - first).days
        return (first + datetime.timedelta(days=rng.randint(0, max(0, days)))).isoformat()

    def near(self, value: Value, rng: random.Random) -> Value:
        day = datetime.date.fromisoformat(str(value))
        return (day + datetime.timedelta(days=rng.choice([-40, -1, 0, 0, 0, 1, 40]))).isoformat()


@dataclass(frozen=True)
class Words:
    """One of a few words."""

    values: tuple[str, ...]
    sql = "TEXT"

    def draw(self, rng: random.Random) -> Value:
        return rng.choice(self.values)

    def constant(self, rng: random.Random) -> Value:
        return rng.choice(self.values)

    def near(self, value: Value, rng: random.Random) -> Value:
        return value


@dataclass(frozen=True)
class Label:
    """A name that no two rows of a table share."""

    values: tuple[str, ...]
    sql = "TEXT"

    def draw(self, rng: random.Random) -> Value:
        return rng.choice(self.values)

    def constant(self, rng: random.Random) -> Value:
        return rng.choice(self.values)

    def near(self, value: Value, rng: random.Random) -> Value:
        """One that begins like ``value``."""
        return rng.choice([name for name in self.values if name.startswith(str(value))])


Kind = Number | Amount | Date | Words | Label


@dataclass(frozen=True)
class Field:
    """A column that a table may have. ``names`` are separated by ``|``; the first one stands for all."""

    names: str
    phrase: str
    kind: Kind
    may_be_null: bool = False


@dataclass(frozen=True)
class Entity:
    """A table that a domain may have. ``names`` as for ``Field``, singular; ``parents`` are names of other tables."""

    names: str
    noun: str
    plural: str
    fields: tuple[Field, ...]
    parents: tuple[str, ...] = ()
    label: Field | None = None

    @property
    def concept(self) -> str:
        """Its first name, which stands for all."""
        return self.names.partition("|")[0]


@dataclass(frozen=True)
class Domain:
    """Tables that belong together; parents stand before their children."""

    name: str
    entities: tuple[Entity, ...]


def number(names: str, low: int, high: int, phrase: str = "", may_be_null: bool = False) -> Field:
    """A column of whole numbers."""
    return Field(names, phrase or _plain(names), Number(low, high), may_be_null)


def amount(names: str, low: int, high: int, phrase: str = "", may_be_null: bool = False) -> Field:
    """A column of amounts."""
    return Field(names, phrase or _plain(names), Amount(low, high), may_be_null)


def date(names: str, low: int, high: int, phrase: str = "", may_be_null: bool = False) -> Field:
    """A column of days."""
    return Field(names, phrase or _plain(names), Date(low, high), may_be_null)


def words(names: str, values: str, phrase: str = "", may_be_null: bool = False) -> Field:
    """A column of words, separated by ``|``."""
    return Field(names, phrase or _plain(names), Words(tuple(values.split("|"))), may_be_null)


def label(names: str, values: Sequence[str], phrase: str = "") -> Field:
    """The column of names of a table."""
    return Field(names, phrase or _plain(names), Label(tuple(values)))


def pairs(first: str, second: str) -> tuple[str, ...]:
    """Names of two words: each of the first list with each of the second one."""
    return tuple(f"{one} {two}" for one, two in itertools.product(first.split(), second.split()))


def _plain(names: str) -> str:
    return names.partition("|")[0].replace("_", " ")


PERSONS = tuple(
    f"{first} {last}" for first in FIRST_NAMES[:48] for last in SURNAMES[::7] if first.isascii() and last.isascii()
)
