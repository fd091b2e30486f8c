"""The task of a prompt: a grammar, or a schema, that has to accept the completion."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.schema import Schema, schema_of
from rlsf_lightning.symbolic.verifiers.grammar.lalr.grammar import Grammar, grammar_of

_EXAMPLE = 'a Lark grammar ("start: NUMBER \\"+\\" NUMBER ...") in `grammar`, or a JSON Schema ({"type": "object"}) in `schema`'


@dataclass(frozen=True)
class Options:
    """What holds for every prompt; ``grammar``, ``start`` and ``schema`` for those without facts of these names."""

    grammar: str | None
    start: str
    schema: Any
    strip: bool
    max_chars: int
    max_depth: int


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
    """The text is JSON that satisfies the schema; white space may stand around it."""

    tool: ClassVar[str] = "jsonschema"

    schema: Schema
    max_depth: int
    max_chars: int

    def object_in(self, completion: str) -> tuple[str, int]:
        """All of the completion, and 0."""
        return completion, 0


Task = TextTask | DocumentTask


def task_of(prompt: Prompt, options: Options) -> Task:
    """From the facts ``grammar``, with ``start``, or ``schema``. Raises UserError."""
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
        return TextTask(grammar_of(grammar, start), options.strip, options.max_chars)
    try:
        written = schema if isinstance(schema, str) else json.dumps(schema)
    except (TypeError, ValueError, RecursionError) as error:
        raise UserError(f"prompt {prompt.id}: the schema is no JSON: {error}") from None
    return DocumentTask(schema_of(written), options.max_depth, options.max_chars)
