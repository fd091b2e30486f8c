"""The game of 24: ``game24/24.csv`` in the folder RLSF_DATA has the hands, else they are random ones that have a solution.

Answers are found by a search of this file's own, and written as expressions and as steps. What is wrong is decided by
``is_right``, which reads expressions with Python's parser, and steps line by line.
"""

from __future__ import annotations

import ast
import csv
import itertools
import os
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from edits import replaced

from corpora import Case, Injected
from rlsf_lightning.records import Prompt

OPTIONS: dict[str, Any] = {}
#: Two parts with an operator between them, or a number.
Tree = tuple[str, "Tree", "Tree"] | Fraction

_STEP = re.compile(r"\s*(\S*[0-9)])\s*([-+*/])\s*(\S+?)\s*=\s*(\S+?)\s*(?:\(\s*left\s*:\s*(.*?)\s*\))?\s*", re.DOTALL)
_PIECE = re.compile(r"[0-9]+|[-+*/()=]")


def correct(count: int, rng: random.Random) -> list[Case]:
    """Every third answer is a list of steps."""
    cases = []
    for number, hand in enumerate(itertools.islice(_hands(rng), count)):
        prompt = Prompt(f"{number}: {hand}", " ".join(map(str, hand)), facts={"numbers": list(hand)})
        tree = solve(hand, rng)
        cases.append(Case(prompt, steps(tree, hand, rng) if number % 3 == 2 else _spread(written(tree, rng), rng)))
    return cases


def spellings(case: Case, rng: random.Random) -> Iterator[str]:
    """Other solutions of the hand, other brackets, signs, white space, the result behind, or steps."""
    hand = tuple(case.prompt.facts["numbers"])
    while True:
        tree = solve(hand, rng)
        if rng.random() < 0.4:
            yield steps(tree, hand, rng)
        else:
            end = rng.choice(["", "", " = 24", "=24"])
            yield _spread(written(tree, rng, needless=rng.choice([0.0, 0.2])) + end, rng)


def inject(case: Case, rng: random.Random) -> Injected | None:
    hand = tuple(case.prompt.facts["numbers"])
    made = (_in_steps if "left" in case.completion else _in_expression)(case.completion, hand, rng)
    return None if made is None or is_right(made.completion, hand) else made


def hostile() -> list[Case]:
    hand = Prompt("hostile", "4 6 8 10", facts={"numbers": [4, 6, 8, 10]})
    large = Prompt("hostile, six numbers", "1 2 3 4 5 6", facts={"numbers": [1, 2, 3, 4, 5, 6]})
    texts = [
        "__import__('os').getpid()", "os", "lambda: 24", "factorial(10**8)", "9**9**9**9", "9**9**8", "(10**10**10)%7",
        "(" * 250 + "4" + ")" * 250, "(" * 100_000, "-" * 100_000 + "4", "+1" * 3000, "1++2", "10/(6-6)+4*8",
        "\uff14*6", "\u0664*6", "4\u00d76", "4_6", "04*6*10/8", "1" * 500, "9" * 250 + "*" + "9" * 249, "4/0" * 100,
        "4" + "/4" * 200, "\n" * 1_000_000 + "4", "4 + 8 = 12 (left: " + "4 " * 200 + ")", "(left:" * 80, "=" * 500,
        "4 + 8 = 12 (left: 4 6 12)\n" * 19, "\x00" * 300, "\ud800", "4\u200b*6", "24", "", " ", "4+" * 249 + "4",
        "open('rlsf_was_here', 'w')", "-(" * 200 + "4*6*", "4*6 #", "10*(8-6)+4 = 24 = 24", "10*(8-6)+4\x00",
    ]  # fmt: skip
    return [Case(prompt, text, "hostile") for text in texts for prompt in (hand, large)]


def bare(case: Case) -> None:
    """Python's parser and a walk in fractions."""
    try:
        is_right(case.completion, tuple(case.prompt.facts["numbers"]))
    except (ValueError, RecursionError, MemoryError):
        return


