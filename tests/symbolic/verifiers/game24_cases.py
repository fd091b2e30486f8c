"""Hands and answers for the tests of the game of 24, made without the code under test."""

import random
from fractions import Fraction
from functools import cache
from itertools import product

from rlsf_lightning.records import Prompt

Hand = tuple[int, ...]


def prompt(numbers: object, **facts: object) -> Prompt:
    return Prompt("id", "24", facts={"numbers": numbers, **facts})


@cache
def expressions(hand: Hand) -> frozenset[tuple[str, Fraction, int]]:
    """(text, value, strength) of expressions with each number once: parts bare, in brackets or after a minus. Strength 1 is
    a sum, 2 a product, 3 an operand."""
    found = {(str(hand[0]), Fraction(hand[0]), 3)} if len(hand) == 1 else set()
    for mask in range(1, (1 << len(hand)) - 1):
        first = tuple(number for i, number in enumerate(hand) if mask >> i & 1)
        second = tuple(number for i, number in enumerate(hand) if not mask >> i & 1)
        for (a, x, s), (b, y, t) in product(expressions(first), expressions(second)):
            if t >= 2:
                found |= {(f"{a}+{b}", x + y, 1), (f"{a}-{b}", x - y, 1)}
            if s >= 2 and t == 3:
                found.add((f"{a}*{b}", x * y, 2))
                if y:
                    found.add((f"{a}/{b}", x / y, 2))
    found |= {(f"({text})", value, 3) for text, value, strength in found if strength < 3}
    found |= {(f"-{text}", -value, 3) for text, value, strength in found if strength == 3}
    return frozenset(found)


def guess(hand: Hand, rng: random.Random) -> tuple[str, Fraction | None, int]:
    """(text, value, strength) of a random expression with each number once; the value is None where it divides by zero."""
    if len(hand) == 1:
        return str(hand[0]), Fraction(hand[0]), 3
    cut = rng.randrange(1, len(hand))
    (a, x, s), (b, y, t) = guess(hand[:cut], rng), guess(hand[cut:], rng)
    operator = rng.choice("+-*/")
    strength = 1 if operator in "+-" else 2
    a = f"({a})" if s < strength or rng.random() < 0.1 else a
    b = f"({b})" if t < strength or (t == strength and operator in "-/") or rng.random() < 0.1 else b
    if x is None or y is None or (operator == "/" and not y):
        return f"{a}{operator}{b}", None, strength
    value = {"+": x + y, "-": x - y, "*": x * y}.get(operator, x / y if y else x)
    return f"{a}{operator}{b}", value, strength


def right_answers(rng: random.Random, count: int) -> list[tuple[list[int], str]]:
    """Hands of four with an expression for 24, and of three with steps to it."""
    answers: list[tuple[list[int], str]] = []
    while len(answers) < count:
        hand = rng.choices(range(1, 14), k=4)
        for _ in range(400):
            rng.shuffle(hand)
            text, value, _ = guess(tuple(hand), rng)
            if value == 24:
                answers.append((list(hand), spread(text, rng)))
                break
        steps = right_steps(tuple(map(Fraction, sorted(hand[:3]))), Fraction(24))
        if steps:
            answers.append((hand[:3], "\n".join(rng.choice(steps))))
    return answers


def spread(text: str, rng: random.Random) -> str:
    """The same expression with white space between its tokens."""
    blanks = ("", "", " ", "  ", "\t", "\n", "\r\n")
    out = ""
    for i, character in enumerate(text):
        if not (character.isdigit() and i and text[i - 1].isdigit()):
            out += rng.choice(blanks)
        out += character
    return out + rng.choice(blanks)


@cache
def right_steps(hand: tuple[Fraction, ...], target: Fraction) -> tuple[tuple[str, ...], ...]:
    """Every list of steps to the target, as rows of pieces; what is left is stated, in order."""
    if len(hand) == 1:
        return ((),) if hand[0] == target else ()
    found = []
    for i, j in product(range(len(hand)), repeat=2):
        rest = [number for k, number in enumerate(hand) if k not in (i, j)]
        for operator in "+-*/" if i != j else "":
            a, b = hand[i], hand[j]
            if operator == "/" and not b:
                continue
            made = {"+": a + b, "-": a - b, "*": a * b}.get(operator, a / b if b else Fraction(0))
            left = tuple(sorted([*rest, made]))
            line = f"{a} {operator} {b} = {made} (left: {' '.join(map(str, left))})"
            found += [(line, *more) for more in right_steps(left, target)]
    return tuple(dict.fromkeys(found))
