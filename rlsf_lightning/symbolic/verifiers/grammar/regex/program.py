"""Compiler of patterns: to a program of steps that read a character, go on in several ways, or look around.

Made from the last node to the first, each with the step that follows it (Thompson's construction); the ways of a step are
in the order in which Python's ``re`` would try them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.grammar.regex.syntax import Branch, Character, Look, Node, Nodes, Place, Repeat

#: Steps that one pattern may have.
MAX_STEPS = 5_000
#: What follows the last step.
MATCH = -1


class Read(NamedTuple):
    """Read one character."""

    test: Callable[[str], bool]
    following: int


class Split(NamedTuple):
    """Go on in one of several ways."""

    ways: list[int]


class LookAround(NamedTuple):
    """Like ``Look``, with a program."""

    is_positive: bool
    is_ahead: bool
    program: Program
    width: int


class Assert(NamedTuple):
    """Go on if this holds here."""

    what: Place | LookAround
    following: int


Step = Read | Split | Assert


class Program(NamedTuple):
    steps: list[Step]
    entry: int


def assemble(nodes: Nodes) -> Program:
    """Raises ValueError for more than ``MAX_STEPS`` steps."""
    assembly = _Assembly()
    return Program(assembly.steps, assembly.all(nodes, MATCH))


class _Assembly:
    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.inner_steps = 0  # of what looks around: these count for the limit

    def all(self, nodes: Nodes, following: int) -> int:
        for node in reversed(nodes):
            following = self.one(node, following)
        return following

    def one(self, node: Node, following: int) -> int:
        """The step at which the node begins."""
        if isinstance(node, Character):
            return self.add(Read(node.matches, following))
        if isinstance(node, Branch):
            return self.add(Split([self.all(way, following) for way in node.ways]))
        if isinstance(node, Place):
            return self.add(Assert(node, following))
        if isinstance(node, Repeat):
            return self.repeat(node, following)
        return self.look(node, following)

    def repeat(self, node: Repeat, following: int) -> int:
        def ways(body: int) -> list[int]:
            return [body, following] if node.is_greedy else [following, body]

        if node.most is None:
            entry = self.add(Split([]))
            self.steps[entry] = Split(ways(self.all(node.part, entry)))
        else:
            entry = following
            for _ in range(node.most - node.least):
                entry = self.add(Split(ways(self.all(node.part, entry))))
        for _ in range(node.least):
            entry = self.all(node.part, entry)
        return entry

    def look(self, node: Look, following: int) -> int:
        program = assemble(node.part)
        self.inner_steps += len(program.steps)
        return self.add(Assert(LookAround(node.is_positive, node.is_ahead, program, node.width), following))

    def add(self, step: Step) -> int:
        if len(self.steps) + self.inner_steps >= MAX_STEPS:
            raise ValueError(f"more than {MAX_STEPS} steps: smaller numbers in {{m,n}} make it smaller")
        self.steps.append(step)
        return len(self.steps) - 1
