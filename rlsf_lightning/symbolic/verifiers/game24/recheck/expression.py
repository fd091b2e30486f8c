"""Second computation of the findings, the score and the witness of a wrong expression."""

from __future__ import annotations

import re
from fractions import Fraction

from rlsf_lightning.symbolic.certificates import MAX_FINDINGS
from rlsf_lightning.symbolic.verifiers.game24.recheck.edits import (
    bracket_edits,
    gaps_for_a_number,
    places_of_a_wrong_value,
)
from rlsf_lightning.symbolic.verifiers.game24.recheck.rewrite import (
    BLANKS,
    DividesByZero,
    Numbers,
    Place,
    Places,
    Said,
    evaluate,
    stated_value,
)
from rlsf_lightning.symbolic.verifiers.game24.task import Task

_NOT_ALLOWED = re.compile(r"[^-0-9+*/()= \t\r\n]+")


def expression_witness(text: str, task: Task) -> dict[str, object]:
    """All that the witness says of an expression but for a solution."""
    try:
        value, _ = _value_of(text)
    except ValueError:
        return {"form": "expression", "value": None}
    _, used, unused = _numbers_found(text.partition("=")[0], task.hand)
    return {"form": "expression", "value": None if value is None else str(value), "used": used, "unused": unused}


def expression_score(text: str, said: list[Said], task: Task) -> float | None:
    """The score of this text, which is no right expression; None if its findings are not those that are said."""
    expression, equals, stated = text.partition("=")
    try:
        value, zeros = _value_of(text)
    except ValueError:
        edits = bracket_edits(expression, task)
        shown = said == edits if edits else bool(said) and all(_shows(kind, at, text) for kind, at in said)
        return 0.0 if shown else None
    found, used, unused = _numbers_found(expression, task.hand)
    if found == [("number_unused", ())]:
        found = [("number_unused", gaps_for_a_number(expression, used, unused, task))]
    if zeros:
        found.append(("division_by_zero", zeros))
    elif value != task.target and not found:
        claimed = next((places for kind, places in said if kind == "wrong_value"), ())
        places = places_of_a_wrong_value(expression, claimed, task)
        if places is None:
            return None
        found.append(("wrong_value", places))
    if value is not None and equals:
        found += [
            ("wrong_arithmetic", (place,))
            for place in _pieces(stated, len(expression) + 1)
            if stated_value(text[slice(*place)]) not in (value, task.target)
        ]
    good = len(task.hand) - len(unused)
    score = 0.5 * good / max(len(task.hand), len(used)) + (0.4 if value == task.target else 0.0)
    return score if said == sorted(found) or len(found) > MAX_FINDINGS else None


def _pieces(stated: str, start: int) -> list[Place]:
    """Where the texts between equals signs stand; where one is missing, all in one place."""
    places = []
    for piece in stated.split("="):
        inner = piece.strip(BLANKS)
        at = start + len(piece) - len(piece.lstrip(BLANKS))
        places.append((at, at + len(inner)))
        start += len(piece) + 1
    if any(first == last for first, last in places):
        begin = start - 1 - len(stated.lstrip(BLANKS))
        return [(begin, begin + len(stated.strip(BLANKS)))]
    return places


def _value_of(text: str) -> tuple[Fraction | None, Places]:
    """(value, quotients that have none) of what stands before an equals sign. Raises ValueError: it is no expression."""
    expression, equals, stated = text.partition("=")
    if _NOT_ALLOWED.search(text) or bool(equals) != bool(stated.strip(BLANKS)):
        raise ValueError("not an expression")
    try:
        return evaluate(expression), ()
    except DividesByZero as error:
        return None, error.places


def _numbers_found(expression: str, hand: Numbers) -> tuple[list[Said], list[str], list[str]]:
    """The findings about numbers, the numbers written, and those not used."""
    unused, used, found = [str(number) for number in sorted(hand)], list[str](), list[Said]()
    places: dict[str, list[Place]] = {}
    too_often = []
    for match in re.finditer("[0-9]+", expression):
        used.append(match.group())
        places.setdefault(match.group(), []).append(match.span())
        if match.group() in unused:
            unused.remove(match.group())
        else:
            too_often.append(match.group())
    found += [("number_not_available", tuple(places[number])) for number in dict.fromkeys(too_often)]
    if len(used) < len(hand):
        found.append(("number_unused", ()))
    return found, used, unused


def _shows(kind: str, places: Places, text: str) -> bool:
    """Whether the text has a mistake of syntax of this kind at these places."""
    if kind == "bad_character":
        return sorted(places) == [match.span() for match in _NOT_ALLOWED.finditer(text)]
    if kind in ("unclosed_bracket", "extra_bracket"):
        return len(places) == 1 and places[0] in _unmatched(text, "(" if kind == "unclosed_bracket" else ")")
    if not places:
        return kind == "missing_operand" and not text.partition("=")[0].strip(BLANKS)
    (start, end), *more = places
    if more or not 0 <= start < end <= len(text):
        return False
    here, after = text[start:end], text[end:].lstrip(BLANKS)
    if kind == "missing_operand":
        is_last = here in tuple("+-*/(=") and (not after or after[0] == "=")
        is_first = here in tuple("+*/)") and not text[:start].strip(BLANKS)
        return is_last or is_first or re.fullmatch(r"[-+*/(]\s*[+*/)]", here) is not None
    cuts = [at for at in (start, end) if 0 < at < len(text) and text[at - 1 : at + 1].isdigit()]
    meeting = re.fullmatch(r"[0-9]+\s+[0-9]+|[0-9]+\s*\(|\)\s*[0-9]+|\)\s*\(", here)
    return kind == "missing_operator" and meeting is not None and not cuts


def _unmatched(text: str, bracket: str) -> list[Place]:
    """The brackets of this sort without partner."""
    unclosed, extra = list[int](), list[int]()
    for at, character in enumerate(text.partition("=")[0]):
        if character == "(":
            unclosed.append(at)
        elif character == ")" and unclosed:
            unclosed.pop()
        elif character == ")":
            extra.append(at)
    return [(at, at + 1) for at in (unclosed if bracket == "(" else extra)]
