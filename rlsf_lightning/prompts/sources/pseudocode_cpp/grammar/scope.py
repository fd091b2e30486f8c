"""Names of a program, and expressions and conditions over what can be read at a place."""

from __future__ import annotations

import random
from collections.abc import Sequence

from rlsf_lightning.prompts.sources.pseudocode_cpp import tree as t

_NAMES = {
    "number": "n m k a b c x y z p q d h w".split(),
    "result": "sum ans res cnt count total best r out num".split(),
    "numbers": "a v arr nums b data x".split(),
    "text": "s t str word text w".split(),
    "index": "i j k l".split(),
    "function": "f g calc solve value check get".split(),
    "truth": "ok found flag good".split(),
}
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


class Scope:
    """What a program under construction has declared.

    Args:
        rng: all choices come from it.
        integer: the type of its whole numbers.
    """

    def __init__(self, rng: random.Random, integer: str = "int") -> None:
        self.rng, self.integer = rng, integer
        self.used: set[str] = set()
        self.functions: list[tuple[str, int]] = []

    def name(self, role: str) -> str:
        """A new name for a variable or function of that role."""
        free = [name for name in _NAMES[role] if name not in self.used]
        chosen = self.rng.choice(free[:2] if role == "index" else free)
        self.used.add(chosen)
        return chosen

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def number(self, low: int = 1, high: int = 10) -> t.Num:
        return t.Num(self.rng.randint(low, high))

    def amount(self, atoms: Sequence[t.Node], depth: int = 1) -> t.Node:
        """A whole number made of some of the atoms."""
        rng = self.rng
        first = rng.choice(atoms)
        others = [atom for atom in atoms if atom != first]
        kind = rng.random()
        if kind < 0.35 and depth < 2:
            return first
        if kind < 0.5 and others:
            return t.Binary(rng.choice("+-*"), first, rng.choice(others))
        if kind < 0.65:
            op = rng.choice("+-*")
            return t.Binary(op, first, self.number(2 if op == "*" else 1, 9))
        if kind < 0.72:
            return t.Binary(rng.choice("%/"), first, self.number(2, 9))
        if kind < 0.79 and others:
            return t.Call(rng.choice(("min", "max")), (first, rng.choice(others)))
        if kind < 0.83 and others:
            return t.Call("abs", (t.Binary("-", first, rng.choice(others)),))
        if kind < 0.86:
            return t.Binary("*", first, first)
        if kind < 0.93 and self.functions:
            name, arity = rng.choice(self.functions)
            if arity <= len(atoms):
                return t.Call(name, tuple(rng.sample(list(atoms), arity)))
        if depth > 0:
            return t.Binary(rng.choice("+-*"), self.amount(atoms, depth - 1), rng.choice((*atoms, self.number())))
        return first

    def condition(self, atoms: Sequence[t.Node], depth: int = 1) -> t.Node:
        """A truth value that depends on some of the atoms."""
        rng = self.rng
        first = rng.choice(atoms)
        others = [atom for atom in atoms if atom != first]
        kind = rng.random()
        if kind < 0.3:
            remainder = t.Binary("%", first, self.number(2, 5) if self.chance(0.5) else t.Num(2))
            assert isinstance(remainder.right, t.Num)
            return t.Binary(rng.choice(("==", "!=")), remainder, t.Num(rng.choice((0, 0, 1))))
        if kind < 0.5 and others:
            return t.Binary(rng.choice(_COMPARISONS), first, rng.choice(others))
        if kind < 0.78:
            return t.Binary(rng.choice(_COMPARISONS), first, self.number(-3, 10))
        if kind < 0.88 and others:
            left = t.Binary(rng.choice("+-*"), first, rng.choice(others))
            return t.Binary(rng.choice(_COMPARISONS), left, self.number(0, 20))
        if others and depth > 0:
            second = rng.choice(others)
            op = rng.choice(("&&", "||"))
            return t.Binary(op, self.condition([first], 0), self.condition([second], 0))
        low = rng.randint(-2, 5)
        high = t.Num(low + rng.randint(3, 8))
        if self.chance(0.5):
            return t.Binary("&&", t.Binary(">=", first, t.Num(low)), t.Binary("<=", first, high))
        return t.Binary("||", t.Binary("<", first, t.Num(low)), t.Binary(">", first, high))
