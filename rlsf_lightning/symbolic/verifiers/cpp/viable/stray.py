"""Characters that stand in no token of C++, such as those of a code fence: a text that has one is dead from it on.

The preprocessor says so of a character when it has read it, whatever follows: no statement has to end first.
"""

from __future__ import annotations

import re

from rlsf_lightning.symbolic.verifiers.cpp.compiler.error_spans import extended_word
from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import CompilerError
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program

_STRAY = re.compile(r"^stray '(.+)' in program", re.DOTALL)
_BYTE = re.compile(r"\\([0-7]{1,3})")
#: Behind a backslash: it is stray once something else than a line's end or a universal character name follows.
_AFTER_BACKSLASH = re.compile(r"(?![uUN])[ \t\v\f\r]*(?=[^ \t\v\f\r\n])")


def stray_from(program: Program, error: CompilerError) -> int | None:
    """Offset of the character with which it is certain that an error is about a stray one; None: it is not."""
    if error.place is None or error.in_macro or not program.keeps_places:
        return None
    text, place = program.text, error.place
    word = extended_word(program, place, error.message)
    if word is not None:
        return word.stray
    found = _STRAY.match(error.message)
    if found is None or not _stands(text, place, found[1]):
        return None
    if found[1] != "\\":
        return place
    behind = _AFTER_BACKSLASH.match(text, place + 1)
    return None if behind is None else behind.end()


def _stands(text: str, place: int, quoted: str) -> bool:
    """Whether what the compiler quotes, a text or a byte in octal, begins there."""
    byte = _BYTE.fullmatch(quoted)
    if byte is None:
        return text.startswith(quoted, place)
    return text[place : place + 1].encode("utf-8", "surrogatepass")[:1] == bytes([int(byte[1], 8) & 0xFF])
