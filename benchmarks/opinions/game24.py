"""The game of 24: brackets are worked out from the inside, on a list of fractions and signs, without any tree.

Also asked for are notations that the corpus does not have: signs of print and LaTeX, square brackets, equations one after the
other, steps with an announced answer, other targets, one to six numbers.
"""

# ruff: noqa: RUF001 (signs as models write them)

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from corpora import Case
from corpora.game24 import solve, steps, written

from opinions import Opinion
from rlsf_lightning.records import Certificate, Prompt

TOOLS: tuple[str, ...] = ()
HOW = "brackets worked out from the inside, in fractions"
EXPLAINED: dict[str, str] = {}

MAX_CHARS = 500
_SIGNS = {
    **dict.fromkeys(["\\times", "\\cdot", "\\ast", *"×✕✖⋅·∙∗＊"], "*"),
    **dict.fromkeys(["\\div", *"÷∕⁄／"], "/"),
    **dict.fromkeys("−–‐‑﹣－", "-"),
    **{"\\left": " ", "\\right": " ", "＋": "+", "（": "(", "）": ")", "＝": "="},
}
_SIGN = re.compile("|".join(map(re.escape, _SIGNS)))
_CROSS = re.compile(r"(?<=[0-9)\]])([ \t\r\n]*)[xX]")
_PIECE = re.compile(r"[0-9]+|[-+*/()\[\]]|[ \t\r\n]+|(.)", re.DOTALL)
_VALUE = r"-?[0-9]+(?:/[0-9]+|\.[0-9]+)?"
_OPERAND = rf"(?:{_VALUE}|\({_VALUE}\))"
_STEP = re.compile(
    rf"({_OPERAND})\s*([-+*/])\s*({_OPERAND})\s*=\s*({_OPERAND})\s*(?:\(\s*left\s*:\s*(.*?)\s*\))?", re.ASCII
)
#: In one to six numbers with which something can be made.
_HANDS = [(5,), (3, 8), (2, 3, 4), (4, 6, 8, 10), (1, 5, 5, 5), (3, 3, 8, 8), (2, 4, 6, 8, 10), (1, 2, 3, 4, 5, 6)]

#: A part of an expression: a sign, or a value.
Item = str | Fraction


def opinion(case: Case) -> Opinion:
    """By the page docs/verifiers/game24.md."""
    text = case.completion.strip()
    hand, target = list(case.prompt.facts["numbers"]), Fraction(case.prompt.facts.get("target", 24))
    if not text or len(text) > MAX_CHARS:
        return Opinion(False, f"{len(text)} characters")
    text = _plain(text)
    announced = re.search(r"(?:^|(?<=\n))[ \t\r]*answer:", text, re.IGNORECASE | re.ASCII)
    if announced is not None:
        before, answer = text[: announced.start()], text[announced.end() :]
        said = _as_expression(answer, hand, target)
        return _as_steps(before, hand, target) if said.passes and before.strip(" \t\r\n") else said
    said = _as_expression(text, hand, target)
    return (
        said if said.passes or "=" not in text or not (by_steps := _as_steps(text, hand, target)).passes else by_steps
    )


def explain(case: Case, certificate: Certificate, said: Opinion) -> str | None:
    """Nothing: the page says all."""
    return None


def texts(count: int, rng: random.Random) -> Iterator[Case]:
    """Endless: solutions, near misses and wrong ones of hands of every size, in every notation."""
    while True:
        hand = rng.choice(_HANDS) if rng.random() < 0.3 else tuple(rng.choices(range(0, 14), k=rng.randint(1, 4)))
        tree = _random_tree(hand, rng)
        value = _of_tree(tree)
        if value is None or value.denominator > 1 or abs(value) > 10**6:
            continue
        target = int(value)
        facts: dict[str, Any] = {"numbers": list(hand), "target": target}
        text = written(tree, rng, needless=rng.choice([0.0, 0.2]))
        if target == 24 and len(hand) == 4 and rng.random() < 0.3:
            tree = solve(hand, rng)
        if rng.random() < 0.4 and len(hand) > 1:
            text = steps(tree, hand, rng)
            if rng.random() < 0.4:
                text = re.sub(r" \(left:.*\)", "", text)
            if rng.random() < 0.4:
                text += f"\n{rng.choice(['Answer: ', 'answer:', 'ANSWER:  '])}{written(tree, rng)} = {target}"
        else:
            text += rng.choice(
                ["", f" = {target}", f" = {target}.", ".", f"= {target - 1}+1 = {target}", f" = {target + 1}"]
            )
        yield Case(Prompt(f"{hand} {target}", "", facts=facts), _dressed(text, rng), "notation")


