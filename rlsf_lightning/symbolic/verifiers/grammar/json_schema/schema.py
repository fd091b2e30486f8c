"""A JSON Schema: its draft, its patterns, and the violations of a value by ``jsonschema``.

Nothing is ever fetched for a reference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from rlsf_lightning.errors import ToolFailed, UserError, install_hint
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.keywords import checking
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.values import pattern
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.violations import SHOWN, Violation, violations_of
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel

#: Keywords whose values hold schemas: by name, in a list, or one.
_OF_NAMES = frozenset("properties patternProperties $defs definitions dependentSchemas dependencies".split())
_OF_LISTS = frozenset("allOf anyOf oneOf prefixItems items".split())
_OF_ONE = frozenset("if then else not contains propertyNames".split())


class Schema:
    """One schema. Raises UserError if it is none, or has a part that is not covered."""

    def __init__(self, schema: Any) -> None:
        jsonschema = _package()
        default = jsonschema.Draft202012Validator
        drafts = (jsonschema.Draft6Validator, jsonschema.Draft7Validator, jsonschema.Draft201909Validator, default)
        draft = jsonschema.validators.validator_for(schema, default=default)
        if draft not in drafts:
            raise UserError(f'schema: "$schema": "{schema["$schema"]}" is not covered; drafts 6 to 2020-12 are')
        try:
            draft.check_schema(schema, format_checker=jsonschema.FormatChecker(formats=()))  # patterns are ECMA's
        except jsonschema.SchemaError as error:
            raise UserError(f"schema: not a JSON Schema: {error.message[:SHOWN]} at {error.json_path}") from None
        _check_patterns(schema)
        self.schema = _without_false(schema)
        #: Whether a reference hides what stands beside it.
        self.refs_alone = draft in drafts[:2]
        #: Whether a part has an identifier of its own, which changes what references mean.
        self.has_ids = _has_ids(self.schema)
        self._draft = draft

    def violations(self, value: Any, fuel: Fuel) -> Iterator[Violation]:
        """All of them, with the ones of a branch where no branch of an ``anyOf`` or ``oneOf`` fits. Raises ToolFailed."""
        from jsonschema_specifications import REGISTRY
        from referencing.exceptions import Unresolvable

        try:
            for error in checking(self._draft, fuel)(self.schema, registry=REGISTRY).iter_errors(value):
                yield from violations_of(error)
        except Unresolvable as error:
            raise UserError(f"schema: the reference {error.ref!r} cannot be resolved; nothing is fetched") from None
        except RecursionError:
            raise ToolFailed("the schema's references nest too deep") from None


def _check_patterns(schema: Any) -> None:
    """Raise UserError for patterns that are not covered."""
    parts = [schema]
    unevaluated = named = False
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            texts = list(part["patternProperties"]) if isinstance(part.get("patternProperties"), dict) else []
            named, unevaluated = named or bool(texts), unevaluated or "unevaluatedProperties" in part
            for text in [*texts, *([part["pattern"]] if isinstance(part.get("pattern"), str) else [])]:
                try:
                    pattern(text)
                except ValueError as error:
                    raise UserError(f'schema: "pattern": {json.dumps(text[:SHOWN])}: {error}') from None
        if isinstance(part, dict | list):
            parts += part.values() if isinstance(part, dict) else part
    if unevaluated and named:
        raise UserError(
            "schema: patternProperties together with unevaluatedProperties is not covered; "
            'write "additionalProperties": false'
        )


def _without_false(schema: Any) -> Any:
    """The same with ``{"not": {}}`` for parts that are false: of those, ``jsonschema`` does not report the path."""
    if not isinstance(schema, dict):
        return schema

    def replaced(part: Any) -> Any:
        return {"not": {}} if part is False else _without_false(part)

    changed = dict(schema)
    for keyword, part in schema.items():
        if keyword in _OF_NAMES and isinstance(part, dict):
            changed[keyword] = {name: replaced(inner) for name, inner in part.items()}
        elif keyword in _OF_LISTS and isinstance(part, list):
            changed[keyword] = [replaced(inner) for inner in part]
        elif keyword in _OF_ONE:
            changed[keyword] = replaced(part)
        elif keyword in ("additionalProperties", "items", "additionalItems"):
            changed[keyword] = _without_false(part)
    return changed


def _package() -> Any:
    try:
        import jsonschema
    except ModuleNotFoundError:
        raise UserError(f"JSON Schema needs jsonschema: {install_hint('grammar')}") from None
    return jsonschema


@lru_cache(maxsize=64)
def schema_of(written: str) -> Schema:
    """The schema of this JSON text. Raises UserError as ``Schema`` does, and for what is no JSON."""
    try:
        schema = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f'the fact `schema` is no JSON ({error}), expected a JSON Schema: {{"type": "object"}}'
        ) from None
    if not isinstance(schema, dict | bool):
        raise UserError(f'the fact `schema` is {written[:SHOWN]}, expected a JSON Schema: {{"type": "object"}}')
    try:
        return Schema(schema)
    except RecursionError:
        raise UserError("the fact `schema` is nested too deep") from None


def _has_ids(schema: Any) -> bool:
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    return any((isinstance(p, dict) and isinstance(p.get("$id", p.get("id")), str)) or _has_ids(p) for p in parts)
