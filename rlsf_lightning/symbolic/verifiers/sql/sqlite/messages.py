"""SQLite's error messages: what kind of mistake each one stands for, and the name that it quotes."""

from __future__ import annotations

import re
from typing import NamedTuple


class MessageKind(NamedTuple):
    """A form of message: the kind of finding, and what stands in for a bad name so that it no longer matters."""

    pattern: re.Pattern[str]
    kind: str
    stand_in: str


def _form(pattern: str, kind: str, stand_in: str) -> MessageKind:
    return MessageKind(re.compile(pattern, re.DOTALL), kind, stand_in)


_KINDS = (
    _form(r"no such column: (.+)", "unknown_column", "NULL"),
    _form(r"ambiguous column name: (.+)", "ambiguous_column", "NULL"),
    _form(r"no such table: (.+)", "unknown_table", "sqlite_master"),
    _form(r"no such function: (.+)", "unknown_function", "char"),
    _form(r"wrong number of arguments to function (.+)\(\)", "wrong_arguments", "char"),
    _form(r"misuse of (?:aliased )?(?:aggregate|window)(?: function)?:? (\w+)(?:\(\))?", "misuse", "char"),
    _form(r"not authorized to use function: (.+)", "forbidden", "char"),
)
#: A whole message: names that a query makes up may end like one.
_SYNTAX = re.compile(r'near ".*": syntax error|unrecognized token: .*', re.DOTALL)


def read_message(message: str) -> tuple[MessageKind, str] | None:
    """The kind of message, and the name in it."""
    for kind in _KINDS:
        match = kind.pattern.fullmatch(message)
        if match:
            return kind, match.group(1)
    return None


def is_syntax_error(message: str | None) -> bool:
    """Whether SQLite's parser refused a token."""
    return message is not None and _SYNTAX.fullmatch(message) is not None


def ascii_of(message: str) -> str:
    """Short, and without characters that a log cannot hold."""
    return ascii(message)[1:-1][:200]
