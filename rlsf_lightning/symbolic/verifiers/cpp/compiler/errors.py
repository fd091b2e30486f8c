"""Diagnostics of g++: the errors that it prints about a program, as findings at their characters.

The text form is read: it alone names the user's line for an error inside a template of the library. Positions are taken
over only where they are inside the program; everything in a message is the program's word as much as the compiler's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.cpp.compiler.error_spans import call_span, spans_of, token_span
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program

#: How the compiler must print for this reader. A tab counts as one column, so that marks stand under their characters.
FLAGS = (
    "-fdiagnostics-color=never -fdiagnostics-column-unit=byte -ftabstop=1 -fdiagnostics-parseable-fixits "
    "-fno-diagnostics-show-option -fdiagnostics-urls=never -fmax-errors=20"
)
#: The program's name in the compiler's messages.
FILE = "program.cpp"
#: Messages are cut here.
MAX_MESSAGE = 300

#: The first whose pattern occurs in a message is its kind.
_KINDS = (
    ("header", r"No such file or directory|[Ii]s a directory|#include|empty filename"),
    ("undeclared", r"not (?:been )?declared|does not name|has no member named|is not a member of|not found|undeclared"),
    (
        "redeclared",
        r"redeclar|redefin|conflicting declaration|previous(?:ly)? (?:declared|defined)|cannot be overloaded",
    ),
    ("call", r"no matching function|no match for call|too (?:few|many) arguments|cannot be used as a function"),
    ("syntax", r"^expected|unterminated|missing|stray|without a previous|not within|two or more data types|label"),
    ("type", r"convert|conversion|no match|invalid (?:operands|types|use)|read-only|lvalue|type|const|deduc|ambiguous"),
)
KINDS = frozenset([kind for kind, _ in _KINDS] + ["template", "compile", "link", "unbalanced"])
_HEADING = re.compile(r"([^:\s][^:]*):(\d+):(\d+): (fatal error|error|note|sorry, unimplemented): (.*)")
_REQUIRED = re.compile(re.escape(FILE) + r":(\d+):(\d+):   (?:required|recursively required|in )")
_FIX = re.compile(r'fix-it:"' + re.escape(FILE) + r'":\{(\d+):(\d+)-(\d+):(\d+)\}:"((?:\\.|[^"\\])*)"')
#: The compiler was ended, or gave up: this says nothing of the program. No message of the program's own begins like this.
_LIMIT = re.compile(
    r"^(?:g\+\+|gcc|cc1plus|collect2|as|virtual memory|out of memory|[^:\n]+:\d+:\d+: internal compiler error|"
    r"[^:\n]*(?:mmap|malloc|memory exhausted))[^\n]*"
    r"(?:internal compiler error|terminated|exhausted|out of memory|cannot allocate|Cannot allocate)",
    re.MULTILINE,
)
_ASSEMBLER = re.compile(r"^(?:\{standard input\}|[^:\n]*\.s):\d+: Error: (.*)", re.MULTILINE)
_UNDEFINED = re.compile(r"undefined (?:reference to|symbol:?) *[`'\"]?([^'\"\n]+)")


@dataclass(frozen=True)
class CompilerError:
    """One error. ``place`` is the offset that it is reported at, None outside the program."""

    kind: str
    message: str
    place: int | None
    spans: tuple[Span, ...]
    #: Suggested replacements: place, and what to write there.
    fixes: tuple[tuple[Span, str], ...] = field(default=())
    #: Part of the place comes from a macro.
    in_macro: bool = False
    #: It is in a template of the program, and came up when that was used.
    on_use: bool = False

    def finding(self, text: str) -> Finding:
        """As a finding; the suggestion is part of the message."""
        message = self.message[:MAX_MESSAGE]
        for span, new in self.fixes[:3]:
            old = text[span.start : span.end]
            message += f"; suggested: {f'replace `{old}` by' if old else 'insert'} `{new[:80]}`"
        return Finding(self.kind, message, self.spans)


def was_stopped(printed: str) -> str | None:
    """What the compiler says when a limit ended it, or a fault of its own."""
    found = _LIMIT.search(printed)
    return found.group()[:300] if found else None


def read_errors(printed: str, program: Program) -> list[CompilerError]:
    """The errors in the compiler's order, each place once."""
    errors: list[CompilerError] = []
    required: int | None = None  # where the program asked for the template that is being complained about
    lines = printed.split("\n")
    for index, line in enumerate(lines):
        if found := _REQUIRED.match(line):
            required = program.offset(int(found[1]), int(found[2]))
        elif found := _HEADING.match(line):
            if found[4] == "note":
                if errors and found[1] == FILE:
                    errors[-1] = _with_note(errors[-1], found, program)
                continue
            error = _error(found, lines[index + 1 : index + 4], program, required)
            if not any(_same(error, other) for other in errors):
                errors.append(error)
            if found[1] == FILE:
                required = None
        elif errors and (found := _FIX.match(line)):
            errors[-1] = _with_fix(errors[-1], found, program)
    return errors or _assembler_errors(printed, program) or _link_errors(printed, program)


