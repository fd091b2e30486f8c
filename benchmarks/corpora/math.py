r"""Worked solutions: ``gsm8k/train.jsonl`` in the folder RLSF_DATA, else generated ones.

A solution of GSM8K has its calculations in double angle brackets; those that Python's own arithmetic does not confirm
are left
out (and with them a few with mistakes). Half of the solutions are written without these brackets, as a model would. What is
wrong is decided by Python's parser and a walk in fractions.
"""

from __future__ import annotations

import ast
import json
import os
import random
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from edits import replaced

from corpora import Case, Injected
from rlsf_lightning.records import Prompt

OPTIONS: dict[str, Any] = {}
WHY = {
    "viable": "There is no `viable`: a later answer replaces an earlier one, and a chain may set right what began wrongly.",
    "found": "Where a word beside an equation may change what it means (`and 2 + 1 = 4`, `over 20/5 = 1`, two numbers "
    "in a row), it is not judged.",
    "hit": "Of a wrong step the result is blamed, and an operand only where a number of the question, or from before the step, "
    "would make it right in its place; to blame both operands of each wrong step would put the first blame before its result.",
}
#: Seconds of a call: 15 by the clock for a comparison by math-verify, and what the verifier itself computes.
LIMIT = 20

_MARKED = re.compile(r"<<([^<>=]*[0-9)%] *[-+*/][^<>=]+)=([^<>=]+)>>")
_PLAIN = re.compile(
    r"(?<![\w.,:$/*+=-])(\(?[0-9][0-9.]*(?: ?[-+*/] ?[0-9][0-9.]*)+) ?= ?\$?(\.[0-9]+|[0-9][0-9.]*[0-9]|[0-9])"
    r"(?![\w,.%/*]|\.[0-9])"
)
_ANSWER = re.compile(r"#### (.+)$")
#: What is no plain number is compared in a process that is started for it.
ORDINARY = [Case(Prompt("ordinary", "?", "2x"), "\\boxed{x + x}")]


def correct(count: int, rng: random.Random) -> list[Case]:
    rows = _solutions(rng)
    rng.shuffle(rows)
    cases: list[Case] = []
    for number in range(len(rows) if rows else 0):
        if len(cases) == count:
            break
        question, solution = rows[number]
        answer = _ANSWER.search(solution)
        if answer is None or not _is_sound(solution):
            continue
        text = re.sub("<<.*?>>", "", solution) if number % 2 else solution
        reference = answer[1].replace(",", "")
        cases.append(Case(Prompt(f"{number}", question, reference), text))
    while len(cases) < count:  # fewer real ones than asked for
        cases.append(_generated(len(cases), rng))
    return cases


def spellings(case: Case, rng: random.Random) -> Iterator[str]:
    """Other forms of the final answer, a remark after it, other white space, other signs for times and divided by."""
    body, answer = case.completion.rsplit("\n#### ", 1)
    number = answer.replace(",", "")
    whole = number.isdigit()
    while True:
        text = body
        if rng.random() < 0.3:
            text = re.sub(r"(?<=[0-9]) ?([*]) ?(?=[0-9])", lambda _: rng.choice([" * ", " \u00d7 ", " \\times "]), text)
        shown = rng.choice([number, f"{int(number):,}" if whole else number, f"{number}.00" if whole else number])
        thin = f"{int(number):,}".replace(",", "\\,") if whole else number
        last = rng.choice([f"#### {shown}", f"####{shown} ", f"The answer is {shown}.", f"\\boxed{{{number}}}",
        f"The answer is ${shown}$.", f"The answer is {shown}, as required.", f"#### {shown} in total",
        f"\\boxed{{{thin}}}", f"#### {number}e0",
                           f"**Answer:** {shown}"])  # fmt: skip
        yield f"{rng.choice(['', ' ', chr(10)])}{text}\n{last}{rng.choice(['', ' ', chr(10)])}"


