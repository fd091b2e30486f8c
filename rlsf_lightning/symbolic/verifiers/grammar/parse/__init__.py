"""Parser of a completion: by the task's grammar, or as JSON."""

from __future__ import annotations

from rlsf_lightning.symbolic.verifiers.grammar.parse.document import DocumentReading, parse_document
from rlsf_lightning.symbolic.verifiers.grammar.parse.text import TextReading, parse_text
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.task import Task, TextTask

Reading = TextReading | DocumentReading


def parse(text: str, offset: int, task: Task, fuel: Fuel) -> Reading:
    """Whatever the text is; it begins at ``offset`` of the completion."""
    if isinstance(task, TextTask):
        return parse_text(text, task.grammar, fuel, offset)
    return parse_document(text, task.max_depth)
