"""Brackets that are missing: the line at which braces and indentation stop agreeing, the statement of a parenthesis.

The compiler notices them later. Both are facts of the text, and only looked for in programs that do not compile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program, Token

#: That may stand in the parentheses after these.
_SEMICOLONS = {"for": 2, "if": 1, "switch": 1}


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
            return Finding("unbalanced", message, _gap(program, _outside(program, *opened[-1], token)))
        else:
            head = next((one for one in range(line - 1, 0, -1) if _begins(program, one, indent)), None)
            ends = [one for one in program.tokens if head is not None and program.line_of(one.start) == head]
            spans = (ends[-1].span,) if ends else (token.span,)
            return Finding("unbalanced", message, spans)
    return None


def _outside(program: Program, line: int, indent: int, last: Token) -> Token:
    """The first token that indentation puts outside the block that begins on a line; ``last`` if there is none before."""
    after = [token for token in program.tokens if program.line_of(token.start) > line and token.start <= last.start]
    firsts = [token for token in after if _is_first(program, token) and token.text != "{"]
    if not firsts or _indent(program, program.line_of(firsts[0].start)) <= indent:
        return last  # a text that is not indented
    lines = (token for token in firsts if token.text not in ("}", "case", "default", "public", "private", "protected"))
    return next((one for one in lines if _indent(program, program.line_of(one.start)) <= indent), last)


def parentheses(program: Program, noticed: Sequence[int]) -> Finding | None:
    """The part of a statement in which the first parenthesis that is missing may stand: from an open one to where the
    compiler noticed (``noticed``: these places) or the statement ends; to one too many from where the statement begins.
    """
    tokens = program.tokens if program.is_plain else []
    begin, opened = 0, list[_Opened]()  # where the statement begins; parentheses that are open, and braces in them
    for at, token in enumerate(tokens):
        text, top = token.text if token.kind == "other" else "", opened[-1] if opened else None
        within = None if top is None else top.token.text
        if text == "(" or (text == "{" and top and (within == "{" or top.may_hold or _may_be_list(tokens[at - 1]))):
            opened.append(_Opened(token, _SEMICOLONS.get(tokens[at - 1].text, 0)))
        elif text == "[" and top:
            top.may_hold = True
        elif (text == ")" and within == "(") or (text == "}" and within == "{"):
            opened.pop()
        elif text == ")":
            return Finding("unbalanced", "an opening parenthesis is missing here", (Span(begin, token.end),))
        elif top and text == ";" and top.semicolons:
            top.semicolons -= 1
        elif top and within == "(" and text in (";", "{", "}"):
            end = min((place for place in noticed if top.token.end < place < token.start), default=token.end)
            return Finding("unbalanced", "a closing parenthesis is missing here", (Span(top.token.start, end),))
        if text in (";", "{", "}") and at + 1 < len(tokens):
            begin = tokens[at + 1].start
    return None


@dataclass
class _Opened:
    """A parenthesis or brace. ``semicolons``: that may still stand in it; ``may_hold``: a lambda, which may have a body."""

    token: Token
    semicolons: int
    may_hold: bool = False


def _may_be_list(before: Token) -> bool:
    """Whether a brace after this token may begin a list of values."""
    return before.kind == "name" or before.text in ("=", ",", "(", "{", ">", "]", "?", ":")


def _gap(program: Program, token: Token) -> tuple[Span, ...]:
    """A token and the one before it."""
    before = [one for one in program.tokens if one.end <= token.start][-1:]
    return tuple(one.span for one in (*before, token))


def _begins(program: Program, line: int, indent: int) -> bool:
    return program.line_span(line) is not None and _indent(program, line) == indent


def _is_first(program: Program, token: Token) -> bool:
    """Whether the token is the first of its line."""
    span = program.line_span(program.line_of(token.start))
    return span is not None and span.start == token.start


def _indent(program: Program, line: int) -> int:
    """Characters before the first that is not blank."""
    span = program.line_span(line)
    return 0 if span is None else span.start - (program.text.rfind("\n", 0, span.start) + 1)
