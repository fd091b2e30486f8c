"""Templates of prompts: text with ``{name}`` in it, where a column, a fact or the prompt goes. Doubled braces are literal ones.

A name in braces is text where LaTeX or code stands (``\\boxed{answer}``, ``x_{n}``, ``f{x}``); ``{prompt}`` never is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_MARKED = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*)\}")
_PART_OF_CODE = re.compile(r"[\w\\^$}]")


class Piece(NamedTuple):
    """Text as it stands, or (``is_name``) the name of what goes there."""

    text: str
    is_name: bool


def pieces(template: str) -> Iterator[Piece]:
    """The pieces of a template, in order."""
    done = literal_braces = 0
    end_of_name = 0  # where the last placeholder ended
    for match in _MARKED.finditer(template):
        start, mark, name = match.start(), match[0], match[1]
        if name is None:
            if mark == "}}" and not literal_braces:
                continue  # it closes what was not doubled: JSON, say
            literal_braces += 1 if mark == "{{" else -1
            yield Piece(template[done:start] + mark[0], False)
        elif name == "prompt" or start == end_of_name or not _PART_OF_CODE.match(template[start - 1]):
            yield Piece(template[done:start], False)
            yield Piece(name, True)
            end_of_name = match.end()
        else:
            continue
        done = match.end()
    yield Piece(template[done:], False)


def names_in(template: str) -> list[str]:
    """What a template asks for, each once."""
    return list(dict.fromkeys(piece.text for piece in pieces(template) if piece.is_name))


def filled(template: str, value_of: Callable[[str], str]) -> str:
    """The template with its names replaced; what comes in is not read again."""
    return "".join(value_of(piece.text) if piece.is_name else piece.text for piece in pieces(template))
