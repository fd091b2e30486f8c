"""Localises where the schema excludes a document, if that is before it stops being JSON."""

from __future__ import annotations

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.grammar.check.checked import Checked
from rlsf_lightning.symbolic.verifiers.grammar.parse.document import DocumentReading, parse_document
from rlsf_lightning.symbolic.verifiers.grammar.task import DocumentTask


def locate_document(checked: Checked, reading: DocumentReading, alive: str, task: DocumentTask) -> Checked:
    """The findings with that place; the witness says how what is ``alive`` of the text can be closed."""
    if not reading.problems:
        return checked
    closing = parse_document(alive, task.max_depth).closing
    witness = checked.witness if closing is None else {**checked.witness, "continuation": closing}
    return Checked(with_excluded(checked.findings, reading, len(alive)), witness)


def with_excluded(findings: list[Finding], reading: DocumentReading, dead_from: int) -> list[Finding]:
    if dead_from >= min(problem.dead for problem in reading.problems):
        return findings
    message = "nothing that begins so satisfies the schema, whatever follows"
    return [Finding("excluded", message, (Span(dead_from, dead_from + 1),)), *findings]
