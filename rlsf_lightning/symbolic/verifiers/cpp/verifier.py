"""C++ programs against tests, with g++: what does not compile, and which lines make a test fail.

Covered: every error that the compiler reports, at its characters, with its suggestion; errors inside templates at the
line of the program that caused them; names that are used but defined nowhere; programs that fail a test, at the small
change with which they pass all of them (``repair``); where none is found, wrong outputs at the lines that only failing
tests execute, crashes and what the sanitizers see at their line, endless loops at the lines that they go through; the
character from which no continuation can compile any more, where that is certain (``dead``). Programs
are compiled and run in a sandbox (see ``sandbox`` for what it keeps out).

A program that includes nothing gets the common headers and ``using namespace std;`` first. Not covered: places of wrong
outputs that the tests do not tell apart; what a program does that reads clocks or addresses may differ when it is
verified again; more than 20 errors of one program.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.execution.sandbox import Sandbox
from rlsf_lightning.symbolic.verifiers.cpp import blame, errors, hints, recheck, repair
from rlsf_lightning.symbolic.verifiers.cpp.dead import dead_from, is_lexical, missing_header, settled, statement_end
from rlsf_lightning.symbolic.verifiers.cpp.declared import with_declarations
from rlsf_lightning.symbolic.verifiers.cpp.run import Budget, Built, Case, build, cases_of, libraries
from rlsf_lightning.symbolic.verifiers.cpp.split import Split
from rlsf_lightning.symbolic.verifiers.cpp.text import Program
from rlsf_lightning.symbolic.verifiers.cpp.tools import STANDARDS, find_tools
from rlsf_lightning.symbolic.verifiers.cpp.watch import watch

#: The kinds that mean "no program at all".
INVALID_KINDS = errors.KINDS | {"empty", "too_long"}
KINDS = INVALID_KINDS | blame.KINDS
MAX_FINDINGS = 30


class CppVerifier:
    """PASS when the program compiles and each test in ``prompt.facts["tests"]`` (a list of ``{input, output}``) passes.

    Outputs are compared word by word. The score is the share of tests that pass. Tests are run in their order, up to
    the first that takes too long; those after it count as failed. A compiler that is ended by a limit abstains.

    Args:
        test_seconds: processor time a test may use.
        memory_mb: address space a test may use.
        max_chars: longer completions are not compiled.
        standard: of C++: gnu++14, gnu++17 or gnu++20.
        explain: try changes of failing programs, and run them again, watched, to find the lines; without it they get one
            finding for the whole.
        sandbox: "bubblewrap", or "none": programs then run on the machine itself, with limits alone (warns).

    Raises:
        ValueError: an option out of range.
        UserError: a program that it needs is missing; the message says what to install.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS
    #: Seconds: twenty tests that all run into their limit, and are run again to be watched.
    timeout = 60.0

    def __init__(
        self,
        *,
        test_seconds: int = 2,
        memory_mb: int = 512,
        max_chars: int = 20_000,
        standard: str = "gnu++17",
        explain: bool = True,
        sandbox: str = "bubblewrap",
    ) -> None:
        for name, value, most in (("test_seconds", test_seconds, 60), ("memory_mb", memory_mb, 4096)):
            if not isinstance(value, int) or not 1 <= value <= most:
                raise ValueError(f"{name}={value}: must be a whole number from 1 to {most}")
        if not 0 < max_chars <= 100_000:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to 100000")
        if standard not in STANDARDS:
            raise ValueError(f"standard={standard}: must be one of {', '.join(STANDARDS)}")
        self.max_chars, self.standard, self.explain = max_chars, standard, explain
        self.budget = Budget(test_seconds, memory_mb << 20)
        self.sandbox = Sandbox(sandbox)
        self.tools = find_tools(standard)
        self._asked: tuple[str | None, bool] = None, False

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate. Raises UserError for malformed tests, never for what the completion holds."""
        start = time.perf_counter()
        fields = self._judge(cases_of(prompt), completion)
        seconds = time.perf_counter() - start
        return Certificate(tool="g++", version=self.tools.version, seconds=seconds, **fields)

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """False when no continuation compiles; None: cannot tell. Costs a compilation."""
        if self._too_long_from(prefix) is not None:
            return False
        text = settled(prefix)
        asked, is_dead = self._asked  # texts grow by a character, and settled ones by a token
        if asked != text:
            is_dead = self._is_dead(text)
            self._asked = text, is_dead
        return False if is_dead else None

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether the certificate stands: see ``recheck``. Costs as much as verifying, and up to two compilations more."""
        return recheck.stands(self, certificate, prompt, completion)

    def compile(self, text: str, cases: list[Case] | None) -> tuple[Built, Program]:
        """Compile a text, and run its tests if there are any."""
        program = Program(text)
        *_, built = self._attempts(program, cases)
        return built, program

    def _attempts(self, program: Program, cases: list[Case] | None) -> Iterator[Built]:
        """Compile with one of ``libraries`` after the other, up to the first that does it."""
        for library in libraries(program):
            built = build(self.sandbox, self.tools, self.standard, program, cases, self.budget, library)
            yield built
            if not built.code:
                return

    def _is_dead(self, text: str) -> bool:
        """Whether it is certain, with each library, that no continuation compiles."""
        program = Program(text)
        for library in libraries(program):
            for more in ("-Wfatal-errors", ""):  # one error alone is found in a quarter of the time
                built = build(self.sandbox, self.tools, self.standard, program, None, self.budget, library, more)
                mistakes = errors.read_errors(built.printed, program) if built.code else []
                if not built.code or (mistakes and not is_lexical(program, mistakes[0])):
                    break
            if self._death(program, built) is None:
                return False
        return True

    def _confirmed(self, program: Program, dead: int) -> int | None:
        """The first character with which the beginning alone shows what the whole program does.

        A cast or a list that is not complete is read in another way, and then that is what the compiler complains about.
        """
        if self._is_dead(settled(program.text[: dead + 1])):
            return dead
        alive, end = dead, statement_end(program, dead)
        if end is None or not self._is_dead(settled(program.text[: end + 1])):
            return None
        while end - alive > 1:
            middle = (alive + end) // 2
            alive, end = (alive, middle) if self._is_dead(settled(program.text[: middle + 1])) else (middle, end)
        return end

    def _death(self, program: Program, built: Built) -> int | None:
        """The first dead character as far as what the compiler printed shows it."""
        mistakes = errors.read_errors(built.printed, program) if built.code else []
        header = missing_header(program, mistakes)
        if header:
            before = Program(program.text[:header])
            again = build(self.sandbox, self.tools, self.standard, before, None, self.budget, built.library)
            earlier = dead_from(before, errors.read_errors(again.printed, before)) if again.code else None
            if earlier is not None:
                return earlier
        return dead_from(program, mistakes)

    def _judge(self, cases: list[Case], completion: str) -> dict[str, Any]:
        """The certificate's fields."""
        if not completion.strip():
            return _failed([Finding("empty", "there is no program")])
        too_long = self._too_long_from(completion)
        if too_long is not None:
            message = f"more than {self.max_chars} characters"
            return _failed([Finding("too_long", message, (Span(too_long, len(completion)),))], dead_from=too_long)
        program = Program(completion)
        attempts = list(self._attempts(program, cases))
        built = attempts[-1]
        if built.code == 0 and not built.ended_by:
            return self._judge_tests(program, cases, built)
        mistakes = errors.read_errors(built.printed, program)
        if built.code and mistakes:
            found = [mistake.finding(completion) for mistake in with_declarations(program, mistakes)]
            odd = hints.unbalanced(program)
            if odd is None and any(mistake.kind == "syntax" for mistake in mistakes):
                odd = hints.parentheses(program, [mistake.place for mistake in mistakes if mistake.place is not None])
            found = found if odd is None else [odd, *found]
            dead = [self._death(program, each) for each in attempts]
            certain = [at for at in dead if at is not None]
            last = self._confirmed(program, max(certain)) if len(certain) == len(attempts) else None
            return _failed(found, witness=_fixes(mistakes), dead_from=last)
        stopped = built.ended_by or errors.was_stopped(built.printed) or built.printed.strip()
        return {"verdict": Verdict.ABSTAIN, "witness": {"error": f"g++ was stopped: {stopped}"[:500]}}

    def _judge_tests(self, program: Program, cases: list[Case], built: Built) -> dict[str, Any]:
        witness = blame.witness(cases, built.ran)
        if witness["passed"] == len(cases):
            return {"verdict": Verdict.PASS, "score": 1.0, "witness": witness}
        score, repaired = witness["passed"] / len(cases), []
        if self.explain:
            repaired = repair.repairs(self, program, cases, witness["test"], built.library)
        if repaired:
            kind, message = blame.how_it_fails(built.ran[witness["test"]], witness["test"])
            span, new = repaired[0]
            witness["repair"] = [span.start, span.end, new]
            return _failed(repair.findings(program, repaired, kind, message), witness=witness, score=score)
        seen, split = [], Split(program)
        if self.explain:
            tools = self.sandbox, self.tools, self.standard
            seen = watch(*tools, split.program, cases, built.ran, self.budget, built.library)
        return _failed(blame.findings(split, cases, built.ran, seen), witness=witness, score=score)

    def _too_long_from(self, text: str) -> int | None:
        """The first character beyond the limit; white space there may still be followed by nothing."""
        beyond = text[self.max_chars :]
        return len(text) - len(beyond.lstrip()) if beyond.strip() else None


def _failed(
    found: list[Finding],
    *,
    witness: dict[str, Any] | None = None,
    score: float = 0.0,
    dead_from: int | None = None,
) -> dict[str, Any]:
    return {
        "verdict": Verdict.FAIL,
        "findings": tuple(found[:MAX_FINDINGS]),
        "score": score,
        "dead_from": dead_from,
        "witness": witness or {},
    }


def _fixes(mistakes: list[errors.CompilerError]) -> dict[str, Any]:
    """Suggested replacements, as ``[start, end, text]`` in characters of the completion."""
    fixes = [[span.start, span.end, new[:200]] for mistake in mistakes for span, new in mistake.fixes]
    return {"fixes": fixes[:MAX_FINDINGS]} if fixes else {}