def exhaustive(verifier: Any, rng: random.Random) -> tuple[int, int]:
    """Every text of digits, operators and brackets up to a length, for hands of two one-digit numbers: it lives if it begins
    an expression for the target with at most as many brackets and signs as there is room for."""
    compared = differing = 0
    for _ in range(4):
        hand = tuple(sorted(rng.choices([1, 2, 3, 4, 6, 8, 9], k=2)))
        target = rng.choice([hand[0] * hand[1], hand[0] + hand[1], hand[0] - hand[1], 24])
        texts = {text for size in range(3, 13) for text, value in _sums(hand, size) if value == target}
        lives = {text[:end] for text in texts for end in range(len(text) + 1)}
        prompt = Prompt("small", "", facts={"numbers": list(hand), "target": target})
        for size in range(5):
            for letters in itertools.product(f"{hand[0]}{hand[1]}5+-*/()", repeat=size):
                prefix = "".join(letters)
                compared += 1
                differing += verifier.viable(prompt, prefix) is not (prefix in lives)
    return compared, differing


def is_right(text: str, hand: tuple[int, ...]) -> bool:
    """Whether a text is an expression for 24, or a list of steps to it. Raises ValueError beyond what Python's parser takes."""
    if _steps_are_right(text, hand):
        return True
    expression, equals, stated = text.partition("=")
    if not re.fullmatch(r"[-0-9+*/() \t\r\n]*", expression) or (equals and stated.strip() != "24"):
        return False
    if re.search(r"(?<![0-9])0[0-9]|\*\s*\*|/\s*/|(?:^|[-+*/(])\s*\+", expression):
        return False
    try:
        body = ast.parse(" ".join(expression.split()), mode="eval").body
        value = _value(body)
    except (SyntaxError, ZeroDivisionError, TypeError):
        return False
    return value == 24 and Counter(_numbers(body)) == Counter(hand)


def solve(hand: tuple[int, ...], rng: random.Random) -> Tree:
    """One of the hand's solutions, at random: steps after which 24 can still be reached."""
    parts: list[tuple[Fraction, Tree]] = [(Fraction(number), Fraction(number)) for number in hand]
    assert _reaches(_state(value for value, _ in parts)), f"{hand} has no solution"
    while len(parts) > 1:
        choices = [(i, j, operator) for i, j in itertools.permutations(range(len(parts)), 2) for operator in "+-*/"]
        rng.shuffle(choices)
        parts = next(after for choice in choices if (after := _after(parts, *choice)) is not None)
    return parts[0][1]


def written(tree: Tree, rng: random.Random, needless: float = 0.0) -> str:
    """The expression; with some needless brackets and two minus signs now and then."""
    text = _written(tree, rng, needless)[0]
    return f"-(-({text}))" if needless and rng.random() < needless else text


def steps(tree: Tree, hand: tuple[int, ...], rng: random.Random) -> str:
    """The same solution, one operation a line, with what is left."""
    left = [Fraction(number) for number in hand]
    lines: list[str] = []
    comma = rng.choice([" ", ", "])
    bracket = rng.random() < 0.3

    def spelled(value: Fraction) -> str:
        plain = str(value)
        return f"({plain})" if bracket and not plain.isdigit() else plain

    def take(part: Tree) -> Fraction:
        if isinstance(part, Fraction):
            return part
        a, b = take(part[1]), take(part[2])
        made = _combined(part[0], a, b)
        assert made is not None
        for number in (a, b):
            left.remove(number)
        left.append(made)
        rest = rng.sample(left, len(left))
        lines.append(f"{spelled(a)} {part[0]} {spelled(b)} = {spelled(made)} (left: {comma.join(map(spelled, rest))})")
        return made

    take(tree)
    return "\n".join(lines)


def _hands(rng: random.Random) -> Iterator[tuple[int, ...]]:
    """Endless."""
    data = os.environ.get("RLSF_DATA")
    if data and (path := Path(data, "game24", "24.csv")).exists():
        with path.open(newline="") as file:
            hands = [tuple(map(int, row["Puzzles"].split())) for row in csv.DictReader(file)]
        rng.shuffle(hands)
        yield from itertools.cycle(hands)
    while True:
        hand = tuple(sorted(rng.choices(range(1, 14), k=4)))
        if _reaches(_state(map(Fraction, hand))):
            yield hand


