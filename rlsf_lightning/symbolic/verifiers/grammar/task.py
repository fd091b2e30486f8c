"""The task of a prompt: a grammar, or a schema, that has to accept the completion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from rlsf_lightning.errors import ToolFailed, UserError
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.schema import Schema, schema_of
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.values import equal_to
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.violations import Violation
from rlsf_lightning.symbolic.verifiers.grammar.lalr.grammar import Grammar, grammar_of
from rlsf_lightning.symbolic.verifiers.grammar.parse.document import parse_document
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel

_EXAMPLE = 'a Lark grammar ("start: NUMBER \\"+\\" NUMBER ...") in `grammar`, or a JSON Schema ({"type": "object"}) in `schema`'

#: How much work a reference may cost.
_REFERENCE_STEPS = 5_000_000


@dataclass(frozen=True)
class Options:
    """What holds for every prompt; ``grammar``, ``start`` and ``schema`` for those without facts of these names."""

    grammar: str | None
    start: str
    schema: Any
    strip: bool
    max_chars: int
    max_depth: int
    #: Whether a document must also equal the prompt's reference.
    is_compared: bool


@dataclass(frozen=True)
class TextTask:
    """The grammar accepts the text."""

    tool: ClassVar[str] = "lark"

    grammar: Grammar
    #: Whether white space around the text does not belong to it.
    strip: bool
    max_chars: int

    def object_in(self, completion: str) -> tuple[str, int]:
        """The text, and its offset in the completion."""
        return stripped(completion) if self.strip else (completion, 0)


@dataclass(frozen=True)
class DocumentTask:
    """The text is JSON that satisfies the schemas; white space may stand around it.

    ``schemas``: the prompt's, and where documents are compared with its reference, one that accepts that value alone.
    """

    tool: ClassVar[str] = "jsonschema"

    schemas: tuple[Schema, ...]
    max_depth: int
    max_chars: int

    def object_in(self, completion: str) -> tuple[str, int]:
        """All of the completion, and 0."""
        return completion, 0

    def violations(self, value: Any, fuel: Fuel) -> Iterator[Violation]:
        """Of all schemas; of a later one only those about values that none before speaks against. Raises ToolFailed."""
        blamed: set[tuple[str | int, ...]] = set()
        for schema in self.schemas:
            before = frozenset(blamed)
            for violation in schema.violations(value, fuel):
                blamed.add(violation.path)
                if violation.path not in before:
                    yield violation


Task = TextTask | DocumentTask


def task_of(prompt: Prompt, options: Options) -> Task:
    """From the facts ``grammar``, with ``start``, or ``schema``, and perhaps the reference. Raises UserError."""
    grammar, schema = prompt.facts.get("grammar"), prompt.facts.get("schema")
    if grammar is None and schema is None:
        grammar, schema = options.grammar, options.schema
    if (grammar is None) == (schema is None):
        seen = "there is neither" if grammar is None else "there are both"
        raise UserError(f"prompt {prompt.id}: expects {_EXAMPLE}; {seen}")
    if grammar is not None:
        start = prompt.facts.get("start", options.start)
        if not isinstance(grammar, str) or not isinstance(start, str):
            raise UserError(f"prompt {prompt.id}: grammar={str(grammar)[:80]}, start={start}: expects two texts")
        if options.is_compared:
            raise UserError(f"prompt {prompt.id}: compare=reference is for JSON; a grammar has no values to compare")
        return TextTask(grammar_of(grammar, start), options.strip, options.max_chars)
    try:
        written = schema if isinstance(schema, str) else json.dumps(schema)
    except (TypeError, ValueError, RecursionError) as error:
        raise UserError(f"prompt {prompt.id}: the schema is no JSON: {error}") from None
    schemas = [schema_of(written)]
    if options.is_compared:
        try:
            schemas.append(_reference_schema(prompt.reference or "", schemas[0], options.max_depth))
        except (UserError, ToolFailed) as error:
            raise UserError(f"prompt {prompt.id}: {error}") from None
    return DocumentTask(tuple(schemas), options.max_depth, options.max_chars)


@lru_cache(maxsize=256)
def _reference_schema(reference: str, schema: Schema, max_depth: int) -> Schema:
    """What accepts the reference's value alone. Raises UserError for a reference that is no right document, and ToolFailed."""
    read = parse_document(reference, max_depth)
    if read.problems or read.root is None:
        raise UserError(
            f"compare=reference needs a reference in JSON, not {reference[:80]!r}: {read.problems[0].message}"
        )
    wrong = next(schema.violations(read.root.value, Fuel(_REFERENCE_STEPS)), None)
    if wrong is not None:
        raise UserError(f"the reference {reference[:80]} breaks the schema: {wrong.message}")
    return Schema(equal_to(read.root.value))
