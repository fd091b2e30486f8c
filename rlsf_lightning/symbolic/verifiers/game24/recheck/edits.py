"""Second search for the single edits that would make a wrong expression right: each is made in the text, which is evaluated
again."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction

from rlsf_lightning.symbolic.verifiers.game24.locate.expression import MAX_GAPS
from rlsf_lightning.symbolic.verifiers.game24.recheck.rewrite import (
    BLANKS,
    OPERATIONS,
    DividesByZero,
    Place,
    Places,
    Said,
    evaluate,
    is_right,
    makes,
)
from rlsf_lightning.symbolic.verifiers.game24.task import Task


def places_of_a_wrong_value(expression: str, claimed: Places, task: Task) -> Places | None:
    """Each operator that could mean something else, and the neighbours that could change places, and the value would be
    right. If there is none: what is claimed, if that may be the operator of a smallest part that leads nowhere, or nothing
    and no part is sure to lead nowhere. None: the claim is wrong."""
    places = [match.start() for match in re.finditer(r"[-+*/]", expression)]
    edits = {(at, at + 1) for at in places if _is_exchangeable(expression, at, task.target)}
    edits |= _exchangeable_numbers(expression, task)
    if edits:
        return tuple(sorted(edits))
    leads_nowhere = {at: _leads_nowhere(expression, at, task) for at in places}
    dead = [at for at in places if leads_nowhere[at]]
    if not claimed:
        return None if dead else ()
    (at, end), *more = claimed
    if more or leads_nowhere.get(at, False) is False or end != at + 1:
        return None
    start, stop = _part(expression, at)
    return None if any(start <= other < stop for other in dead if other != at) else claimed


def _is_exchangeable(expression: str, at: int, target: Fraction) -> bool:
    """Whether the value would be right with another operator there, or with its operands turned round, or without it if it
    is a sign."""
    others = [(expression[:at] + operator + expression[at + 1 :], -1) for operator in OPERATIONS]
    for text, turned in [*others, (expression, at)]:
        try:
            if evaluate(text, {turned: lambda a, b: OPERATIONS[expression[at]](b, a)}) == target:
                return True
        except (ValueError, DividesByZero):
            continue
    return False


def _part(expression: str, at: int) -> Place:
    """Where the part begins and ends whose operator stands there; (at, at) for a sign."""

    def interrupt(a: Fraction, b: Fraction) -> Fraction:
        raise ZeroDivisionError

    try:
        evaluate(expression, {at: interrupt})
    except DividesByZero as error:
        return error.places[0]
    return at, at


def _leads_nowhere(expression: str, at: int, task: Task) -> bool | None:
    """Whether the part's value and the numbers outside it make neither the target nor its negative. None: too many to try."""
    start, end = _part(expression, at)
    if start == end:
        return False
    values: list[Fraction] = []

    def record(a: Fraction, b: Fraction) -> Fraction:
        values.append(OPERATIONS[expression[at]](a, b))
        return values[-1]

    evaluate(expression, {at: record})
    rest = Counter(task.hand) - Counter(map(Fraction, re.findall("[0-9]+", expression[start:end])))
    numbers = tuple(sorted([values[-1], *rest.elements()]))
    answers = makes(numbers, task.target), makes(numbers, -task.target)
    return None if None in answers else True not in answers


def _exchangeable_numbers(expression: str, task: Task) -> set[Place]:
    """The numbers with an operator alone between them that could change places."""
    found: set[Place] = set()
    for match in re.finditer(r"(?<![0-9])(?=([0-9]+)(\s*[-+*/]\s*)([0-9]+))", expression):
        turned = expression[: match.start(1)] + match[3] + match[2] + match[1] + expression[match.end(3) :]
        if match[1] != match[3] and is_right(turned, task.hand, task.target):
            found |= {match.span(1), match.span(3)}
    return found


def gaps_for_a_number(expression: str, used: list[str], unused: list[str], task: Task) -> Places:
    """The gaps before a minus where the one number that is missing would make all right."""
    if len(unused) != 1 or len(used) != len(task.hand) - 1:
        return ()
    places = [match.start() for match in re.finditer("-", expression)]
    return tuple(
        _gap(expression, at)
        for at in places
        if is_right(f"{expression[:at]} {unused[0]} {expression[at:]}", task.hand, task.target)
    )


def bracket_edits(expression: str, task: Task) -> list[Said]:
    """Where one bracket is too many: the finding of the brackets that could be left out, and of the first gaps in which the
    other one could stand."""
    surplus = expression.count("(") - expression.count(")")
    if abs(surplus) != 1 or Counter(re.findall("[0-9]+", expression)) != Counter(map(str, task.hand)):
        return []
    bracket, other, kind = ("(", ")", "unclosed_bracket") if surplus > 0 else (")", "(", "extra_bracket")
    places = [
        (at, at + 1)
        for at, character in enumerate(expression)
        if character == bracket and is_right(f"{expression[:at]} {expression[at + 1 :]}", task.hand, task.target)
    ]
    ends = [match.start() for match in re.finditer(r"[0-9]+|[-+*/()]", expression)]
    ends.append(len(expression.rstrip(BLANKS)))
    gaps = [
        _gap(expression, at)
        for at in ends
        if not expression[:at].rstrip(BLANKS).endswith(other)
        and is_right(f"{expression[:at]} {other} {expression[at:]}", task.hand, task.target)
    ]
    spans = tuple(sorted({*places, *gaps[:MAX_GAPS]}))
    return [(kind, spans)] if spans else []


def _gap(text: str, at: int) -> Place:
    """From the last character before a place to the first one after it."""
    before, after = text[:at].rstrip(BLANKS), text[at:].lstrip(BLANKS)
    start = len(before) - 1 if before else len(text) - len(after)
    return start, len(text) - len(after) + 1 if after else len(before)
