"""Checks commands that are well formed: do they hold together, and which properties hold? z3 is asked.

Everything is asked in a context that was begun with ``task.before``, and leaves nothing behind in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rlsf_lightning.records import MOST_WITHOUT_PASS
from rlsf_lightning.symbolic.verifiers.smt.language.reader import Node
from rlsf_lightning.symbolic.verifiers.smt.language.terms import Command, assertions, text_of
from rlsf_lightning.symbolic.verifiers.smt.task import Task
from rlsf_lightning.symbolic.verifiers.smt.tool.script import (
    CHECK,
    asserted,
    denied,
    meanings,
    model_of,
    named,
    required,
    settled,
    within,
    words_of,
)
from rlsf_lightning.symbolic.verifiers.smt.tool.solver import UNSAT, Solver

#: Models that are looked at and shown.
_MAX_MODELS = 4
#: Characters of all models that are shown.
_SHOWN = 4_000


@dataclass
class Checked:
    """What holds: numbers of properties and of assertions, counted from 0 in their order."""

    #: Properties that hold, and those that do not.
    held: list[int] = field(default_factory=list)
    violated: list[int] = field(default_factory=list)
    #: Whether there is a model at all.
    is_consistent: bool = True
    #: Assertions that do not follow from the specification (only where they have to).
    excess: list[int] = field(default_factory=list)
    #: A smallest set of assertions that cannot hold together, or, if ``with_specification``, not with the specification.
    core: list[int] = field(default_factory=list)
    with_specification: bool = False
    #: For violated properties, assertions in excess, or a PASS: what z3 found, by number.
    models: dict[int, dict[str, Node]] = field(default_factory=dict)
    excess_models: dict[int, dict[str, Node]] = field(default_factory=dict)
    own_model: dict[str, Node] = field(default_factory=dict)
    #: Names that are not defined though they have to be.
    missing: list[str] = field(default_factory=list)

    @property
    def passes(self) -> bool:
        """Whether the specification holds."""
        return self.is_consistent and not (self.violated or self.excess or self.missing)


def check(task: Task, commands: Sequence[Command], solver: Solver) -> Checked:
    """What holds of these commands. Raises ToolFailed where z3 does not tell."""
    return _check_definitions(task, solver, commands) if task.to_define else _check_constraints(task, solver, commands)


def score_of(task: Task, commands: Sequence[Command], checked: Checked) -> float:
    """The share of properties, and of assertions where these have to follow, that hold; 0 without a model."""
    own = assertions(commands)
    if not task.to_define and not (checked.is_consistent and own):
        return 0.0
    good, total = len(checked.held), len(task.properties)
    if task.exact:
        good, total = good + len(own) - len(checked.excess), total + len(own)
    return min(MOST_WITHOUT_PASS, good / total)


def witness_of(task: Task, commands: Sequence[Command], checked: Checked, offset: int) -> dict[str, Any]:
    """Core and models as JSON; places are of the completion, in which the text begins at ``offset``."""
    witness: dict[str, Any] = {"properties": len(task.properties), "held": checked.held}
    symbols = (*task.symbols, *(c.symbol for c in commands if c.symbol is not None))
    if checked.passes:
        model = named(checked.own_model, symbols, _SHOWN)
        return {**witness, "model": model} if model else witness
    room = _SHOWN // (len(checked.models) + len(checked.excess_models) + 1)
    if checked.core:
        own = assertions(commands)
        witness["core"] = [[own[i].start + offset, own[i].end + offset] for i in checked.core]
        witness["with_specification"] = checked.with_specification
    if checked.models:
        models = [{"property": i, "model": named(m, symbols, room)} for i, m in checked.models.items()]
        witness["models"] = models
    if checked.excess_models:
        models = [{"assertion": i, "model": named(m, symbols, room)} for i, m in checked.excess_models.items()]
        witness["excess"] = models
    return witness


def _check_constraints(task: Task, solver: Solver, commands: Sequence[Command]) -> Checked:
    own = assertions(commands)
    properties = task.properties
    text = "(push)" + meanings(task, commands) + "(push)" + asserted(own) + CHECK
    text += "".join(within(denied(property)) for property in properties) + "(pop)"
    if task.exact:
        text += "(push)" + required(task)
        text += "".join(within(f"(assert (not {text_of(c.term)}))") for c in own if c.term) + "(pop)"
    words = settled(solver.ask(text), 1 + len(properties) + (len(own) if task.exact else 0))
    consistent, about, follows = words[0] != UNSAT, words[1 : 1 + len(properties)], words[1 + len(properties) :]
    checked = Checked(is_consistent=consistent, excess=[i for i, word in enumerate(follows) if word != UNSAT])
    for i, word in enumerate(about):
        if consistent:
            (checked.held if word == UNSAT else checked.violated).append(i)
    if not consistent:
        checked.violated = list(range(len(properties)))
    _add_witnesses(task, solver, own, checked)
    solver.leave("(pop)")
    return checked


def _add_witnesses(task: Task, solver: Solver, own: list[Command], checked: Checked) -> None:
    """Models and cores of assertions that have been checked."""
    everything = asserted(own)
    if checked.passes:
        checked.own_model = model_of(solver.ask(within(everything, asking=CHECK + "(get-model)")))
        return
    for i in checked.excess[:_MAX_MODELS]:
        question = f"{required(task)}(assert (not {text_of(own[i].term)}))"  # type: ignore[arg-type]
        checked.excess_models[i] = model_of(solver.ask(within(question, asking=CHECK + "(get-model)")))
    if not checked.is_consistent:
        checked.core = _core(solver, "", own)
        return
    if not task.exact and checked.violated:
        checked.with_specification = settled(solver.ask(within(required(task) + everything)), 1) == [UNSAT]
    if checked.with_specification:
        checked.core = _core(solver, required(task), own)
    for i in checked.violated[:_MAX_MODELS]:
        question = everything + denied(task.properties[i])
        checked.models[i] = model_of(solver.ask(within(question, asking=CHECK + "(get-model)")))


def _core(solver: Solver, background: str, own: Sequence[Command]) -> list[int]:
    """A minimal unsat core: assertions that cannot hold with the background, none of which can be left out."""
    texts = [text_of(command.term) for command in own if command.term is not None]
    labelled = "".join(f"(assert (! {text} :named k{i}))" for i, text in enumerate(texts))
    answers = solver.ask(within(background + labelled, asking=CHECK + "(get-unsat-core)"))
    core = sorted(int(node.text[1:]) for node in answers[-1].items)
    for i in list(core):
        rest = "".join(f"(assert {texts[j]})" for j in core if j != i)
        if words_of(solver.ask(within(background + rest))) == [UNSAT]:
            core.remove(i)
    return core


def _check_definitions(task: Task, solver: Solver, commands: Sequence[Command]) -> Checked:
    defined = {command.symbol.ident for command in commands if command.symbol is not None}
    lacking = {symbol for symbol in task.to_define if symbol.ident not in defined}
    text = "(push)" + meanings(task, commands) + "".join(within(denied(p)) for p in task.properties)
    words = settled(solver.ask(text), len(task.properties))
    checked = Checked(missing=[symbol.name for symbol in task.to_define if symbol in lacking])
    for i, (word, property) in enumerate(zip(words, task.properties, strict=True)):
        if word == UNSAT:
            checked.held.append(i)
        elif not property.needs & lacking:
            checked.violated.append(i)
    for i in checked.violated[:_MAX_MODELS]:
        question = within(denied(task.properties[i]), asking=CHECK + "(get-model)")
        checked.models[i] = model_of(solver.ask(question))
    solver.leave("(pop)")
    return checked
