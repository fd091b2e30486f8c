"""The syntax tree of the small programs: a subset of C++ in which nothing depends on the compiler.

All whole numbers of a program have one type, ``int`` or ``long long``. Names are unique within a function.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Node:
    """Any part of a program."""


# --- expressions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Num(Node):
    value: int


@dataclass(frozen=True)
class Text(Node):
    """A string constant."""

    value: str


@dataclass(frozen=True)
class Letter(Node):
    """A character constant."""

    value: str


@dataclass(frozen=True)
class Var(Node):
    name: str


@dataclass(frozen=True)
class Item(Node):
    """``name[index]``, of an array, a vector or a string."""

    name: str
    index: Node


@dataclass(frozen=True)
class Size(Node):
    """``name.method()``; the method is ``size`` or ``length``."""

    name: str
    method: str


@dataclass(frozen=True)
class Binary(Node):
    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Ternary(Node):
    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True)
class Call(Node):
    """Of ``min``, ``max``, ``abs``, ``toupper``, ``tolower`` or a function of the program."""

    name: str
    arguments: tuple[Node, ...]


# --- inputs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Domain:
    """What may be read into a variable: a number in [low, high], or, with an alphabet, a word of so many of its letters."""

    low: int
    high: int
    alphabet: str = ""


# --- statements -------------------------------------------------------------------------------------------------------

Block = tuple[Node, ...]


@dataclass(frozen=True)
class Declared(Node):
    name: str
    value: Node | None = None


@dataclass(frozen=True)
class Declare(Node):
    """Variables of one type, with or without values."""

    type: str
    parts: tuple[Declared, ...]


@dataclass(frozen=True)
class DeclareVector(Node):
    """A vector of numbers: zeros of the given size, or empty."""

    name: str
    size: Node | None = None


@dataclass(frozen=True)
class DeclareArray(Node):
    """An array of numbers without values."""

    name: str
    size: int


@dataclass(frozen=True)
class Read(Node):
    """``cin >> ...``: each target with what may be read into it."""

    targets: tuple[Node, ...]
    domains: tuple[Domain, ...]


@dataclass(frozen=True)
class Print(Node):
    """``cout << ...``, and ``<< endl`` where the line ends."""

    parts: tuple[Node, ...]
    ends_line: bool = True


@dataclass(frozen=True)
class Assign(Node):
    target: Node
    value: Node


@dataclass(frozen=True)
class Compound(Node):
    """``target op= value``."""

    op: str
    target: Node
    value: Node


@dataclass(frozen=True)
class Step(Node):
    """``target++`` or ``target--``."""

    op: str
    target: Node


@dataclass(frozen=True)
class If(Node):
    condition: Node
    then: Block
    other: Block = ()


@dataclass(frozen=True)
class For(Node):
    """``for (int name = start; name op stop; name++)``, or ``--`` where it goes down."""

    name: str
    start: Node
    op: str
    stop: Node
    body: Block
    goes_down: bool = False


@dataclass(frozen=True)
class ForEach(Node):
    """``for (type name : items)``."""

    type: str
    name: str
    items: str
    body: Block


@dataclass(frozen=True)
class While(Node):
    condition: Node
    body: Block


@dataclass(frozen=True)
class DoWhile(Node):
    body: Block
    condition: Node


@dataclass(frozen=True)
class Break(Node):
    pass


@dataclass(frozen=True)
class Continue(Node):
    pass


@dataclass(frozen=True)
class Push(Node):
    """``name.push_back(value)``."""

    name: str
    value: Node


@dataclass(frozen=True)
class Swap(Node):
    left: Node
    right: Node


@dataclass(frozen=True)
class Sort(Node):
    name: str
    is_descending: bool = False


@dataclass(frozen=True)
class Reverse(Node):
    name: str


@dataclass(frozen=True)
class Return(Node):
    value: Node


@dataclass(frozen=True)
class Function(Node):
    """A function of numbers that gives a number."""

    name: str
    parameters: tuple[str, ...]
    body: Block


@dataclass(frozen=True)
class Program(Node):
    """``integer``: the type of its whole numbers. ``body``: of ``main``."""

    functions: tuple[Function, ...]
    body: Block
    integer: str = "int"


def children(node: Node) -> Iterator[tuple[str, int | None, Node]]:
    """(field, position in it where it holds several, child)."""
    for one in fields(node):
        value: Any = getattr(node, one.name)
        if isinstance(value, Node):
            yield one.name, None, value
        elif isinstance(value, tuple):
            for at, item in enumerate(value):
                if isinstance(item, Node):
                    yield one.name, at, item


def with_child(node: Node, name: str, at: int | None, new: tuple[Node, ...]) -> Node:
    """The node with another child in that place; with none or several only where the field holds several."""
    if at is None:
        (only,) = new
        return replace(node, **{name: only})
    several: tuple[Node, ...] = getattr(node, name)
    return replace(node, **{name: (*several[:at], *new, *several[at + 1 :])})


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, parents first."""
    yield node
    for _, _, child in children(node):
        yield from walk(child)
