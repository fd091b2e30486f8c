"""Viability of the prefix of a document under its schema."""

from __future__ import annotations

from rlsf_lightning.symbolic.verifiers.grammar.json_schema.tree_validator import validate
from rlsf_lightning.symbolic.verifiers.grammar.parse.document import parse_document
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.task import DocumentTask


def viable_document(prefix: str, task: DocumentTask, fuel: Fuel) -> bool | None:
    """Whether it, or a text that begins with it, is accepted; None: cannot tell."""
    if is_dead_document(prefix, task, fuel):
        return False
    closing = parse_document(prefix, task.max_depth).closing
    if closing is None or len(prefix + closing) > task.max_chars:
        return None
    closed = parse_document(prefix + closing, task.max_depth)
    if closed.problems or closed.root is None:
        return None
    return True if next(task.violations(closed.root.value, fuel), None) is None else None


def is_dead_document(prefix: str, task: DocumentTask, fuel: Fuel) -> bool:
    """Whether no longer text is accepted: certain."""
    if len(prefix) > task.max_chars:
        return True
    reading = parse_document(prefix, task.max_depth)
    fuel.burn(1 + len(prefix) // 10)
    if any(problem.dead < len(prefix) for problem in reading.problems):
        return True
    return reading.root is not None and validate(task.schemas, reading.root, fuel, open_end=len(prefix)).truth is False
