"""The spans of a compiler error in the program: marked ranges, tokens, calls, names alike."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program

_SOURCE = re.compile(r" *(\d+) \| ")
_MARKS = re.compile(r" +\| ( *[~^][~^ ]*)$")
_UNKNOWN = re.compile(r"'([\w$]+)' (?:was not declared|does not name a type|has not been declared)")
_EXTENDED = re.compile(r"extended character (.) is not valid", re.DOTALL)
#: A name as the compiler reads it: characters beyond ASCII belong to it, allowed or not.
_WORD = re.compile(r"[\w$\u0080-\U0010ffff]+")
#: Names shorter than this are not held to be misspelt by another letter.
_SHORTEST = 3


def spans_of(program: Program, line: int, place: int, message: str, below: list[str]) -> tuple[Span, ...]:
    """The marked range, or the token; also the token before a gap, and a name that may be the unknown one."""
    word = extended_word(program, place, message)
    if word is not None:
        return (word.span,)
    span = _marked(program, line, place, below) or token_span(program, place)
    if span is None:
        return ()
    alike = _look_alike(program, message, place)
    if alike is not None:
        return (span, alike)
    if message.startswith("expected") and "end of input" not in message:
        before = [token for token in program.tokens if token.end <= span.start and token.kind != "directive"][-2:]
        if before and before[-1].text != "(":  # of "fo (int i" the misspelt keyword is part
            before = before[-1:]
        return (*(token.span for token in before), span)
    return (span,)


def _marked(program: Program, line: int, place: int, below: list[str]) -> Span | None:
    """The range that the compiler underlines around its caret, where each column is a character."""
    content = program.line_span(line)
    if len(below) < 2 or content is None or not program.text[content.start : content.end].isascii():
        return None
    source, marks = _SOURCE.match(below[0]), _MARKS.match(below[1])
    if source is None or marks is None or int(source[1]) != line or "^" not in marks[1]:
        return None
    caret = marks[1].index("^")
    start = len(marks[1][:caret].rstrip("~"))
    end = caret + 1 + len(marks[1][caret + 1 :]) - len(marks[1][caret + 1 :].lstrip("~"))
    return Span(place - (caret - start), min(place + end - caret, content.end)) if place < content.end else None


class ExtendedWord(NamedTuple):
    """What the compiler reads as one name, and where the character in it stands that no name may have."""

    span: Span
    stray: int


def extended_word(program: Program, place: int, message: str) -> ExtendedWord | None:
    """The word at a place, if a message complains of a character in it that is not in ASCII."""
    found = _EXTENDED.match(message)
    word = None if found is None else _WORD.match(program.text, place)
    if found is None or word is None or found[1] not in word.group():
        return None
    return ExtendedWord(Span(*word.span()), place + word.group().index(found[1]))


def token_span(program: Program, place: int) -> Span | None:
    """The token at a place, or the last before it: the end of a text is behind its last token."""
    index = program.index_at(place)
    if index is not None:
        return program.tokens[index].span
    before = [token for token in program.tokens if token.end <= place]
    return before[-1].span if before else None


def call_span(program: Program, place: int) -> Span:
    """The call whose name, or opening parenthesis, is at a place."""
    tokens = program.tokens
    index = program.index_at(place)
    if index is None:
        return Span(place, min(place + 1, len(program.text)))
    first = last = index
    while first > 0 and tokens[first].text in ("(", ".", "->", "::") and tokens[first - 1].kind == "name":
        first -= 1
        if first > 1 and tokens[first - 1].text in (".", "->", "::"):
            first -= 1
    while tokens[last].kind == "name" and last + 2 < len(tokens) and tokens[last + 1].text in (".", "->", "::"):
        last += 2
    if tokens[last].kind == "name" and last + 1 < len(tokens) and tokens[last + 1].text == "(":
        last += 1
    if tokens[last].text == "(":
        depth = 0
        for at in range(last, len(tokens)):
            depth += (tokens[at].text == "(") - (tokens[at].text == ")")
            if depth == 0 or tokens[at].text in (";", "{"):
                last = at
                break
    return Span(tokens[first].start, tokens[last].end)


def _look_alike(program: Program, message: str, place: int) -> Span | None:
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
    return found[0].span if len(found) == 1 else None


def _near(one: str, other: str) -> bool:
    """Whether one letter more, less or (in longer names) changed makes one name the other."""
    short, long = sorted((one, other), key=len)
    if len(short) == len(long):
        return len(short) >= _SHORTEST and sum(a != b for a, b in zip(short, long, strict=True)) == 1
    return len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
