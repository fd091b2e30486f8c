"""The first character from which on no text is well formed and well sorted."""

from __future__ import annotations

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.smt.language.command_checker import CommandChecker
from rlsf_lightning.symbolic.verifiers.smt.language.reader import read
from rlsf_lightning.symbolic.verifiers.smt.parse import ended
from rlsf_lightning.symbolic.verifiers.smt.task import Task


def first_dead_form(text: str, task: Task, max_depth: int) -> int | None:
    """None if the text is alive. It begins without blanks.

    By bisection from the first command on that is wrong: those before it are read once.
    """
    checker = task.checker()
    wrong = _first_wrong(checker, text, max_depth)
    if wrong is None:
        return None
    known, alive, middle, dead = checker.snapshot(), wrong.start, wrong.end, len(text)
    while dead - alive > 1:
        checker.restore(known)
        reading = read(ended(text[wrong.start : middle]), max_depth, is_whole=False)
        is_dead = bool(reading.findings) or not all(map(checker.takes, reading.commands))
        alive, dead = (alive, middle) if is_dead else (middle, dead)
        middle = (alive + dead) // 2
    return dead - 1


def _first_wrong(checker: CommandChecker, text: str, max_depth: int) -> Span | None:
    """The first command of a prefix that is wrong; the checker knows those before it then."""
    reading = read(ended(text), max_depth, is_whole=False)
    nodes = {node.start: node for node in reading.commands}
    for start, end in sorted([*((node.start, node.end) for node in reading.commands), *reading.broken]):
        known = checker.snapshot()
        if start not in nodes or not checker.takes(nodes[start]):
            checker.restore(known)
            return Span(start, end)
    return None
