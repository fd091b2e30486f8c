"""A second opinion on a certificate about a worked solution: the steps are written out in plain Python notation, read by
Python's own parser, and their values computed by walking its tree; nothing is compiled or run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from fractions import Fraction

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Certificate, Finding, Verdict
from rlsf_lightning.symbolic.verifiers.math.answer import Answer, find_answer
from rlsf_lightning.symbolic.verifiers.math.steps import (
    Side,
    Step,
    exchangeable,
    exchangeable_operands,
    known_numbers,
    read_steps,
)

#: More findings than these are summed up in a last one; no more steps are in the witness.
MAX_FINDINGS = 50
MAX_STEPS = 200
#: In so many wrong steps, the first ones, a wrong operand is looked for.
MAX_EXPLAINED = 10
#: Longer final answers are not compared, and stand in the witness cut.
MAX_ANSWER = 300

Same = Callable[[str, str], bool | None]


def stands(
    certificate: Certificate, question: str, completion: str, reference: str, max_chars: int, same: Same
) -> bool:
    """Whether the certificate says what is found again; ``same`` compares two final answers."""
    text = completion.strip()
    if certificate.verdict is Verdict.ABSTAIN:
        return not certificate.findings
    if not text or len(text) > max_chars:
        beyond = completion.lstrip()[max_chars:]
        dead = len(completion) - len(beyond.lstrip()) if text else len(completion)
        alone = [_said(f) for f in certificate.findings] == [("too_long" if text else "empty", ())]
        fields = (certificate.verdict, certificate.score, certificate.dead_from, certificate.witness)
        return alone and fields == (Verdict.FAIL, 0.0, dead, {})
    steps = read_steps(completion)
    wrong = [step for step in steps if not _holds(step)]
    expected = [_expected(step, number, question, completion) for number, step in enumerate(wrong)]
    answer = find_answer(completion)
    equal, error = _compared(reference, answer, same)
    if answer is None:
        expected.append(("missing_answer", ()))
    elif equal is False:
        expected.append(("wrong_answer", ((answer.span.start, answer.span.end),)))
    share = (len(steps) - len(wrong)) / len(steps) if steps else 0.0
    score = 1.0 if not expected and equal else 0.4 * share + (0.5 if equal else 0.0)
    has_room = len(text) + len(reference) + 6 <= max_chars  # for a last line with the answer
    said = [_said(finding) for finding in certificate.findings[:MAX_FINDINGS]]
    witness = dict(certificate.witness)
    return (
        (certificate.verdict is Verdict.PASS) == (not expected and equal is True)
        and said == expected[:MAX_FINDINGS]
        and abs(score - certificate.score) < 1e-9
        and certificate.dead_from == (len(completion) if answer is None and not wrong and has_room else None)
        and _steps_hold(witness.pop("steps", None), steps)
        and _without_numbers(witness.pop("error", None)) == _without_numbers(error)
        and witness == {"reference": reference, **_answer_row(answer, equal)}
    )


def _compared(reference: str, answer: Answer | None, same: Same) -> tuple[bool | None, str | None]:
    """(whether the answer is the reference, why that is not known)."""
    if answer is None:
        return None, None
    try:
        return same(reference, answer.text), None
    except ToolFailed as error:
        return None, str(error)


def _without_numbers(error: object) -> str | None:
    """How a process ended is another number where the machine is busy."""
    return None if error is None else re.sub(r"-?[0-9]+", "0", str(error))


def _answer_row(answer: Answer | None, equal: bool | None) -> dict[str, object]:
    if answer is None:
        return {}
    return {"answer": {"text": answer.text[:MAX_ANSWER], "span": [answer.span.start, answer.span.end], "equal": equal}}


def _said(finding: Finding) -> tuple[str, tuple[tuple[int, int], ...]]:
    return finding.kind, tuple((span.start, span.end) for span in finding.spans)


def _expected(step: Step, number: int, question: str, text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    for side in (step.left, step.right):
        if _values(side) is None:
            return "division_by_zero", ((side.start, side.end),)
    tokens = exchangeable(step)
    if number < MAX_EXPLAINED:
        tokens += exchangeable_operands(step, known_numbers(question, text, step.left.start), _holds)
    places = [(token.start, token.end) for token in tokens]
    return "wrong_step", tuple(sorted([*places, (step.right.start, step.right.end)]))


def _steps_hold(rows: object, steps: list[Step]) -> bool:
    """Whether the witness's rows are the steps, each with some reading of its sides."""
    if not isinstance(rows, list) or len(rows) != min(len(steps), MAX_STEPS):
        return False
    for row, step in zip(rows, steps, strict=False):
        if not isinstance(row, dict) or row.keys() != {"span", "values", "holds"}:
            return False
        if row["span"] != [step.left.start, step.right.end] or row["holds"] is not _holds(step):
            return False
        readings = [_values(side) for side in (step.left, step.right)]
        shown = [[None] if values is None else [str(value)[:200] for value in values] for values in readings]
        if len(row["values"]) != 2 or any(
            value not in texts for value, texts in zip(row["values"], shown, strict=True)
        ):
            return False
    return True


def _holds(step: Step) -> bool:
    """Whether some reading of both sides is equal, or as near as its last written place."""
    ours, theirs = _values(step.left), _values(step.right)
    if ours is None or theirs is None:
        return False
    for a in ours:
        for b in theirs:
            left, right = _last_place(step.left, step.relation, a), _last_place(step.right, step.relation, b)
            if a == b or _rounds_to(b, a, left, step.relation) or _rounds_to(a, b, right, step.relation):
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
    written = "".join(token.text for token in side.tokens).replace("{,}", "").replace(",", "")
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
    factor = "*12" if side.tokens[-1].text == "dozen" else "/100"
    texts = [_python(side, unit, dash) for unit in ("", factor) for dash in (False, True)]
    try:
        return [_walk(ast.parse(text, mode="eval").body) for text in dict.fromkeys(texts)]
    except ZeroDivisionError:
        return None


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
    return left**right.numerator
