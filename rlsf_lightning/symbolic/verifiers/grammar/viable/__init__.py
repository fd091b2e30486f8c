"""Viability of the prefix of a completion."""

from __future__ import annotations

from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel
from rlsf_lightning.symbolic.verifiers.grammar.task import Task, TextTask
from rlsf_lightning.symbolic.verifiers.grammar.viable.document import is_dead_document, viable_document
from rlsf_lightning.symbolic.verifiers.grammar.viable.text import is_dead_text, viable_text


def viable(prefix: str, task: Task, fuel: Fuel) -> bool | None:
    """Whether it, or a text that begins with it, is accepted: both are certain. None: cannot tell."""
    if isinstance(task, TextTask):
        return viable_text(prefix, task, fuel)
    return viable_document(prefix, task, fuel)


def is_dead(prefix: str, task: Task, fuel: Fuel) -> bool:
    """Whether no text that begins with it is accepted: certain. Cheaper than ``viable``."""
    if isinstance(task, TextTask):
        return is_dead_text(prefix, task, fuel)
    return is_dead_document(prefix, task, fuel)
