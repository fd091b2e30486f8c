"""From the runs of a program's tests to findings at its statements.

What the sanitizers report is at its line; an endless loop at the lines that it goes through, with its condition; a
failure's exit code at the ``return`` that gives it; a wrong output at the statements that ``spectrum`` picks.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.cpp.check import Checked
from rlsf_lightning.symbolic.verifiers.cpp.compiler.compiler import Compiler
from rlsf_lightning.symbolic.verifiers.cpp.compiler.instrumented import Report, Seen
from rlsf_lightning.symbolic.verifiers.cpp.locate.spectrum import spans_of, suspects
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.source.statements import Split


def findings(program: Program, checked: Checked, compiler: Compiler | None) -> list[Finding]:
    """What is wrong with a program that compiles and fails a test; at least one finding.

    ``compiler``: runs it again, instrumented; None: it is not run again.
    """
    split = Split(program)
    seen = [] if compiler is None else compiler.watch(split.program, checked.cases, checked.built)
    failing = [one for one in seen if not one.passed]
    found = [_of_report(report, split) for report in _telling(seen)]
    kind, message = checked.how_it_fails()
    if kind in ("timeout", "output_limit"):
        found.append(Finding(kind, message, _hot_lines(split, failing)))
    elif kind == "wrong_output":
        lines, why = suspects(split, seen)
        found.append(Finding(kind, f"{message}{why}", spans_of(split, lines)))
    elif not {finding.kind for finding in found} & {"runtime_error", "memory_error"}:
        found.append(Finding(kind, message, _returns(split, checked.built.ran[checked.first_failing].code)))
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
            span = program.tokens[index].span
    places = () if span is None else (split.back(span),)
    return Finding(report.kind, report.message[:300], places + _head(split, report))


def _head(split: Split, report: Report) -> tuple[Span, ...]:
    """For memory and crashes: the condition that let the program come there, often a loop's bound."""
    return () if report.kind == "undefined_behaviour" else spans_of(split, split.deciding(report.line))


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