def _after(parts: list[tuple[Fraction, Tree]], i: int, j: int, operator: str) -> list[tuple[Fraction, Tree]] | None:
    """The parts with two of them put together; None if nothing leads to 24 from there."""
    made = _combined(operator, parts[i][0], parts[j][0])
    if made is None:
        return None
    rest = [part for k, part in enumerate(parts) if k not in (i, j)]
    if not _reaches(_state([made, *(value for value, _ in rest)])):
        return None
    return [*rest, (made, (operator, parts[i][1], parts[j][1]))]


@cache
def _reaches(values: tuple[Fraction, ...]) -> bool:
    """Whether 24 can be made out of these."""
    if len(values) == 1:
        return values[0] == 24
    for i, j in itertools.permutations(range(len(values)), 2):
        rest = [value for k, value in enumerate(values) if k not in (i, j)]
        for operator in "+-*/":
            made = _combined(operator, values[i], values[j])
            if made is not None and _reaches(_state([made, *rest])):
                return True
    return False


def _state(values: Iterable[Fraction]) -> tuple[Fraction, ...]:
    return tuple(sorted(values))


def _combined(operator: str, a: Fraction, b: Fraction) -> Fraction | None:
    if operator == "/":
        return a / b if b else None
    return a + b if operator == "+" else a - b if operator == "-" else a * b


def _written(tree: Tree, rng: random.Random, needless: float) -> tuple[str, int]:
    """(text, strength): 1 for a sum, 2 for a product, 3 for an operand."""
    if isinstance(tree, Fraction):
        text, strength = str(tree), 3
    else:
        strength = 1 if tree[0] in "+-" else 2
        (a, s), (b, t) = (_written(part, rng, needless) for part in tree[1:])
        a = f"({a})" if s < strength else a
        b = f"({b})" if t < strength or (t == strength and tree[0] in "-/") else b
        text = f"{a}{tree[0]}{b}"
    return (f"({text})", 3) if rng.random() < needless else (text, strength)


def _spread(text: str, rng: random.Random) -> str:
    """White space between the tokens, in one of several manners."""
    gaps = rng.choice([[""], [" "], ["", " "], ["", " ", "  ", "\t", "\n"]])
    return "".join(piece + rng.choice(gaps) for piece in _PIECE.findall(text)).rstrip() or text


def _in_expression(text: str, hand: tuple[int, ...], rng: random.Random) -> Injected | None:
    pieces = list(_PIECE.finditer(text))
    operators = [p for p in pieces if p.group() in "+-*/"]
    numbers = [p for p in pieces if p.group().isdigit() and "=" not in text[: p.start()]]
    brackets = [p for p in pieces if p.group() in "()"]
    edit = rng.choice(
        ["other operator", "other number", "dropped number", "dropped operator", "dropped bracket", "added bracket",
         "foreign character", "number twice", "wrong result", "turned operands"]
    )  # fmt: skip
    if edit == "other operator":
        old = rng.choice(operators)
        return replaced(text, old.span(), rng.choice([o for o in "+-*/" if o != old.group()]), edit)
    if edit == "other number":
        old = rng.choice(numbers)
        return replaced(text, old.span(), str(rng.choice([n for n in range(1, 14) if n not in hand])), edit)
    if edit == "dropped number":
        return replaced(text, rng.choice(numbers).span(), "", edit)
    if edit == "dropped operator":
        return replaced(text, rng.choice(operators).span(), " ", edit)
    if edit == "dropped bracket" and brackets:
        return replaced(text, rng.choice(brackets).span(), "", edit)
    if edit == "added bracket":
        at = rng.choice(pieces).start()
        return replaced(text, (at, at), rng.choice("()"), edit)
    if edit == "foreign character":
        at = rng.choice(pieces).start()
        return replaced(text, (at, at), rng.choice(["y", "^", "%", "\u00d8", ".", "!", "a", "\uff11"]), edit)
    if edit == "number twice":
        end = pieces[-1].end() if "=" not in text else text.index("=")
        return replaced(text, (end, end), f"{rng.choice('+-*/')}{rng.choice(hand)}", edit)
    if edit == "wrong result" and "=" not in text:
        return replaced(text, (len(text), len(text)), f" = {rng.choice([0, 1, 12, 23, 25, 42])}", edit)
    if edit == "turned operands" and len(numbers) > 1:
        operator = rng.choice([p for p in operators if p.group() in "-/"] or operators)
        before = re.compile(r"([0-9]+)\s*$").search(text, 0, operator.start())
        after = re.compile(r"\s*([0-9]+)").match(text, operator.end())
        if before and after:
            swapped = f"{after[1]}{text[before.end(1) : after.start(1)]}{before[1]}"
            return replaced(text, (before.start(1), after.end(1)), swapped, edit)
    return None


