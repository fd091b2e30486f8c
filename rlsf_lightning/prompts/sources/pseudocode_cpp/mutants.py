"""Single edits of a program that still compile: the mistakes that its tests must tell from it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from rlsf_lightning.prompts.sources.pseudocode_cpp import tree as t

_OTHER_OPERATORS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&",
    "+": "-", "-": "+", "*": "+", "/": "*", "%": "/",
}  # fmt: skip
_OPPOSITE = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_LOOPS = (t.For, t.ForEach, t.While, t.DoWhile)


class Mutant(NamedTuple):
    """``edit`` says what was done: ``number``, ``operator``, ``name``, ``dropped``, ``word``, ``order`` or ``branch``."""

    edit: str
    program: t.Program


#: One edit of a part: the new parts in its place (none where it is left out).
Edit = tuple[str, tuple[t.Node, ...]]


def mutants(program: t.Program, rng: random.Random) -> Iterator[Mutant]:
    """Every kind of edit at every place of the tree; other numbers and names are drawn."""
    for edit, (new,) in _edits_below(program, frozenset(), rng):
        assert isinstance(new, t.Program)
        yield Mutant(edit, new)


def _edits_below(node: t.Node, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    """Edits of what lies below a node; ``names``: the whole numbers that can be named there."""
    inner = names
    if isinstance(node, t.Function):
        inner = frozenset(node.parameters)
    elif isinstance(node, t.For) or (isinstance(node, t.ForEach) and node.type != "char"):
        inner = names | {node.name}
    block, visible = "", inner
    for field, at, child in t.children(node):
        if field != block:  # the other branch does not see what the first declares
            block, visible = field, inner if field == "body" else names if field in ("start", "condition") else inner
        for edit, new in _edits_at(child, visible, rng):
            if new or at is not None:
                yield edit, (t.with_child(node, field, at, new),)
        if isinstance(child, t.Declare) and child.type in ("int", "long long"):
            visible |= {part.name for part in child.parts}


def _edits_at(node: t.Node, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    for kind, edits in _OWN_EDITS.items():
        if isinstance(node, kind):
            yield from edits(node, names, rng)
    if isinstance(node, _DROPPED):
        yield "dropped", ()
    yield from _edits_below(node, names, rng)


def _number(node: t.Num, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    for by in (1, -1):
        yield "number", (t.Num(node.value + by),)


def _text(node: t.Text, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    if node.value.strip():
        yield "word", (t.Text(node.value.swapcase()),)
        yield "word", (t.Text(node.value[:-1]),)
    elif node.value:
        yield "word", (t.Text(""),)


def _letter(node: t.Letter, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    yield "word", (t.Letter(chr(ord(node.value) + 1)),)


def _variable(node: t.Var, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    others = sorted(names - {node.name})
    if node.name in names and others:
        yield "name", (t.Var(rng.choice(others)),)


def _binary(node: t.Binary, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    if not (node.op == "+" and isinstance(node.right, t.Text | t.Letter)):
        yield "operator", (replace(node, op=_OTHER_OPERATORS[node.op]),)
    if node.op in _OPPOSITE:
        yield "operator", (replace(node, op=_OPPOSITE[node.op]),)
    if node.op in ("-", "/", "%"):
        yield "order", (t.Binary(node.op, node.right, node.left),)


def _compound(node: t.Compound, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    if not isinstance(node.value, t.Text | t.Letter) and node.op in "+-*":
        yield "operator", (replace(node, op=_OTHER_OPERATORS[node.op]),)
    yield "operator", (t.Assign(node.target, node.value),)


def _step(node: t.Step, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    yield "operator", (t.Step("--" if node.op == "++" else "++", node.target),)


def _call(node: t.Call, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    other = {"min": "max", "max": "min", "toupper": "tolower", "tolower": "toupper"}.get(node.name)
    if other:
        yield "name", (replace(node, name=other),)
    if node.name == "abs":
        yield "dropped", node.arguments


def _for(node: t.For, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    yield "operator", (replace(node, op=_OTHER_OPERATORS[node.op]),)


def _if(node: t.If, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    if node.other:
        yield "branch", (replace(node, other=()),)
        yield "branch", (t.If(node.condition, node.other, node.then),)


def _leave(node: t.Node, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    yield "branch", (t.Continue() if isinstance(node, t.Break) else t.Break(),)


def _sort(node: t.Sort, names: frozenset[str], rng: random.Random) -> Iterator[Edit]:
    yield "order", (replace(node, is_descending=not node.is_descending),)


_OWN_EDITS: dict[type, Callable[..., Iterator[Edit]]] = {
    t.Num: _number, t.Text: _text, t.Letter: _letter, t.Var: _variable, t.Binary: _binary, t.Compound: _compound,
    t.Step: _step, t.Call: _call, t.For: _for, t.If: _if, t.Break: _leave, t.Continue: _leave, t.Sort: _sort,
}  # fmt: skip
#: What is a statement of its own, and declares nothing.
_DROPPED = (
    t.Read, t.Print, t.Assign, t.Compound, t.Step, t.If, *_LOOPS, t.Break, t.Continue, t.Push, t.Swap, t.Sort, t.Reverse,
)  # fmt: skip
