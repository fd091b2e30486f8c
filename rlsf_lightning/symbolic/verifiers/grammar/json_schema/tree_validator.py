"""Three-valued validation of trees that may be unfinished: broken for good, satisfied for good, or undecided.

``False`` means that no way to go on from here satisfies the schema, ``True`` that every way does. On a finished tree the
answer is definite, but for what is not covered (anchors, references to other documents, dynamic references, unevaluated
properties and items), where it is ``None``. ``format`` is not asserted. Drafts 6 to 2020-12; written without
``jsonschema``, so that either can check the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.schema import Schema
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.values import canonical, is_multiple, pattern
from rlsf_lightning.symbolic.verifiers.grammar.parse.document import Node
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel

_TYPES = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    type(None): "null",
    int: "number",
    float: "number",
}
_MAX_HOPS = 50
_NOT_COVERED = frozenset(("$dynamicRef", "$recursiveRef", "unevaluatedProperties", "unevaluatedItems"))
Truth = bool | None


class Validation(NamedTuple):
    truth: Truth
    #: Every (start of a node, family of keywords) that was found broken, in whatever branch.
    broken: set[tuple[int, str]]


def validate(schemas: Iterable[Schema], root: Node, fuel: Fuel, open_end: int | None = None) -> Validation:
    """Whether the tree satisfies all of the schemas. Raises ToolFailed.

    Args:
        open_end: where the text ends if it may go on; a number that ends there is not over.
    """
    validators = [_TreeValidator(schema, fuel, open_end) for schema in schemas]
    try:
        truth = _all([validator.validate(validator.schema.schema, root) for validator in validators])
    except RecursionError:
        raise ToolFailed("the schema's references nest too deep") from None
    return Validation(truth, set().union(*(validator.broken for validator in validators)))


class _TreeValidator:
    def __init__(self, schema: Schema, fuel: Fuel, open_end: int | None) -> None:
        self.schema, self.fuel, self.open_end = schema, fuel, open_end
        self.broken: set[tuple[int, str]] = set()

    def validate(self, schema: Any, node: Node, hops: int = 0) -> Truth:
        """Whether the node satisfies a part of the schema."""
        self.fuel.burn(30)
        if isinstance(schema, bool) or not isinstance(schema, dict):
            if schema is False:
                self.broken.add((node.start, "nothing"))
            return schema is not False
        if hops > _MAX_HOPS:
            return None
        alone = self.schema.refs_alone and "$ref" in schema
        truths: list[Truth] = []
        for family, (keywords, check) in FAMILIES.items():
            if not keywords.isdisjoint(schema) and (family == "ref" or not alone):
                truth = check(self, schema, node, hops)
                if truth is False:
                    self.broken.add((node.start, family))
                truths.append(truth)
        if not alone and not _NOT_COVERED.isdisjoint(schema):
            truths.append(None)
        return _all(truths)

    def is_over(self, node: Node) -> bool:
        """Whether the node's value is certain. A literal's is from its first letter on."""
        if node.kind == "literal":
            return True
        return node.end is not None and not (node.kind == "number" and node.end == self.open_end)

    def resolve(self, reference: str) -> Any:
        """The subschema that a local reference names; True with nothing to say (None) for others."""
        if not reference.startswith("#") or (len(reference) > 1 and not reference.startswith("#/")):
            return None
        found = self.schema.schema
        for part in reference[2:].split("/") if len(reference) > 1 else []:
            key = part.replace("~1", "/").replace("~0", "~").replace("%25", "%").replace("%22", '"')
            if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            elif isinstance(found, dict) and key in found:
                found = found[key]
            else:
                return None
        return found

    # One method for a keyword or a family of them. A node of another type satisfies what is not about it.

    def ref(self, schema: dict[str, Any], node: Node, hops: int) -> Truth:
        self.fuel.burn(20)
        target = self.resolve(schema["$ref"])
        return None if target is None or self.schema.has_ids else self.validate(target, node, hops + 1)

    def type(self, schema: dict[str, Any], node: Node, hops: int) -> Truth:
        wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        kind = _TYPES[type(node.value)] if node.kind == "literal" else node.kind
        if kind in wanted:
            return True
        if kind != "number" or "integer" not in wanted:
            return False
        if not self.is_over(node):
            return None
        return isinstance(node.value, int) or node.value.is_integer()

    def enum(self, schema: dict[str, Any], node: Node, hops: int) -> Truth:
        return _all([self._is_one_of(node, values) for values in _choices(schema)])

    def number(self, schema: dict[str, Any], node: Node, hops: int) -> Truth:
        if node.kind != "number":
            return True
        if not self.is_over(node):
            return None
        value, step = node.value, schema.get("multipleOf")
        return (
            schema.get("minimum", value) <= value <= schema.get("maximum", value)
            and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
            and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
            and (step is None or is_multiple(value, step))
        )

    def string(self, schema: dict[str, Any], node: Node, hops: int) -> Truth:
        if node.kind != "string":
            return True
        value, over = node.value, self.is_over(node)
        truths: list[Truth] = []
        if "maxLength" in schema and (len(value) > schema["maxLength"] or over):
            truths.append(len(value) <= schema["maxLength"])
        if "minLength" in schema and (over or len(value) >= schema["minLength"]):
            truths.append(len(value) >= schema["minLength"])
        if "pattern" in schema:
            regex = pattern(schema["pattern"])
            truths.append(regex.finds(value, self.fuel) if over else regex.may_find(value, self.fuel) and None)
        return _all(truths) if over or False in truths else None

    def array(self, schema: dict[str, Any], node: Node, hops: int) -> Truth:
        """prefixItems, items, additionalItems, contains, uniqueItems and the number of items."""
        if node.kind != "array":
            return True
        items = [item for _, item in node.children if item is not None]
        over = self.is_over(node)
        truths: list[Truth] = [self.validate(part, item, hops) for part, item in _paired(schema, items)]
        truths.append(len(items) <= schema.get("maxItems", len(items)))
        if over:
            truths.append(len(items) >= schema.get("minItems", 0))
        if schema.get("uniqueItems"):
            whole = [canonical(item.value) for item in items if self.is_over(item)]
            truths.append(len(set(whole)) == len(whole))
        if "contains" in schema:
            truths.append(self._contains(schema, items, over, hops))
        return _all(truths) if over or False in truths else None

    def object(self, schema: dict[str, Any], node: Node, hops: int) -> Truth:
        """Properties of all kinds, their names and number, what is required."""
        if node.kind != "object":
            return True
        over = self.is_over(node)
        pairs = [(key, child) for key, child in node.children if key is not None]
        names = [key.value for key, _ in pairs if key.end is not None]
        truths: list[Truth] = [self._property(schema, key, child, hops) for key, child in pairs]
        truths.append(len(pairs) <= schema.get("maxProperties", len(pairs)))
        if over:
            needed = list(schema["required"]) if isinstance(schema.get("required"), list) else []
            truths.append(len(names) >= schema.get("minProperties", 0))
            truths += [name in names for name in needed + _dependent(schema, names)]
        for keyword in ("dependentSchemas", "dependencies"):
            parts = schema.get(keyword, {})
            truths += [
                self.validate(parts[n], node, hops + 1) for n in names if n in parts and not isinstance(parts[n], list)
            ]
        return _all(truths) if over or False in truths else None

    def all_of(self, schema: dict[str, Any], node: Node, hops: int) -> Truth:
        return _all([self.validate(part, node, hops + 1) for part in schema["allOf"]])

    def any_of(self, schema: dict[str, Any], node: Node, hops: int) -> Truth:
        return _any([self.validate(part, node, hops + 1) for part in schema["anyOf"]])

    def one_of(self, schema: dict[str, Any], node: Node, hops: int) -> Truth:
        truths = [self.validate(part, node, hops + 1) for part in schema["oneOf"]]
        sure = truths.count(True)
        if sure > 1 or truths.count(False) == len(truths):
            return False
        return True if sure == 1 and None not in truths else None

    def not_(self, schema: dict[str, Any], node: Node, hops: int) -> Truth:
        truth = self.validate(schema["not"], node, hops + 1)
        return None if truth is None else not truth

    def if_(self, schema: dict[str, Any], node: Node, hops: int) -> Truth:
        condition = self.validate(schema["if"], node, hops + 1)
        branches = [self.validate(schema.get(name, True), node, hops + 1) for name in ("then", "else")]
        if condition is not None:
            return branches[0 if condition else 1]
        return branches[0] if branches[0] == branches[1] else None

    def _contains(self, schema: dict[str, Any], items: list[Node], over: bool, hops: int) -> Truth:
        truths = [self.validate(schema["contains"], item, hops + 1) for item in items]
        least, most = schema.get("minContains", 1), schema.get("maxContains", len(items))
        if truths.count(True) > most or (over and len(truths) - truths.count(False) < least):
            return False
        return None if not over or None in truths else True

    def _property(self, schema: dict[str, Any], key: Node, child: Node | None, hops: int) -> Truth:
        """What is said of one property's name and value."""
        properties, extra = schema.get("properties", {}), schema.get("additionalProperties", True)
        patterns = schema.get("patternProperties", {})
        truths: list[Truth] = []
        if "propertyNames" in schema:
            truths.append(self.validate(schema["propertyNames"], key, hops + 1))
        if key.end is None:
            may_fit = any(name.startswith(key.value) for name in properties)
            may_fit = may_fit or any(pattern(p).may_find(key.value, self.fuel) for p in patterns)
            return False if extra is False and not may_fit else _all([*truths, None])
        parts = [properties[key.value]] if key.value in properties else []
        parts += [part for p, part in patterns.items() if pattern(p).finds(key.value, self.fuel)]
        if not parts and extra is False:
            self.broken.add((key.start, "object"))
            return False
        for part in parts or [extra]:
            truths.append(None if child is None else self.validate(part, child, hops))
        return _all(truths)

    def _is_one_of(self, node: Node, values: list[Any]) -> Truth:
        if not self.is_over(node):
            return _any([self._may_be(node, value) for value in values])
        return canonical(node.value) in map(canonical, values)

    def _may_be(self, node: Node, value: Any) -> Truth:
        """Whether an unfinished node may become this value."""
        if node.kind != _TYPES[type(value)]:
            return False
        return False if node.kind == "string" and not value.startswith(node.value) else None


