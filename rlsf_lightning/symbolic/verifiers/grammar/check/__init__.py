"""Checks a reading: the first token that cannot be parsed, or all violations of the schema."""

from __future__ import annotations

from rlsf_lightning.symbolic.verifiers.grammar.check.checked import Checked
from rlsf_lightning.symbolic.verifiers.grammar.check.document import check_document
from rlsf_lightning.symbolic.verifiers.grammar.check.text import check_text
from rlsf_lightning.symbolic.verifiers.grammar.parse import Reading
from rlsf_lightning.symbolic.verifiers.grammar.parse.text import TextReading
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.task import DocumentTask, Task


def check(reading: Reading, task: Task, fuel: Fuel) -> Checked:
    """No finding means that it is accepted."""
    if isinstance(reading, TextReading):
        return check_text(reading)
    assert isinstance(task, DocumentTask)
    return check_document(reading, task, fuel)
