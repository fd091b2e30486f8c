"""Statements that bring a result forward: what stands in branches and loops."""

from __future__ import annotations

from collections.abc import Sequence

from rlsf_lightning.prompts.sources.pseudocode_cpp import tree as t
from rlsf_lightning.prompts.sources.pseudocode_cpp.grammar.scope import Scope


def added(scope: Scope, result: t.Node, atoms: Sequence[t.Node]) -> t.Node:
    """``result`` becomes larger or smaller by something."""
    value = scope.amount(atoms)
    op = scope.rng.choice("++++-")
    if scope.chance(0.25):
        return t.Assign(result, t.Binary(op, result, value))
    return t.Compound(op, result, value)


def simple(scope: Scope, result: t.Node, atoms: Sequence[t.Node]) -> t.Node:
    """One statement without a condition of its own."""
    kind = scope.rng.random()
    if kind < 0.2:
        return t.Step(scope.rng.choice(("++", "++", "++", "--")), result)
    if kind < 0.6:
        return added(scope, result, atoms)
    if kind < 0.75:
        return t.Assign(result, t.Call(scope.rng.choice(("min", "max")), (result, scope.amount(atoms))))
    if kind < 0.85:
        digits = t.Binary("+", t.Binary("*", result, scope.number(2, 10)), scope.rng.choice(atoms))
        return t.Assign(result, t.Binary("%", digits, t.Num(scope.rng.choice((7, 10, 97, 100, 1000)))))
    values = scope.amount(atoms), scope.amount(atoms)
    if values[0] == values[1]:
        return t.Step("++", result)
    return t.Compound("+", result, t.Ternary(scope.condition(atoms, 0), *values))


def guarded(scope: Scope, result: t.Node, atoms: Sequence[t.Node], depth: int = 1) -> t.Node:
    """A statement that depends on a condition: one branch, two, several, or nested ones."""
    condition = scope.condition(atoms)
    then = simple(scope, result, atoms)
    kind = scope.rng.random()
    if kind < 0.4:
        return t.If(condition, (then,))
    if kind < 0.75 or depth == 0:
        return t.If(condition, (then,), (simple(scope, result, atoms),))
    inner = guarded(scope, result, atoms, depth - 1)
    if kind < 0.88:
        return t.If(condition, (then,), (inner,))
    return t.If(condition, (inner,))


def update(scope: Scope, result: t.Node, atoms: Sequence[t.Node]) -> t.Node:
    """Any of these."""
    return guarded(scope, result, atoms) if scope.chance(0.55) else simple(scope, result, atoms)


def loop_body(scope: Scope, result: t.Node, atoms: Sequence[t.Node]) -> t.Block:
    """The statements of a loop; now and then it is left, or a round of it, where a condition holds."""
    body: t.Block = (update(scope, result, atoms),)
    if scope.chance(0.2):
        body = (*body, update(scope, result, atoms))
    if scope.chance(0.25):
        leave = t.If(scope.condition(atoms), (scope.rng.choice((t.Break(), t.Continue())),))
        return (leave, *body)
    if scope.chance(0.1):
        return (*body, t.If(t.Binary(">", result, scope.number(5, 30)), (t.Break(),)))
    return body
