"""Worked solutions: steps by Python's parser and fractions (as the corpus has them), answers by fractions or by
SymPy, which reads LaTeX with a grammar of its own (the verifier asks math-verify, which reads it with
latex2sympy2).

What stands behind a marker but is no formula alone, units and sentences say, is left undecided. Its own texts are
expressions that SymPy has rewritten, and near misses.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy
from corpora import Case
from corpora.math import _MARKED, _holds
from sympy.parsing.latex import parse_latex

from opinions import Opinion
from rlsf_lightning.records import Certificate, Prompt, Verdict

TOOLS = ("sympy", "lark")
HOW = "fractions, and SymPy's own reader of LaTeX"
EXPLAINED = {
    "words change the step": "beside words that may change what an equation means, the verifier leaves it unjudged",
    "a step in words": "the verifier also judges equations with units, powers, roots and words, which are not read here",
    "another last answer": "of several numbers or markers at the end, the two take another one for the answer",
}
MAX_CHARS = 8000
_MARKER = re.compile(r"####|\\boxed\s*\{|[Aa]nswer(?: is|:\**)")
#: An equation of plain numbers; a full stop or comma may follow.
_STEP = re.compile(
    r"(?<![\w.,:$/*+=^\\{)-])(?<![-+*/=] )([0-9][0-9.]*(?: ?[-+*/] ?[0-9][0-9.]*)+) ?= ?\$?([0-9]+(?:\.[0-9]+)?)"
    r"(?![\w%/*]|[.,][0-9]| ?[-+*/(^=])"
)
#: What a line works out, before the equation.
_LABEL = re.compile(r"(?m)^[A-Za-z]+(?: [A-Za-z]+)* = (?=[0-9])")
_TIMES = re.compile(r"(?<=[0-9]) ?(?:[x\u00d7]|\\times) ?(?=[0-9])")
_NUMBER = r"-?(?:[0-9]{1,3}(?:(?:,|\\,)[0-9]{3})+|[0-9]+)?(?:\.[0-9]+)?"


def opinion(case: Case) -> Opinion:
    """The answer, and then every equation of plain numbers."""
    text = case.completion.strip()
    if not text or len(text) > MAX_CHARS:
        return Opinion(False, f"{len(text)} characters")
    answer = _answer(text)
    if answer is None:
        return Opinion(None, "no marked answer")
    is_equal = _is_equal(case.prompt.reference or "", answer)
    if is_equal is False:
        return Opinion(False, f"the answer {answer[:60]}")
    plain = _LABEL.sub("", _TIMES.sub(" * ", re.sub("<<.*?>>", "", text)))
    for left, right in [*_MARKED.findall(text), *_STEP.findall(plain)]:
        if not _holds(left, right, loosely=True):
            return Opinion(False, f"the step {left} = {right}")
    return Opinion(is_equal, "answer and steps" if is_equal else "no formula that is read here")


def explain(case: Case, certificate: Certificate, said: Opinion) -> str | None:
    """By which of the two judged a step that the other did not."""
    kinds = {finding.kind for finding in certificate.findings}
    if said.reason.startswith("the step") and certificate.verdict is Verdict.PASS:
        return "words change the step"
    if said.passes and kinds <= {"wrong_step", "division_by_zero"}:
        return "a step in words"
    is_contested = len(_MARKER.findall(case.completion)) > 1
    return (
        "another last answer"
        if is_contested and ("wrong_answer" in kinds or said.reason.startswith("the answer"))
        else None
    )


def texts(count: int, rng: random.Random) -> Iterator[Case]:
    """Endless: an expression in several forms, some of them of another value."""
    x = sympy.Symbol("x")
    while True:
        a, b, c = (rng.randint(2, 12) for _ in range(3))
        value = rng.choice([
            sympy.Rational(a, b), sympy.sqrt(a) + b, sympy.Rational(a, b) * sympy.sqrt(c), a * sympy.pi / b,
            (x + a) * (x - b), a * x**2 + b * x - c, (a + sympy.sqrt(b)) / c, sympy.Integer(a) ** b, sympy.Rational(a, 10**b),
            1 / (sympy.sqrt(a) + b), sympy.Integer(a) / 10, sympy.Integer(-a * b), (x**2 - a**2) / (x + b), sympy.log(a),
        ])  # fmt: skip
        near = rng.choice([value + 1, -value, 2 * value, value + sympy.Rational(1, 10**6), value + sympy.sqrt(2) / 10**9,
                           value * (1 + sympy.Rational(1, 10**12))])  # fmt: skip
        forms = [value, sympy.expand(value), sympy.factor(value), sympy.radsimp(value), sympy.together(value), near]
        prompt = Prompt(f"own {value}", "Simplify.", sympy.latex(value))
        for form in forms:
            written = sympy.latex(form, fold_short_frac=rng.random() < 0.3).replace(r"\left", "").replace(r"\right", "")
            if rng.random() < 0.3:
                written = written.replace(r"\frac", rng.choice([r"\dfrac", r"\tfrac"]))
            marked = rng.choice([r"\boxed{%s}", "The answer is $%s$.", "#### %s", r"It is $\boxed{%s}$."])
            yield Case(prompt, f"We simplify.\n{marked % written}")


def _answer(text: str) -> str | None:
    """What the last marker announces; None: there is no marker."""
    found = list(_MARKER.finditer(text))
    if not found:
        return None
    marker = found[-1]
    if not marker.group().startswith("\\boxed"):
        return text[marker.end() :].strip().split("\n")[0]
    depth = 1
    for at in range(marker.end(), len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if not depth:
            return text[marker.end() : at]
    return text[marker.end() :]


def _is_equal(reference: str, answer: str) -> bool | None:
    ours, theirs = _plain(answer), _plain(_answer(reference) or reference)
    if ours == theirs:
        return True
    numbers = _fraction(ours), _fraction(theirs)
    if None not in numbers:
        return numbers[0] == numbers[1]
    mine, other = _read(ours), _read(theirs)
    return None if mine is None or other is None else _is_same_value(mine, other)


def _plain(text: str) -> str:
    text = text.strip().rstrip(".").strip().strip("$").strip()
    return re.sub(r"\\[dt]frac", r"\\frac", text)


def _fraction(text: str) -> Fraction | None:
    if re.fullmatch(rf"{_NUMBER}(?:e-?[0-9]{{1,3}})?", text) and re.match("-?[.]?[0-9]", text):
        return Fraction(re.sub(r"\\?,", "", text))
    found = re.fullmatch(r"(-?)(?:\\frac\{([0-9]+)\}\{([0-9]+)\}|([0-9]+)\s*/\s*([0-9]+))", text)
    if found is None:
        return None
    above, below = found[2] or found[4], found[3] or found[5]
    return Fraction(int(f"{found[1]}{above}"), int(below)) if int(below) else None


@lru_cache(maxsize=4096)
def _read(text: str) -> Any:
    """What SymPy reads of a formula without words; None: it does not, or in several ways."""
    if (
        not text
        or len(text) > 200
        or re.search(r"[A-Za-z]{2,}", re.sub(r"\\[A-Za-z]+", "", text))
        or re.search(r"[=,<>?!;:']", text)
    ):
        return None
    try:
        value = parse_latex(text.replace(r"\pi", " P ").replace("\\%", ""), backend="lark")
    except Exception:  # of a reader of anything, which is lark's, SymPy's and Python's own
        return None
    if not isinstance(value, sympy.Expr) or "\\%" in text:
        return None
    return value.subs(sympy.Symbol("P"), sympy.pi)


def _is_same_value(one: Any, other: Any) -> bool | None:
    """Values at three points tell expressions apart; that they are equal is shown by simplifying."""
    symbols = sorted(one.free_symbols | other.free_symbols, key=str)
    for number in (sympy.Rational(17, 7), sympy.Rational(29, 11), sympy.Rational(5, 13)):
        point = {symbol: number + at for at, symbol in enumerate(symbols)}
        difference = (one - other).subs(point)
        value = difference.evalf(40, maxn=400)
        if not value.is_number:
            return None
        if abs(value) > sympy.Float("1e-30") * (1 + abs(one.subs(point).evalf(40))):
            return False
    return True if sympy.simplify(one - other) == 0 else None