def _in_steps(text: str, hand: tuple[int, ...], rng: random.Random) -> Injected | None:
    parsed = [match for match in (_STEP.fullmatch(line) for line in text.split("\n")) if match]
    starts = list(itertools.accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
    number = rng.randrange(len(parsed))
    step, start = parsed[number], starts[number]
    edit = rng.choice(
        ["wrong result of a step", "wrong remainder", "operand not there", "other operator", "step left out"]
    )
    if edit == "step left out":
        whole = (max(0, start - 1), start + step.end()) if number else (0, step.end() + 1)
        return replaced(text, whole, "", edit)
    group = {"wrong result of a step": 4, "operand not there": rng.choice([1, 3]), "other operator": 2}.get(edit, 5)
    a, b = step.span(group)
    if edit == "other operator":
        return replaced(text, (start + a, start + b), rng.choice([o for o in "+-*/" if o != step[2]]), edit)
    if edit == "wrong remainder":
        place = rng.choice(list(re.finditer(r"[^, ]+", step[5])))
        a, b = a + place.start(), a + place.end()
    return replaced(text, (start + a, start + b), str(rng.choice([17, 19, 29, 31])), edit)


def _steps_are_right(text: str, hand: tuple[int, ...]) -> bool:
    left = Counter(map(Fraction, hand))
    for line in text.strip().split("\n"):
        match = _STEP.fullmatch(line)
        if match is None:
            return False
        try:
            a, b, made = (Fraction(match[group].strip("()")) for group in (1, 3, 4))
            rest = None if match[5] is None else Counter(Fraction(n.strip("()")) for n in re.split(r"[, ]+", match[5]))
        except (ValueError, ZeroDivisionError):
            return False
        needed = Counter([a, b])
        if not needed <= left or _combined(match[2], a, b) != made:
            return False
        left = left - needed + Counter([made])
        if rest is not None and rest != left:
            return False
    return left == Counter([Fraction(24)])


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return Fraction(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if not isinstance(node, ast.BinOp):
        raise TypeError("no arithmetic")
    a, b = _value(node.left), _value(node.right)
    operator = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}.get(type(node.op))
    if operator is None:
        raise TypeError("another operator")
    made = _combined(operator, a, b)
    if made is None:
        raise ZeroDivisionError
    return made


def _numbers(tree: ast.expr) -> list[int]:
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, int)]


@cache
def _sums(hand: tuple[int, ...], size: int) -> frozenset[tuple[str, Fraction]]:
    """Every sum of exactly these numbers and this many characters."""
    return _products(hand, size) | _joined(hand, size, "+-", _sums, _products)


@cache
def _products(hand: tuple[int, ...], size: int) -> frozenset[tuple[str, Fraction]]:
    return _operands(hand, size) | _joined(hand, size, "*/", _products, _operands)


@cache
def _operands(hand: tuple[int, ...], size: int) -> frozenset[tuple[str, Fraction]]:
    if size < 1:
        return frozenset()
    found = {(str(hand[0]), Fraction(hand[0]))} if len(hand) == 1 and size == len(str(hand[0])) else set()
    found |= {(f"-{text}", -value) for text, value in _operands(hand, size - 1)}
    found |= {(f"({text})", value) for text, value in (_sums(hand, size - 2) if size > 2 else ())}
    return frozenset(found)


def _joined(hand: tuple[int, ...], size: int, operators: str, left: Any, right: Any) -> frozenset[tuple[str, Fraction]]:
    """All left parts with all right parts."""
    found = set()
    for mask in range(1, (1 << len(hand)) - 1):
        first = tuple(number for i, number in enumerate(hand) if mask >> i & 1)
        second = tuple(number for i, number in enumerate(hand) if not mask >> i & 1)
        for length in range(1, size - 1):
            for (a, x), (b, y) in itertools.product(left(first, length), right(second, size - 1 - length)):
                for operator in operators:
                    made = _combined(operator, x, y)
                    if made is not None:
                        found.add((f"{a}{operator}{b}", made))
    return frozenset(found)
