"""Locates what is wrong in commands: the parts that could be something else, and then all were right.

A part is a suspect if some value in its place (one for each argument, in a function's body) repairs what is wrong. The
part that was meant differently is always among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.smt.check import Checked
from rlsf_lightning.symbolic.verifiers.smt.language.spans import joined
from rlsf_lightning.symbolic.verifiers.smt.language.terms import (
    Command,
    Term,
    assertions,
    sort_text,
    symbols_of,
    text_of,
)
from rlsf_lightning.symbolic.verifiers.smt.task import Property, Task
from rlsf_lightning.symbolic.verifiers.smt.tool.script import (
    CHECK,
    asserted,
    denied,
    fixed,
    meanings,
    required,
    within,
    words_of,
)
from rlsf_lightning.symbolic.verifiers.smt.tool.solver import SAT, Solver

#: Parts that are tried in one search; further ones are not suspects.
_MAX_PARTS = 80
_MAX_SPANS = 40
#: Characters of a property in a message.
_SHOWN = 120


class Locator:
    """Findings of commands that do not pass.

    Args:
        task: what is asked for.
        commands: the completion's.
        checked: what is known of them.
        solver: z3, in a context that was begun with ``task.before``.
        explain: whether parts are tried; without it whole assertions and definitions are blamed.
    """

    def __init__(
        self, task: Task, commands: Sequence[Command], checked: Checked, solver: Solver, *, explain: bool
    ) -> None:
        self.task, self.commands, self.checked, self.solver = task, commands, checked, solver
        self.explain = explain
        self.own = assertions(commands)

    def findings(self) -> list[Finding]:
        """Everything that is wrong, at its place."""
        return self._of_definitions() if self.task.to_define else self._of_constraints()

    def _of_constraints(self) -> list[Finding]:
        if not self.own:
            return [Finding("empty", "nothing is asserted")]
        blamed = {i: self._excess(i) for i in self.checked.excess}
        found = [Finding("excess", "this does not follow from the specification", spans) for spans in blamed.values()]
        if self.checked.core:
            found.append(self._contradiction(blamed))
        return found + self._not_implied(blamed)

    def _excess(self, i: int) -> tuple[Span, ...]:
        """Where an assertion says too much."""
        model, own = self.checked.excess_models.get(i), self.own[i]
        if model is None:
            return (_body(own),)
        point = required(self.task) + fixed(model, self.task.symbols)
        return self._suspects([own], [point], [own]) or (_body(own),)

    def _contradiction(self, blamed: dict[int, tuple[Span, ...]]) -> Finding:
        checked = self.checked
        culprits = [i for i in checked.core if i in checked.excess] or checked.core
        spans = joined(span for i in culprits for span in blamed.get(i, ()))
        if not spans:
            spans = self._suspects([self.own[i] for i in culprits], [required(self.task)], self.own)
        spans = spans or joined(_body(self.own[i]) for i in culprits)
        kind = "contradiction" if checked.with_specification else "unsatisfiable"
        with_what = "and the specification " if checked.with_specification else ""
        message = f"{len(checked.core)} of the assertions {with_what}cannot hold together"
        return Finding(kind, message, spans[:_MAX_SPANS])

    def _not_implied(self, blamed: dict[int, tuple[Span, ...]]) -> list[Finding]:
        """Properties that do not follow. What shares a symbol with one and is needed for no other is to blame, or nothing."""
        checked, own = self.checked, self.own
        if not checked.is_consistent or not checked.violated:
            return []
        wrong = checked.excess or checked.core
        used = set() if wrong else self._used()
        suspects = wrong or [n for n in range(len(own)) if n not in used]
        found = []
        for i in checked.violated:
            property = self.task.properties[i]
            mine = [n for n in suspects if _shares(own[n], property)]
            spans = joined(span for n in mine for span in blamed.get(n, (_body(own[n]),)))
            found.append(Finding("violated", f"this does not follow: {_shown(property)}", spans[:_MAX_SPANS]))
        return found

    def _used(self) -> set[int]:
        """The assertions from which the properties that hold follow."""
        used: set[int] = set()
        self.solver.leave("(push)" + meanings(self.task, self.commands))
        texts = [text_of(command.term) for command in self.own if command.term is not None]
        labelled = "".join(f"(assert (! {text} :named k{i}))" for i, text in enumerate(texts))
        for i in self.checked.held:
            question = within(labelled + denied(self.task.properties[i]), asking=CHECK + "(get-unsat-core)")
            used |= {int(node.text[1:]) for node in self.solver.ask(question)[-1].items}
        self.solver.leave("(pop)")
        return used

    def _of_definitions(self) -> list[Finding]:
        task, commands, checked = self.task, self.commands, self.checked
        unused = _unused(task, commands) if checked.missing else ()
        found = [Finding("missing_definition", f"{name} is not defined", unused) for name in checked.missing]
        if not checked.violated:
            return found
        needs = {i: _definitions_of(task.properties[i], commands) for i in checked.violated}
        roots = [command for command in commands if any(command in wanted for wanted in needs.values())]
        # The values of what is given at which properties fail.
        points = [fixed(model, task.given) for model in checked.models.values()] or [""]
        parts = self._suspects(roots, [required(task) + point for point in points], [])
        for i in checked.violated:
            mine = [_body(command) for command in needs[i]]
            spans = tuple(span for span in parts if any(span.overlaps(other) for other in mine)) or joined(mine)
            message = f"this does not hold: {_shown(task.properties[i])}"
            found.append(Finding("violated", message, spans[:_MAX_SPANS]))
        return found

    def _suspects(self, roots: Sequence[Command], points: Sequence[str], goals: Sequence[Command]) -> tuple[Span, ...]:
        """The spans of the parts of ``roots``, and of definitions they use, that could repair the goals at every point."""
        if not self.explain:
            return ()
        owners = [*roots, *(command for command in _involved(self.commands, roots) if command not in roots)]
        pairs = [(owner, part) for owner in owners if owner.term is not None for part in _tried(owner.term)]
        questions = [
            self._with_hole(owner, part, goals, point) for owner, part in pairs[:_MAX_PARTS] for point in points
        ]
        words, n = words_of(self.solver.ask("".join(questions))), len(points)
        held = [
            part
            for i, (_, part) in enumerate(pairs[:_MAX_PARTS])
            if all(word == SAT for word in words[i * n : (i + 1) * n])
        ]
        suspects = {(part.start, part.end) for part in held}
        return joined(span for part in held for span in _own_places(part, suspects))[:_MAX_SPANS]

    def _with_hole(self, owner: Command, part: Term, goals: Sequence[Command], point: str) -> str:
        """The question whether something else in a part's place makes the goals hold at a point."""
        variables = owner.symbol.variables if owner.symbol is not None else ()
        sorts = " ".join(sort_text(variable.result) for variable in variables)
        call = f"(hole {' '.join(variable.ident for variable in variables)})" if variables else "hole"
        hole = f"(declare-fun hole ({sorts}) {sort_text(part.sort)})"
        swap = {id(part): call}
        return within(hole + meanings(self.task, self.commands, swap) + asserted(goals, swap) + point)


