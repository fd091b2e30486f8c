"""Random JSON Schemas of all keywords, and documents that often satisfy them: few names and few values, so that they meet."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import partial
from typing import Any

DRAFTS = {
    6: "http://json-schema.org/draft-06/schema#",
    7: "http://json-schema.org/draft-07/schema#",
    2019: "https://json-schema.org/draft/2019-09/schema",
    2020: "https://json-schema.org/draft/2020-12/schema",
}
#: Keywords that came later.
_SINCE = {
    "if": 7, "dependentRequired": 2019, "dependentSchemas": 2019, "minContains": 2019, "unevaluatedProperties": 2019,
    "unevaluatedItems": 2019, "prefixItems": 2020,
}  # fmt: skip
#: Keywords that speak of a part of the value.
_OF_PARTS = frozenset(
    "object array items prefixItems contains properties patternProperties additionalProperties propertyNames "
    "unevaluatedProperties unevaluatedItems".split()
)
_NAMES = ["a", "b", "ab", "c1", "\u00e9", ""]
_TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]
_NUMBERS = [0, 1, -1, 2, 3, 10, 0.5, 1.0, 2.5, 0.3, 1e2, -0.0, 12345678901234567890, 1e-7, 19.99]
_STRINGS = ["", "a", "ab", "abc", "1", "A1", "a b", "\u00e9", "\U0001f600", "x\ny", "10-20", "\ud7ff"]
_PATTERNS = [
    "^a", "b$", "^[a-z]+$", r"\d", r"^\w*$", "a|b", "^.$", "^(ab?)+$", r"\s", "[^a]", "^.{2,3}$", r"^\D*$", r"\bb", "^$",
    r"[\d-]+-", "(?:a)(?=b)", r"\u0061", "^[^\\n]*$",
]  # fmt: skip


def schema(rng: random.Random) -> Any:
    """One with ``$schema`` and definitions; not one with the two keywords that the verifier refuses together."""
    draft = rng.choice(list(DRAFTS))
    definitions = "$defs" if draft >= 2019 else "definitions"
    while True:
        made = {"$schema": DRAFTS[draft], definitions: {"x": _schema(rng, draft, 2)}, **_object(rng, draft, 0)}
        if not all(keyword in json.dumps(made) for keyword in ("unevaluatedProperties", "patternProperties")):
            return made


def document(rng: random.Random, depth: int = 0) -> Any:
    """Any value."""
    way = rng.randrange(8 if depth < 3 else 5)
    if way >= 6:
        return {rng.choice(_NAMES): document(rng, depth + 1) for _ in range(rng.randint(0, 3))}
    if way == 5:
        return [document(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    return rng.choice([None, True, False, *_NUMBERS]) if way < 3 else rng.choice(_STRINGS)


def fitting(part: Any, rng: random.Random, depth: int = 0) -> Any:
    """A value that has regard to the most obvious keywords of a schema."""
    if not isinstance(part, dict) or rng.random() < 0.15 or depth > 3:
        return document(rng, depth)
    if "const" in part:
        return part["const"]
    if "enum" in part:
        return rng.choice(part["enum"])
    for keyword in ("allOf", "anyOf", "oneOf"):
        if keyword in part and rng.random() < 0.5:
            return fitting(rng.choice(part[keyword]), rng, depth)
    kinds = part.get("type", _TYPES)
    kind = rng.choice(kinds if isinstance(kinds, list) else [kinds])
    if "type" not in part:
        kind = next((k for k, keys in _WORDS_OF.items() if keys & set(part)), kind)
    return _of_kind(kind, part, rng, depth)


def written(value: Any, rng: random.Random) -> str:
    """JSON of it, with white space, escapes and spellings of numbers."""
    text = json.dumps(value, indent=rng.choice([None, None, 1, "\t"]), ensure_ascii=rng.random() < 0.5)
    return rng.choice(["", "", " ", "\n"]) + text + rng.choice(["", "", "\n"])


_WORDS_OF = {
    "object": {"properties", "required", "patternProperties", "additionalProperties", "propertyNames", "minProperties"},
    "array": {"items", "prefixItems", "contains", "uniqueItems", "minItems", "maxItems"},
    "string": {"pattern", "minLength", "maxLength"},
    "number": {"minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"},
}


def _of_kind(kind: str, part: dict[str, Any], rng: random.Random, depth: int) -> Any:
    if kind == "object":
        known = part.get("properties", {})
        names = [*part.get("required", []), *rng.sample(sorted(known), rng.randint(0, len(known)))]
        if rng.random() < 0.4:
            names.append(rng.choice(_NAMES))
        return {name: fitting(known.get(name, True), rng, depth + 1) for name in names}
    if kind == "array":
        first = part.get("prefixItems", part["items"] if isinstance(part.get("items"), list) else [])
        rest = part.get("items", True)
        made = [fitting(item, rng, depth + 1) for item in first[: rng.randint(0, 4)]]
        return made + [fitting(rest, rng, depth + 1) for _ in range(rng.randint(0, 3))]
    if kind == "string":
        return rng.choice(_STRINGS)
    if kind in ("number", "integer"):
        return rng.choice([n for n in _NUMBERS if kind == "number" or n == int(n)])
    return rng.choice([True, False]) if kind == "boolean" else None


def _schema(rng: random.Random, draft: int, depth: int, is_inside: bool = False) -> Any:
    """``is_inside``: it is of a part of the value, so that a reference has an end."""
    if depth > 3 or rng.random() < 0.1 * depth:
        return rng.choice([True, False, {}, {"type": rng.choice(_TYPES)}, {"const": rng.choice(_STRINGS)}])
    if is_inside and rng.random() < 0.12:
        return {"$ref": rng.choice(["#", "#/$defs/x" if draft >= 2019 else "#/definitions/x"])}
    return _object(rng, draft, depth, is_inside)


def _object(rng: random.Random, draft: int, depth: int, is_inside: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for keyword in rng.sample(list(_KEYWORDS), rng.choice([1, 1, 2, 2, 3, 4])):
        if draft >= _SINCE.get(keyword, 6):
            inside = is_inside or keyword in _OF_PARTS
            made.update(_KEYWORDS[keyword](rng, partial(_schema, rng, draft, depth + 1, inside), draft))
    return made


Part = Callable[[], Any]
Maker = Callable[[random.Random, Part, int], dict[str, Any]]


def _few(rng: random.Random, part: Part) -> list[Any]:
    return [part() for _ in range(rng.randint(1, 3))]


def _named(rng: random.Random, part: Part) -> dict[str, Any]:
    return {name: part() for name in rng.sample(_NAMES, rng.randint(1, 3))}


def _items(rng: random.Random, part: Part, draft: int) -> dict[str, Any]:
    if draft < 2020 and rng.random() < 0.5:
        return {"items": _few(rng, part), **({"additionalItems": part()} if rng.random() < 0.5 else {})}
    return {"items": part()}


def _size(low: str, high: str) -> Maker:
    def made(rng: random.Random, part: Part, draft: int) -> dict[str, Any]:
        return {rng.choice([low, high]): rng.randint(0, 3)}

    return made


def _of_number(keyword: str) -> Maker:
    return lambda rng, part, draft: {keyword: rng.choice(_NUMBERS)}


def _condition(rng: random.Random, part: Part, draft: int) -> dict[str, Any]:
    return {"if": part(), rng.choice(["then", "else"]): part()}


def _contains(rng: random.Random, part: Part, draft: int) -> dict[str, Any]:
    bounds = {rng.choice(["minContains", "maxContains"]): rng.randint(0, 2)}
    return {"contains": part(), **(bounds if draft >= 2019 and rng.random() < 0.5 else {})}


_KEYWORDS: dict[str, Maker] = {
    "type": lambda rng, part, draft: {"type": rng.choice([rng.choice(_TYPES), rng.sample(_TYPES, 2)])},
    "object": lambda rng, part, draft: {"type": "object", "properties": _named(rng, part)},
    "array": lambda rng, part, draft: {"type": "array", **_items(rng, part, draft)},
    "enum": lambda rng, part, draft: {"enum": rng.sample([*_STRINGS, 0, 1.0, None, True, [], {}, [1], {"a": 1}], 3)},
    "const": lambda rng, part, draft: {"const": rng.choice([*_STRINGS, *_NUMBERS, None, True, [1, 2], {"a": 1.0}])},
    "minimum": _of_number("minimum"),
    "maximum": _of_number("maximum"),
    "exclusiveMinimum": _of_number("exclusiveMinimum"),
    "exclusiveMaximum": _of_number("exclusiveMaximum"),
    "multipleOf": lambda rng, part, draft: {"multipleOf": rng.choice([1, 2, 3, 0.1, 0.5, 0.01, 1e-7, 1e2])},
    "length": _size("minLength", "maxLength"),
    "count": _size("minItems", "maxItems"),
    "properties count": _size("minProperties", "maxProperties"),
    "pattern": lambda rng, part, draft: {"pattern": rng.choice(_PATTERNS)},
    "items": _items,
    "prefixItems": lambda rng, part, draft: {"prefixItems": _few(rng, part)},
    "contains": _contains,
    "uniqueItems": lambda rng, part, draft: {"uniqueItems": True},
    "properties": lambda rng, part, draft: {"properties": _named(rng, part)},
    "patternProperties": lambda rng, part, draft: {"patternProperties": {rng.choice(_PATTERNS): part()}},
    "additionalProperties": lambda rng, part, draft: {"additionalProperties": part()},
    "required": lambda rng, part, draft: {"required": rng.sample(_NAMES, rng.randint(1, 2))},
    "propertyNames": lambda rng, part, draft: {"propertyNames": part()},
    "dependentRequired": lambda rng, part, draft: {"dependentRequired": {rng.choice(_NAMES): [rng.choice(_NAMES)]}},
    "dependentSchemas": lambda rng, part, draft: {"dependentSchemas": {rng.choice(_NAMES): part()}},
    "dependencies": lambda rng, part, draft: (
        {"dependencies": {rng.choice(_NAMES): rng.choice([[rng.choice(_NAMES)], part()])}} if draft < 2019 else {}
    ),
    "if": _condition,
    "allOf": lambda rng, part, draft: {"allOf": _few(rng, part)},
    "anyOf": lambda rng, part, draft: {"anyOf": _few(rng, part)},
    "oneOf": lambda rng, part, draft: {"oneOf": _few(rng, part)},
    "not": lambda rng, part, draft: {"not": part()},
    "unevaluatedProperties": lambda rng, part, draft: {"unevaluatedProperties": part()},
    "unevaluatedItems": lambda rng, part, draft: {"unevaluatedItems": part()},
}
