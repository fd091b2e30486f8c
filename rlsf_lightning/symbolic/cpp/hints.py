"""Where the mistake behind a compiler's error may have been made, if not where it was noticed.

A declaration that nothing uses and that is spelled almost like an unknown name; the line at which braces and indentation
stop agreeing. Both are facts of the text, and only looked for in programs that do not compile.
"""

from __future__ import annotations

import re
from collections import Counter

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.cpp.text import Program, Token

_UNKNOWN = re.compile(r"'(\w+)' (?:was not declared|does not name a type|has not been declared)")
#: Names shorter than this are not held to be misspelt by another letter.
SHORTEST = 3


def look_alike(program: Program, message: str, place: int) -> Span | None:
    """The one name before ``place`` that stands there alone and is one letter away from the unknown name of a message."""
    unknown = _UNKNOWN.match(message)
    if unknown is None:
        return None
    uses = Counter(token.text for token in program.tokens if token.kind == "name")
    found = [
        token
        for token in program.tokens
        if token.kind == "name" and token.end <= place and uses[token.text] == 1 and _near(token.text, unknown[1])
    ]
    return Span(found[0].start, found[0].end) if len(found) == 1 else None


def _near(one: str, other: str) -> bool:
    """Whether one letter more, less or (in longer names) changed makes one name the other."""
    short, long = sorted((one, other), key=len)
    if len(short) == len(long):
        return len(short) >= SHORTEST and sum(a != b for a, b in zip(short, long, strict=True)) == 1
    return len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def unbalanced(program: Program) -> Finding | None:
    """Where braces and indentation stop agreeing, in a text whose braces do not match."""
    braces = [token for token in program.tokens if token.kind == "other" and token.text in ("{", "}")]
    if 2 * sum(token.text == "{" for token in braces) == len(braces):
        return None
    message = "braces do not match, and indentation says that one is missing here"
    opened: list[tuple[int, int]] = []  # line and indentation of every open brace
    for token in braces:
        line = program.line_of(token.start)
        indent, is_first = _indent(program, line), program.line_span(line)
        if token.text == "{":
            opened.append((line, indent))
        elif is_first is None or is_first.start != token.start:
            if opened:
                opened.pop()
        elif opened and opened[-1][1] == indent:
            opened.pop()
        elif opened and opened[-1][1] > indent:  # what is open there should have been closed before this
            return Finding("unbalanced", message, _gap(program, token))
        else:
            head = next((one for one in range(line - 1, 0, -1) if _begins(program, one, indent)), None)
            ends = [one for one in program.tokens if head is not None and program.line_of(one.start) == head]
            spans = (Span(ends[-1].start, ends[-1].end),) if ends else (Span(token.start, token.end),)
            return Finding("unbalanced", message, spans)
    return None


def _gap(program: Program, token: Token) -> tuple[Span, ...]:
    """A token and the one before it."""
    before = [one for one in program.tokens if one.end <= token.start][-1:]
    return tuple(Span(one.start, one.end) for one in (*before, token))


def _begins(program: Program, line: int, indent: int) -> bool:
    return program.line_span(line) is not None and _indent(program, line) == indent


def _indent(program: Program, line: int) -> int:
    """Characters before the first that is not blank."""
    span = program.line_span(line)
    return 0 if span is None else span.start - (program.text.rfind("\n", 0, span.start) + 1)