def _unused(task: Task, commands: Sequence[Command]) -> tuple[Span, ...]:
    """The names of definitions that nobody asked for and nothing uses."""
    wanted = {symbol.ident for symbol in task.to_define}
    used = {symbol.ident for c in commands if c.term is not None for symbol in symbols_of(c.term)}
    spare = [c for c in commands if c.symbol is not None and c.symbol.ident not in wanted | used]
    return tuple(Span(*command.label) for command in spare)[:_MAX_SPANS]


def _definitions_of(property: Property, commands: Sequence[Command]) -> list[Command]:
    """The completion's definitions that a property depends on."""
    names = {symbol.ident for symbol in property.needs}
    direct = [command for command in commands if command.symbol is not None and command.symbol.ident in names]
    return [command for command in commands if command in direct or command in _involved(commands, direct)]


def _involved(commands: Sequence[Command], roots: Sequence[Command]) -> list[Command]:
    """The completion's definitions that some commands depend on."""
    reached: set[str] = set()
    for root in roots:
        if root.term is not None:
            reached |= {symbol.ident for symbol in symbols_of(root.term)}
    return [command for command in commands if command.symbol is not None and command.symbol.ident in reached]


def _tried(term: Term) -> list[Term]:
    """The parts that may be replaced: not within quantifiers, and no conversion that nobody wrote."""
    found, waiting = list[Term](), [term]
    while waiting:
        part = waiting.pop()
        if not any((part.start, part.end) == (inner.start, inner.end) for inner in part.arguments):
            found.append(part)
        if part.name not in ("forall", "exists"):
            waiting += reversed(part.arguments)
    return found


def _own_places(part: Term, suspects: set[tuple[int, int]]) -> list[Span]:
    """The characters of a part that belong to none of its arguments; between two of these, if both are suspects."""
    inner = sorted((argument.start, argument.end) for argument in part.arguments)
    if not inner or part.name in ("forall", "exists"):
        return [Span(part.start, part.end)]
    # The values of let have names before them; between other arguments there is only white space.
    gaps = [
        Span(one[1], other[0])
        for one, other in pairwise(inner)
        if part.name == "let" or (one in suspects and other in suspects)
    ]
    return [Span(part.start, inner[0][0]), *gaps, Span(inner[-1][1], part.end)]


def _body(command: Command) -> Span:
    """The term of an assertion, or the body of a definition."""
    assert command.term is not None
    return Span(command.term.start, command.term.end)


def _shares(command: Command, property: Property) -> bool:
    assert command.term is not None
    return bool({symbol.ident for symbol in symbols_of(command.term)} & {symbol.ident for symbol in property.needs})


def _shown(property: Property) -> str:
    text = " ".join(property.text.split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + " ..."
