"""The first dead character of a program that does not compile: with it no continuation compiles any more. One-sided.

A text is dead if it is with every library that stands for its headers; ``certainty`` says so of one of the compiler's
outputs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rlsf_lightning.symbolic.verifiers.cpp.compiler.compiler import Compiler, libraries
from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import read_errors
from rlsf_lightning.symbolic.verifiers.cpp.compiler.results import Built
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.viable.certainty import dead_from, is_lexical, missing_header, statement_end

#: A line that the text ends with and that begins like a directive.
_OPEN_DIRECTIVE = re.compile(r"(?:^|(?<=\n))[ \t]*#[^\n]*\Z")
#: A word that the text ends with, not in a number, and not behind a backslash.
_OPEN_WORD = re.compile(r"(?<![\w$'\\])[^\W\d][\w$]*\Z")


def first_dead(compiler: Compiler, program: Program, attempts: Sequence[Built]) -> int | None:
    """Offset of the first dead character of a program of which no attempt compiles; None: cannot tell."""
    dead = [_death(compiler, program, built) for built in attempts]
    certain = [at for at in dead if at is not None]
    return _confirmed(compiler, program, max(certain)) if len(certain) == len(attempts) else None


def is_dead(compiler: Compiler, text: str) -> bool:
    """Whether it is certain, with each library, that no continuation of a settled text compiles."""
    program = Program(text)
    for library in libraries(program):
        for first_error in (True, False):
            built = compiler.build(program, (), library, first_error=first_error)
            mistakes = read_errors(built.printed, program) if built.code else []
            if not built.code or (mistakes and not is_lexical(program, mistakes[0])):
                break
        if _death(compiler, program, built) is None:
            return False
    return True


def settled(prefix: str) -> str:
    """A prefix that is dead if this one is, without what the next character may still change: a directive, or the word
    and the blanks at its end. No word is certain to be wrong before it is complete."""
    text = _OPEN_WORD.sub("", _OPEN_DIRECTIVE.sub("", prefix))
    code = text.rstrip()
    blank = text[len(code) :]
    return code + ("\n" if "\n" in blank else blank[:1])


def _confirmed(compiler: Compiler, program: Program, dead: int) -> int | None:
    """The first character with which the beginning alone shows what the whole program does.

    A cast or a list that is not complete is read in another way, and then that is what the compiler complains about.
    """
    if is_dead(compiler, settled(program.text[: dead + 1])):
        return dead
    alive, end = dead, statement_end(program, dead)
    if end is None or not is_dead(compiler, settled(program.text[: end + 1])):
        return None
    while end - alive > 1:
        middle = (alive + end) // 2
        alive, end = (alive, middle) if is_dead(compiler, settled(program.text[: middle + 1])) else (middle, end)
    return end


def _death(compiler: Compiler, program: Program, built: Built) -> int | None:
    """The first dead character as far as what the compiler printed shows it."""
    mistakes = read_errors(built.printed, program) if built.code else []
    header = missing_header(program, mistakes)
    if header:
        before = Program(program.text[:header])
        again = compiler.build(before, (), built.library)
        earlier = dead_from(before, read_errors(again.printed, before)) if again.code else None
        if earlier is not None:
            return earlier
    return dead_from(program, mistakes)
