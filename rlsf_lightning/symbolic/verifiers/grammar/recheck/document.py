"""Second opinion on a certificate about a JSON document."""

from __future__ import annotations

import json
from typing import Any

from rlsf_lightning.records import Certificate, Finding, Span, Verdict
from rlsf_lightning.symbolic.certificates import MAX_FINDINGS
from rlsf_lightning.symbolic.verifiers.grammar.check.document import KIND_OF, node_at, problem_findings
from rlsf_lightning.symbolic.verifiers.grammar.check.score import score_of
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.tree_validator import FAMILIES, Validation, validate
from rlsf_lightning.symbolic.verifiers.grammar.json_schema.values import canonical
from rlsf_lightning.symbolic.verifiers.grammar.locate.document import with_excluded
from rlsf_lightning.symbolic.verifiers.grammar.parse.document import DocumentReading, Node, parse_document
from rlsf_lightning.symbolic.verifiers.grammar.recheck.strict_json import depth_of, read_strictly
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.task import DocumentTask
from rlsf_lightning.symbolic.verifiers.grammar.viable.document import is_dead_document

_FAMILY_OF = {keyword: name for name, (keywords, _) in FAMILIES.items() for keyword in keywords} | {"false": "nothing"}


def document_stands(certificate: Certificate, task: DocumentTask, text: str, fuel: Fuel) -> bool:
    if certificate.verdict is Verdict.PASS:
        is_json = read_strictly(text)[1] is None and len(text) <= task.max_chars
        return is_json and _validated(text, task, fuel).truth is not False
    place = certificate.dead_from
    if place is None or not certificate.findings or not _dies_at(place, task, text, fuel):
        return False
    if len(text) > task.max_chars:
        expected = [("too_long", (Span(task.max_chars, len(text)),))]
        return certificate.score == 0 and [(f.kind, f.spans) for f in certificate.findings] == expected
    reading = parse_document(text, task.max_depth)
    continuation = certificate.witness.get("continuation")
    if certificate.score != score_of(reading, certificate.findings, place, continuation):
        return False
    if "violations" in certificate.witness:
        return not reading.problems and _violations_stand(certificate, task, reading, fuel)
    return _problems_stand(certificate, task, reading, place)


def _dies_at(place: int, task: DocumentTask, text: str, fuel: Fuel) -> bool:
    """Whether what stands before the place is alive, and dead with the character there, if there is one."""
    if not 0 <= place <= len(text) or is_dead_document(text[:place], task, fuel):
        return False
    return place == len(text) or is_dead_document(text[: place + 1], task, fuel)


def _validated(text: str, task: DocumentTask, fuel: Fuel) -> Validation:
    """What the project's own rules say of a whole document."""
    root = parse_document(text, task.max_depth).root
    assert root is not None
    return validate(task.schemas, root, fuel)


def _problems_stand(certificate: Certificate, task: DocumentTask, reading: DocumentReading, place: int) -> bool:
    """Python's reader refuses the text, too, and takes the good part with what the witness adds to it."""
    value, error = read_strictly(reading.text)
    too_deep = any(finding.kind == "too_deep" for finding in certificate.findings)
    if not reading.problems or (error is None and not (too_deep and depth_of(value) > task.max_depth)):
        return False
    problems = with_excluded(problem_findings(reading), reading, place)
    said, found = ([(f.kind, f.spans) for f in some][:MAX_FINDINGS] for some in (certificate.findings, problems))
    if said != found:
        return False
    rest = certificate.witness.get("continuation")
    return rest is None or read_strictly(reading.text[:place] + rest)[1] is None


def _violations_stand(certificate: Certificate, task: DocumentTask, reading: DocumentReading, fuel: Fuel) -> bool:
    """Every value that is blamed is the one at its path, and the own rules find it broken in the same way."""
    value, error = read_strictly(reading.text)
    validation = _validated(reading.text, task, fuel)
    if error is not None or validation.truth is True:
        return False
    violations, blamed = certificate.witness["violations"], certificate.findings[:MAX_FINDINGS]
    if len(violations) != len(blamed) or len(certificate.findings) > MAX_FINDINGS + 1:
        return False
    return all(
        _violation_stands(tuple(violation["path"]), violation["keyword"], finding, value, reading, validation)
        for violation, finding in zip(violations, blamed, strict=True)
    )


def _violation_stands(
    path: tuple[str | int, ...],
    keyword: str,
    finding: Finding,
    value: Any,
    reading: DocumentReading,
    validation: Validation,
) -> bool:
    assert reading.root is not None
    try:
        there = _at(value, path)
        key, node = node_at(reading.root, path)
    except (LookupError, TypeError, StopIteration, ValueError):
        return False
    if finding.kind != KIND_OF.get(keyword, "excluded") or not finding.spans:
        return False
    if canonical(json.loads(reading.text[node.start : node.end])) != canonical(there):
        return False
    starts = {node.start} | ({key.start} if key is not None else set())
    family = _FAMILY_OF.get(keyword)
    is_unbroken = family is not None and all((start, family) not in validation.broken for start in starts)
    is_about_key = keyword in ("additionalProperties", "propertyNames") and key is not None
    if validation.truth is False and is_unbroken and not is_about_key:
        return False
    return all(_belongs(span, finding.kind, key, node) for span in finding.spans)


def _belongs(span: Span, kind: str, key: Node | None, node: Node) -> bool:
    """Whether a span is one of the places where a violation of this value can show."""
    assert node.end is not None
    if kind in ("missing_property", "missing_item"):
        return span == Span(node.end - 1, node.end)
    whole = [(node.start, node.end)] + ([(key.start, key.end)] if key is not None else [])
    if kind == "extra_item":
        whole += [(item.start, item.end) for _, item in node.children if item is not None]
    return (span.start, span.end) in whole


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        value = value[part]
    return value