def _plain(text: str) -> str:
    """Signs of print and LaTeX as those of a keyboard; an ``x`` behind a number or bracket is one."""
    text = _SIGN.sub(lambda match: _SIGNS[match.group()], text)
    return _CROSS.sub(r"\1*", text)


def _as_expression(text: str, hand: list[int], target: Fraction) -> Opinion:
    first, *others = _without_stop(text.rstrip(" \t\r\n")).split("=")
    found = _pieces(first)
    if found is None:
        return Opinion(False, "other characters")
    numbers = [piece for piece in found if piece.isdigit()]
    if Counter(numbers) != Counter(map(str, hand)):
        return Opinion(False, f"uses {numbers}")
    value = _worked_out(found)
    if value != target:
        return Opinion(False, f"the value is {value}")
    for other in others:
        pieces = _pieces(other)
        is_plain = pieces is not None and all(str(int(p)) == p for p in pieces if p.isdigit())
        if pieces is None or not is_plain or _worked_out(pieces) != target:
            return Opinion(False, f"it says = {other.strip()}")
    return Opinion(True, "the value is the target")


def _pieces(text: str) -> list[str] | None:
    """Numbers, signs and brackets; None: there is something else."""
    found = [match for match in _PIECE.finditer(text) if match[1] or match.group().strip(" \t\r\n")]
    return None if any(match[1] for match in found) else [match.group() for match in found]


def _worked_out(pieces: Sequence[str]) -> Fraction | None:
    """The value; None: there is none. Each closing bracket is worked out with the last opening one before it."""
    items: list[Item] = []
    for piece in ["(", *pieces, ")"]:
        if piece not in (")", "]"):
            items.append(Fraction(piece) if piece.isdigit() else piece)
            continue
        opening = "(" if piece == ")" else "["
        at = next((i for i in reversed(range(len(items))) if items[i] in ("(", "[")), None)
        if at is None or items[at] != opening:
            return None
        value = _without_brackets(items[at + 1 :])
        if value is None:
            return None
        items[at:] = [value]
    return items[0] if len(items) == 1 and isinstance(items[0], Fraction) else None


def _without_brackets(items: list[Item]) -> Fraction | None:
    """A sum of products of operands with minus signs before them."""
    total: Fraction | None = None
    product: Fraction | None = None
    operator, sign, wants = "+", 1, True
    for item in [*items, "+"]:
        if wants and item == "-":
            sign = -sign
        elif wants:
            if not isinstance(item, Fraction):
                return None
            item *= sign
            if operator == "/" and not item:
                return None
            if operator in "+-":
                total = (total or Fraction(0)) + (product or Fraction(0))
                product = item if operator == "+" else -item
            else:
                assert product is not None
                product = product * item if operator == "*" else product / item
            wants, sign = False, 1
        elif isinstance(item, Fraction) or item not in "+-*/":
            return None
        else:
            operator, wants = item, True
    return None if product is None or sign < 0 else (total or Fraction(0)) + product


def _as_steps(text: str, hand: list[int], target: Fraction) -> Opinion:
    left = Counter(map(Fraction, hand))
    for line in text.split("\n"):
        line = _without_stop(line.strip(" \t\r"))
        if line and not any(_takes(left, line, reading) for reading in _readings(line)):
            return Opinion(False, f"no right step: {line}")
    return Opinion(left == Counter([target]), f"left at the end: {[str(n) for n in left.elements()]}")


