"""Compiling a program and running its tests, in one sandbox: what the compiler printed, and what each test gave.

Expected outputs never go in there. The program runs beside the script that runs it, so what comes back is read as
something that the program may have written: sizes are checked, and what is missing counts against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.execution.sandbox import Limits, Outcome, Sandbox
from rlsf_lightning.symbolic.verifiers.cpp.errors import FILE, FLAGS
from rlsf_lightning.symbolic.verifiers.cpp.text import Program
from rlsf_lightning.symbolic.verifiers.cpp.tools import PLAIN, Tools

#: Exit codes as a shell reports them: stopped by ``timeout``, killed, out of processor time; file too large.
TOO_SLOW = (124, 137, 152)
FILE_TOO_LARGE = 153
#: Signals by the exit code that they leave.
SIGNALS = {132: "SIGILL", 134: "SIGABRT", 135: "SIGBUS", 136: "SIGFPE", 139: "SIGSEGV"}
_MEGA = 1 << 20
#: Compiling: seconds, address space, and guards against programs that are written to keep the compiler busy.
COMPILE_SECONDS = 10
COMPILE_MEMORY = 1536 * _MEGA
_GUARDS = "-ftemplate-depth=256 -fconstexpr-ops-limit=5000000 -fmax-include-depth=20"
#: Output of a program beyond what is expected, before it is ended.
_SPARE_OUTPUT = _MEGA
_STACK = 64 * _MEGA


@dataclass(frozen=True)
class Case:
    """One test: what is fed in, and what must come out."""

    input: str
    output: str


@dataclass(frozen=True)
class Budget:
    """What one test may use: seconds of processor time and bytes of address space."""

    seconds: int
    memory: int


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


def cases_of(prompt: Prompt) -> list[Case]:
    """The tests in the prompt's facts. Raises UserError where they are missing or malformed."""
    tests = prompt.facts.get("tests")
    example = 'a prompt needs tests: [{"input": "1 2\\n", "output": "3\\n"}, ...]'
    if not isinstance(tests, Sequence) or isinstance(tests, str) or not tests:
        raise UserError(f"cpp: the fact `tests` of prompt {prompt.id!r} is {str(tests)[:80]!r}; {example}")
    cases = []
    for test in tests:
        if not isinstance(test, Mapping) or not all(isinstance(test.get(key), str) for key in ("input", "output")):
            raise UserError(f"cpp: a test of prompt {prompt.id!r} is {str(test)[:80]!r}; {example}")
        cases.append(Case(test["input"], test["output"]))
    return cases


def agree(expected: str, actual: str) -> bool:
    """Whether two outputs have the same words, whatever white space is between them."""
    return expected.split() == actual.split()


def passed(case: Case, ran: Ran) -> bool:
    """Whether the program ended by itself, without an error, and printed what it should."""
    return ran.code == 0 and agree(case.output, ran.output)


def libraries(program: Program) -> tuple[str, ...]:
    """What stands for the library's headers, in the order of trying: what the common ones cannot compile, all of them may."""
    return ("slim", "full") if program.includes_first and program.names_whole_library else ("slim",)


def preamble(program: Program, library: str = "slim") -> str:
    """The compiler's arguments for headers: precompiled ones, where a program names none or the whole library first."""
    if program.includes_first:
        return f'-I "$tools"/{library}' if program.names_whole_library else ""
    return '-I "$tools"/slim -include bits/stdc++.h -include using.h'


def build(
    sandbox: Sandbox,
    tools: Tools,
    standard: str,
    program: Program,
    cases: Sequence[Case] | None,
    budget: Budget,
    library: str = "slim",
    more: str = "",
) -> Built:
    """Compile a program and run its tests up to the first that takes too long; ``cases`` None: look for errors only.

    ``more``: arguments of the compiler.
    """
    compile_ = f"g++ -std={standard} {PLAIN} {FLAGS} {_GUARDS} {preamble(program, library)} {more}"
    if cases is None:
        script = f"{compile_} -fsyntax-only {FILE} >printed 2>&1\n"
        script += f"code=$?\necho $code\nhead -c {_MEGA} printed"
    else:
        link = f"g++ {tools.link} program.o -o program"
        script = f"{{ {compile_} -pipe -c {FILE} -o program.o && {link}; }} >printed 2>&1\n"
        script += f"code=$?\necho $code\nif [ $code != 0 ]; then head -c {_MEGA} printed; exit; fi\n"
        script += tests_script(budget, cases)
    files = {FILE: program.text.encode("utf-8", "surrogatepass")} | inputs(cases or [])
    outcome = sandbox.run(script, limits=limits(budget, cases or []), files=files, shared={"tools": tools.folder})
    return replace(_read(outcome, len(cases or [])), library=library)


