"""Checks a JSON document: syntax errors, or violations of the schema, with their spans."""

from __future__ import annotations

import itertools

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.certificates import MAX_FINDINGS
from rlsf_lightning.symbolic.verifiers.grammar.check.checked import Checked
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.violations import SHOWN, Violation
from rlsf_lightning.symbolic.verifiers.grammar.parse.document import DocumentReading, Node, Problem
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.task import DocumentTask

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
_AT_CLOSING = frozenset(("missing_property", "missing_item"))
_MAX_VIOLATIONS = 2_000


def check_document(reading: DocumentReading, task: DocumentTask, fuel: Fuel) -> Checked:
    """A finding for every problem of its text, or for every violation; only the first violations have places."""
    if reading.problems:
        return Checked(problem_findings(reading), {})
    assert reading.root is not None
    violations = itertools.islice(task.violations(reading.root.value, fuel), _MAX_VIOLATIONS)
    broken = list(dict.fromkeys(violations))
    located = [_of_violation(violation, reading.root) for violation in broken[:MAX_FINDINGS]]
    others = [Finding(_kind(violation), violation.message[:SHOWN]) for violation in broken[MAX_FINDINGS:]]
    rows = [{"path": list(violation.path), "keyword": violation.keyword} for violation in broken[:MAX_FINDINGS]]
    return Checked(located + others, {"violations": rows} if rows else {})


def problem_findings(reading: DocumentReading) -> list[Finding]:
    """What keeps the text from being JSON."""
    return [_of_problem(problem, len(reading.text)) for problem in reading.problems]


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


def _kind(violation: Violation) -> str:
    return KIND_OF.get(violation.keyword, "excluded")


def _of_problem(problem: Problem, length: int) -> Finding:
    """At its place; of what is not closed also at the end, where that is missing; also at the comma before what may not
    follow one."""
    place, end = Span(problem.start, problem.end), Span(length, length)
    spans = (place, end) if problem.kind == "unexpected_end" and place != end else (place,)
    if problem.comma is not None:
        spans = (Span(problem.comma, problem.comma + 1), place)
    return Finding(problem.kind, problem.message, spans)


def _of_violation(violation: Violation, root: Node) -> Finding:
    message = f"at {_shown_path(violation.path)}: {violation.message}"
    return Finding(_kind(violation), message[:SHOWN], tuple(_spans(violation, root)))


def _spans(violation: Violation, root: Node) -> list[Span]:
    kind = _kind(violation)
    key, node = node_at(root, violation.path)
    assert node.end is not None
    if violation.items:
        items = [node.children[i][1] for i in violation.items]
        return [Span(item.start, item.end) for item in items if item is not None and item.end is not None]
    if kind in _AT_CLOSING:  # what is missing was left out when the bracket was closed
        return [Span(node.end - 1, node.end)]
    if kind == "extra_property" and key is not None and key.end is not None:
        return [Span(key.start, key.end)]
    return [Span(node.start, node.end)]


def _shown_path(path: tuple[str | int, ...]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{ascii(part)[1:-1][:40]}" for part in path)
