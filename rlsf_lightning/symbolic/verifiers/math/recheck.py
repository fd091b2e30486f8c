"""Second opinion on a certificate: the steps are evaluated by another evaluator.

Independent of ``verify``: the steps are written out in plain Python notation, read by Python's own parser, and their values
computed by walking its tree (nothing is compiled or run); whether a step holds, rounding included; the score and the witness.
Not independent: which equations and which final answer stand in the text (``parse``), which of the equations are steps
(``check_steps``), which operators could be others, and the comparison of two answers. Messages are not looked at.
"""

from __future__ import annotations

import ast
import re
from fractions import Fraction

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Certificate, Finding, Verdict
from rlsf_lightning.symbolic.certificates import MAX_FINDINGS
from rlsf_lightning.symbolic.verifiers.math.check import MAX_STEPS
from rlsf_lightning.symbolic.verifiers.math.check.answers import MAX_ANSWER, Same
from rlsf_lightning.symbolic.verifiers.math.check.steps import check_steps
from rlsf_lightning.symbolic.verifiers.math.check.value import MAX_BITS, MAX_EXPONENT
from rlsf_lightning.symbolic.verifiers.math.locate import (
    MAX_EXPLAINED,
    exchangeable_operands,
    exchangeable_operators,
    known_numbers,
)
from rlsf_lightning.symbolic.verifiers.math.parse import parse
from rlsf_lightning.symbolic.verifiers.math.parse.answer import Answer
from rlsf_lightning.symbolic.verifiers.math.parse.equations import Equation, Side
from rlsf_lightning.symbolic.verifiers.math.parse.lexer import Token, digits_of
from rlsf_lightning.symbolic.verifiers.math.task import Task

_Place = tuple[int, int]


class _NoPower(Exception):
    """No step has such a power; a step with another operand may."""


def stands(certificate: Certificate, task: Task, completion: str, max_chars: int, is_same: Same) -> bool:
    """Whether the certificate says what is found again; ``is_same`` compares two final answers."""
    text = completion.strip()
    if certificate.verdict is Verdict.ABSTAIN:
        return not certificate.findings
    if not text or len(text) > max_chars:
        return _stands_unread(certificate, completion, max_chars)
    solution = parse(completion)
    equations, answer = [step.equation for step in check_steps(solution.equations)], solution.answer
    wrong = [equation for equation in equations if not _holds(equation)]
    expected = [_expected(equation, number, task.question, completion) for number, equation in enumerate(wrong)]
    equal, error = _compared(task.reference, answer, is_same)
    if answer is None:
        expected.append(("missing_answer", ()))
    elif equal is False:
        expected.append(("wrong_answer", ((answer.span.start, answer.span.end),)))
    share = (len(equations) - len(wrong)) / len(equations) if equations else 0.0
    score = 1.0 if not expected and equal else 0.4 * share + (0.5 if equal else 0.0)
    has_room = len(text) + len(task.reference) + 6 <= max_chars  # for a last line with the answer
    witness = dict(certificate.witness)
    return (
        (certificate.verdict is Verdict.PASS) == (not expected and equal is True)
        and [_said(finding) for finding in certificate.findings[:MAX_FINDINGS]] == expected[:MAX_FINDINGS]
        and abs(score - certificate.score) < 1e-9
        and certificate.dead_from == (len(completion) if answer is None and not wrong and has_room else None)
        and _rows_hold(witness.pop("steps", None), equations)
        and _without_numbers(witness.pop("error", None)) == _without_numbers(error)
        and witness == {"reference": task.reference, **_answer_row(answer, equal)}
    )


def _stands_unread(certificate: Certificate, completion: str, max_chars: int) -> bool:
    """Of a completion that is empty or too long."""
    text, offset = completion.strip(), len(completion) - len(completion.lstrip())
    beyond = completion[offset + max_chars :].lstrip() if text else ""
    expected = ("too_long", ((offset + max_chars, offset + len(text)),)) if text else ("empty", ())
    if [_said(finding) for finding in certificate.findings] != [expected]:
        return False
    fields = (certificate.verdict, certificate.score, certificate.dead_from, certificate.witness)
    return fields == (Verdict.FAIL, 0.0, len(completion) - len(beyond), {})


def _compared(reference: str, answer: Answer | None, is_same: Same) -> tuple[bool | None, str | None]:
    """(whether the answer is the reference, why that is not known)."""
    if answer is None:
        return None, None
    try:
        return is_same(reference, answer.written), None
    except ToolFailed as error:
        return None, str(error)


def _without_numbers(error: object) -> str | None:
    """How a process ended is another number where the machine is busy."""
    return None if error is None else re.sub(r"-?[0-9]+", "0", str(error))


def _answer_row(answer: Answer | None, equal: bool | None) -> dict[str, object]:
    if answer is None:
        return {}
    return {"answer": {"text": answer.text[:MAX_ANSWER], "span": [answer.span.start, answer.span.end], "equal": equal}}


def _said(finding: Finding) -> tuple[str, tuple[_Place, ...]]:
    return finding.kind, tuple((span.start, span.end) for span in finding.spans)


def _expected(equation: Equation, number: int, question: str, text: str) -> tuple[str, tuple[_Place, ...]]:
    for side in (equation.left, equation.right):
        if _values(side) is None:
            return "division_by_zero", ((side.start, side.end),)
    tokens = exchangeable_operators(equation)
    if number < MAX_EXPLAINED:
        tokens += exchangeable_operands(equation, known_numbers(question, text, equation.start), _holds)
    places = [(token.start, token.end) for token in tokens]
    return "wrong_step", tuple(sorted([*places, (equation.right.start, equation.right.end)]))


