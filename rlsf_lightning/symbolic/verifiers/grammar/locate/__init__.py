"""Localises errors beyond the first mistake, and finds a continuation of what is still viable."""

from __future__ import annotations

from rlsf_lightning.symbolic.verifiers.grammar.check.checked import Checked
from rlsf_lightning.symbolic.verifiers.grammar.locate.document import locate_document
from rlsf_lightning.symbolic.verifiers.grammar.locate.text import locate_text
from rlsf_lightning.symbolic.verifiers.grammar.parse import Reading
from rlsf_lightning.symbolic.verifiers.grammar.parse.text import TextReading
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.task import Task, TextTask


def locate(checked: Checked, reading: Reading, alive: str, task: Task, fuel: Fuel) -> Checked:
    """The findings, narrowed, and a witness that may name a way to go on.

    Args:
        alive: the completion up to its first dead character.
    """
    if isinstance(reading, TextReading):
        assert isinstance(task, TextTask)
        return locate_text(checked, reading, alive, task, fuel)
    assert not isinstance(task, TextTask)
    return locate_document(checked, reading, alive, task)
