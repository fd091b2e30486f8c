"""Instrumented runs of a program that fails its tests: which lines a test executes, and what the sanitizers report.

gcov counts how often a test executes each line; the address and undefined-behaviour sanitizers tell at which line
something that C++ forbids happened. The program could write such reports too, so a place in them counts only if it is a
line of the program.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rlsf_lightning.symbolic.execution.sandbox import Outcome
from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import FILE
from rlsf_lightning.symbolic.verifiers.cpp.compiler.results import Ran, passes
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.task import Case

#: Tests that are run again.
MOST_FAILING, MOST_PASSING = 6, 10
_COUNTED = re.compile(r"^ *([0-9]+)\*?: *([0-9]+):", re.MULTILINE)
_UNDEFINED = re.compile(r"^(\S+?):(\d+):(\d+): runtime error: (.*)$", re.MULTILINE)
_ADDRESS = re.compile(r"^==\d+==ERROR: AddressSanitizer: ([\w-]+)(?: on (?:unknown )?address)?", re.MULTILINE)
_FRAME = re.compile(r"^ *#\d+ 0x[0-9a-f]+ .*?" + re.escape(FILE) + r":(\d+)", re.MULTILINE)
#: Parts of a message that differ from run to run.
_POINTERS = re.compile(r"0x[0-9a-f]+")
#: What the sanitizer calls a program that was ended by a signal which says nothing of memory.
_PLAIN_WORDS = {
    "ABRT": "aborted (an uncaught exception or a failed assertion)",
    "FPE": "arithmetic exception (a division by zero)",
    "SEGV": "invalid memory access",
    "stack-overflow": "stack overflow (endless recursion, or huge local arrays)",
}


@dataclass(frozen=True)
class Report:
    """What a sanitizer saw. ``column`` in bytes, None where only the line is known. ``ended``: it ended the program."""

    kind: str
    message: str
    line: int
    column: int | None
    ended: bool


@dataclass(frozen=True)
class Seen:
    """One test's instrumented run: how often each executed line ran, and the reports."""

    test: int
    passed: bool
    counts: dict[int, int]
    reports: tuple[Report, ...]


def read_seen(
    outcome: Outcome, program: Program, cases: Sequence[Case], ran: Sequence[Ran], chosen: Sequence[int]
) -> list[Seen]:
    """The output of the script ``run_instrumented`` for the tests ``chosen``; ``ran``: what they gave before."""
    seen, rest = [], outcome.output
    for i in chosen:
        head, _, rest = rest.partition(b"\n")
        sizes = head.split()
        if len(sizes) != 2 or not all(size.isdigit() and len(size) < 9 for size in sizes):
            break
        first, second = map(int, sizes)
        report, lines = (part.decode("utf-8", "replace") for part in (rest[:first], rest[first : first + second]))
        rest = rest[first + second :]
        seen.append(Seen(i, passes(cases[i], ran[i]), read_counts(lines, program), read_reports(report, program)))
    return seen


def choose(cases: Sequence[Case], ran: Sequence[Ran]) -> list[int]:
    """Which tests to run again, the shortest of each sort: the first failing one is among them."""
    run = [i for i in range(len(cases)) if ran[i].code is not None] or [0]
    failing = [i for i in run if not passes(cases[i], ran[i])]
    passing = sorted((i for i in run if i not in failing), key=lambda i: len(cases[i].input))
    others = sorted(failing[1:], key=lambda i: len(cases[i].input))
    return sorted(failing[:1] + others[: MOST_FAILING - 1] + passing[:MOST_PASSING])


def read_counts(printed: str, program: Program) -> dict[int, int]:
    """Line -> how often it was executed, of lines that were; the largest where a line was compiled more than once."""
    counts: dict[int, int] = {}
    for count, line in _COUNTED.findall(printed):
        if 1 <= int(line) <= program.lines and 0 < int(count):
            counts[int(line)] = max(counts.get(int(line), 0), int(count))
    return counts


def read_reports(printed: str, program: Program) -> tuple[Report, ...]:
    """What the sanitizers reported, each place once; what happened inside the library is at the line that called it."""
    reports: dict[tuple[int, str], Report] = {}
    for found in _UNDEFINED.finditer(printed):
        line, column = (
            (int(found[2]), int(found[3])) if found[1].endswith(FILE) else (_frame(printed, found.end()), None)
        )
        _add(reports, Report("undefined_behaviour", _POINTERS.sub("?", found[4]), line or 0, column, False), program)
    if found_address := _ADDRESS.search(printed):
        word = found_address[1]
        kind = "runtime_error" if word in _PLAIN_WORDS else "memory_error"
        line = _frame(printed, found_address.end()) or 0
        _add(reports, Report(kind, _PLAIN_WORDS.get(word, word.replace("-", " ")), line, None, True), program)
    return tuple(reports.values())


def _add(reports: dict[tuple[int, str], Report], report: Report, program: Program) -> None:
    if 1 <= report.line <= program.lines:
        reports.setdefault((report.line, report.kind), report)


def _frame(printed: str, start: int) -> int | None:
    """The innermost line of the program in the stack that is printed next."""
    end = printed.find("\n\n", start)
    found = _FRAME.search(printed, start, end if end >= 0 else len(printed))
    return int(found[1]) if found else None
