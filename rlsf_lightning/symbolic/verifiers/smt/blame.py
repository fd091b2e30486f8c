"""Where commands are wrong: the parts of assertions and definitions that could be something else, and then all were right.

A part is a suspect if some value in its place (one for each argument, in a function's body) repairs what is wrong. The
part that was meant differently is always among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.smt.judge import Judgement, assertions, involved, points_of, used_by
from rlsf_lightning.symbolic.verifiers.smt.script import asserted, fixed, meanings, required, within
from rlsf_lightning.symbolic.verifiers.smt.solver import Solver
from rlsf_lightning.symbolic.verifiers.smt.task import Property, Task
from rlsf_lightning.symbolic.verifiers.smt.terms import Command, Term, sort_text, symbols_of
from rlsf_lightning.symbolic.verifiers.smt.understand import joined

#: Parts that are tried in one search; further ones are not suspects.
MAX_PARTS = 80
MAX_SPANS = 40
#: Characters of a property in a message.
_SHOWN = 120


def findings_of(
    task: Task, solver: Solver, commands: Sequence[Command], done: Judgement, locate: bool
) -> list[Finding]:
    """Everything that is wrong, at its place; ``locate``: whether parts are tried."""
    if task.to_define:
        return _of_definitions(task, solver, commands, done, locate)
    return _of_constraints(task, solver, commands, done, locate)


def _of_constraints(
    task: Task, solver: Solver, commands: Sequence[Command], done: Judgement, locate: bool
) -> list[Finding]:
    own = assertions(commands)
    if not own:
        return [Finding("empty", "nothing is asserted")]
    found, places = [], dict[int, tuple[Span, ...]]()
    for i in done.excess:
        if i in done.excess_models:
            point = required(task) + fixed(done.excess_models[i], task.symbols)
            parts = _suspects(task, solver, commands, [own[i]], [point], [own[i]], locate)
            places[i] = parts or (_place(own[i]),)
        else:
            places[i] = (_place(own[i]),)
        found.append(Finding("excess", "this does not follow from the specification", places[i]))
    if done.core:
        culprits = [i for i in done.core if i in done.excess] or done.core
        blamed = joined([span for i in culprits for span in places.get(i, ())])
        if not blamed:
            roots = [own[i] for i in culprits]
            blamed = _suspects(task, solver, commands, roots, [required(task)], own, locate)
        blamed = blamed or joined([_place(own[i]) for i in culprits])
        kind = "contradiction" if done.with_specification else "unsatisfiable"
        with_what = "and the specification " if done.with_specification else ""
        message = f"{len(done.core)} of the assertions {with_what}cannot hold together"
        found.append(Finding(kind, message, blamed[:MAX_SPANS]))
    return found + _not_implied(task, solver, commands, done, places)


def _not_implied(
    task: Task, solver: Solver, commands: Sequence[Command], done: Judgement, places: dict[int, tuple[Span, ...]]
) -> list[Finding]:
    """Properties that do not follow. What shares a symbol with one and is needed for no other is to blame, or nothing."""
    if not done.is_consistent or not done.violated:
        return []
    own = assertions(commands)
    used = set() if done.excess or done.core else used_by(task, solver, commands, done.held)
    found = []
    for i in done.violated:
        property = task.properties[i]
        if done.excess or done.core:
            suspects = [n for n in done.excess or done.core if _shares(own[n], property)]
        else:
            suspects = [n for n, command in enumerate(own) if n not in used and _shares(command, property)]
        spans = joined([span for n in suspects for span in places.get(n, (_place(own[n]),))])
        found.append(Finding("violated", f"this does not follow: {_shown(property)}", spans[:MAX_SPANS]))
    return found


def _of_definitions(
    task: Task, solver: Solver, commands: Sequence[Command], done: Judgement, locate: bool
) -> list[Finding]:
    unused = _unused(task, commands) if done.missing else ()
    found = [Finding("missing_definition", f"{name} is not defined", unused) for name in done.missing]
    if not done.violated:
        return found
    needs = {i: _definitions_of(task.properties[i], commands) for i in done.violated}
    roots = [command for command in commands if any(command in wanted for wanted in needs.values())]
    points = [required(task) + point for point in points_of(task, done)]
    parts = _suspects(task, solver, commands, roots, points, [], locate)
    for i in done.violated:
        mine = [_place(command) for command in needs[i]]
        spans = tuple(span for span in parts if any(span.overlaps(place) for place in mine)) or joined(mine)
        found.append(Finding("violated", f"this does not hold: {_shown(task.properties[i])}", spans[:MAX_SPANS]))
    return found


def _unused(task: Task, commands: Sequence[Command]) -> tuple[Span, ...]:
    """The names of definitions that nobody asked for and nothing uses."""
    wanted = {symbol.ident for symbol in task.to_define}
    used = {symbol.ident for c in commands if c.term is not None for symbol in symbols_of(c.term)}
    spare = [c for c in commands if c.symbol is not None and c.symbol.ident not in wanted | used]
    return tuple(Span(*command.label) for command in spare)[:MAX_SPANS]


def _definitions_of(property: Property, commands: Sequence[Command]) -> list[Command]:
    """The completion's definitions that a property depends on."""
    names = {symbol.ident for symbol in property.needs}
    direct = [command for command in commands if command.symbol is not None and command.symbol.ident in names]
    return [command for command in commands if command in direct or command in involved(commands, direct)]


def _suspects(
    task: Task,
    solver: Solver,
    commands: Sequence[Command],
    roots: Sequence[Command],
    points: Sequence[str],
    goals: Sequence[Command],
    locate: bool,
) -> tuple[Span, ...]:
    """The places of the parts of ``roots``, and of definitions they use, that could repair the goals at every point."""
    if not locate:
        return ()
    owners = [*roots, *(command for command in involved(commands, roots) if command not in roots)]
    pairs = [(owner, part) for owner in owners if owner.term is not None for part in _tried(owner.term)][:MAX_PARTS]
    texts = []
    for owner, part in pairs:
        variables = owner.symbol.variables if owner.symbol is not None else ()
        sorts = " ".join(sort_text(variable.result) for variable in variables)
        call = f"(hole {' '.join(variable.ident for variable in variables)})" if variables else "hole"
        hole = f"(declare-fun hole ({sorts}) {sort_text(part.sort)})"
        swap = {id(part): call}
        texts += [within(hole + meanings(task, commands, swap) + asserted(goals, swap) + point) for point in points]
    words = [node.text for node in solver.ask("".join(texts))]
    held = [
        part
        for n, (_, part) in enumerate(pairs)
        if all(word == "sat" for word in words[n * len(points) : (n + 1) * len(points)])
    ]
    suspects = {(part.start, part.end) for part in held}
    return joined([span for part in held for span in _own_places(part, suspects)])[:MAX_SPANS]


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


def _place(command: Command) -> Span:
    """The term of an assertion, or the body of a definition."""
    assert command.term is not None
    return Span(command.term.start, command.term.end)


def _shares(command: Command, property: Property) -> bool:
    assert command.term is not None
    return bool({symbol.ident for symbol in symbols_of(command.term)} & {symbol.ident for symbol in property.needs})


def _shown(property: Property) -> str:
    text = " ".join(property.text.split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + " ..."
