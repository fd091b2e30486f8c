"""What z3 says of commands that are well formed: whether they hold together, and which properties hold.

Everything is asked in a context that was begun with ``task.before``, and leaves nothing behind in it.
Never here: places (``blame``), and texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rlsf_lightning.symbolic.verifiers.smt.reader import Node
from rlsf_lightning.symbolic.verifiers.smt.script import (
    CHECK,
    asserted,
    denied,
    fixed,
    meanings,
    model_of,
    required,
    settled,
    within,
)
from rlsf_lightning.symbolic.verifiers.smt.solver import SAT, UNSAT, Solver
from rlsf_lightning.symbolic.verifiers.smt.task import Task
from rlsf_lightning.symbolic.verifiers.smt.terms import Command, symbols_of, text_of

#: Models that are looked at and shown.
MAX_MODELS = 4


@dataclass
class Judgement:
    """Numbers of properties and of assertions (counted from 0, in their order)."""

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
        return self.is_consistent and not (self.violated or self.excess or self.missing)


def judge(task: Task, solver: Solver, commands: Sequence[Command]) -> Judgement:
    """Raises ToolFailed where z3 does not tell."""
    return _judge_definitions(task, solver, commands) if task.to_define else _judge_constraints(task, solver, commands)


def assertions(commands: Sequence[Command]) -> list[Command]:
    """The assertions among the commands."""
    return [command for command in commands if command.name == "assert"]


def is_possible(task: Task, solver: Solver) -> bool:
    """Whether anything can fulfil the task: False only if z3 is certain."""
    return _words(solver.ask(within(meanings(task, ()) + required(task)))) != [UNSAT]


@dataclass(frozen=True)
class Deaths:
    """``first``: the first command after which nothing passes, as far as z3 is certain; None if there is none.

    ``is_possible``: whether z3 has found a model of the specification on the way.
    """

    first: int | None = None
    is_possible: bool = False


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
        return _words(solver.ask(within(meanings(task, commands) + required(task)))) == [SAT]
    own = assertions(commands)
    text = "(push)" + meanings(task, commands) + required(task) + CHECK
    text += "".join(within(f"(assert (not {text_of(c.term)}))") for c in own if c.term) if task.exact else ""
    text += asserted(own) + CHECK + "(pop)"
    words = _words(solver.ask(text))
    return words[0] == words[-1] == SAT and set(words[1:-1]) <= {UNSAT}


def _words(answers: list[Node]) -> list[str]:
    return [node.text for node in answers]


def _judge_constraints(task: Task, solver: Solver, commands: Sequence[Command]) -> Judgement:
    own = assertions(commands)
    properties = task.properties
    text = "(push)" + meanings(task, commands) + "(push)" + asserted(own) + CHECK
    text += "".join(within(denied(property)) for property in properties) + "(pop)"
    if task.exact:
        text += "(push)" + required(task)
        text += "".join(within(f"(assert (not {text_of(c.term)}))") for c in own if c.term) + "(pop)"
    words = settled(solver.ask(text), 1 + len(properties) + (len(own) if task.exact else 0))
    consistent, about, follows = words[0] != UNSAT, words[1 : 1 + len(properties)], words[1 + len(properties) :]
    done = Judgement(is_consistent=consistent, excess=[i for i, word in enumerate(follows) if word != UNSAT])
    for i, word in enumerate(about):
        if consistent:
            (done.held if word == UNSAT else done.violated).append(i)
    if not consistent:
        done.violated = list(range(len(properties)))
    _explain(task, solver, own, done)
    solver.leave("(pop)")
    return done


def _explain(task: Task, solver: Solver, own: list[Command], done: Judgement) -> None:
    """Models and cores."""
    everything = asserted(own)
    if done.passes:
        done.own_model = model_of(solver.ask(within(everything, asking=CHECK + "(get-model)")))
        return
    for i in done.excess[:MAX_MODELS]:
        question = f"{required(task)}(assert (not {text_of(own[i].term)}))"  # type: ignore[arg-type]
        done.excess_models[i] = model_of(solver.ask(within(question, asking=CHECK + "(get-model)")))
    if not done.is_consistent:
        done.core = core_of(solver, "", own)
        return
    if not task.exact and done.violated:
        done.with_specification = settled(solver.ask(within(required(task) + everything)), 1) == [UNSAT]
    if done.with_specification:
        done.core = core_of(solver, required(task), own)
    for i in done.violated[:MAX_MODELS]:
        question = everything + denied(task.properties[i])
        done.models[i] = model_of(solver.ask(within(question, asking=CHECK + "(get-model)")))


def core_of(solver: Solver, background: str, own: Sequence[Command]) -> list[int]:
    """A set of assertions that cannot hold with the background, none of which can be left out."""
    texts = [text_of(command.term) for command in own if command.term is not None]
    named = "".join(f"(assert (! {text} :named k{i}))" for i, text in enumerate(texts))
    answers = solver.ask(within(background + named, asking=CHECK + "(get-unsat-core)"))
    core = sorted(int(node.text[1:]) for node in answers[-1].items)
    for i in list(core):
        rest = "".join(f"(assert {texts[j]})" for j in core if j != i)
        if _words(solver.ask(within(background + rest))) == [UNSAT]:
            core.remove(i)
    return core


def used_by(task: Task, solver: Solver, commands: Sequence[Command], held: Sequence[int]) -> set[int]:
    """The assertions from which the properties that hold follow."""
    used: set[int] = set()
    own = assertions(commands)
    solver.leave("(push)" + meanings(task, commands))
    texts = [text_of(command.term) for command in own if command.term is not None]
    named = "".join(f"(assert (! {text} :named k{i}))" for i, text in enumerate(texts))
    for i in held:
        answers = solver.ask(within(named + denied(task.properties[i]), asking=CHECK + "(get-unsat-core)"))
        used |= {int(node.text[1:]) for node in answers[-1].items}
    solver.leave("(pop)")
    return used


def _judge_definitions(task: Task, solver: Solver, commands: Sequence[Command]) -> Judgement:
    defined = {command.symbol.ident for command in commands if command.symbol is not None}
    lacking = {symbol for symbol in task.to_define if symbol.ident not in defined}
    text = "(push)" + meanings(task, commands) + "".join(within(denied(p)) for p in task.properties)
    words = settled(solver.ask(text), len(task.properties))
    done = Judgement(missing=[symbol.name for symbol in task.to_define if symbol in lacking])
    for i, (word, property) in enumerate(zip(words, task.properties, strict=True)):
        if word == UNSAT:
            done.held.append(i)
        elif not property.needs & lacking:
            done.violated.append(i)
    for i in done.violated[:MAX_MODELS]:
        question = within(denied(task.properties[i]), asking=CHECK + "(get-model)")
        done.models[i] = model_of(solver.ask(question))
    solver.leave("(pop)")
    return done


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
    words = _words(solver.ask(text + "(pop)"))
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
        words = _words(solver.ask(text))
        is_possible |= words[0] == SAT
        if words[0] == UNSAT or SAT in words[1:]:
            return Deaths(i, is_possible)
    return Deaths(None, is_possible)


def points_of(task: Task, done: Judgement) -> list[str]:
    """The values of what is given at which properties fail."""
    return [fixed(model, task.given) for model in done.models.values()] or [""]


def involved(commands: Sequence[Command], roots: Sequence[Command]) -> list[Command]:
    """The completion's definitions that some commands depend on."""
    reached: set[str] = set()
    for root in roots:
        if root.term is not None:
            reached |= {symbol.ident for symbol in symbols_of(root.term)}
    return [command for command in commands if command.symbol is not None and command.symbol.ident in reached]
