"""Chooses the tests of a program: inputs that tell it from its single edits.

Where an edit cannot be told from the program by any input that was tried, it mostly is another way to write it. A program
with too many of these, or one in which a statement can be left out, is none that tests can hold a solution to.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from rlsf_lightning.prompts.sources.pseudocode_cpp import tree as t
from rlsf_lightning.prompts.sources.pseudocode_cpp.interpreter import Inputs, Interpreter, Undefined
from rlsf_lightning.prompts.sources.pseudocode_cpp.mutants import Mutant, mutants

#: Statements that a program may execute in one test.
FUEL = 2_000
#: Inputs that are drawn for a program, of which so many in a row may tell nothing new.
DRAWS, IN_VAIN = 40, 20
#: Tests that a program has at least and at most.
FEWEST, MOST = 3, 8
#: Characters of an output.
LONGEST = 200
#: The share of a program's edits that may stay undetected.
UNDETECTED = 0.08
#: A program of which so many stay undetected by the first tests is given up.
HOPELESS = 0.4


@dataclass(frozen=True)
class Example:
    """An input with the output that belongs to it; ``words`` are the input's."""

    input: str
    output: str
    words: tuple[str, ...] = ()
    steps: int = 0


def chosen(program: t.Program, rng: random.Random) -> list[Example] | None:
    """The tests of a program, in random order; None where it has too few, or too many edits that they do not tell apart."""
    near = tuple(sorted({node.value for node in t.walk(program) if isinstance(node, t.Num)}))
    first = run(program, rng, near)
    if first is None:
        return None
    all_ = open_ = list(mutants(program, rng))
    kept: list[Example] = []
    spare: list[Example] = []
    seen: set[str] = set()
    in_vain = 0
    for number in range(DRAWS):
        example = run(program, rng, near) if number else first
        if example is None or example.input in seen:
            in_vain += 1
        else:
            seen.add(example.input)
            left = [mutant for mutant in open_ if not differs(mutant.program, example)]
            in_vain = in_vain + 1 if len(left) == len(open_) else 0
            (spare if in_vain else kept).append(example)
            open_ = left
        if (not open_ and len(seen) >= FEWEST) or len(kept) == MOST or in_vain == IN_VAIN:
            break
        if len(seen) == FEWEST and len(open_) > HOPELESS * len(all_):
            return None
    kept += spare[: max(0, FEWEST - len(kept))]
    if not _are_few(open_, all_, kept):
        return None
    outputs = {tuple(example.output.split()) for example in kept}
    reads = any(isinstance(node, t.Read) for node in t.walk(program))
    return None if reads and (len(kept) < FEWEST or len(outputs) < 2) else kept


def _are_few(undetected: list[Mutant], all_: list[Mutant], examples: list[Example]) -> bool:
    """Whether so few edits are undetected that the program may stay. Those that reach beyond an array, say, and have the
    same output all the same, are not told from a program by any test."""
    if any(mutant.edit == "dropped" for mutant in undetected):
        return False
    defined = [m for m in undetected if not any(differs(m.program, example, False) for example in examples)]
    return len(defined) <= UNDETECTED * len(all_)


def run(program: t.Program, rng: random.Random, near: tuple[int, ...] = ()) -> Example | None:
    """The program on an input that is drawn for it; None where something on the way is undefined, or nothing is printed."""
    inputs = Inputs(rng, near=near)
    interpreter = Interpreter(program, inputs, FUEL)
    try:
        output = interpreter.run()
    except Undefined:
        return None
    if not output.strip() or len(output) > LONGEST:
        return None
    return Example(inputs.text + "\n" * bool(inputs.text), output, tuple(inputs.words), FUEL - interpreter.fuel)


def differs(program: t.Program, example: Example, is_lenient: bool = True) -> bool:
    """Whether an edited program fails a test: other words, an end without an output, or no end; where it is not lenient, also
    because it does what is undefined."""
    inputs = Inputs(words=example.words)
    try:
        output = Interpreter(program, inputs, 10 * example.steps + 100, is_lenient=is_lenient).run()
    except Undefined:
        return True
    return output.split() != example.output.split()


def undetected(program: t.Program, examples: list[Example], rng: random.Random) -> list[Mutant]:
    """The edits that pass all of these tests."""
    return [m for m in mutants(program, rng) if not any(differs(m.program, example) for example in examples)]
