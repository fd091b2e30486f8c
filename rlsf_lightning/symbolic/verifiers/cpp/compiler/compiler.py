"""A compiler with all that belongs to it: sandbox, toolchain, standard and the budget of a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rlsf_lightning.symbolic.execution.sandbox import Limits, Outcome, Sandbox
from rlsf_lightning.symbolic.verifiers.cpp.compiler import scripts
from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import FILE, FLAGS
from rlsf_lightning.symbolic.verifiers.cpp.compiler.instrumented import Seen, choose, read_seen
from rlsf_lightning.symbolic.verifiers.cpp.compiler.results import Built, read_built, read_numbers
from rlsf_lightning.symbolic.verifiers.cpp.compiler.scripts import Budget, encoded, preamble
from rlsf_lightning.symbolic.verifiers.cpp.compiler.toolchain import INSTRUMENTED, PLAIN, find_toolchain
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.task import Case

#: Seconds after which a trial of versions is given up, whatever it has found.
_TRIAL_SECONDS = 40.0


class Compiler:
    """g++ in a sandbox.

    Args:
        sandbox: where everything runs that a model wrote, the compiler of it included.
        standard: of C++, one of ``STANDARDS``.
        budget: what a test may use.

    Raises:
        UserError: a program that it needs is missing; the message says what to install.
    """

    def __init__(self, sandbox: Sandbox, standard: str, budget: Budget) -> None:
        self.sandbox, self.standard, self.budget = sandbox, standard, budget
        self.toolchain = find_toolchain(standard)

    @property
    def version(self) -> str:
        return self.toolchain.version

    def build(self, program: Program, cases: Sequence[Case], library: str = "slim", flags: str = "") -> Built:
        """Compile a program and run its tests up to the first that takes too long; without tests look for errors only.

        ``library``: of ``libraries``. ``flags``: more arguments of the compiler.
        """
        compile_ = f"g++ -std={self.standard} {PLAIN} {FLAGS} {preamble(program, library)} {flags}"
        script = scripts.diagnose(compile_)
        if cases:
            script = scripts.run_tests(compile_, self.toolchain.link, self.budget, cases)
        files = {FILE: encoded(program.text), **scripts.inputs(cases)}
        outcome = self.run(script, files, scripts.limits(self.budget, cases), see_own_processes=bool(cases))
        return read_built(outcome, len(cases), library)

    def attempts(self, program: Program, cases: Sequence[Case] = ()) -> Iterator[Built]:
        """Compile with one of ``libraries`` after the other, up to the first that does it."""
        for library in libraries(program):
            built = self.build(program, cases, library)
            yield built
            if not built.code:
                return

    def compile(self, program: Program, cases: Sequence[Case] = ()) -> Built:
        """The last of ``attempts``."""
        *_, built = self.attempts(program, cases)
        return built

    def watch(self, program: Program, cases: Sequence[Case], built: Built) -> list[Seen]:
        """Run some failing and some passing tests again, instrumented; nothing where that program cannot be built.

        ``program``: with one statement a line (``Split``); lines are its lines. ``built``: what it gave before.
        """
        chosen = choose(cases, built.ran)
        asked = [cases[i] for i in chosen]
        headers = preamble(program, built.library)
        compile_ = f"g++ -std={self.standard} {INSTRUMENTED} --coverage {headers}"
        script = scripts.run_instrumented(compile_, self.toolchain.link, self.budget, asked)
        files = {FILE: encoded(program.text), **scripts.inputs(asked)}
        limits = scripts.limits(self.budget, asked, address_space=None)
        outcome = self.run(script, files, limits, see_own_processes=True)
        return read_seen(outcome, program, cases, built.ran, chosen)

    def trial(self, versions: str, number: int, cases: Sequence[Case], first: int, library: str) -> list[int]:
        """Which of ``number`` versions pass all tests, compiled as one text (``repair.versions``) and run ``first`` first.

        They are compiled without optimisation, with fewer steps for constants than g++ allows, and share a process that the
        program could disturb: what passes here has still to pass by itself. Wanted outputs go in there, unlike in ``build``:
        one that finds them gains nothing.
        """
        flags = "-fmax-errors=0 -fconstexpr-ops-limit=1000000 -fsanitize-coverage=trace-pc"
        compile_ = f'g++ -std={self.standard} {PLAIN} {flags} -I "$tools"/{library}'
        script = scripts.try_versions(compile_, self.toolchain.link, self.budget, cases, first)
        files = {FILE: encoded(versions), "dropped.h": b"", **scripts.inputs(cases), **scripts.wanted(cases)}
        limits = scripts.limits(self.budget, cases, address_space=None, wall_seconds=_TRIAL_SECONDS)
        return read_numbers(self.run(script, files, limits), number)

    def run(
        self, script: str, files: Mapping[str, bytes], limits: Limits, *, see_own_processes: bool = False
    ) -> Outcome:
        """Run a script where ``files`` lie, with the toolchain's folder as ``$tools``."""
        shared = {"tools": self.toolchain.folder}
        return self.sandbox.run(script, limits=limits, files=files, shared=shared, see_own_processes=see_own_processes)


def libraries(program: Program) -> tuple[str, ...]:
    """What stands for the library's headers, in the order of trying: what the common ones cannot compile, all of them may."""
    return ("slim", "full") if program.includes_first and program.names_whole_library else ("slim",)