def _readings(line: str) -> list[tuple[str, ...]]:
    """Of ``1/2/3 = 1/6`` either slash may be the operator."""
    if re.search(r"[^ \t\r\x21-\x7e]", line):
        return []
    made = []
    for match in re.finditer("[-+*/]", line):
        a, b = line[: match.start()].rstrip(" \t\r"), line[match.end() :].lstrip(" \t\r")
        found = _STEP.fullmatch(f"{a} {match.group()} {b}")
        if found is not None and re.fullmatch(_OPERAND, a):
            made.append((a, match.group(), found[3], found[4], found[5]))
            shorter = re.fullmatch(rf"({_OPERAND})\s*=.*", b, re.DOTALL)
            assert shorter is not None
            made[-1] = (a, match.group(), shorter[1], found[4], found[5])
    return made


def _takes(left: Counter[Fraction], line: str, reading: tuple[str, ...]) -> bool:
    """Takes the step, if it is right."""
    values = [_spelled(text) for text in (reading[0], reading[2], reading[3])]
    rest = None if reading[4] is None else [_spelled(text) for text in re.split(r"\s*,\s*|\s+", reading[4])]
    if None in values or (rest is not None and None in rest):
        return False
    a, b, made = values
    assert a is not None and b is not None and made is not None
    after = left - Counter([a, b]) + Counter([made])
    pieces: list[Item] = [a, reading[1], b]
    if not Counter([a, b]) <= left or _without_brackets(pieces) != made:
        return False
    if rest is not None and Counter(rest) != after:
        return False
    left.clear()
    left.update(after)
    return True


def _spelled(text: str) -> Fraction | None:
    """An integer, a fraction in lowest terms or a decimal without needless noughts, perhaps in brackets."""
    if not re.fullmatch(_OPERAND, text, re.ASCII):
        return None
    plain = text.strip("()")
    if re.search(r"/0+$", plain):
        return None
    value = Fraction(plain)
    if "." in plain:
        is_plain = not plain.endswith("0") and re.fullmatch(r"-?(?:0|[1-9][0-9]*)\..*", plain) is not None
        return value if is_plain else None
    return value if str(value) == plain else None


def _without_stop(text: str) -> str:
    return re.sub(r"(?<=[0-9)\]])[ \t\r\n]*\.\Z", "", text)


def _random_tree(hand: Sequence[int], rng: random.Random) -> Any:
    parts: list[Any] = [Fraction(number) for number in hand]
    while len(parts) > 1:
        rng.shuffle(parts)
        parts.append((rng.choice("+-*/"), parts.pop(), parts.pop()))
    return parts[0]


def _of_tree(tree: Any) -> Fraction | None:
    if isinstance(tree, Fraction):
        return tree
    a, b = _of_tree(tree[1]), _of_tree(tree[2])
    return None if a is None or b is None else _without_brackets([a, tree[0], b])


def _dressed(text: str, rng: random.Random) -> str:
    """The text in another notation, mostly rightly."""
    lines = []
    for line in text.split("\n"):
        if rng.random() < 0.5:
            times = rng.choice(["×", "·", "x", "X", " x ", "\\times ", "\\cdot ", "∗", "＊", "⋅", "** "])
            line = line.replace("*", times)
        if rng.random() < 0.3:
            line = line.replace("-", rng.choice(["−", "–", "-", "—", "- "]))
        if rng.random() < 0.3:
            line = line.replace("/", rng.choice(["÷", "\\div ", "∕", "//"]))
        if rng.random() < 0.2:
            line = line.replace("(", "\\left(").replace(")", "\\right)")
        if rng.random() < 0.2 and "left" not in line:
            line = line.replace("(", "[", 1).replace(")", rng.choice(["]", "]", ")"]), 1)
        lines.append(line + rng.choice(["", "", "", ".", " .", " "]))
    return rng.choice(["", "", "\n", "  "]) + "\n".join(lines)
