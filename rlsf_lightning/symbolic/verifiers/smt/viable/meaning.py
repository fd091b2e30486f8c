"""The first command after which nothing passes, and whether something passes that begins with some commands: z3 is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.smt.language.terms import Command, assertions, text_of
from rlsf_lightning.symbolic.verifiers.smt.task import Task
from rlsf_lightning.symbolic.verifiers.smt.tool.script import (
    CHECK,
    asserted,
    denied,
    meanings,
    required,
    within,
    words_of,
)
from rlsf_lightning.symbolic.verifiers.smt.tool.solver import SAT, UNSAT, Solver


class Deaths(NamedTuple):
    """``first``: the first command after which nothing passes, as far as z3 is certain; None if there is none.

    ``is_possible``: whether z3 has found a model of the specification on the way.
    """

    first: int | None = None
    is_possible: bool = False


def is_possible(task: Task, solver: Solver) -> bool:
    """Whether anything can fulfil the task: False only if z3 is certain."""
    return words_of(solver.ask(within(meanings(task, ()) + required(task)))) != [UNSAT]


def first_dead_command(task: Task, solver: Solver, commands: Sequence[Command]) -> Deaths:
    """Where commands die."""
    if all(command.term is None for command in commands):
        return Deaths()
    return _dead_definition(task, solver, commands) if task.to_define else _dead_constraint(task, solver, commands)


def can_go_on(task: Task, solver: Solver, commands: Sequence[Command]) -> bool:
    """Whether something that passes begins with these commands: True only if that is certain.

    Constraints that agree with the specification can go on with its own; constants that have values can be given them.
    """
    if task.to_define:
        kinds = [symbol.result for symbol in task.to_define if not symbol.parameters]
        plain = all(sort in ("Bool", "Int") or sort[0] == "BitVec" for sort in kinds)
        if task.given or len(kinds) < len(task.to_define) or not plain:
            return False
        return words_of(solver.ask(within(meanings(task, commands) + required(task)))) == [SAT]
    own = assertions(commands)
    text = "(push)" + meanings(task, commands) + required(task) + CHECK
    text += "".join(within(f"(assert (not {text_of(c.term)}))") for c in own if c.term) if task.exact else ""
    text += asserted(own) + CHECK + "(pop)"
    words = words_of(solver.ask(text))
    return words[0] == words[-1] == SAT and set(words[1:-1]) <= {UNSAT}


def _dead_constraint(task: Task, solver: Solver, commands: Sequence[Command]) -> Deaths:
    """The first assertion that does not follow, where all have to; else that contradicts the specification."""
    text, asked = "(push)" + required(task), []
    for i, command in enumerate(commands):
        if command.name != "assert":
            text += meanings(task, [command])
        elif task.exact:
            assert command.term is not None
            text += within(f"(assert (not {text_of(command.term)}))")
            asked.append(i)
        else:
            text += asserted([command]) + CHECK
            asked.append(i)
    dead = SAT if task.exact else UNSAT
    words = words_of(solver.ask(text + "(pop)"))
    first = next((i for i, word in zip(asked, words, strict=False) if word == dead), None)
    return Deaths(first, SAT in words)


def _dead_definition(task: Task, solver: Solver, commands: Sequence[Command]) -> Deaths:
    """The first definition with which the specification has no model, or that completes what a property needs, wrongly."""
    lacking = set(task.to_define)
    open_properties, is_possible = list(task.properties), False
    for i, command in enumerate(commands):
        if command.symbol is None or command.symbol.body is None:
            continue
        lacking = {symbol for symbol in lacking if symbol.ident != command.symbol.ident}
        ready = [property for property in open_properties if not property.needs & lacking]
        open_properties = [property for property in open_properties if property not in ready]
        text = "(push)" + meanings(task, commands[: i + 1]) + within(required(task))
        text += "".join(within(denied(property)) for property in ready) + "(pop)"
        words = words_of(solver.ask(text))
        is_possible |= words[0] == SAT
        if words[0] == UNSAT or SAT in words[1:]:
            return Deaths(i, is_possible)
    return Deaths(None, is_possible)