def limits(
    budget: Budget, cases: Sequence[Case], *, watched: bool = False, wall_seconds: float | None = None
) -> Limits:
    """Of the sandbox as a whole."""
    size = sum(len(case.input) + 2 * len(case.output) for case in cases)
    return Limits(
        wall_seconds=wall_seconds or 2.0 * COMPILE_SECONDS + (5.0 * budget.seconds + 5.0) * (len(cases) + 1),
        cpu_seconds=COMPILE_SECONDS,
        memory=COMPILE_MEMORY + budget.memory,
        address_space=None if watched else COMPILE_MEMORY,
        file_size=32 * _MEGA + 4 * size,
        disk=64 * _MEGA + 8 * size,
    )


def inputs(cases: Sequence[Case]) -> dict[str, bytes]:
    """The files ``in.0``, ``in.1`` ..."""
    return {f"in.{i}": case.input.encode("utf-8", "surrogatepass") for i, case in enumerate(cases)}


def output_limit(cases: Sequence[Case]) -> int:
    """Bytes that a test may print."""
    return _SPARE_OUTPUT + 4 * max((len(case.output) for case in cases), default=0)


def wall_seconds(budget: Budget) -> int:
    """Of one test: a sleeping program uses no processor time."""
    return 5 * budget.seconds + 5


def bounded(budget: Budget, cases: Sequence[Case], *, watched: bool = False) -> str:
    """The command before a test's program. A sleeping program uses no processor time: its wall time is bounded too.

    A watched program gets time to write down what it did, also where dozens of its processes do so at once.
    """
    space = "" if watched else f" --as={budget.memory}"
    seconds, grace = (budget.seconds * 3, 10) if watched else (budget.seconds, 2)
    return (
        f"timeout -k {grace} {wall_seconds(budget)} prlimit --cpu={seconds}:{seconds + 1}{space} --stack={_STACK} "
        f"--fsize={output_limit(cases)} --"
    )


def tests_script(budget: Budget, cases: Sequence[Case]) -> str:
    """Runs the tests one after the other, and prints codes, sizes and outputs. Its shell sets the limits: every program
    that is started between it and a test costs as much as a short test."""
    kilo, block = 1024, 512
    bounds = (
        f"ulimit -S -t {budget.seconds}; ulimit -H -t {budget.seconds + 1}; ulimit -v {budget.memory // kilo}; "
        f"ulimit -s {_STACK // kilo}; ulimit -f {-(-output_limit(cases) // block)}"
    )
    return f"""
setarch -R sh -c '
i=0
while [ $i -lt {len(cases)} ]; do
  ( {bounds}; exec timeout -k 2 {wall_seconds(budget)} ./program <in.$i >out.$i )
  code=$?
  echo $code
  case $code in {"|".join(map(str, TOO_SLOW))}) break;; esac
  i=$((i+1))
done' 2>/dev/null
echo sizes
i=0
while [ -f out.$i ]; do set -- "$@" out.$i; i=$((i+1)); done
[ $# = 0 ] || stat -c %s "$@"
echo outputs
cat "$@" </dev/null
"""


def _read(outcome: Outcome, number: int) -> Built:
    """The script's output; ``number`` tests were asked for."""
    first, _, rest = outcome.output.partition(b"\n")
    if not first.isdigit() or len(first) > 3:
        said = outcome.errors.strip()[-300:] or "not a word"
        return Built(None, outcome.errors, (), outcome.ended_by or f"nothing came back but {said!r}")
    if number == 0 or int(first) != 0:
        return Built(int(first), rest.decode("utf-8", "replace"), (), outcome.ended_by)
    heads, mark, outputs = rest.partition(b"outputs\n")
    ran: list[Ran] = []
    at = 0
    codes, _, sizes = heads.partition(b"sizes\n")
    for code, length in zip(codes.split()[:number], sizes.split(), strict=False):
        if not all(word.isdigit() and len(word) < 12 for word in (code, length)):
            break
        size = int(length)
        ran.append(Ran(int(code), outputs[at : at + size].decode("utf-8", "replace")))
        at += size
    ran += [Ran(None, "")] * (number - len(ran))
    return Built(0, "", tuple(ran), outcome.ended_by if not mark else "")