def _error(found: re.Match[str], below: list[str], program: Program, required: int | None) -> CompilerError:
    message = found[5]
    if found[1] != FILE:
        spans: tuple[Span, ...] = () if required is None else (call_span(program, required),)
        return CompilerError("template", message, required, spans)
    kind = next((kind for kind, pattern in _KINDS if re.search(pattern, message)), "compile")
    line = int(found[2])
    place = program.offset(line, int(found[3]))
    if place is None:
        return CompilerError(kind, message, None, ())
    spans = spans_of(program, line, place, message, below)
    if required is None:
        return CompilerError(kind, message, place, spans)
    return CompilerError(kind, message, place, (*spans, call_span(program, required)), on_use=True)


def _same(error: CompilerError, other: CompilerError) -> bool:
    """Whether an error says nothing new: the same place again, or the inside of a template at a place that is wrong."""
    if error.kind == "template":
        return any(span.overlaps(wide) for span in error.spans for wide in other.spans)
    return error.kind == other.kind and error.spans == other.spans


def _with_note(error: CompilerError, found: re.Match[str], program: Program) -> CompilerError:
    """What a note adds: that a macro is involved, or which bracket is not closed."""
    if "of macro" in found[5]:
        return replace(error, in_macro=True)
    place = program.offset(int(found[2]), int(found[3]))
    span = None if place is None else token_span(program, place)
    if found[5].startswith("to match this") and span is not None and span not in error.spans:
        return replace(error, spans=(*error.spans, span))
    return error


def _with_fix(error: CompilerError, found: re.Match[str], program: Program) -> CompilerError:
    start = program.offset(int(found[1]), int(found[2]))
    end = program.offset(int(found[3]), int(found[4]))
    if start is None or end is None or end < start:
        return error
    new = re.sub(r"\\(.)", lambda escape: {"n": "\n", "t": "\t"}.get(escape[1], escape[1]), found[5])
    return replace(error, fixes=(*error.fixes, (Span(start, end), new)))


def _assembler_errors(printed: str, program: Program) -> list[CompilerError]:
    """What the assembler does not accept; it knows no place, but only ``asm`` can be the cause."""
    found = _ASSEMBLER.search(printed)
    words = [token.span for token in program.tokens if token.text in ("asm", "__asm__", "__asm")]
    return [CompilerError("compile", f"assembler: {found[1]}", None, tuple(words[:20]))] if found and words else []


def _link_errors(printed: str, program: Program) -> list[CompilerError]:
    """What is declared and used but defined nowhere."""
    errors = []
    for symbol in dict.fromkeys(found.strip() for found in _UNDEFINED.findall(printed)):
        name = re.split(r"[(<]", re.sub(r"^.*?\.o: ", "", symbol))[0].split("::")[-1].strip()
        uses = [token.span for token in program.tokens if token.kind == "name" and token.text == name]
        spans: tuple[Span, ...] = () if name == "main" else tuple(uses[:20])
        errors.append(CompilerError("link", f"`{symbol[:200]}` is used but defined nowhere", None, spans))
    return errors[:20]