def inject(case: Case, rng: random.Random) -> Injected | None:
    text = case.completion
    edit = rng.choice(
        ["wrong result", "wrong operand", "other operator", "wrong answer", "answer left out", "division by zero"]
    )
    if edit == "wrong answer":
        answer = _ANSWER.search(text)
        if answer is None:
            return None
        other = _other_number(answer[1], rng)
        return replaced(text, answer.span(1), other, edit) if _number(other) != _number(answer[1]) else None
    if edit == "answer left out":
        return _without_answer(text, edit)
    steps = list((_MARKED if "<<" in text else _PLAIN).finditer(text))
    if not steps:
        return None
    step = rng.choice(steps)
    start, end = step.span(2)
    if edit != "wrong result":
        pattern = "[-+*/]" if edit == "other operator" else "[0-9][0-9.]*"
        parts = list(
            re.finditer(rf"(?<=[0-9) ]){pattern}(?=[0-9( ])" if edit == "other operator" else pattern, step[1])
        )
        if not parts:
            return None
        part = rng.choice(parts)
        start, end = step.start(1) + part.start(), step.start(1) + part.end()
    if edit == "division by zero":
        before = text[step.start(1) : start].rstrip()
        if not before.endswith("/"):
            return None
        new = "0"
    elif edit == "other operator":
        new = rng.choice([operator for operator in "+-*/" if operator != text[start:end]])
    else:
        new = _other_number(text[start:end], rng)
    injected = replaced(text, (start, end), new, edit)
    changed = (_MARKED if "<<" in text else _PLAIN).match(injected.completion, step.start())
    return injected if changed is not None and not _holds(changed[1], changed[2], loosely=True) else None


def hostile() -> list[Case]:
    prompt = Prompt("hostile", "?", "2")
    texts = [
        "9^{9^{9^{9}}}", "10000000!", "\\sqrt{2}^{2}", "}{", "\\frac{1}{0}", "\\int_0^1 x^{1000000} dx",
        "\\sum_{n=1}^{10^9} n",
        "__import__('os').system('touch /tmp/rlsf_touched')", "\\text{open('/tmp/rlsf_opened','w')}", "((((((((((", "x" * 299,
        "\\sqrt{" * 40 + "2" + "}" * 40, "2^{2^{2^{2^{2^{2}}}}}", "1" * 299, "1e999999", "0.(3)", "\\infty",
        "x = 3, y = 4", "\\{1, 2, 3\\}",
        "(1, 2]", "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\binom{1000000}{500000}", "\ud800", "\x00",
        "\\boxed{\\boxed{2}}",
        "1" * 290 + "_2", "0." + "3" * 200 + "...", "0.\\overline{" + "9" * 200 + "}", "2" + "\\,000" * 40, "2 squared" * 30,
        "9" * 90 + " cubed", "\\sqrt{2}+10^{-100000}", "x\\le" * 70, "2^{-10^{9}}", "2 " * 140, "2 million" + " million" * 30,
    ]  # fmt: skip
    whole = [
        "", " ", "(" * 8000, "1+" * 4000, "1=" * 4000, "1+1=" * 2000, "9" * 8000, "9**9**9**9 = 1", "9^64^64 = 1",
        "(9^64)^64 = 1",
        "2^64^2 = 3 + 1", "-" * 8000, "\\boxed{" * 1000, "\\frac{1}{0} = 3", "\\frac" * 1500, "$" * 8000,
        "#### " * 1500, "= " * 4000,
        "\n" * 100_000 + "1", "1,000" * 1500, "\ud800\x00" * 3000, "1" + ",000" * 1900 + " + 1 = 2", "lambda: 2",
        "\\input{/etc/passwd}",
        "1 apple + " * 800 + "1 apple = 2 apples", "1 1/2 " * 1300 + "= 2", "2 squared + " * 600 + "2 squared = 8",
        "The answer is 2" + ", because" * 900, "\u221a" * 4000 + "4 = 2", "7 / 2 = 3 with " * 500, "99999! = 1",
        "0.3..." * 1300, "The answer is " * 500, "2\u00b2 = 4\n#### \uff12", "x" * 100_000,
    ]  # fmt: skip
    return [Case(prompt, f"\\boxed{{{text}}}", "hostile") for text in texts] + [
        Case(prompt, text, "hostile") for text in whole
    ]


