"""Search for a small change with which a program passes its tests: the strongest thing to say of where it goes wrong.

A repair is no guess: with it all tests pass, compiled and run by itself as any program is. Changes are tried in an order
and number that the text alone decides, so the same repair is found again. Other changes that passed in the trial beside it
stand after it, as far as the places that are blamed remain few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.cpp.check import Checked
from rlsf_lightning.symbolic.verifiers.cpp.compiler.compiler import Compiler
from rlsf_lightning.symbolic.verifiers.cpp.compiler.results import passes
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.repair.changes import Change, token_changes
from rlsf_lightning.symbolic.verifiers.cpp.repair.missing import missing_statements
from rlsf_lightning.symbolic.verifiers.cpp.repair.refused import Refused
from rlsf_lightning.symbolic.verifiers.cpp.repair.versions import versions
from rlsf_lightning.symbolic.verifiers.cpp.source.variables import Variables
from rlsf_lightning.symbolic.verifiers.cpp.task import Case

#: Changes of one trial, and the characters of all the versions of it.
MOST_CHANGES, MOST_CHARACTERS = 160, 120_000
#: Longer programs are not changed: too few changes would fit.
LONGEST = 6000
#: Changes that are compiled by themselves before a trial is given up.
_MOST_CONFIRMED = 3
#: Of the program's characters: blamed at most; places at most.
_BLAMED, _MOST_PLACES = 0.25, 8


def repairs(compiler: Compiler, program: Program, checked: Checked) -> list[Change]:
    """Changes that make all tests pass, the first of them by itself; none where none of those that are tried does.

    ``checked``: the program as it is; it fails a test.
    """
    cases, first = checked.cases, checked.first_failing
    if len(program.text) > LONGEST or not program.is_plain:
        return []
    variables = Variables(program)
    for changes in rounds(program, variables, cases[first].output):
        text = versions(program, variables, changes)
        if text is None:  # versions cannot stand beside each other
            return []
        numbers = compiler.trial(text, len(changes), cases, first, checked.built.library)
        for at, number in enumerate(numbers[:_MOST_CONFIRMED]):
            if is_repair(compiler, program.text, changes[number], cases):
                return _few(program, [changes[one] for one in numbers[at:]])
    return []


def is_repair(compiler: Compiler, text: str, change: Change, cases: Sequence[Case]) -> bool:
    """Whether a text compiles and passes all tests with a change."""
    built = compiler.compile(Program(change.applied(text)), cases)
    return built.is_program and all(map(passes, cases, built.ran))


def rounds(program: Program, variables: Variables, expected: str) -> list[list[Change]]:
    """What is tried together: the likely changes, then the others. Those that cannot compile take their place in vain."""
    likely, others = token_changes(program, variables)
    likely_missing, other_missing = missing_statements(program, variables, expected)
    most = min(MOST_CHANGES, MOST_CHARACTERS // len(program.text))
    first = list(dict.fromkeys([*likely_missing[: most // 2], *likely]))
    rest = list(dict.fromkeys([*first[most:], *others, *likely_missing[most // 2 :], *other_missing]))
    refused = Refused(program, variables)
    parts = ([change for change in part[:most] if not refused.refuses(change)] for part in (first, rest))
    return [part for part in parts if part]


def findings(program: Program, checked: Checked, found: Sequence[Change]) -> list[Finding]:
    """One for each of ``repairs``."""
    kind, message = checked.how_it_fails()
    told = []
    for number, change in enumerate(found):
        begin = f"{message}; the tests pass" if number == 0 else "or they pass"
        told.append(Finding(kind, f"{begin} with {_words(program, change)}", place(program, change)))
    return told


def witness(change: Change) -> list[Any]:
    """First character, end, text."""
    return [change.span.start, change.span.end, change.new]


def place(program: Program, change: Change) -> tuple[Span, ...]:
    """What the change replaces; for a statement that is missing the tokens around the gap."""
    if change.span.start < change.span.end:
        return (change.span,)
    before = [token.span for token in program.tokens if token.end <= change.span.start]
    after = [token.span for token in program.tokens if token.start >= change.span.end]
    return (*before[-1:], *after[:1])


def _words(program: Program, change: Change) -> str:
    old = program.text[change.span.start : change.span.end]
    return f"`{change.new}` instead of `{old}` here" if old else f"`{change.new.strip()}` between these"


def _few(program: Program, found: Sequence[Change]) -> list[Change]:
    """One for a place, until too many characters are blamed; the first in any case."""
    chosen: dict[tuple[Span, ...], Change] = {}
    most = _BLAMED * len("".join(program.text.split()))
    blamed: set[int] = set()
    for change in found:
        spans = place(program, change)
        more = blamed.union(*(range(span.start, span.end) for span in spans))
        if spans not in chosen and (not chosen or len(more) <= most) and len(chosen) < _MOST_PLACES:
            chosen[spans], blamed = change, more
    return list(chosen.values())
