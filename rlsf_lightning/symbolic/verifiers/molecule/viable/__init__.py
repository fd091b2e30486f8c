"""Viable prefixes of a molecule with stated facts: dead by syntax, elements or a budget; viable where an ending passes."""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import islice

from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.chemistry.syntax_viability import certainly_dead_from as dead_as_smiles_from
from rlsf_lightning.symbolic.chemistry.syntax_viability import dead_from
from rlsf_lightning.symbolic.chemistry.validity import Limits
from rlsf_lightning.symbolic.verifiers.molecule.check import passes
from rlsf_lightning.symbolic.verifiers.molecule.parse import parse_prefix
from rlsf_lightning.symbolic.verifiers.molecule.task import Task
from rlsf_lightning.symbolic.verifiers.molecule.viable.budget import Budget
from rlsf_lightning.symbolic.verifiers.molecule.viable.endings import attempts

#: Endings that are tried out for a completion, and for a prefix that one asks about.
FEW_ATTEMPTS, ATTEMPTS = 10, 60


def is_viable(prefix: str, task: Task, limits: Limits) -> bool | None:
    """False: no continuation of ``prefix`` passes. True: one was found that does. None: cannot tell."""
    parsed = parse_prefix(prefix, limits)
    if parsed is None:
        return False
    if parsed.is_ended:
        return passes(parsed.text, task, limits)
    if certainly_dead_from(parsed.text, task, limits) is not None:
        return False
    return True if _has_ending(parsed.text, task, limits, ATTEMPTS) else None


def first_dead(text: str, task: Task, limits: Limits) -> int | None:
    """Offset in ``text`` of its first dead character; its length where only the end is wrong; None: cannot tell."""

    def dead_of(legible: str) -> int | None:
        certain = certainly_dead_from(legible, task, limits)
        if certain is not None:
            return certain
        return len(legible) if _has_ending(legible, task, limits, FEW_ATTEMPTS) else None

    return dead_from(text, limits.max_chars, dead_of, partial(passes, task=task, limits=limits))


def certainly_dead_from(text: str, task: Task, limits: Limits) -> int | None:
    """The first character from which no continuation passes, as far as it is certain."""
    read = read_smiles(text)
    found = (
        dead_as_smiles_from(read),
        limits.elements.dead_from(read, len(text)),
        _budget(task).dead_from(text, read),
    )
    return min((at for at in found if at is not None), default=None)


def _has_ending(text: str, task: Task, limits: Limits, most: int) -> bool:
    """Whether one of the first so many endings makes a molecule of which all facts are true."""
    tried = islice(attempts(task.facts, read_smiles(text)), most)
    return any(passes(text + ending, task, limits) for ending in tried)


@lru_cache(maxsize=4096)
def _budget(task: Task) -> Budget:
    return Budget(task.facts)
