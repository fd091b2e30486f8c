"""C++ programs against tests, with g++: what does not compile, and which lines make a test fail.

Covered: every error that the compiler reports, at its characters, with its suggestion; errors inside templates at the
line of the program that caused them; names that are used but defined nowhere; programs that fail a test, at the small
change with which they pass all of them (``repair``); where none is found, wrong outputs at the lines that only failing
tests execute, crashes and what the sanitizers see at their line, endless loops at the lines that they go through; the
character from which no continuation can compile any more, where that is certain (``viable``). Programs
are compiled and run in a sandbox (see ``sandbox`` for what it keeps out).

A program that includes nothing gets the common headers and ``using namespace std;`` first. Not covered: places of wrong
outputs that the tests do not tell apart; what a program does that reads clocks or addresses may differ when it is
verified again; more than 20 errors of one program.
"""

from __future__ import annotations

from collections.abc import Iterator

from rlsf_lightning.records import Certificate, Edit, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.certificates import abstained, failed, first_beyond, issued, passed, repeats, too_long
from rlsf_lightning.symbolic.execution.sandbox import TOOLS as SANDBOX
from rlsf_lightning.symbolic.execution.sandbox import Sandbox
from rlsf_lightning.symbolic.verifiers.cpp import recheck
from rlsf_lightning.symbolic.verifiers.cpp.check import INVALID_KINDS, KINDS, MAX_FINDINGS, Checked, check
from rlsf_lightning.symbolic.verifiers.cpp.compiler.compiler import Compiler
from rlsf_lightning.symbolic.verifiers.cpp.compiler.scripts import Budget
from rlsf_lightning.symbolic.verifiers.cpp.compiler.toolchain import STANDARDS
from rlsf_lightning.symbolic.verifiers.cpp.compiler.toolchain import TOOLS as COMPILERS
from rlsf_lightning.symbolic.verifiers.cpp.locate import compile_errors, failing_tests
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.repair import search
from rlsf_lightning.symbolic.verifiers.cpp.task import Task, task_of
from rlsf_lightning.symbolic.verifiers.cpp.viable.first_dead import first_dead, is_dead, settled

TOOL = "g++"


class CppVerifier:
    """PASS when the program compiles and each test in ``prompt.facts["tests"]`` (a list of ``{input, output}``) passes.

    Outputs are compared word by word. The score is the share of tests that pass. Tests are run in their order, up to
    the first that takes too long; those after it count as failed. A compiler that is ended by a limit abstains.

    Args:
        test_seconds: processor time a test may use.
        memory_mb: address space a test may use.
        max_chars: longer completions are not compiled.
        standard: of C++: gnu++14, gnu++17 or gnu++20.
        explain: try changes of failing programs, and run them again, instrumented, to find the lines; without it they
            get one finding for the whole.
        sandbox: "bubblewrap", or "none": programs then run on the machine itself, with limits alone (warns).

    Raises:
        ValueError: an option out of range.
        UserError: a program that it needs is missing; the message says what to install.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS
    tools = (*COMPILERS, *SANDBOX)
    #: Seconds: twenty tests that all run into their limit, and are run again, instrumented.
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
        self.max_chars, self.explain = max_chars, explain
        self.compiler = Compiler(Sandbox(sandbox), standard, Budget(test_seconds, memory_mb << 20))
        self._asked: tuple[str | None, bool] = None, False

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError for wrong facts, never for the completion."""
        task = task_of(prompt)
        return issued(TOOL, self.compiler.version, lambda: self._judge(task, completion))

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """False when no continuation compiles; None: cannot tell. Costs a compilation."""
        if first_beyond(prefix, self.max_chars) is not None:
            return False
        text = settled(prefix)
        asked, dead = self._asked  # texts grow by a character, and settled ones by a token
        if asked != text:
            dead = is_dead(self.compiler, text)
            self._asked = text, dead
        return False if dead else None

    def repairs(self, certificate: Certificate, prompt: Prompt, completion: str) -> Iterator[tuple[Edit, ...]]:
        """The change with which a program passes its tests, where the certificate names one."""
        if "repair" in certificate.witness:
            start, end, new = certificate.witness["repair"]
            yield (Edit(Span(start, end), new),)

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether the certificate stands. Costs as much as verifying, and up to two compilations more.

        Independent of ``verify``: places of errors are read from the compiler's JSON, the failing test is run by itself and
        compared by a plain loop, and a repair is made and must pass every test. Not independent: compiler and sandbox
        are the same, and what is dead is asked of ``viable``; lines that only failing tests execute are computed again.
        """
        if certificate.verdict is Verdict.ABSTAIN:
            return True  # it claims nothing
        stands = recheck.stands(
            certificate, task_of(prompt), completion, self.compiler, lambda prefix: self.viable(prompt, prefix) is False
        )
        return stands and repeats(certificate, self.verify(prompt, completion))

    def _judge(self, task: Task, completion: str) -> Certificate:
        if not completion.strip():
            return failed([Finding("empty", "there is no program")])
        beyond = first_beyond(completion, self.max_chars)
        if beyond is not None:
            return failed([too_long(completion, self.max_chars)], dead_from=beyond)
        program = Program(completion)
        checked = check(self.compiler, program, task.cases)
        if checked.stopped is not None:
            return abstained(f"g++ was stopped: {checked.stopped}")
        if checked.errors:
            findings = compile_errors.findings(program, checked.errors)
            dead_from = first_dead(self.compiler, program, checked.attempts)
            return failed(findings[:MAX_FINDINGS], dead_from=dead_from, witness=checked.witness())
        return self._judge_tests(program, checked)

    def _judge_tests(self, program: Program, checked: Checked) -> Certificate:
        """Of a program that compiles."""
        witness = checked.witness()
        if checked.passed == len(checked.cases):
            return passed(witness)
        is_explained = self.explain and not checked.ended_for_processes
        repairs = search.repairs(self.compiler, program, checked) if is_explained else []
        if repairs:
            witness["repair"] = search.witness(repairs[0])
            findings = search.findings(program, checked, repairs)
        else:
            findings = failing_tests.findings(program, checked, self.compiler if is_explained else None)
        return failed(findings[:MAX_FINDINGS], score=checked.passed / len(checked.cases), witness=witness)
