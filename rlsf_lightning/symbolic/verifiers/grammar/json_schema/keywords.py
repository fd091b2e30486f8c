"""Keywords of JSON Schema implemented here instead of by ``jsonschema``, so that no document makes it hang.

Patterns are matched without backtracking, multiples are exact, unique items take linear time, every superfluous property is
reported for itself, and references burn fuel.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rlsf_lightning.symbolic.verifiers.grammar.json_schema.values import canonical, is_multiple, pattern
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel

_REF_COST = 500


def replaced_keywords(draft: Any, fuel: Fuel) -> dict[str, Any]:
    """The keywords that are checked here instead."""
    from jsonschema import ValidationError

    def of_pattern(validator: Any, text: str, value: Any, schema: Any) -> Iterator[Any]:
        if isinstance(value, str) and not pattern(text).finds(value, fuel):
            yield ValidationError(f"{json.dumps(value)} does not match {text}")

    def of_patterns(validator: Any, patterns: Any, value: Any, schema: Any) -> Iterator[Any]:
        for text, part in patterns.items() if isinstance(value, dict) else ():
            for name in value:
                if pattern(text).finds(name, fuel):
                    yield from validator.descend(value[name], part, path=name, schema_path=text)

    def of_extra(validator: Any, extra: Any, value: Any, schema: Any) -> Iterator[Any]:
        patterns, known = schema.get("patternProperties", {}), schema.get("properties", {})
        for name in value if isinstance(value, dict) else ():
            if name not in known and not any(pattern(text).finds(name, fuel) for text in patterns):
                if extra is False:
                    yield ValidationError(f"there is no property {json.dumps(name)}", path=[name])
                else:
                    yield from validator.descend(value[name], extra, path=name)

    def of_names(validator: Any, names: Any, value: Any, schema: Any) -> Iterator[Any]:
        for name in value if isinstance(value, dict) else ():
            for error in validator.descend(name, names):
                yield ValidationError(f"the property's name: {error.message}", path=[name])

    def of_multiple(validator: Any, step: Any, value: Any, schema: Any) -> Iterator[Any]:
        if isinstance(value, int | float) and not isinstance(value, bool) and not is_multiple(value, step):
            yield ValidationError(f"{value} is not a multiple of {step}")

    def of_unique(validator: Any, unique: Any, value: Any, schema: Any) -> Iterator[Any]:
        seen: set[str] = set()
        texts = [canonical(item) for item in value] if unique and isinstance(value, list) else []
        again = tuple(i for i, text in enumerate(texts) if text in seen or seen.add(text))  # type: ignore[func-returns-value]
        if again:
            yield _of_items("an item is not the only one of its value", again)

    def of_most(validator: Any, most: int, value: Any, schema: Any) -> Iterator[Any]:
        if isinstance(value, list) and len(value) > most:
            yield _of_items(f"{len(value)} items, {most} at most", tuple(range(int(most), len(value))))

    def of_ref(validator: Any, reference: str, value: Any, schema: Any) -> Iterator[Any]:
        fuel.burn(_REF_COST)
        yield from draft.VALIDATORS["$ref"](validator, reference, value, schema)

    def _of_items(message: str, items: tuple[int, ...]) -> Any:
        error: Any = ValidationError(message)
        error.items = items
        return error

    return {
        "pattern": of_pattern,
        "patternProperties": of_patterns,
        "additionalProperties": of_extra,
        "propertyNames": of_names,
        "multipleOf": of_multiple,
        "uniqueItems": of_unique,
        "maxItems": of_most,
        "$ref": of_ref,
    }
