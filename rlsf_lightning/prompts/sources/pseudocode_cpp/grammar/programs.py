"""Draws a whole program."""

from __future__ import annotations

import random
from collections.abc import Callable

from rlsf_lightning.prompts.sources.pseudocode_cpp import tree as t
from rlsf_lightning.prompts.sources.pseudocode_cpp.grammar import numbers, sequences, strings
from rlsf_lightning.prompts.sources.pseudocode_cpp.grammar.scope import Scope

#: What a program does, and how often it is tried.
_PLANS: dict[Callable[[Scope], t.Block], int] = {
    numbers.formula: 5, numbers.changes: 8, numbers.choice: 6, numbers.counting: 7, numbers.digits: 5, numbers.until: 6,
    numbers.common_divisor: 1, numbers.nested: 5, numbers.calls: 9,
    sequences.gathered: 10, sequences.extreme: 4, sequences.changed: 6, sequences.filtered: 5, sequences.pairs: 4,
    sequences.stream: 6, sequences.sentinel: 3,
    strings.letters_counted: 6, strings.digits_of_word: 2, strings.built: 5, strings.rewritten: 5, strings.two_words: 3,
}  # fmt: skip
#: Whole numbers are ``long long`` in so many of the programs without words.
_WIDE = 0.12


def drawn(rng: random.Random) -> t.Program:
    """A program that compiles; whether tests can hold a solution to it is not asked here."""
    (plan,) = rng.choices(list(_PLANS), list(_PLANS.values()))
    is_wide = plan.__module__ != strings.__name__ and rng.random() < _WIDE
    scope = Scope(rng, "long long" if is_wide else "int")
    functions: list[t.Function] = []
    if plan is numbers.calls or (plan.__module__ != strings.__name__ and rng.random() < 0.08):
        functions.append(numbers.function(scope))
    body = plan(scope)
    called = {node.name for part in body for node in t.walk(part) if isinstance(node, t.Call)}
    return t.Program(tuple(f for f in functions if f.name in called), body, scope.integer)
