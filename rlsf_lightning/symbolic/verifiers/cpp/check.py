"""Checks a program: the compiler's errors, or the first test that it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rlsf_lightning.symbolic.verifiers.cpp.compiler import errors
from rlsf_lightning.symbolic.verifiers.cpp.compiler.compiler import Compiler
from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import CompilerError
from rlsf_lightning.symbolic.verifiers.cpp.compiler.judge import LEFT_BEHIND, TOGETHER_TOO_SLOW, TOO_MANY
from rlsf_lightning.symbolic.verifiers.cpp.compiler.results import FILE_TOO_LARGE, SIGNALS, TOO_SLOW, Built, passes
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.task import Case

#: The kinds that mean "no program at all".
INVALID_KINDS = errors.KINDS | {"empty", "too_long"}
KINDS = INVALID_KINDS | set("wrong_output runtime_error memory_error undefined_behaviour timeout output_limit".split())
#: Kind and message of a test that was ended because of the processes that the program started.
_OF_PROCESSES = {
    TOGETHER_TOO_SLOW: ("timeout", "the program takes too long, with the processes that it starts"),
    TOO_MANY: ("runtime_error", "the program starts processes without end"),
    LEFT_BEHIND: ("runtime_error", "the program ends and leaves processes behind that do not"),
}
#: Of one certificate; so are suggested replacements.
MAX_FINDINGS = 30
#: Characters of an input or output that a witness shows.
MAX_SHOWN = 2000


@dataclass(frozen=True)
class Checked:
    """What the compiler and the tests say of a program.

    ``attempts``: with one library after the other, the last is what counts. ``errors``: all that the compiler reports.
    ``stopped``: why there is neither a program nor an error.
    """

    cases: tuple[Case, ...]
    attempts: tuple[Built, ...]
    errors: tuple[CompilerError, ...] = ()
    stopped: str | None = None

    @property
    def built(self) -> Built:
        return self.attempts[-1]

    @property
    def passed(self) -> int:
        """How many tests pass."""
        return sum(passes(case, ran) for case, ran in zip(self.cases, self.built.ran, strict=True))

    @property
    def first_failing(self) -> int:
        """The first test that does not pass; some test must not."""
        return next(i for i, case in enumerate(self.cases) if not passes(case, self.built.ran[i]))

    @property
    def ended_for_processes(self) -> bool:
        """Whether the first failing test was ended because of what the program started: it is not run any more."""
        return self.built.ran[self.first_failing].code in _OF_PROCESSES

    def how_it_fails(self) -> tuple[str, str]:
        """Kind and message of how the first failing test failed."""
        test = self.first_failing
        code = self.built.ran[test].code
        if code is None:
            return "runtime_error", f"test {test}: the program ended what ran it"
        if code in _OF_PROCESSES:
            kind, what = _OF_PROCESSES[code]
            return kind, f"test {test}: {what}"
        if code in TOO_SLOW:
            return "timeout", f"test {test} takes too long"
        if code == FILE_TOO_LARGE:
            return "output_limit", f"test {test} prints far more than is expected"
        if code in SIGNALS:
            return "runtime_error", f"test {test} ends with {SIGNALS[code]}"
        if code != 0:
            return "runtime_error", f"test {test} ends with exit code {code}"
        return "wrong_output", f"test {test} gives another output than expected"

    def witness(self) -> dict[str, Any]:
        """Of tests: how many pass, and the first that fails; of errors: suggested replacements, ``[start, end, text]``."""
        if self.errors:
            fixes = [[span.start, span.end, new[:200]] for error in self.errors for span, new in error.fixes]
            return {"fixes": fixes[:MAX_FINDINGS]} if fixes else {}
        counts = {"tests": len(self.cases), "passed": self.passed}
        if self.passed == len(self.cases):
            return counts
        first = self.first_failing
        case, ran = self.cases[first], self.built.ran
        return counts | {
            "test": first,
            "input": case.input[:MAX_SHOWN],
            "expected": case.output[:MAX_SHOWN],
            "actual": ran[first].output[:MAX_SHOWN],
            "exit_code": ran[first].code,
            "not_run": sum(one.code is None for one in ran),
        }


def check(compiler: Compiler, program: Program, cases: tuple[Case, ...]) -> Checked:
    """Compile a program and run its tests."""
    attempts = tuple(compiler.attempts(program, cases))
    built = attempts[-1]
    if built.is_program:
        return Checked(cases, attempts)
    found = errors.read_errors(built.printed, program)
    if built.code and found:
        return Checked(cases, attempts, tuple(found))
    stopped = built.ended_by or errors.was_stopped(built.printed) or built.printed.strip()
    return Checked(cases, attempts, stopped=stopped)
