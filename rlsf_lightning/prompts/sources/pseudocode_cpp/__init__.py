"""Pseudo-code and small C++ programs with tests, drawn from a grammar; no compiler is needed to make them.

Programs have 4 to 20 lines, of some twenty kinds of statements. What a test expects comes from an interpreter of the program's
syntax tree, and its inputs are chosen so that single edits of the program fail one of them. Programs that differ in names,
numbers and words alone are in one split.
"""

from __future__ import annotations

import random
import re
from functools import partial

from rlsf_lightning.prompts.generated import Draft, Generated, Task
from rlsf_lightning.prompts.sources.pseudocode_cpp import tree
from rlsf_lightning.prompts.sources.pseudocode_cpp.code import source_of
from rlsf_lightning.prompts.sources.pseudocode_cpp.examples import chosen
from rlsf_lightning.prompts.sources.pseudocode_cpp.grammar import programs
from rlsf_lightning.prompts.sources.pseudocode_cpp.wording import Wording

MOST_LINES = 20
MOST_CHARS = 400
_CONSTANT_OR_WORD = re.compile(r'"[^"]*"|\'[^\']*\'|\d+|[a-z]\w*')
_KEPT = frozenset(
    "int long string bool char vector main cin cout endl if else for while do break continue return begin end rbegin rend size "
    "length push_back sort reverse swap min max abs toupper tolower".split()
)


def prompts(split: str) -> Generated:
    """Pseudo-code as text, the program as reference, its tests as a fact. See ``Generated`` for splits and errors."""
    return Generated("pseudocode_cpp", make, split)


def make(rng: random.Random) -> Draft | None:
    """One program; the draft has no pseudo-code and no tests yet."""
    program = programs.drawn(rng)
    source = source_of(program)
    if len(source) > MOST_CHARS or source.count("\n") > MOST_LINES:
        return None
    key = shape(source)
    return Draft(key, partial(_finished, program, key, rng))


def shape(source: str) -> str:
    """A program without its names and constants, numbered in the order in which they first occur."""
    numbers: dict[str, str] = {}

    def blank(match: re.Match[str]) -> str:
        word = match.group()
        if word[0] in "\"'":
            return word[0]
        if word[0].isdigit():
            return "0"
        return word if word in _KEPT else numbers.setdefault(word, f"v{len(numbers)}")

    return _CONSTANT_OR_WORD.sub(blank, source)


def _finished(program: tree.Program, key: str, rng: random.Random) -> Task | None:
    examples = chosen(program, rng)
    if examples is None:
        return None
    bare = rng.random() < 0.3
    text = Wording(rng, program.integer).text(program, bare=bare)
    tests = [{"input": example.input, "output": example.output} for example in examples]
    return Task(text, source_of(program, bare=bare).rstrip("\n"), key=key, facts={"tests": tests})