def _rows_hold(rows: object, equations: list[Equation]) -> bool:
    """Whether the witness's rows are the steps, each with some reading of its sides."""
    if not isinstance(rows, list) or len(rows) != min(len(equations), MAX_STEPS):
        return False
    for row, equation in zip(rows, equations, strict=False):
        if not isinstance(row, dict) or row.keys() != {"span", "values", "holds"}:
            return False
        if row["span"] != [equation.start, equation.end] or row["holds"] is not _holds(equation):
            return False
        readings = [_values(side) for side in (equation.left, equation.right)]
        shown = [[None] if values is None else [str(value)[:200] for value in values] for values in readings]
        if len(row["values"]) != 2 or any(
            value not in texts for value, texts in zip(row["values"], shown, strict=True)
        ):
            return False
    return True


def _holds(equation: Equation) -> bool:
    """Whether some reading of both sides is equal, or as near as its last written place."""
    left, right, relation = equation
    try:
        ours, theirs = _values(left), _values(right)
    except _NoPower:
        return False
    if ours is None or theirs is None:
        return False
    for a in ours:
        for b in theirs:
            ours_to, theirs_to = _last_place(left, relation, a), _last_place(right, relation, b)
            if a == b or _rounds_to(b, a, ours_to, relation) or _rounds_to(a, b, theirs_to, relation):
                return True
    return False


def _rounds_to(exact: Fraction, written: Fraction, place: Fraction | None, relation: str) -> bool:
    """Whether a number is another one, written to this place: rounded either way at a half, or cut."""
    if place is None:
        return False
    steps = abs(exact) / place
    allowed = {steps.__floor__(), (steps + Fraction(1, 2)).__floor__(), (steps - Fraction(1, 2)).__ceil__()}
    if relation == "about":
        allowed.add(steps.__ceil__())
    same_sign = written * exact >= 0
    return same_sign and abs(written) / place in allowed


def _last_place(side: Side, relation: str, value: Fraction) -> Fraction | None:
    """Of the side's lone number, if it is one, where that is read as this value."""
    written = digits_of("".join(token.text for token in side.tokens))
    match = re.fullmatch(r"-?(\d*)(?:\.(\d+))?(%|cents|dozen)?", written)
    if match is None:
        return None
    whole, decimals, unit = match.groups()
    number = Fraction(f"{whole or 0}.{decimals or 0}")
    size = Fraction(1, 100) if unit == "%" else abs(value) / number if unit and number else Fraction(1)
    if decimals:
        return size / 10 ** len(decimals)
    if unit == "cents" and size != 1:
        return size
    zeros = len(whole) - len(whole.rstrip("0"))
    return size * 10**zeros if relation == "about" else None


def _values(side: Side) -> list[Fraction] | None:
    """What the side can be worth; None: it divides by zero."""
    if [token.kind for token in side.tokens] == ["root"]:
        return _root_values(side.tokens[0])
    factor = "*12" if side.tokens[-1].text == "dozen" else "/100"
    texts = [_python(side, unit, dash) for unit in ("", factor) for dash in (False, True)]
    if [token.kind for token in side.tokens] == ["number", "operator", "number", "percent"]:
        first, sign, second, _ = side.tokens
        if sign.text in "+-":
            texts.append(f"({first.value})*(1{sign.text}({second.value})/100)")
    try:
        return [_walk(ast.parse(text, mode="eval").body) for text in dict.fromkeys(texts)]
    except ZeroDivisionError:
        return None


def _root_values(root: Token) -> list[Fraction]:
    """Of an irrational root, checked by raising it again; none where it is wrong."""
    *index, radicand = re.findall(r"[0-9]+(?:\.[0-9]+)?", root.text)
    degree, value = int(index[0]) if index else 2, root.value or Fraction(0)
    above = value + Fraction(1, 10**50)
    return [value] if value**degree < Fraction(radicand) < above**degree else []


def _python(side: Side, percent: str, drop_dash: bool) -> str:
    """The side in Python's notation, with integers only."""
    tokens = side.tokens
    if drop_dash and len(tokens) > 1 and tokens[0].text == "-" and tokens[0].end < tokens[1].start:
        tokens = tokens[1:]
    pieces: list[str] = []
    for i, token in enumerate(tokens):
        if token.kind == "open" and i and tokens[i - 1].kind in ("number", "close"):
            pieces.append("*")
        if token.kind == "number" and token.value is not None:
            follows = i + 1 < len(tokens) and tokens[i + 1].kind == "percent"
            number = f"({token.value.numerator}/{token.value.denominator})"
            pieces.append(f"({number}{percent})" if follows else number)
        elif token.kind == "percent" and i and tokens[i - 1].kind != "number":
            pieces.append(percent)
        elif token.kind != "percent":
            pieces.append("**" if token.text == "^" else token.text)
    return "".join(pieces)


def _walk(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return Fraction(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_walk(node.operand)
    assert isinstance(node, ast.BinOp), "a step that was read has numbers and operators alone"
    left, right = _walk(node.left), _walk(node.right)
    match node.op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
    bits = max(left.numerator.bit_length(), left.denominator.bit_length())
    if right.denominator != 1 or abs(right) > MAX_EXPONENT or bits * abs(right) > MAX_BITS or left == right == 0:
        raise _NoPower
    return left**right.numerator
