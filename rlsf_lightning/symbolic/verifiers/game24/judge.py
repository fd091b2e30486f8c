"""What is wrong with an answer that is an expression: its findings, score and witness."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.verifiers.game24.expression import (
    DivisionByZero,
    Reading,
    Token,
    evaluate,
    finding_at,
    first_dead_operator,
    read_expression,
)
from rlsf_lightning.symbolic.verifiers.game24.mends import bracket_mends, exchangeable_numbers, number_gaps, suspects
from rlsf_lightning.symbolic.verifiers.game24.values import Hand


def judge_expression(
    text: str, offset: int, hand: Hand, target: Fraction
) -> tuple[list[Finding], float, dict[str, object]]:
    """(findings, score, witness); no finding means that the expression is right."""
    reading = read_expression(text, offset)
    findings = list(reading.errors)
    witness: dict[str, object] = {"form": "expression", "value": None}
    if findings:
        return _misplaced_bracket(reading, hand, target) or findings, 0.0, witness
    in_hand, written = Counter(map(str, hand)), Counter(token.text for token in reading.numbers)
    unused = sorted((in_hand - written).elements(), key=int)
    witness |= {"used": [token.text for token in reading.numbers], "unused": unused}
    for number in written - in_hand:
        message = (
            f"{number} is used {_times(written[number])}, given {_times(in_hand[number])}; "
            f"unused: {', '.join(unused) or 'none'}"
        )
        places = [token for token in reading.numbers if token.text == number]
        findings.append(finding_at("number_not_available", message, *places))
    if len(reading.numbers) < len(hand):
        gaps = number_gaps(reading, unused, hand, target) if not findings else []
        findings.append(Finding("number_unused", f"not used: {', '.join(unused)}", tuple(gaps)))
    try:
        value = evaluate(reading.postfix)
    except DivisionByZero as error:
        findings.append(Finding("division_by_zero", "the divisor is 0", error.spans))
        value = None
    if value is not None:
        witness["value"] = str(value)
        if value != target and not findings:
            findings.append(_wrong_value(reading, value, hand, target))
        findings += _wrong_statement(reading.stated, value, target)
    used = (written & in_hand).total()
    score = 0.5 * used / max(len(hand), len(reading.numbers)) + (0.4 if value == target else 0.0)
    return findings, score, witness


def _wrong_value(reading: Reading, value: Fraction, hand: Hand, target: Fraction) -> Finding:
    message = f"the value is {value}, not {target}"
    tokens = sorted({*suspects(reading, target), *exchangeable_numbers(reading, target)}, key=lambda token: token.span)
    if tokens:
        return finding_at("wrong_value", f"{message}; another operation or order here would do", *tokens)
    dead = first_dead_operator(reading.postfix, hand, target)
    if dead is None:
        return Finding("wrong_value", message)
    return finding_at("wrong_value", f"{message}; with this part's value nothing leads there", dead)


def _wrong_statement(stated: Token | None, value: Fraction, target: Fraction) -> list[Finding]:
    """What is said after = must be the target's value; where the expression is wrong, that alone is reported."""
    if stated is None or stated.text == str(target) or (stated.text == str(value) and value != target):
        return []
    return [finding_at("wrong_arithmetic", f"the value is {value}, not {ascii(stated.text)[1:-1][:50]}", stated)]


def _misplaced_bracket(reading: Reading, hand: Hand, target: Fraction) -> list[Finding]:
    """Where one bracket is too many: those of which each alone could be left out, and the gaps in each of which alone its
    partner could be put, and all would be right."""
    kind, spans = bracket_mends(reading, hand, target)
    message = "one bracket more or less here, and all would be right"
    return [Finding(kind, message, tuple(spans))] if spans else []


def _times(count: int) -> str:
    return f"{count} time{'' if count == 1 else 's'}"
