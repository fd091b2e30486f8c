"""The task of a prompt: what is declared, what has to hold, and what a completion may do."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifiers.smt.language.command_checker import CommandChecker
from rlsf_lightning.symbolic.verifiers.smt.language.reader import read
from rlsf_lightning.symbolic.verifiers.smt.language.sort_checker import IllFormed
from rlsf_lightning.symbolic.verifiers.smt.language.terms import Command, Scope, Symbol, Term, symbols_of

MAX_DEPTH = 100
_NO_MORE = {"assert": "this task asks for definitions, not for assertions"}
_GIVEN = "everything is declared by the task already"


@dataclass(frozen=True, eq=False)
class Property:
    """A formula of the specification, with the text that it was given as and the symbols it depends on."""

    term: Term
    text: str
    needs: frozenset[Symbol]


@dataclass(frozen=True, eq=False)
class Task:
    """A task. With ``to_define``: define these so that every property holds for all values of ``given``; without:
    assert constraints from which every property follows, and, if ``exact``, that follow from the properties in turn."""

    scope: Scope
    commands: tuple[Command, ...]
    properties: tuple[Property, ...]
    to_define: tuple[Symbol, ...]
    given: tuple[Symbol, ...]
    exact: bool
    #: The constants and functions of the task.
    symbols: tuple[Symbol, ...]
    #: For the solver: what comes before the completion, and what can only come after it.
    before: str
    after: str
    #: The prompt's id, for messages.
    prompt: str = ""

    @property
    def key(self) -> Hashable:
        """Equal for tasks of the same facts, whichever prompt they belong to."""
        return self.properties

    def checker(self) -> CommandChecker:
        """Reads a completion."""
        if self.to_define:
            refused = {**_NO_MORE, **dict.fromkeys(("declare-const", "declare-fun", "declare-sort"), _GIVEN)}
        else:
            refused = dict.fromkeys(("declare-const", "declare-fun", "declare-sort"), _GIVEN) if self.exact else {}
        taken = [symbol.name for symbol in self.symbols]
        return CommandChecker(self.scope.copy(), is_own=True, to_define=self.to_define, refused=refused, taken=taken)


def task_of(prompt: Prompt) -> Task:
    """The task of a prompt. Raises UserError for facts that are missing or malformed."""
    facts = prompt.facts
    declarations = _text(prompt, "declarations", facts, '"(declare-const x Int)"', "")
    specification = _text(prompt, "specification", facts, '"(assert (> x 3))"', None)
    names = facts.get("define", ())
    if isinstance(names, str) or not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
        raise UserError(f'prompt {prompt.id}: define={str(names)[:80]}: expects a list of names: "define": ["x", "f"]')
    exact = facts.get("exact", False)
    if not isinstance(exact, bool):
        raise UserError(f"prompt {prompt.id}: exact={str(exact)[:80]}: expects true or false")
    try:
        return replace(_task(declarations, specification, tuple(names), exact), prompt=prompt.id)
    except UserError as error:
        raise UserError(f"prompt {prompt.id}: {error}") from None


def _text(prompt: Prompt, name: str, facts: Mapping[str, object], example: str, default: str | None) -> str:
    value = facts.get(name, default)
    if isinstance(value, list | tuple) and all(isinstance(line, str) for line in value):
        lines = [line.strip() for line in value]
        if name == "specification":
            lines = [line if line.startswith("(assert") else f"(assert {line})" for line in lines]
        value = "\n".join(lines)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise UserError(f'prompt {prompt.id}: smt needs the fact `{name}`, SMT-LIB commands; write "{name}": {example}')
    return value


@lru_cache(maxsize=4096)
def _task(declarations: str, specification: str, names: tuple[str, ...], exact: bool) -> Task:
    scope = Scope()
    checker = CommandChecker(scope, is_own=False)
    commands = _commands("declarations", declarations, checker)
    asserted = _commands("specification", specification, checker)
    if not asserted or any(command.term is None or command.symbol is not None for command in asserted):
        raise UserError("the specification holds (assert ...) commands alone, at least one")
    properties = tuple(
        Property(command.term, specification[command.start : command.end], frozenset(symbols_of(command.term)))
        for command in asserted
        if command.term is not None
    )
    symbols = tuple(scope.symbols.values())
    free = [symbol for symbol in symbols if symbol.body is None]
    to_define = tuple(symbol for name in names for symbol in free if symbol.name == name)
    if len(to_define) != len(set(names)):
        raise UserError(f"define={list(names)}: each has to be declared in `declarations`, without a definition")
    if names and exact:
        raise UserError("exact=true is for tasks of constraints; leave `define` or `exact` out")
    if not names:
        before = "".join(command.text for command in commands)
        return Task(scope, commands, properties, (), (), exact, symbols, before, "")
    return _definitions(scope, commands, properties, to_define, symbols)


def _definitions(
    scope: Scope,
    commands: tuple[Command, ...],
    properties: tuple[Property, ...],
    to_define: tuple[Symbol, ...],
    symbols: tuple[Symbol, ...],
) -> Task:
    wanted, before, after = set(to_define), list[str](), list[str]()
    seen = Scope(sorts=dict(scope.sorts), count=scope.count)
    given = tuple(symbol for symbol in symbols if symbol.body is None and symbol not in wanted)
    if any(symbol.parameters for symbol in given):
        raise UserError(
            "of what a task of definitions leaves open only constants are supported; add functions to `define`"
        )
    for command in commands:
        depends = symbols_of(command.term) & wanted if command.term is not None else set()
        if depends and command.symbol is None:
            raise UserError("an assertion of `declarations` speaks of what is to be defined; put it in `specification`")
        if command.symbol in wanted:
            continue
        (after if depends else before).append(command.text)
        if command.symbol is not None and command.symbol.body is not None:
            if not symbols_of(command.symbol.body) & {*wanted, *given}:
                seen.symbols[command.symbol.name] = command.symbol
    return Task(seen, commands, properties, to_define, given, False, symbols, "".join(before), "".join(after))


def _commands(fact: str, text: str, checker: CommandChecker) -> tuple[Command, ...]:
    reading = read(text, MAX_DEPTH)
    try:
        commands = [checker.command(node) for node in reading.commands]
    except IllFormed as wrong:
        findings = [wrong.finding]
    else:
        findings = reading.findings
    if findings:
        first = findings[0]
        shown = " ".join(text[span.start : span.end] for span in first.spans)
        raise UserError(f"`{fact}`: {first.kind} at {shown[:80]!r}: {first.message}")
    return tuple(command for command in commands if command is not None)
