"""A schema that is drawn from a domain: two to four tables, some of their columns, and the names that these have here."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from rlsf_lightning.prompts.sources.text_to_sql.domains import DOMAINS
from rlsf_lightning.prompts.sources.text_to_sql.domains.parts import Domain, Entity, Field, Kind, Label, Number

FEWEST, MOST = 2, 4
#: Of a table, beside its key, its label and its references.
FEWEST_COLUMNS = 2


@dataclass(frozen=True)
class Column:
    """A column under the name that it has here; ``concept`` is the same under every name."""

    table: str
    name: str
    concept: str
    phrase: str
    kind: Kind
    may_be_null: bool = False
    is_unique: bool = False
    is_key: bool = False


@dataclass(frozen=True)
class Reference:
    """A foreign key: ``column`` holds the ``key`` of a row of ``parent``."""

    column: Column
    parent: str


@dataclass(frozen=True)
class Table:
    """``columns``: all but the key, the label and the references."""

    name: str
    concept: str
    #: Its name in the singular and in small letters.
    singular: str
    noun: str
    plural: str
    key: Column
    label: Column | None
    columns: tuple[Column, ...]
    references: tuple[Reference, ...]

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """In the order in which the table has them."""
        own = (self.label,) if self.label is not None else ()
        return (self.key, *own, *self.columns, *(reference.column for reference in self.references))


@dataclass(frozen=True)
class Schema:
    """Parents stand before their children."""

    domain: str
    tables: tuple[Table, ...]

    def table(self, name: str) -> Table:
        """The table of this name."""
        return next(table for table in self.tables if table.name == name)

    def parent(self, reference: Reference) -> Table:
        """The table that it refers to."""
        return self.table(reference.parent)

    def sql(self) -> str:
        """Its CREATE TABLE statements, one a line."""
        return "\n".join(_created(table, self) for table in self.tables)


def drawn(rng: random.Random) -> Schema:
    """A schema of a domain; every table refers to another or is referred to."""
    domain = rng.choice(DOMAINS)
    entities = _chosen(domain, rng)
    is_plural, is_capital = rng.random() < 0.4, rng.random() < 0.25
    has_long_keys = rng.random() < 0.4
    tables: dict[str, Table] = {}
    for entity in entities:
        singular = rng.choice(entity.names.split("|"))
        name = _plural(singular) if is_plural else singular
        name = name.capitalize() if is_capital else name
        parents = [tables[parent] for parent in entity.parents if parent in tables]
        tables[entity.concept] = _table(entity, name, singular, has_long_keys, parents, rng)
    return Schema(domain.name, tuple(tables.values()))


def _chosen(domain: Domain, rng: random.Random) -> Sequence[Entity]:
    """A table with a parent, and then more that are joined to what is there."""
    by_name = {entity.concept: entity for entity in domain.entities}
    child = rng.choice([entity for entity in domain.entities if entity.parents])
    chosen = {child.concept, rng.choice(child.parents)}
    for _ in range(rng.choice([0, 1, 1, 2])):
        near = {parent for name in chosen for parent in by_name[name].parents}
        near |= {entity.concept for entity in domain.entities if chosen.intersection(entity.parents)}
        if near - chosen:
            chosen.add(rng.choice(sorted(near - chosen)))
    return [entity for entity in domain.entities if entity.concept in chosen]


def _table(
    entity: Entity, name: str, singular: str, has_long_key: bool, parents: Sequence[Table], rng: random.Random
) -> Table:
    key_name = f"{singular}_id" if has_long_key else "id"
    key = Column(name, key_name, f"{entity.concept}.id", "id", Number(1, 99), is_unique=True, is_key=True)
    count = rng.randint(FEWEST_COLUMNS, len(entity.fields))
    fields = sorted(rng.sample(entity.fields, count), key=entity.fields.index)
    label = None if entity.label is None else _column(entity, name, entity.label, rng)
    columns = tuple(_column(entity, name, field, rng) for field in fields)
    references = []
    for parent in parents:
        concept = f"{entity.concept}.{parent.concept}_id"
        references.append(Reference(Column(name, f"{parent.singular}_id", concept, "", parent.key.kind), parent.name))
    return Table(name, entity.concept, singular, entity.noun, entity.plural, key, label, columns, tuple(references))


def _column(entity: Entity, table: str, field: Field, rng: random.Random) -> Column:
    names = field.names.split("|")
    concept, is_label = f"{entity.concept}.{names[0]}", isinstance(field.kind, Label)
    return Column(table, rng.choice(names), concept, field.phrase, field.kind, field.may_be_null, is_label)


def _plural(name: str) -> str:
    if name.endswith(("s", "ch", "sh", "x")):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2] not in "aeiou" else f"{name}s"


def _created(table: Table, schema: Schema) -> str:
    lines = [f"{table.key.name} INTEGER PRIMARY KEY"]
    lines += [_declared(column) for column in (table.label, *table.columns) if column is not None]
    for reference in table.references:
        parent = schema.parent(reference)
        lines.append(f"{reference.column.name} INTEGER NOT NULL REFERENCES {parent.name} ({parent.key.name})")
    return f"CREATE TABLE {table.name} ({', '.join(lines)});"


def _declared(column: Column) -> str:
    rules = ("" if column.may_be_null else " NOT NULL") + (" UNIQUE" if column.is_unique else "")
    return f"{column.name} {column.kind.sql}{rules}"
