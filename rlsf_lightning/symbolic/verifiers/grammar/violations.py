"""What a JSON document breaks of its JSON Schema, by ``jsonschema``, and where that stands in the text.

``jsonschema`` reports paths; the tree of the own reader has the places. Some of its keywords are replaced: patterns are
matched without backtracking, multiples are exact, unique items take linear time, every superfluous property is reported
for itself, and references burn fuel, so that no document makes it hang. Nothing is ever fetched for a reference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.grammar.json import Node
from rlsf_lightning.symbolic.verifiers.grammar.regex import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.schema import canonical, is_multiple, pattern

_KINDS = {
    "wrong_type": "type",
    "wrong_value": "enum const",
    "wrong_number": "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf",
    "wrong_string": "minLength maxLength pattern",
    "missing_property": "required dependentRequired dependencies minProperties",
    "extra_property": "additionalProperties unevaluatedProperties maxProperties propertyNames",
    "missing_item": "minItems contains",
    "extra_item": "maxItems additionalItems items unevaluatedItems uniqueItems",
    "excluded": "anyOf oneOf not false",
}
#: Keyword of a schema -> kind of finding.
KIND_OF = {keyword: kind for kind, keywords in _KINDS.items() for keyword in keywords.split()}
#: Keywords whose values hold schemas: by name, in a list, or one.
_OF_NAMES = frozenset("properties patternProperties $defs definitions dependentSchemas dependencies".split())
_OF_LISTS = frozenset("allOf anyOf oneOf prefixItems items".split())
_OF_ONE = frozenset("if then else not contains propertyNames".split())
_AT_CLOSING = frozenset(("missing_property", "missing_item"))
_REF_COST = 500
_SHOWN = 160


class Violation(NamedTuple):
    """``path``: the keys and indices that lead to the value that is broken; ``keyword``: what it breaks."""

    path: tuple[str | int, ...]
    keyword: str
    message: str
    #: Of an array, the items that are too many.
    items: tuple[int, ...] = ()


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
            draft.check_schema(schema)
        except jsonschema.SchemaError as error:
            raise UserError(f"schema: not a JSON Schema: {error.message[:_SHOWN]} at {error.json_path}") from None
        _check_patterns(schema)
        self.schema = _without_false(schema)
        self.refs_alone = draft in drafts[:2]
        self._draft = draft

    def violations(self, value: Any, fuel: Fuel) -> Iterator[Violation]:
        """All of them, with the ones of a branch where no branch of an ``anyOf`` or ``oneOf`` fits."""
        import jsonschema
        from jsonschema_specifications import REGISTRY
        from referencing.exceptions import Unresolvable

        checked = jsonschema.validators.extend(self._draft, _replaced(self._draft, fuel))
        try:
            for error in checked(self.schema, registry=REGISTRY).iter_errors(value):
                yield from _leaves(error)
        except Unresolvable as error:
            raise UserError(f"schema: the reference {error.ref!r} cannot be resolved; nothing is fetched") from None


def findings(violations: list[Violation], root: Node) -> list[Finding]:
    """The violations at their places, in the same order."""
    found = []
    for violation in violations:
        kind = KIND_OF.get(violation.keyword, "excluded")
        spans = _spans(violation, kind, root)
        message = f"at {_shown_path(violation.path)}: {violation.message}"
        found.append(Finding(kind, message[:_SHOWN], tuple(Span(start, end) for start, end in spans)))
    return found


def node_at(root: Node, path: tuple[str | int, ...]) -> tuple[Node | None, Node]:
    """(the key, the value) that a path leads to."""
    key, node = None, root
    for part in path:
        if node.kind == "array":
            child = node.children[int(part)]
        else:
            child = next(pair for pair in node.children if pair[0] is not None and pair[0].value == part)
        assert child[1] is not None
        key, node = child[0], child[1]
    return key, node


def _spans(violation: Violation, kind: str, root: Node) -> list[tuple[int, int]]:
    key, node = node_at(root, violation.path)
    assert node.end is not None
    if violation.items:
        items = [node.children[i][1] for i in violation.items]
        return [(item.start, item.end) for item in items if item is not None and item.end is not None]
    if kind in _AT_CLOSING:  # what is missing was left out when the bracket was closed
        return [(node.end - 1, node.end)]
    if kind == "extra_property" and key is not None and key.end is not None:
        return [(key.start, key.end)]
    return [(node.start, node.end)]


def _leaves(error: Any) -> Iterator[Violation]:
    """The errors of the branch that comes nearest, where an error has branches."""
    if error.context and error.validator in ("anyOf", "oneOf"):
        branches: dict[Any, list[Any]] = {}
        for inner in error.context:  # a branch that is false has no path of its own
            branches.setdefault(inner.schema_path[0] if inner.schema_path else None, []).append(inner)
        best = min(branches.values(), key=lambda errors: (-max(len(e.path) for e in errors), len(errors)))
        same = [e for errors in branches.values() for e in errors if not e.path]
        if not (all(not e.path for e in best) and len(same) == len(error.context)):
            for inner in best:
                yield from _leaves(inner)
            return
    path, keyword = tuple(error.absolute_path), error.validator or "false"
    message = error.message if len(error.message) < _SHOWN else f"{keyword} does not hold"
    if keyword == "not" and error.validator_value == {}:
        message = "nothing can stand here"
    items = getattr(error, "items", ())
    if keyword in ("items", "additionalItems") and error.validator_value is False:
        first = error.schema.get("prefixItems", error.schema["items"])
        items = tuple(range(len(first) if isinstance(first, list) else 0, len(error.instance)))
    yield Violation(path, keyword, message, items)


def _replaced(draft: Any, fuel: Fuel) -> dict[str, Any]:
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
                    raise UserError(f'schema: "pattern": {json.dumps(text[:_SHOWN])}: {error}') from None
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


def _shown_path(path: tuple[str | int, ...]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{ascii(part)[1:-1][:40]}" for part in path)


def _package() -> Any:
    try:
        import jsonschema
    except ModuleNotFoundError:
        raise UserError('JSON Schema needs jsonschema: pip install "rlsf-lightning[grammar]"') from None
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
        raise UserError(f'the fact `schema` is {written[:_SHOWN]}, expected a JSON Schema: {{"type": "object"}}')
    return Schema(schema)
