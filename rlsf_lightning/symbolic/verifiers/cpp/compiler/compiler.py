"""A compiler with all that belongs to it: sandbox, toolchain, standard and the budget of a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rlsf_lightning.symbolic.execution.sandbox import Limits, Outcome, Sandbox
from rlsf_lightning.symbolic.verifiers.cpp.compiler import scripts
from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import FILE, FLAGS
from rlsf_lightning.symbolic.verifiers.cpp.compiler.instrumented import Seen, choose, read_seen
from rlsf_lightning.symbolic.verifiers.cpp.compiler.results import Built, read_built, read_dropped, read_numbers
from rlsf_lightning.symbolic.verifiers.cpp.compiler.scripts import DROPPED, Budget, encoded, preamble
from rlsf_lightning.symbolic.verifiers.cpp.compiler.server import Compiled, CompilerServer, includes_known, is_served
from rlsf_lightning.symbolic.verifiers.cpp.compiler.toolchain import ASSEMBLY, INSTRUMENTED, PLAIN, find_toolchain
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.task import Case

#: Seconds after which a trial of versions is given up, whatever it has found.
_TRIAL_SECONDS = 40.0
#: How versions are compiled: all their errors are told, and basic blocks counted.
_OF_TRIAL = "-fmax-errors=0 -fconstexpr-ops-limit=1000000 -fsanitize-coverage=trace-pc"


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
        self._servers: dict[str, CompilerServer] = {}

    @property
    def version(self) -> str:
        return self.toolchain.version

    def build(
        self, program: Program, cases: Sequence[Case], library: str = "slim", *, first_error: bool = False
    ) -> Built:
        """Compile a program and run its tests up to the first that takes too long; without tests look for errors only.

        ``library``: of ``libraries``. ``first_error``: that alone is asked for, which takes a third of the time.
        """
        served = self._served(program, library, first_error)
        if served is not None and served.code:
            return Built(1, served.printed, library=library)
        if served is not None and not cases:
            return Built(0, "", library=library)
        if served is not None:
            made = scripts.run_tests(scripts.assembled(self.toolchain.direct), self.budget, cases)
            built = self._ran(made, {ASSEMBLY: served.assembly}, cases, library)
            if built.code == 0:
                return built
        end = "-Wfatal-errors" if first_error else ""
        compile_ = f"g++ -std={self.standard} {PLAIN} {FLAGS} {preamble(program, library)} {end}"
        script = scripts.diagnose(compile_)
        if cases:
            script = scripts.run_tests(scripts.compiled(compile_, self.toolchain.link), self.budget, cases)
        return self._ran(script, {FILE: encoded(program.text)}, cases, library)

    def _ran(self, script: str, files: Mapping[str, bytes], cases: Sequence[Case], library: str) -> Built:
        limits = scripts.limits(self.budget, cases)
        outcome = self.run(script, {**files, **scripts.inputs(cases)}, limits, see_own_processes=bool(cases))
        return read_built(outcome, len(cases), library)

    def _served(self, program: Program, library: str, first_error: bool = False) -> Compiled | None:
        """What a compiler says that has the headers already; None where g++ has to be started."""
        if library != "slim" or not is_served(program):
            return None
        server = self._server(FLAGS, "" if program.includes_first else "-include using.h")
        return server.compile(program.text, first_error=first_error)

    def _server(self, flags: str, using: str) -> CompilerServer:
        arguments = f'-std={self.standard} {PLAIN} {flags} -I "$tools"/slim -include bits/stdc++.h {using}'
        if arguments not in self._servers:
            self._servers[arguments] = CompilerServer(self.sandbox, self.toolchain, arguments, scripts.server_limits())
        return self._servers[arguments]

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
        assembly = self._trial_assembly(versions) if library == "slim" else None
        if assembly is not None:
            make, files = scripts.assembled(self.toolchain.direct, '"$tools"/runner.o'), {ASSEMBLY: assembly}
        else:
            compile_ = f'g++ -std={self.standard} {PLAIN} {_OF_TRIAL} -I "$tools"/{library}'
            make = scripts.compiled_versions(compile_, self.toolchain.link)
            files = {FILE: encoded(versions), DROPPED: b""}
        script = scripts.try_versions(make, self.budget, cases, first)
        limits = scripts.limits(self.budget, cases, address_space=None, wall_seconds=_TRIAL_SECONDS)
        files |= {**scripts.inputs(cases), **scripts.wanted(cases)}
        return read_numbers(self.run(script, files, limits), number)

    def _trial_assembly(self, versions: str) -> bytes | None:
        """Of the versions that compile; None where g++ has to be started."""
        if not includes_known(versions):
            return None
        server, dropped = self._server(_OF_TRIAL, ""), ""
        for _ in range(2):
            compiled = server.compile(versions.replace(f'#include "{DROPPED}"', dropped))
            if compiled is None or compiled.code == 0:
                return None if compiled is None else compiled.assembly
            dropped = "\n".join(f"#define RLSF_NO{number}" for number in read_dropped(compiled.printed))
        return None

    def run(
        self, script: str, files: Mapping[str, bytes], limits: Limits, *, see_own_processes: bool = False
    ) -> Outcome:
        """Run a script where ``files`` lie, with the toolchain's folder as ``$tools``."""
        shared = {"tools": self.toolchain.folder}
        return self.sandbox.run(script, limits=limits, files=files, shared=shared, see_own_processes=see_own_processes)


def libraries(program: Program) -> tuple[str, ...]:
    """What stands for the library's headers, in the order of trying: what the common ones cannot compile, all of them may."""
    return ("slim", "full") if program.includes_first and program.names_whole_library else ("slim",)
