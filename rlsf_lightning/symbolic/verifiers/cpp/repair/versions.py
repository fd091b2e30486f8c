"""Many changed versions of a program, its mutants, as one text: the headers are read and the linker is started once.

Each version is a namespace. One that does not compile is left out, and the rest is compiled again (``Compiler.trial``).
"""

from __future__ import annotations

from collections.abc import Sequence

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.cpp.parse import INCLUDE, Program
from rlsf_lightning.symbolic.verifiers.cpp.repair.changes import Change
from rlsf_lightning.symbolic.verifiers.cpp.source.variables import Variables, tokens_text


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
    edits = [Change(token.span, "") for token in includes]
    edits.append(Change(tokens[main].span, "rlsf_main"))
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