def _paired(schema: dict[str, Any], items: list[Node]) -> Iterable[tuple[Any, Node]]:
    """Each item with the schema for its place."""
    rest = schema.get("items", True)
    first = schema.get("prefixItems", [])
    if isinstance(rest, list):
        first, rest = rest, schema.get("additionalItems", True)
    for index, item in enumerate(items):
        yield (first[index] if index < len(first) else rest), item


def _dependent(schema: dict[str, Any], names: list[str]) -> list[str]:
    needed: list[str] = []
    for keyword in ("dependentRequired", "dependencies"):
        for name, others in schema.get(keyword, {}).items():
            needed += others if name in names and isinstance(others, list) else []
    return needed


def _all(truths: Iterable[Truth]) -> Truth:
    values = list(truths)
    return False if False in values else None if None in values else True


def _any(truths: Iterable[Truth]) -> Truth:
    values = list(truths)
    return True if True in values else None if None in values else False


def _choices(schema: dict[str, Any]) -> list[list[Any]]:
    return [*([schema["enum"]] if "enum" in schema else []), *([[schema["const"]]] if "const" in schema else [])]


_Check = Callable[[_TreeValidator, dict[str, Any], Node, int], Truth]
#: Families of keywords, and what checks them.
FAMILIES: dict[str, tuple[frozenset[str], _Check]] = {
    "ref": (frozenset(("$ref",)), _TreeValidator.ref),
    "type": (frozenset(("type",)), _TreeValidator.type),
    "value": (frozenset(("enum", "const")), _TreeValidator.enum),
    "number": (
        frozenset("minimum maximum exclusiveMinimum exclusiveMaximum multipleOf".split()),
        _TreeValidator.number,
    ),
    "string": (frozenset(("minLength", "maxLength", "pattern")), _TreeValidator.string),
    "array": (
        frozenset("items prefixItems additionalItems contains minItems maxItems uniqueItems".split()),
        _TreeValidator.array,
    ),
    "object": (
        frozenset(
            "properties patternProperties additionalProperties propertyNames required minProperties maxProperties "
            "dependentRequired dependentSchemas dependencies".split()
        ),
        _TreeValidator.object,
    ),
    "allOf": (frozenset(("allOf",)), _TreeValidator.all_of),
    "anyOf": (frozenset(("anyOf",)), _TreeValidator.any_of),
    "oneOf": (frozenset(("oneOf",)), _TreeValidator.one_of),
    "not": (frozenset(("not",)), _TreeValidator.not_),
    "if": (frozenset(("if",)), _TreeValidator.if_),
}
