"""The declaration that several errors about types have in common: a variable of a class where a number was meant, say.

No grammar and no scopes: a declaration is the last one before the error that looks like one and has the name. It is
blamed beside the errors only where two of them speak of it, so that a wrong guess costs precision and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import CompilerError
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program, Token

#: Types of which an error says nothing: they get along with each other.
_NUMBERS = frozenset("bool char short int long float double unsigned signed const void auto std".split())
#: No type is named like this.
_STATEMENTS = frozenset("return else delete throw goto case new using typedef if while for switch do cin cout".split())
_QUOTED = re.compile(r"'([^']*)'")
#: Tokens around an error that belong to what it is about, and before it among which a declaration is looked for.
_AROUND, _BEFORE = 12, 4000


def with_declarations(program: Program, errors: Sequence[CompilerError]) -> list[CompilerError]:
    """The errors; the first that speaks of a declaration which another speaks of too has its type among its places."""
    about = [_declarations(program, error) for error in errors]
    found: list[CompilerError] = []
    for error, spans in zip(errors, about, strict=True):
        shared = [span for span in sorted(spans) if sum(span in other for other in about) > 1]
        first = [span for span in shared if not any(span in one.spans for one in found)]
        found.append(replace(error, spans=(*error.spans, *first)) if error.spans else error)
    return found


def _declarations(program: Program, error: CompilerError) -> set[Span]:
    """Where the types stand with which the names at an error are declared, if the error speaks of these types."""
    if error.kind not in ("type", "compile", "call", "undeclared") or error.place is None:
        return set()
    words = {word for quoted in _QUOTED.findall(error.message) for word in re.findall(r"\w+", quoted)} - _NUMBERS
    index = program.index_at(error.place)
    if index is None or not words:
        return set()
    found = set()
    for name in {token.text for token in _statement(program.tokens, index) if token.kind == "name"}:
        type_ = _declared(program.tokens, index, name)
        if type_ and words & {token.text for token in type_}:
            found.add(Span(type_[0].start, type_[-1].end))
    return found


def _statement(tokens: Sequence[Token], index: int) -> list[Token]:
    """The tokens around an error, up to where its statement ends."""
    first = last = index
    while first > max(0, index - _AROUND) and tokens[first - 1].text not in (";", "{", "}"):
        first -= 1
    while last < min(len(tokens), index + _AROUND) and tokens[last].text not in (";", "{", "}"):
        last += 1
    return list(tokens[first : last + 1])


def _declared(tokens: Sequence[Token], before: int, name: str) -> list[Token]:
    """The type in the last declaration of a name that stands there before an error, or goes on behind it."""
    for at in range(before + 1, max(0, before - _BEFORE), -1):
        if at < len(tokens) and tokens[at].text == name:
            type_ = _type_before(tokens, at)
            if type_:
                return type_
    return []


def _type_before(tokens: Sequence[Token], at: int) -> list[Token]:
    """The type of the declaration of which token ``at`` is a name; empty where it does not look like one."""
    start, depth = at, 0
    while start > max(0, at - 200):
        text = tokens[start - 1].text
        if depth == 0 and text in (";", "{", "}", "("):
            break
        depth += (text in (")", "]", "}")) - (text in ("(", "[", "{"))
        start -= 1
    end = _type_end(tokens, start, at)
    is_name = end > start and tokens[end].kind == "name" and tokens[start].text not in _STATEMENTS
    if not is_name or (at != end and tokens[at - 1].text not in (",", "*", "&")):
        return []
    return list(tokens[start:end])


def _type_end(tokens: Sequence[Token], start: int, at: int) -> int:
    """The first declared name: the last of the names that follow one another, over ``::``, ``<...>``, ``*`` and ``&``."""
    end, depth = start, 0
    for i in range(start, at + 1):
        text = tokens[i].text
        depth += (text == "<") - (text == ">") - 2 * (text == ">>" and depth > 1)
        if depth == 0 and tokens[i].kind == "name":
            if i > start and tokens[i - 1].kind != "name" and tokens[i - 1].text not in ("::", ">", ">>", "*", "&"):
                break
            end = i
        elif depth == 0 and text not in ("::", ">", ">>", "*", "&"):
            break
    return end
