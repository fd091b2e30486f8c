"""The compiler's output and each test's result, read from what comes out of the sandbox.

The program runs beside the script that runs it, so all of it is read as something that the program may have written:
sizes are checked, and what is missing counts against it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rlsf_lightning.symbolic.execution.sandbox import Outcome
from rlsf_lightning.symbolic.verifiers.cpp.task import Case

#: Exit codes as a shell reports them: stopped by the clock, killed, out of processor time; file too large.
TOO_SLOW = (124, 137, 152)
FILE_TOO_LARGE = 153
#: Signals by the exit code that they leave.
SIGNALS = {132: "SIGILL", 134: "SIGABRT", 135: "SIGBUS", 136: "SIGFPE", 139: "SIGSEGV"}

#: An error of a version, or in a template that it uses, as ``repair.versions`` numbers them.
_OF_VERSION = re.compile(r"^c([0-9]{1,5}):.*(?:error: |required from)", re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    """One test's exit code and output; code None: it was not run, or the program ended who ran it."""

    code: int | None
    output: str


@dataclass(frozen=True)
class Built:
    """``code``: the compiler's, 0 where there is a program; None where the sandbox ended first, by ``ended_by``.

    ``library``: of ``libraries``, the one that it was compiled with.
    """

    code: int | None
    printed: str
    ran: tuple[Ran, ...] = ()
    ended_by: str = ""
    library: str = "slim"

    @property
    def is_program(self) -> bool:
        """Whether it compiles, and its tests were run."""
        return self.code == 0 and not self.ended_by


def agree(expected: str, actual: str) -> bool:
    """Whether two outputs have the same words, whatever white space is between them."""
    return expected.split() == actual.split()


def passes(case: Case, ran: Ran) -> bool:
    """Whether the program ended by itself, without an error, and printed what it should."""
    return ran.code == 0 and agree(case.output, ran.output)


def read_built(outcome: Outcome, number: int, library: str) -> Built:
    """The output of the scripts ``diagnose`` and ``run_tests``; ``number`` tests were asked for."""
    first, _, rest = outcome.output.partition(b"\n")
    if not first.isdigit() or len(first) > 3:
        said = outcome.errors.strip()[-300:] or "not a word"
        return Built(None, outcome.errors, (), outcome.ended_by or f"nothing came back but {said!r}", library)
    if number == 0 or int(first) != 0:
        return Built(int(first), rest.decode("utf-8", "replace"), (), outcome.ended_by, library)
    ran: list[Ran] = []
    while len(ran) < number:
        head, _, rest = rest.partition(b"\n")
        words = head.split()
        if len(words) != 2 or not all(word.isdigit() and len(word) < 12 for word in words):
            break
        code, size = map(int, words)
        ran.append(Ran(code, rest[:size].decode("utf-8", "replace")))
        rest = rest[size:]
    is_whole = len(ran) == number or head == b"end"
    ran += [Ran(None, "")] * (number - len(ran))
    return Built(0, "", tuple(ran), "" if is_whole else outcome.ended_by, library)


def read_numbers(outcome: Outcome, most: int) -> list[int]:
    """The numbers below ``most`` that the script ``try_versions`` prints, ascending; none where it did not end well."""
    words = outcome.output.split()
    if outcome.ended_by or outcome.returncode != 0 or not all(word.isdigit() and len(word) < 6 for word in words):
        return []
    return sorted({int(word) for word in words if int(word) < most})


def read_dropped(printed: str) -> list[int]:
    """The versions that the compiler complains about."""
    return sorted({int(found[1]) for found in _OF_VERSION.finditer(printed)})
