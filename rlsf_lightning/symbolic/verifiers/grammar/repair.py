"""Repairs of a text or document: the edits that may mend its first mistake, the likeliest first.

Of JSON: what is missing at its end, what cannot stand there, and for each value that the schema excludes the same content in
the type, or the nearest of the values, that the schema names. Nothing is made up: where only the prompt could say what belongs
there, there is no repair.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any

from rlsf_lightning.records import Certificate, Edit, Span
from rlsf_lightning.symbolic.verifiers.grammar.check.document import node_at
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.violations import Violation
from rlsf_lightning.symbolic.verifiers.grammar.parse.document import DocumentReading, Node, parse_document
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.task import Task, TextTask

#: Values of an ``enum`` that are tried for one that is not among them.
MAX_VALUES = 4
#: Characters of a value that is compared with them.
_MAX_COMPARED = 200
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_TRUTH = {"true": "true", "yes": "true", "false": "false", "no": "false"}
_DATES = (
    "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%d-%m-%Y", "%Y%m%d",
)  # fmt: skip


def repairs(certificate: Certificate, task: Task, completion: str, fuel: Fuel) -> Iterator[tuple[Edit, ...]]:
    """Edits, each of which may mend the first thing that the certificate says. Raises ToolFailed."""
    if isinstance(task, TextTask):
        yield from _of_text(certificate, completion)
        return
    reading = parse_document(completion, task.max_depth)
    if reading.problems or reading.root is None:
        yield from _of_syntax(reading)
        return
    violation = next(task.violations(reading.root.value, fuel), None)
    if violation is not None:
        yield from ((edit,) for edit in _of_violation(violation, reading.root, completion))


def _of_text(certificate: Certificate, completion: str) -> Iterator[tuple[Edit, ...]]:
    """The mistake left out, or what may go on from the last place that is right."""
    spans = certificate.findings[0].spans
    for span in spans:
        if span.start < span.end:
            yield (Edit(span, ""),)
    continuation, at = certificate.witness.get("continuation"), certificate.dead_from
    if isinstance(continuation, str) and at is not None:
        yield (Edit(Span(at, len(completion)), continuation),)


def _of_syntax(reading: DocumentReading) -> Iterator[tuple[Edit, ...]]:
    text, end = reading.text, len(reading.text)
    if reading.closing:
        yield (Edit(Span(end, end), reading.closing),)
    for problem in reading.problems[:1]:
        if problem.comma is not None:
            yield (Edit(Span(problem.comma, problem.comma + 1), ""),)
        for character in (",", '"', ":", "}", "]", "}}", "]}"):
            yield (Edit(Span(problem.start, problem.start), character),)
        if problem.start < end:
            yield (Edit(Span(problem.start, max(problem.end, problem.start + 1)), ""),)
            yield (Edit(Span(problem.start, end), ""),)
        if text[problem.start : problem.start + 1] == "'":
            yield tuple(Edit(Span(at, at + 1), '"') for at in range(problem.start, end) if text[at] == "'")


def _of_violation(violation: Violation, root: Node, text: str) -> Iterator[Edit]:
    key, node = node_at(root, violation.path)
    assert node.end is not None
    wanted = violation.error.validator_value
    place, written = Span(node.start, node.end), text[node.start : node.end]
    if violation.keyword == "type":
        for kind in [wanted] if isinstance(wanted, str) else wanted:
            yield from (Edit(place, new) for new in _as_type(kind, node, written))
    elif violation.keyword in ("enum", "const"):
        values = [json.dumps(value) for value in (wanted if violation.keyword == "enum" else [wanted])]
        values.sort(key=lambda value: -SequenceMatcher(None, written[:_MAX_COMPARED], value, autojunk=False).ratio())
        yield from (Edit(place, value) for value in values[:MAX_VALUES])
    elif violation.keyword == "pattern" and isinstance(node.value, str):
        yield from (Edit(place, json.dumps(new, ensure_ascii=False)) for new in _respelled(node.value))
    elif violation.keyword == "required":
        at, comma = node.end - 1, ", " if node.children else ""
        for name, value in _only_values(violation.error):
            yield Edit(Span(at, at), f"{comma}{json.dumps(name)}: {json.dumps(value)}")
    elif violation.items:
        for number in reversed(violation.items):
            yield _without(node, number)
    elif key is not None and violation.keyword in ("false", "additionalProperties", "unevaluatedProperties"):
        _, parent = node_at(root, violation.path[:-1])
        yield _without(parent, next(i for i, child in enumerate(parent.children) if child[0] is key))


def _only_values(error: Any) -> Iterator[tuple[str, Any]]:
    """The properties that are missing and have one possible value, or may be null, with it."""
    for name in error.validator_value:
        schema = error.schema.get("properties", {}).get(name)
        if name in error.instance or not isinstance(schema, dict):
            continue
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        kinds = schema.get("type", ())
        if values is not None:
            yield from ((name, value) for value in values if len(values) == 1)
        elif "null" in ([kinds] if isinstance(kinds, str) else kinds):
            yield name, None


def _as_type(kind: str, node: Node, written: str) -> Iterator[str]:
    """A value's content as JSON of another type, where it has one."""
    value = node.value
    if kind == "string" and node.kind in ("number", "literal"):
        yield json.dumps(written)
    elif kind in ("number", "integer"):
        found = _NUMBER.search(value.replace(",", "")) if isinstance(value, str) else None
        if found is not None:
            yield found.group()
        if kind == "integer" and isinstance(value, float) and abs(value) < 2**53:
            yield str(round(value))
    elif kind == "boolean" and isinstance(value, str) and value.strip().lower() in _TRUTH:
        yield _TRUTH[value.strip().lower()]
    elif kind == "array":
        yield f"[{written}]"
    elif kind == "null":
        yield "null"


def _respelled(text: str) -> Iterator[str]:
    """The same in other forms that patterns ask for: an ISO date, other case, digits alone."""
    stripped = text.strip()
    for form in _DATES:
        try:
            yield datetime.strptime(stripped, form).date().isoformat()
        except ValueError:
            continue
    yield from dict.fromkeys((stripped, stripped.lower(), stripped.upper(), re.sub(r"[^0-9]", "", text)))


def _without(parent: Node, number: int) -> Edit:
    """The ``number``-th member of an object or array left out, with the comma that goes with it."""

    def begins(child: tuple[Node | None, Node | None]) -> int:
        first = child[0] or child[1]
        assert first is not None
        return first.start

    def ends(child: tuple[Any, Node | None]) -> int:
        assert child[1] is not None and child[1].end is not None
        return child[1].end

    children = parent.children
    if number + 1 < len(children):
        return Edit(Span(begins(children[number]), begins(children[number + 1])), "")
    start = ends(children[number - 1]) if number else begins(children[number])
    return Edit(Span(start, ends(children[number])), "")
