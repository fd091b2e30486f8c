"""Viability of prefixes: they die for their form or for their meaning. Answers of z3 are kept, as prefixes share commands."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from rlsf_lightning.errors import UserError
from rlsf_lightning.symbolic.certificates import first_beyond
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.smt.language.terms import Command
from rlsf_lightning.symbolic.verifiers.smt.parse import parse_prefix
from rlsf_lightning.symbolic.verifiers.smt.task import Task
from rlsf_lightning.symbolic.verifiers.smt.tool.solver import Solver
from rlsf_lightning.symbolic.verifiers.smt.viable.form import first_dead_form
from rlsf_lightning.symbolic.verifiers.smt.viable.meaning import Deaths, can_go_on, first_dead_command, is_possible

#: Answers of each sort that are kept.
KEPT = 1_000
T = TypeVar("T")


class Viability:
    """What becomes of prefixes.

    Args:
        solver: z3; it has begun with ``task.before`` whenever a method here is called.
        max_chars: longer texts are not read.
        max_depth: nor are terms that are nested deeper.
    """

    def __init__(self, solver: Solver, max_chars: int, max_depth: int) -> None:
        self.solver, self.max_chars, self.max_depth = solver, max_chars, max_depth
        self._possible: dict[Hashable, bool] = {}
        self._deaths: dict[Hashable, Deaths] = {}
        self._lives: dict[Hashable, bool] = {}

    def require_possible(self, task: Task) -> None:
        """Raises UserError where nothing can pass."""
        if not _kept(self._possible, task.key, lambda: is_possible(task, self.solver)):
            why = "the specification contradicts itself or the declarations: nothing can pass"
            raise UserError(f"prompt {task.prompt}: {why}")

    def is_viable(self, task: Task, prefix: str) -> bool | None:
        """Whether some text that passes begins with this prefix; None: cannot tell."""
        parsed = parse_prefix(prefix, task, self.max_depth)
        if len(prefix.strip()) > self.max_chars or parsed.findings:
            return False
        if self._asked(self._deaths, task, parsed.commands, first_dead_command).first is not None:
            return False
        return True if not parsed.is_incomplete and self._can_go_on(task, parsed.commands, prefix) else None

    def first_dead(self, task: Task, completion: str) -> int:
        """The first dead character of a completion that does not pass; its length where more could follow."""
        text, offset = stripped(completion)
        dead = self._first_dead(task, text[: self.max_chars]) if text else None
        if dead is not None:
            return offset + dead
        beyond = first_beyond(text, self.max_chars)
        return len(completion) if beyond is None else offset + beyond

    def _first_dead(self, task: Task, text: str) -> int | None:
        form = first_dead_form(text, task, self.max_depth)
        commands = parse_prefix(text if form is None else text[:form], task, self.max_depth).commands
        deaths = first_dead_command(task, self.solver, commands)
        if deaths.is_possible:
            _kept(self._possible, task.key, lambda: True)
        if deaths.first is None:
            return form
        decided = commands[deaths.first].decided
        return decided - (text[decided - 1] in ")|")

    def _can_go_on(self, task: Task, commands: Sequence[Command], prefix: str) -> bool:
        """Whether the rest can be written for certain."""
        needed = sum(len(property.text) + 1 for property in task.properties)
        return len(prefix) + needed <= self.max_chars and self._asked(self._lives, task, commands, can_go_on)

    def _asked(
        self,
        known: dict[Hashable, T],
        task: Task,
        commands: Sequence[Command],
        ask: Callable[[Task, Solver, Sequence[Command]], T],
    ) -> T:
        def answer() -> T:
            self.solver.begin(task.before)
            return ask(task, self.solver, commands)

        return _kept(known, (task.key, tuple((command.name, command.text) for command in commands)), answer)


def _kept(known: dict[Hashable, T], key: Hashable, answer: Callable[[], T]) -> T:
    if key not in known:
        if len(known) >= KEPT:
            known.clear()
        known[key] = answer()
    return known[key]
