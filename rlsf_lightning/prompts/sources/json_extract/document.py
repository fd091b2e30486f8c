"""One task: a document of some kind in some layout, a schema of some of its fields, and the object that they make."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rlsf_lightning.prompts.generated import Task
from rlsf_lightning.prompts.sources.json_extract.kinds import KINDS, Field
from rlsf_lightning.prompts.sources.json_extract.layouts import LAYOUTS, Stated
from rlsf_lightning.prompts.sources.json_extract.values import Json

#: How a key is spelled.
Spell = Callable[[str], str]

#: Fields of a schema.
FEWEST, MOST = 3, 15
#: How likely a field of the schema is one that the text does not state.
SILENT = 0.08


def make(rng: random.Random) -> Task:
    """A text and a schema; the schema asks for some of what the text states, and perhaps for what it does not."""
    kind = rng.choice(KINDS)
    count = rng.randint(FEWEST, min(MOST, len(kind.fields)))
    wanted = rng.sample(kind.fields, count)
    others = [field for field in kind.fields if field not in wanted]
    distracting = rng.sample(others, min(len(others), rng.choice([0, 0, 1, 2, 3])))
    silent = [field for field in wanted[FEWEST:] if rng.random() < SILENT]
    drawn = {field: field.draw(rng) for field in (*wanted, *distracting)}
    shown = [field for field in (*wanted, *distracting) if field not in silent]
    if rng.random() < 0.5:
        rng.shuffle(shown)
    else:  # in the order in which such a document has them
        shown.sort(key=kind.fields.index)
    stated = [Stated(field, label, drawn[field]) for field, label in zip(shown, _labels(shown, rng), strict=True)]
    text = rng.choice(LAYOUTS)(kind, stated, rng)
    spell = rng.choice([_snake, _snake, _camel])
    schema, present = _schema({field: drawn[field].schema for field in wanted}, silent, rng)
    answer = {field.key: None if field in silent else drawn[field].json for field in present}
    schema = _renamed_schema(schema, spell)
    return Task(
        f"{text}\n\nSchema: {json.dumps(schema, ensure_ascii=False, separators=(',', ':'))}",
        reference=_dumped(_renamed(answer, spell)),
        key=json.dumps(answer, sort_keys=True),
        facts={"schema": schema},
    )


def _labels(fields: Sequence[Field], rng: random.Random) -> list[str]:
    """A label for each, no two alike."""
    labels = list[str]()
    for field in fields:
        free = [label for label in field.labels.split("|") if label not in labels]
        labels.append(rng.choice(free))
    return labels


def _schema(schemas: Mapping[Field, Json], silent: Sequence[Field], rng: random.Random) -> tuple[Json, Sequence[Field]]:
    """The schema, and the fields that the object has: what is not stated is null where it may be, else left out."""
    properties, required, present = dict[str, Json](), list[str](), list[Field]()
    for field, of in schemas.items():
        may_be_null = "enum" not in of and rng.random() < (0.5 if field in silent else SILENT / 2)
        properties[field.key] = {**of, "type": [of["type"], "null"]} if may_be_null else dict(of)
        if rng.random() < 0.1:
            properties[field.key]["description"] = field.labels.partition("|")[0]
        if may_be_null or field not in silent:
            present.append(field)
            required += [field.key] if may_be_null or rng.random() > SILENT else []
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return schema, present


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _snake(key: str) -> str:
    return key


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _renamed(value: Any, spell: Spell) -> Any:
    """The same with all keys spelled so."""
    if isinstance(value, dict):
        return {spell(key): _renamed(item, spell) for key, item in value.items()}
    return [_renamed(item, spell) for item in value] if isinstance(value, list) else value


def _renamed_schema(schema: Json, spell: Spell) -> Json:
    """The same with all properties spelled so."""
    renamed = dict(schema)
    if "properties" in schema:
        renamed["properties"] = {spell(key): _renamed_schema(of, spell) for key, of in schema["properties"].items()}
        renamed["required"] = [spell(key) for key in schema["required"]]
    if "items" in schema:
        renamed["items"] = _renamed_schema(schema["items"], spell)
    return renamed
