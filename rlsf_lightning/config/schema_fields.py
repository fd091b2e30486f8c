"""The dotted keys of a configuration dataclass: their types and ``#:`` descriptions.

It knows nothing of recipes or files, and reads no values but those it is handed to print. No torch.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from types import MappingProxyType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml
from omegaconf import DictConfig, OmegaConf

_TYPE_WORDS: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any"}
_CONTAINER_WORDS: dict[Any, str] = {dict: "mapping", list: "list"}


@dataclass(frozen=True)
class Key:
    """One dotted key of a schema."""

    name: str
    hint: Any
    doc: str
    #: What its field says of its values: ``bounds`` of a number, the ``kind`` of extension point of a name.
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def is_section(self) -> bool:
        """Whether it holds further keys of the schema, not a value."""
        return is_dataclass(self.hint)

    @property
    def core(self) -> Any:
        """Its type without ``None`` and without the types of its elements: ``dict[str, Any] | None`` is ``dict``."""
        if self.choices:
            return str
        return get_origin(self._without_none) or self._without_none

    @property
    def choices(self) -> tuple[str, ...]:
        """The texts that it may hold, where these are listed."""
        return get_args(self._without_none) if get_origin(self._without_none) is Literal else ()

    @property
    def _without_none(self) -> Any:
        is_union = get_origin(self.hint) in (Union, UnionType)
        return next(arg for arg in get_args(self.hint) if arg is not type(None)) if is_union else self.hint

    @property
    def is_optional(self) -> bool:
        return type(None) in get_args(self.hint) or self.hint is Any

    @property
    def type_words(self) -> str:
        """Its type in words: ``whole number``, ``text or null``, ``nf4 or none`` ..."""
        words = " or ".join(self.choices) or _TYPE_WORDS.get(self.core) or _CONTAINER_WORDS.get(self.core, "section")
        return f"{words} or null" if type(None) in get_args(self.hint) else words


@cache
def keys_of(schema: type, prefix: str = "") -> Mapping[str, Key]:
    """Every dotted key of a dataclass, sections included, in the order in which it is written."""
    hints, docs = get_type_hints(schema), field_docs(schema)
    found: dict[str, Key] = {}
    for each in fields(schema):
        key = Key(prefix + each.name, hints[each.name], docs.get(each.name, ""), each.metadata)
        found[key.name] = key
        if key.is_section:
            found |= keys_of(key.hint, key.name + ".")
    return MappingProxyType(found)


def field_docs(schema: type) -> dict[str, str]:
    """Field -> the block of ``#:`` comments above it; empty where the source cannot be read."""
    try:
        source = textwrap.dedent(inspect.getsource(schema))
    except OSError:
        return {}
    lines = source.splitlines()
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    docs = {}
    for statement in body.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            docs[statement.target.id] = " ".join(_comment_above(lines, statement.lineno - 1))
    return docs


def _comment_above(lines: list[str], index: int) -> list[str]:
    first = index
    while first > 0 and lines[first - 1].strip().startswith("#:"):
        first -= 1
    return [line.strip()[2:].strip() for line in lines[first:index]]


def describe_keys(schema: type, values: DictConfig | None = None) -> str:
    """The text that ``--help`` prints: each key with its value (default: the schema's), type and description."""
    config = OmegaConf.structured(schema) if values is None else values
    return "\n".join(_key_lines(schema, config))


def _key_lines(schema: type, config: DictConfig) -> Iterator[str]:
    was_nested = False
    for key in keys_of(schema).values():
        if key.is_section:
            yield f"\n  {key.name}.*  {key.doc}".rstrip()
            continue
        is_nested = "." in key.name
        if was_nested and not is_nested:
            yield ""
        was_nested = is_nested
        yield f"  {key.name}={_shown(config, key.name)}  ({key.type_words})"
        if key.doc:
            yield textwrap.fill(key.doc, width=112, initial_indent=" " * 6, subsequent_indent=" " * 6)


def _shown(config: DictConfig, name: str) -> str:
    section, _, leaf = name.rpartition(".")
    parent = OmegaConf.select(config, section) if section else config
    if OmegaConf.is_missing(parent, leaf):
        return "<required>"
    value = OmegaConf.to_container(OmegaConf.create({"value": parent._get_node(leaf)}), resolve=False)
    assert isinstance(value, dict)
    return as_yaml(value["value"])


def as_yaml(value: Any) -> str:
    """A value on one line, as a recipe would spell it: ``null``, ``0.7``, ``{explain: false}``."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
