"""The shell scripts that run in the sandbox, and their limits.

Where a program is judged, expected outputs never go in there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rlsf_lightning.symbolic.execution.sandbox import Limits
from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import FILE
from rlsf_lightning.symbolic.verifiers.cpp.compiler.forking import COMPILE_SECONDS
from rlsf_lightning.symbolic.verifiers.cpp.compiler.toolchain import ASSEMBLY, INSTRUMENTED, OBJECT
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.task import Case

_MEGA = 1 << 20
#: Compiling: address space; the seconds are those of ``forking``. These alone bound programs that are written to keep the
#: compiler busy, and end in an abstention: a lower limit of the compiler's own (``-ftemplate-depth`` ...) would be an error
#: of a right program.
COMPILE_MEMORY = 1536 * _MEGA
#: What says which versions are left out.
DROPPED = "dropped.h"
#: Output of a program beyond what is expected, before it is ended.
_SPARE_OUTPUT = _MEGA
_NO_LIMIT = 1 << 40
_STACK = 64 * _MEGA
#: Basic blocks of one run of a changed version, and of all their runs.
STEPS, ALL_STEPS = 2_000_000, 60_000_000
#: Bytes of one test's sanitizer reports, and of its executed lines.
_REPORT_BYTES, _LINES_BYTES = 20_000, 200_000
_SANITIZER = "detect_leaks=0:handle_abort=1:handle_sigfpe=1:detect_stack_use_after_return=0"


@dataclass(frozen=True)
class Budget:
    """What one test may use: seconds of processor time and bytes of address space."""

    seconds: int
    memory: int


def limits(
    budget: Budget,
    cases: Sequence[Case],
    *,
    address_space: int | None = COMPILE_MEMORY,
    wall_seconds: float | None = None,
) -> Limits:
    """Of the sandbox as a whole. ``address_space``: bytes a process; sanitizers reserve terabytes that they never use."""
    size = sum(len(case.input) + 2 * len(case.output) for case in cases)
    return Limits(
        wall_seconds=wall_seconds or 2.0 * COMPILE_SECONDS + (5.0 * budget.seconds + 5.0) * (len(cases) + 1),
        cpu_seconds=COMPILE_SECONDS,
        memory=COMPILE_MEMORY + budget.memory,
        address_space=address_space,
        file_size=32 * _MEGA + 4 * size,
        disk=64 * _MEGA + 8 * size,
    )


def server_limits() -> Limits:
    """Of a compiler that forks: each of its processes has what a compiler has, and the first is not limited in time."""
    return Limits(math.inf, _NO_LIMIT, COMPILE_MEMORY, COMPILE_MEMORY, file_size=32 * _MEGA, disk=96 * _MEGA)


def encoded(text: str) -> bytes:
    """As a file's content. Half a surrogate pair, which no UTF-8 has, is passed on."""
    return text.encode("utf-8", "surrogatepass")


def inputs(cases: Sequence[Case]) -> dict[str, bytes]:
    """The files ``in.0``, ``in.1`` ..."""
    return {f"in.{i}": encoded(case.input) for i, case in enumerate(cases)}


def wanted(cases: Sequence[Case]) -> dict[str, bytes]:
    """The files ``want.0``, ``want.1`` ..."""
    return {f"want.{i}": encoded(case.output) for i, case in enumerate(cases)}


def preamble(program: Program, library: str = "slim") -> str:
    """The compiler's arguments for headers: precompiled ones, where a program names none or the whole library first."""
    if program.includes_first:
        return f'-I "$tools"/{library}' if program.names_whole_library else ""
    return '-I "$tools"/slim -include bits/stdc++.h -include using.h'


def diagnose(compile_: str) -> str:
    """Prints the compiler's exit code, and what it prints of a text."""
    return f"{compile_} -fsyntax-only {FILE} >printed 2>&1\ncode=$?\necho $code\nhead -c {_MEGA} printed"


def compiled(compile_: str, link: str) -> str:
    """Makes ``./program`` of a text."""
    return f"{compile_} -pipe -c {FILE} -o program.o && g++ {link} program.o -o program"