def bare(case: Case) -> None:
    """math-verify, as its manual says: parse the reference and the completion, and compare."""
    import math_verify

    math_verify.verify(math_verify.parse(case.prompt.reference or ""), math_verify.parse(case.completion))


def _solutions(rng: random.Random) -> list[tuple[str, str]]:
    data = os.environ.get("RLSF_DATA")
    path = Path(data, "gsm8k", "train.jsonl") if data else None
    if path is None or not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [(row["question"], row["answer"]) for row in rows]


def _generated(number: int, rng: random.Random) -> Case:
    value, lines = rng.randint(2, 60), []
    for _ in range(rng.randint(1, 5)):
        other = rng.randint(2, 12)
        operator = rng.choice([o for o in "+-*/" if (o != "-" or value > other) and (o != "/" or value % other == 0)])
        made = {"+": value + other, "-": value - other, "*": value * other, "/": value // other}[operator]
        head = rng.choice(["Then there are", "So she has", "That makes", "Now it is"])
        mark = f"<<{value}{operator}{other}={made}>>" if number % 2 else ""
        lines.append(f"{head} {value} {operator} {other} = {mark}{made} {rng.choice(['apples', 'coins', 'pages'])}.")
        value = made
    return Case(Prompt(f"{number}", "How many?", str(value)), "\n".join([*lines, f"#### {value}"]))


def _is_sound(solution: str) -> bool:
    """Whether every calculation holds, in brackets or outside, and the answer is a plain number."""
    answer = _ANSWER.search(solution)
    return (
        answer is not None
        and re.fullmatch(r"-?[0-9][0-9,]*(?:\.[0-9]+)?", answer[1]) is not None
        and all(_holds(left, right, loosely=False) for left, right in _MARKED.findall(solution))
        and all(_holds(left, right, loosely=True) for left, right in _PLAIN.findall(re.sub("<<.*?>>", "", solution)))
    )


def _holds(left: str, right: str, loosely: bool) -> bool:
    """Whether both sides are equal; ``loosely``: or the right one may be the left one, rounded or cut, or with another
    sense of a per-cent sign. What cannot be read holds loosely."""
    ours, theirs = _number(left), _number(right)
    if ours is None or theirs is None:
        return loosely and "/0" not in left.replace(" ", "")
    if not loosely:
        return ours == theirs
    decimals = len(right.partition(".")[2])
    near = abs(ours - theirs) < Fraction(1, 10**decimals) if "." in right else False
    return ours == theirs or near or "%" in left + right


def _number(text: str) -> Fraction | None:
    """The value of an expression of plain numbers; None: it is none, or divides by zero."""
    plain = text.replace(",", "").replace("$", "").strip()
    if not re.fullmatch(r"[0-9.+*/() -]+", plain):
        return None
    try:
        return _walk(ast.parse(re.sub(r"(?<![0-9.])0+(?=[0-9])", "", plain), mode="eval").body, plain)
    except (SyntaxError, ValueError, ZeroDivisionError, TypeError):
        return None


def _walk(node: ast.expr, text: str) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_walk(node.operand, text)
    if not isinstance(node, ast.BinOp):
        raise TypeError("no arithmetic")
    a, b = _walk(node.left, text), _walk(node.right, text)
    if isinstance(node.op, ast.Add):
        return a + b
    if isinstance(node.op, ast.Sub):
        return a - b
    if isinstance(node.op, ast.Mult):
        return a * b
    if isinstance(node.op, ast.Div):
        return a / b
    raise TypeError("another operator")


def _other_number(text: str, rng: random.Random) -> str:
    """With another digit somewhere."""
    places = [at for at, character in enumerate(text) if character.isdigit()]
    if not places:
        return f"{text}7"
    at = rng.choice(places)
    return text[:at] + rng.choice([digit for digit in "123456789" if digit != text[at]]) + text[at + 1 :]


def _without_answer(text: str, edit: str) -> Injected | None:
    """The last line is left out, and with it the last number, where no other could be taken for the answer."""
    body = text.rsplit("\n#### ", 1)[0]
    last = body.rsplit("\n", 1)[-1]
    if re.search(r"[0-9]", last) or "\n" not in body:
        return None
    return replaced(text, (len(body), len(text)), "", edit)
