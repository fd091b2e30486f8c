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

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_REF_COST = 500
#: A lookup nests fewer calls.
_CALLS_OF_A_LOOKUP = 50


def checking(draft: Any, fuel: Fuel) -> Any:
    """The class of validators of a draft of ``jsonschema`` with the keywords of this file."""
    import attrs
    import jsonschema

    classes: dict[Any, Any] = {}

    def class_of(wanted: Any) -> Any:
        if wanted not in classes:
            classes[wanted] = jsonschema.validators.extend(wanted, _replaced_keywords(wanted, fuel))
            classes[wanted].evolve = evolve
        return classes[wanted]

    def evolve(validator: Any, **changes: Any) -> Any:
        """For a part of the schema. Of a part that names a draft, ``jsonschema`` would take its own class."""
        plain = next(plain for plain, own in classes.items() if own is type(validator))
        named = jsonschema.validators.validator_for(changes.get("schema", validator.schema), default=plain)
        kept = {field.alias: getattr(validator, field.name) for field in attrs.fields(type(validator)) if field.init}
        return class_of(named)(**{**kept, **changes})

    return class_of(draft)


def _replaced_keywords(draft: Any, fuel: Fuel) -> dict[str, Any]:
    """The keywords for a validator of this draft; each takes (validator, what the keyword says, value, schema)."""
    own = _Keywords(draft, fuel)
    references = {keyword: own.reference(keyword) for keyword in _REFERENCES if keyword in draft.VALIDATORS}
    return {
        **references,
        "pattern": own.pattern,
        "patternProperties": own.pattern_properties,
        "additionalProperties": own.additional_properties,
        "propertyNames": own.property_names,
        "multipleOf": own.multiple_of,
        "uniqueItems": own.unique_items,
        "maxItems": own.max_items,
    }


class _Keywords:
    def __init__(self, draft: Any, fuel: Fuel) -> None:
        from jsonschema import ValidationError

        self.draft, self.fuel, self.error = draft, fuel, ValidationError

    def pattern(self, validator: Any, text: str, value: Any, schema: Any) -> Iterator[Any]:
        if isinstance(value, str) and not pattern(text).finds(value, self.fuel):
            yield self.error(f"{json.dumps(value)} does not match {text}")

    def pattern_properties(self, validator: Any, patterns: Any, value: Any, schema: Any) -> Iterator[Any]:
        for text, part in patterns.items() if isinstance(value, dict) else ():
            for name in value:
                if pattern(text).finds(name, self.fuel):
                    yield from validator.descend(value[name], part, path=name, schema_path=text)

    def additional_properties(self, validator: Any, extra: Any, value: Any, schema: Any) -> Iterator[Any]:
        patterns, known = schema.get("patternProperties", {}), schema.get("properties", {})
        for name in value if isinstance(value, dict) else ():
            if name not in known and not any(pattern(text).finds(name, self.fuel) for text in patterns):
                if extra is False:
                    yield self.error(f"there is no property {json.dumps(name)}", path=[name])
                else:
                    yield from validator.descend(value[name], extra, path=name)

    def property_names(self, validator: Any, names: Any, value: Any, schema: Any) -> Iterator[Any]:
        for name in value if isinstance(value, dict) else ():
            for error in validator.descend(name, names):
                yield self.error(f"the property's name: {error.message}", path=[name])

    def multiple_of(self, validator: Any, step: Any, value: Any, schema: Any) -> Iterator[Any]:
        if isinstance(value, int | float) and not isinstance(value, bool) and not is_multiple(value, step):
            yield self.error(f"{value} is not a multiple of {step}")

    def unique_items(self, validator: Any, unique: Any, value: Any, schema: Any) -> Iterator[Any]:
        seen: set[str] = set()
        texts = [canonical(item) for item in value] if unique and isinstance(value, list) else []
        again = tuple(i for i, text in enumerate(texts) if text in seen or seen.add(text))  # type: ignore[func-returns-value]
        if again:
            yield self._of_items("an item is not the only one of its value", again)

    def max_items(self, validator: Any, most: int, value: Any, schema: Any) -> Iterator[Any]:
        if isinstance(value, list) and len(value) > most:
            yield self._of_items(f"{len(value)} items, {most} at most", tuple(range(int(most), len(value))))

    def reference(self, keyword: str) -> Any:
        """``$ref`` or another keyword that refers, of this draft."""
        followed = self.draft.VALIDATORS[keyword]

        def checked(validator: Any, reference: Any, value: Any, schema: Any) -> Iterator[Any]:
            self.fuel.burn(_REF_COST)
            _make_sure_of_room(_CALLS_OF_A_LOOKUP)
            yield from followed(validator, reference, value, schema)

        return checked

    def _of_items(self, message: str, items: tuple[int, ...]) -> Any:
        """An error that names the items that are too many."""
        error: Any = self.error(message)
        error.items = items
        return error


def _make_sure_of_room(calls: int) -> None:
    """Raise RecursionError unless so many calls can nest here. Through ``map``, so that calls of native code count as well.

    Where the stack ends inside a lookup, ``referencing``'s native part panics, which is no Exception and ends the process.
    """
    if calls:
        next(map(_make_sure_of_room, (calls - 1,)))
