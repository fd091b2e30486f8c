"""From the runs of a program's tests to findings at its statements: how the first failing test fails, and where.

What the sanitizers report is at its line; an endless loop at the lines that it goes through, with its condition; a
failure's exit code at the ``return`` that gives it; a wrong output at the statements that ``suspects`` picks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.cpp.run import FILE_TOO_LARGE, SIGNALS, TOO_SLOW, Case, Ran, passed
from rlsf_lightning.symbolic.verifiers.cpp.split import Split
from rlsf_lightning.symbolic.verifiers.cpp.suspects import spans_of, suspects
from rlsf_lightning.symbolic.verifiers.cpp.watch import Report, Seen

KINDS = frozenset("wrong_output runtime_error memory_error undefined_behaviour timeout output_limit".split())
#: Characters of an input or output that a witness shows.
MAX_SHOWN = 2000


def first_failing(cases: Sequence[Case], ran: Sequence[Ran]) -> int | None:
    """The first test that does not pass."""
    return next((i for i, case in enumerate(cases) if not passed(case, ran[i])), None)


def witness(cases: Sequence[Case], ran: Sequence[Ran]) -> dict[str, Any]:
    """The first failing test, and how many pass."""
    first = first_failing(cases, ran)
    counts = {"tests": len(cases), "passed": sum(passed(case, one) for case, one in zip(cases, ran, strict=True))}
    if first is None:
        return counts
    return counts | {
        "test": first,
        "input": cases[first].input[:MAX_SHOWN],
        "expected": cases[first].output[:MAX_SHOWN],
        "actual": ran[first].output[:MAX_SHOWN],
        "exit_code": ran[first].code,
        "not_run": sum(one.code is None for one in ran),
    }


def findings(split: Split, cases: Sequence[Case], ran: Sequence[Ran], seen: Sequence[Seen]) -> list[Finding]:
    """What is wrong with a program that compiles and fails a test; at least one finding."""
    first = first_failing(cases, ran)
    assert first is not None, "every test passed"
    failing = [one for one in seen if not one.passed]
    found = [_of_report(report, split) for report in _telling(seen)]
    kind, message = how_it_fails(ran[first], first)
    if kind in ("timeout", "output_limit"):
        found.append(Finding(kind, message, _hot_lines(split, failing)))
    elif kind == "wrong_output":
        lines, why = suspects(split, seen)
        found.append(Finding(kind, f"{message}{why}", spans_of(split, lines)))
    elif not {finding.kind for finding in found} & {"runtime_error", "memory_error"}:
        found.append(Finding(kind, message, _returns(split, ran[first].code)))
    return found


def _telling(seen: Sequence[Seen]) -> list[Report]:
    """Reports of failing tests, without those that passing tests have too; all, if there are no others."""
    of_failing = list(dict.fromkeys(report for one in seen if not one.passed for report in one.reports))
    of_passing = {report for one in seen if one.passed for report in one.reports}
    return [report for report in of_failing if report not in of_passing] or of_failing


def _of_report(report: Report, split: Split) -> Finding:
    program = split.program
    span = program.line_span(report.line)
    if report.column is not None and span is not None:
        at = program.offset(report.line, report.column)
        index = None if at is None else program.index_at(at)
        if index is not None:
            span = Span(program.tokens[index].start, program.tokens[index].end)
    places = () if span is None else (split.back(span),)
    return Finding(report.kind, report.message[:300], places + _head(split, report))


def _head(split: Split, report: Report) -> tuple[Span, ...]:
    """For memory and crashes: the condition that let the program come there, often a loop's bound."""
    return () if report.kind == "undefined_behaviour" else spans_of(split, split.deciding(report.line))


def how_it_fails(ran: Ran, test: int) -> tuple[str, str]:
    """Kind and message of how a test failed."""
    if ran.code is None:
        return "runtime_error", f"test {test}: the program ended what ran it"
    if ran.code in TOO_SLOW:
        return "timeout", f"test {test} takes too long"
    if ran.code == FILE_TOO_LARGE:
        return "output_limit", f"test {test} prints far more than is expected"
    if ran.code in SIGNALS:
        return "runtime_error", f"test {test} ends with {SIGNALS[ran.code]}"
    if ran.code != 0:
        return "runtime_error", f"test {test} ends with exit code {ran.code}"
    return "wrong_output", f"test {test} gives another output than expected"


def _hot_lines(split: Split, failing: Sequence[Seen]) -> tuple[Span, ...]:
    """The lines that a loop without end goes through, at least half as often as any other, and its condition."""
    counts = failing[0].counts if failing else {}
    most = max(counts.values(), default=0)
    hot = {line for line, count in counts.items() if 2 * count >= most} if most > 1 else set()
    heads = {head for line in hot for head in split.deciding(line)}
    inside = {line for line in hot if split.deciding(line)} | heads
    return spans_of(split, sorted(inside or hot))


def _returns(split: Split, code: int | None) -> tuple[Span, ...]:
    """The statements that return this exit code."""
    tokens = split.program.tokens
    lines = []
    for i, token in enumerate(tokens):
        if token.text in ("return", "exit"):
            end = next((at for at in range(i, len(tokens)) if tokens[at].text == ";"), len(tokens))
            if any(part.text == str(code) for part in tokens[i:end]):
                lines.append(split.program.line_of(token.start))
    return spans_of(split, lines)
