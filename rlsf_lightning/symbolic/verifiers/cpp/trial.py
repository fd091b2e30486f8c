"""Many changed versions of a program, compiled as one and run on its tests: which of them pass.

Each version is a namespace of one text, so that the headers are read and the linker is started once. A version that does
not compile is left out, and the rest is compiled again. What passes here has still to pass by itself (``repair``):
versions are compiled without optimisation, and share a process that the program could disturb. Wanted outputs go in there,
unlike where a program is judged: one that finds them here gains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.execution.sandbox import Sandbox
from rlsf_lightning.symbolic.verifiers.cpp.changes import Change
from rlsf_lightning.symbolic.verifiers.cpp.errors import FILE
from rlsf_lightning.symbolic.verifiers.cpp.run import Budget, Case, inputs, limits
from rlsf_lightning.symbolic.verifiers.cpp.text import INCLUDE, Program
from rlsf_lightning.symbolic.verifiers.cpp.tools import PLAIN, Tools
from rlsf_lightning.symbolic.verifiers.cpp.variables import Variables, tokens_text

#: Basic blocks of a run, and of all runs.
STEPS, ALL_STEPS = 2_000_000, 60_000_000
#: Seconds after which all of it is given up, whatever it has found.
_SECONDS = 40.0


def passing(
    sandbox: Sandbox,
    tools: Tools,
    standard: str,
    program: Program,
    variables: Variables,
    changes: Sequence[Change],
    cases: Sequence[Case],
    first: int,
    budget: Budget,
    library: str,
) -> list[int]:
    """Which changes make the program pass all tests, ``first`` first. None where the texts cannot stand beside each other."""
    text = versions(program, variables, changes)
    if text is None:
        return []
    flags = f"-std={standard} {PLAIN} -fmax-errors=0 -ftemplate-depth=256 -fsanitize-coverage=trace-pc"
    script = f"""
compile() {{ timeout 30 g++ {flags} -I "$tools"/{library} -pipe -c {FILE} -o program.o 2>errors; }}
compile || {{
  grep -a 'error: \\|required from' errors | head -c 4000000 |
    grep -ao '^c[0-9]*:' | sort -u | sed 's/c\\(.*\\):/#define RLSF_NO\\1/' >dropped.h
  [ -s dropped.h ] && compile
}} && g++ {tools.link} program.o "$tools"/runner.o -o program &&
setarch -R ./program {len(cases)} {first} {budget.memory} {STEPS} {ALL_STEPS}
"""
    files = {FILE: text.encode("utf-8", "surrogatepass"), "dropped.h": b""} | inputs(cases)
    files |= {f"want.{i}": case.output.encode("utf-8", "surrogatepass") for i, case in enumerate(cases)}
    bounds = limits(budget, cases, watched=True, wall_seconds=_SECONDS)
    outcome = sandbox.run(script, limits=bounds, files=files, shared={"tools": tools.folder})
    words = outcome.output.split()
    if outcome.ended_by or outcome.returncode != 0 or not all(word.isdigit() and len(word) < 6 for word in words):
        return []
    return sorted({int(word) for word in words if int(word) < len(changes)})


def versions(program: Program, variables: Variables, changes: Sequence[Change]) -> str | None:
    """One text with a namespace for each change, and the table of their ``main``; None where that is not possible."""
    tokens = program.tokens
    main = next(
        (at for at, one in enumerate(tokens) if one.text == "main" and tokens_text(tokens, at + 1) == "("), None
    )
    body = None if main is None else variables.closing.get(main + 1, -2) + 1
    if main is None or body is None or body not in variables.closing:
        return None
    includes = [token for token in tokens if token.kind == "directive" and INCLUDE.match(token.text)]
    edits = [Change(Span(token.start, token.end), "") for token in includes]
    edits.append(Change(Span(tokens[main].start, tokens[main].end), "rlsf_main"))
    closing = tokens[variables.closing[body]].start
    edits.append(Change(Span(closing, closing), " return 0; "))
    parts = ["#include <bits/stdc++.h>", *(token.text for token in includes), '#include "dropped.h"']
    parts += [] if program.includes_first else ["using namespace std;"]
    parts += ["struct rlsf_version { int number; int (*start)(int, char**); };", '#pragma GCC optimize("O0")']
    for number, change in enumerate(changes):
        copy = _edited(program.text, [*edits, change])
        parts += [
            f"#ifndef RLSF_NO{number}",
            f"namespace rlsf_{number} {{",
            f'#line 1 "c{number}"',
            copy,
            "}",
            "#endif",
        ]
    parts += [f"#undef {name}" for name in program.macros]
    parts.append('extern "C" { extern const rlsf_version rlsf_versions[]; extern const int rlsf_versions_count; }')
    parts.append("const rlsf_version rlsf_versions[] = {")
    for number in range(len(changes)):
        entry = f"{{{number}, (int (*)(int, char**))&rlsf_{number}::rlsf_main}},"
        parts += [f"#ifndef RLSF_NO{number}", f'#line 1 "c{number}"', entry, "#endif"]
    parts += ["{-1, 0}};", "const int rlsf_versions_count = sizeof(rlsf_versions) / sizeof(rlsf_version) - 1;", ""]
    return "\n".join(parts)


def _edited(text: str, edits: Sequence[Change]) -> str:
    """With all changes, of which no two overlap; one that is given later stands behind others at the same place."""
    parts, at = [], 0
    for change in sorted(edits, key=lambda change: change.span.start):
        parts += [text[at : change.span.start], change.new]
        at = change.span.end
    return "".join([*parts, text[at:]])