def assembled(direct: str, objects: str = "") -> str:
    """Makes ``./program`` of the compiler's assembly, with more objects. ``direct``: of ``Toolchain``."""
    first, name, rest = direct.rpartition(OBJECT if OBJECT in direct else ASSEMBLY)
    return f"{first}{name} {objects}{rest}"


def run_tests(make: str, budget: Budget, cases: Sequence[Case]) -> str:
    """Prints the exit code of ``make``, and what it prints; where there is a program then ``judge`` runs the tests."""
    bounds = f"{budget.seconds} {budget.memory} {_STACK} {_output_limit(cases)} {_wall_seconds(budget)}"
    return f"""\
{{ {make}; }} >printed 2>&1
code=$?
echo $code
if [ $code != 0 ]; then head -c {_MEGA} printed; exit; fi
exec "$tools"/judge {len(cases)} {bounds} 2>/dev/null
"""


def run_instrumented(compile_: str, link: str, budget: Budget, cases: Sequence[Case]) -> str:
    """Runs the tests with coverage and sanitizers: prints two sizes, the reports and the executed lines of each.

    An instrumented program gets time to write down what it did, also where dozens of its processes do so at once. One
    that sleeps uses no processor time, so its wall time is bounded too.
    """
    seconds = 3 * budget.seconds
    bounded = (
        f"timeout -k 10 {_wall_seconds(budget)} prlimit --cpu={seconds}:{seconds + 1} --stack={_STACK} "
        f"--fsize={_output_limit(cases)} --"
    )
    return f"""
{compile_} -pipe -c {FILE} -o program.o && g++ {link} {INSTRUMENTED} --coverage program.o "$tools"/runtime.o -o program
[ -x program ] || exit
i=0
while [ $i -lt {len(cases)} ]; do
  mkdir seen.$i
  GCOV_PREFIX="$PWD"/seen.$i GCOV_PREFIX_STRIP=99 UBSAN_OPTIONS=print_stacktrace=1 \\
  ASAN_OPTIONS=log_path="$PWD"/report.$i:{_SANITIZER}:hard_rss_limit_mb={budget.memory >> 20} \\
  {bounded} setarch -R ./program <in.$i >out 2>errors
  cp program.gcno {FILE} seen.$i
  (cd seen.$i; gcov -r -t {FILE} >lines 2>/dev/null)
  {{ cat report.$i.*; grep -a -A 20 'runtime error: ' errors; }} 2>/dev/null | head -c {_REPORT_BYTES} >report
  head -c {_LINES_BYTES} seen.$i/lines >lines
  echo $(stat -c %s report) $(stat -c %s lines)
  cat report lines
  rm -r seen.$i; rm -f report.$i.*
  i=$((i+1))
done
"""


def compiled_versions(compile_: str, link: str) -> str:
    """Makes ``./program`` of a text of many versions (``repair.versions``), without those that do not compile."""
    return f"""
compile() {{ timeout 30 {compile_} -pipe -c {FILE} -o program.o 2>errors; }}
compile || {{
  grep -a 'error: \\|required from' errors | head -c 4000000 |
    grep -ao '^c[0-9]*:' | sort -u | sed 's/c\\(.*\\):/#define RLSF_NO\\1/' >{DROPPED}
  [ -s {DROPPED} ] && compile
}} && g++ {link} program.o "$tools"/runner.o -o program"""


def try_versions(make: str, budget: Budget, cases: Sequence[Case], first: int) -> str:
    """Makes ``./program`` with ``runner``, and prints which versions pass."""
    return f"""{make} &&
setarch -R ./program {len(cases)} {first} {budget.memory} {STEPS} {ALL_STEPS}
"""


def _output_limit(cases: Sequence[Case]) -> int:
    """Bytes that a test may print."""
    return _SPARE_OUTPUT + 4 * max((len(case.output) for case in cases), default=0)


def _wall_seconds(budget: Budget) -> int:
    """Of one test: a sleeping program uses no processor time."""
    return 5 * budget.seconds + 5
