"""Mutations of one token, each of which may make a program's tests pass: another operator, number or name.

The likeliest come first. What is tried is text alone: a change that does not compile is dropped by those who try it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from typing import NamedTuple

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program, Token
from rlsf_lightning.symbolic.verifiers.cpp.source.variables import Variables, tokens_text

#: What else an operator may have been meant to be, the likeliest first.
_OPERATORS = {
    "<": "<= > >=", "<=": "< >=", ">": ">= < <=", ">=": "> <=", "==": "!= <= >=", "!=": "==", "+": "- *", "-": "+ *",
    "*": "+ / -", "/": "% * -", "%": "/", "&&": "||", "||": "&&", "++": "--", "--": "++", "+=": "-= = *=",
    "-=": "+= =", "*=": "+= /=", "/=": "%= *=", "%=": "/=", "=": "+= ==", ">>": "<<", "&": "&& |", "|": "|| &",
}  # fmt: skip
#: Before these a minus or star is a sign, a pointer or part of a declaration.
_ENDS_VALUE = frozenset((")", "]"))
_TEMPLATES = frozenset(
    "vector deque array pair map set multiset queue stack list priority_queue unordered_map unordered_set template "
    "static_cast greater less tuple function numeric_limits min max".split()
)
_LONGEST_NUMBER = 9


class Change(NamedTuple):
    """``new`` in the place of the characters of ``span``; an empty span: a statement that is missing there."""

    span: Span
    new: str

    def applied(self, text: str) -> str:
        return text[: self.span.start] + self.new + text[self.span.end :]


def token_changes(program: Program, variables: Variables) -> tuple[list[Change], list[Change]]:
    """The likely changes of one token, and the others."""
    tokens = program.tokens
    known = sorted({int(token.text) for token in tokens if _is_plain_number(token)})
    signs: list[list[Change]] = []
    numbers: list[list[Change]] = []
    names: list[list[Change]] = []
    for at, token in enumerate(tokens):
        if token.kind == "other" and _is_operator(variables, at):
            signs.append([_change(token, one) for one in _OPERATORS[token.text].split()])
        elif token.kind == "number":
            numbers.append([_change(token, one) for one in _numbers(token, known)])
        elif token.kind == "name":
            names.append([_change(token, one) for one in _names(variables, at)])
    likely = [*(group[:1] for group in signs), *(group[:3] for group in numbers)]
    others = [*(group[1:] for group in signs), *(group[3:] for group in numbers)]
    return list(chain(*likely, _in_turns(names))), list(chain(*others))


def _in_turns(groups: list[list[Change]]) -> list[Change]:
    """The first of every group, then the second of every group, and so on."""
    return [change for row in zip_longest(*groups) for change in row if change is not None]


def _change(token: Token, new: str) -> Change:
    return Change(token.span, new)


def _is_operator(variables: Variables, at: int) -> bool:
    """Whether the token is an operator that may be exchanged: no sign, no part of a type, no reading."""
    tokens = variables.tokens
    text, before = tokens[at].text, tokens[at - 1] if at else None
    if text not in _OPERATORS or before is None or variables.is_type(at - 1) or variables.is_first_value(at):
        return False
    if text in ("++", "--"):
        return True
    if before.kind not in ("name", "number", "string") and before.text not in _ENDS_VALUE:
        return False
    if text == ">>":
        return before.kind == "number"
    if text in ("<", ">"):
        return before.text not in _TEMPLATES and not _in_template(tokens, at)
    return True


def _in_template(tokens: list[Token], at: int) -> bool:
    """Whether the last angle bracket that is open before a token belongs to a template."""
    depth = 0
    for back in range(at - 1, max(0, at - 20), -1):
        text = tokens[back].text
        if text in (";", "{", "}", "(", ")", "&&", "||"):
            return False
        depth += (text in (">", ">>")) - (text == "<")
        if text == "<" and depth < 0 and tokens[back - 1].text in _TEMPLATES:
            return True
    return False


def _is_plain_number(token: Token) -> bool:
    """Whether a token is a decimal number, and no large one."""
    text = token.text
    return token.kind == "number" and text.isdecimal() and text.isascii() and len(text) <= _LONGEST_NUMBER


def _numbers(token: Token, known: Sequence[int]) -> list[str]:
    """Other numbers, the likeliest first: those beside it, the small ones, and the nearest that the program has (``known``)."""
    text = token.text
    if not _is_plain_number(token) or (text[0] == "0" and text != "0"):
        return []
    value = int(text)
    near = [value - 1, value + 1, 0, value - 2, 1, 2, value + 2]
    near += sorted(known, key=lambda one: (abs(one - value), one))[:4]
    return [str(one) for one in dict.fromkeys(near) if one >= 0 and one != value]


def _names(variables: Variables, at: int) -> Iterator[str]:
    """Other variables that may stand for the one at a token: of the same shape, and seen there."""
    here = variables.of(at)
    if here is None or here.declared == at:
        return
    is_call = tokens_text(variables.tokens, at + 1) == "("
    for other in variables.at(at):
        if other.shape == here.shape and other.name != here.name and not is_call:
            if not (other.is_constant and variables.is_written(at)):
                yield other.name
