"""A second opinion on a certificate about the game of 24: every finding, the verdict, the score, the witness and the first
dead character are worked out again by other algorithms (``rewrite``) and compared. What would take too long is
let stand.
"""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction

from rlsf_lightning.records import Certificate, Verdict
from rlsf_lightning.symbolic.game24.recheck_steps import Said, steps_findings, steps_live
from rlsf_lightning.symbolic.game24.rewrite import (
    BLANKS,
    OPERATIONS,
    DividesByZero,
    Numbers,
    Place,
    evaluate,
    expression_lives,
    is_right,
    makes,
)

Places = tuple[Place, ...]

#: With more findings the last one sums up the rest; such a certificate is not compared finding by finding.
_MANY = 50


def stands(certificate: Certificate, completion: str, hand: Numbers, target: Fraction, max_chars: int) -> bool:
    """Whether nothing is found against the certificate."""
    text = completion.strip()
    offset = completion.find(text) if text else 0
    if certificate.verdict is Verdict.ABSTAIN:
        return not certificate.findings
    if not _solution_holds(certificate.witness.get("solution"), hand, target):
        return False
    findings = certificate.findings[:_MANY] if len(certificate.findings) == _MANY + 1 else certificate.findings
    said = sorted((f.kind, tuple((s.start - offset, s.end - offset) for s in f.spans)) for f in findings)
    if not text or len(text) > max_chars:
        alone = certificate.verdict is Verdict.FAIL and said == [("too_long" if text else "empty", ())]
        return alone and certificate.score == 0.0 and _dies(certificate, completion, hand, target, max_chars)
    steps = steps_findings(text, hand, target) if len(hand) > 1 else ([("bad_step", ())], 0.0)
    if is_right(text, hand, target) or (steps is not None and not steps[0]):
        return certificate.verdict is Verdict.PASS
    if certificate.witness.get("form") == "steps":
        if steps is None:
            return True
        agrees = certificate.verdict is Verdict.FAIL and abs(steps[1] - certificate.score) < 1e-9
        agrees = agrees and (said == sorted(steps[0]) or len(steps[0]) > _MANY)
    else:
        agrees = certificate.verdict is Verdict.FAIL and _expression_stands(certificate, text, said, hand, target)
    return agrees and _dies(certificate, completion, hand, target, max_chars)


def lives(prefix: str, hand: Numbers, target: Fraction, max_chars: int) -> bool | None:
    """Whether some continuation passes. None: cannot tell."""
    text = prefix.lstrip()
    core = text.rstrip()
    if len(core) > max_chars:
        return False
    if text[len(core) :].strip(BLANKS):
        return None
    if len(hand) > 1 and steps_live(text, hand, target):
        return True
    return expression_lives(text, hand, target)


def _dies(certificate: Certificate, completion: str, hand: Numbers, target: Fraction, max_chars: int) -> bool:
    """Whether what stands before the first dead character is alive, and dead with it."""
    at = certificate.dead_from
    can_be_made = makes(hand, target) or makes(hand, -target)
    if at is None or can_be_made is False:
        return at is None and not can_be_made
    if not 0 <= at <= len(completion) or lives(completion[:at], hand, target, max_chars) is False:
        return False
    return at == len(completion) or lives(completion[: at + 1], hand, target, max_chars) is not True


def _solution_holds(solution: object, hand: Numbers, target: Fraction) -> bool:
    """Whether the witness solves the puzzle; None must mean that nothing does."""
    if solution is None:
        return not makes(hand, target) and not makes(hand, -target)
    return (
        isinstance(solution, str) and len(solution) < 200 and "=" not in solution and is_right(solution, hand, target)
    )


def _expression_stands(certificate: Certificate, text: str, said: list[Said], hand: Numbers, target: Fraction) -> bool:
    expression, equals, stated = text.partition("=")
    after = stated.strip(BLANKS)
    witness = certificate.witness
    value, zeros = None, Places()
    try:
        if re.search(r"[^-0-9+*/()= \t\r\n]", text) or bool(equals) != bool(after):
            raise ValueError("not an expression")
        value = evaluate(expression)
    except DividesByZero as error:
        zeros = error.places
    except ValueError:
        needless = _needless(expression, hand, target)
        shown = said == needless if needless else bool(said) and all(_shows(kind, at, text) for kind, at in said)
        return shown and certificate.score == 0.0 and witness.get("value") is None
    found, used, unused = _numbers_found(expression, hand)
    if zeros:
        found.append(("division_by_zero", zeros))
    elif value != target and not found:
        claimed = next((places for kind, places in said if kind == "wrong_value"), ())
        blamed = _blamed(expression, claimed, hand, target)
        if blamed is None:
            return False
        found.append(("wrong_value", blamed))
    if value is not None and equals and after != str(target) and (after != str(value) or value == target):
        start = len(expression) + 1 + len(stated) - len(stated.lstrip(BLANKS))
        found.append(("wrong_arithmetic", ((start, start + len(after)),)))
    good = len(hand) - len(unused)
    score = 0.5 * good / max(len(hand), len(used)) + (0.4 if value == target else 0.0)
    return (
        (said == sorted(found) or len(found) > _MANY)
        and abs(score - certificate.score) < 1e-9
        and witness.get("value") == (None if value is None else str(value))
        and (witness.get("used"), witness.get("unused")) == (used, unused)
    )


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


def _blamed(expression: str, claimed: Places, hand: Numbers, target: Fraction) -> Places | None:
    """Each operator that could mean something else and the value would be right. If there is none: what is claimed, if that
    is the operator of a smallest part that leads nowhere, or nothing and there is no such part. None: the claim is wrong."""
    places = [match.start() for match in re.finditer(r"[-+*/]", expression)]
    mends = tuple((at, at + 1) for at in places if _mends(expression, at, target))
    if mends:
        return mends
    dead = [at for at in places if _leads_nowhere(expression, at, hand, target)]
    if not claimed:
        return None if dead else ()
    (at, end), *more = claimed
    if more or at not in dead or end != at + 1:
        return None
    start, stop = _part(expression, at)
    return None if any(start <= other < stop for other in dead if other != at) else claimed


def _mends(expression: str, at: int, target: Fraction) -> bool:
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


def _leads_nowhere(expression: str, at: int, hand: Numbers, target: Fraction) -> bool:
    """Whether the part's value and the numbers outside it make neither the target nor its negative."""
    start, end = _part(expression, at)
    if start == end:
        return False
    values: list[Fraction] = []

    def record(a: Fraction, b: Fraction) -> Fraction:
        values.append(OPERATIONS[expression[at]](a, b))
        return values[-1]

    evaluate(expression, {at: record})
    rest = Counter(hand) - Counter(map(Fraction, re.findall("[0-9]+", expression[start:end])))
    numbers = tuple(sorted([values[-1], *rest.elements()]))
    return not makes(numbers, target) and not makes(numbers, -target)


def _shows(kind: str, places: Places, text: str) -> bool:
    """Whether the text has a mistake of syntax of this kind at these places."""
    if kind == "bad_character":
        return sorted(places) == [match.span() for match in re.finditer(r"[^-0-9+*/()= \t\r\n]+", text)]
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


def _needless(expression: str, hand: Numbers, target: Fraction) -> list[Said]:
    """The finding of the brackets, each of which alone could be left out and all would be right, where one is too many."""
    surplus = expression.count("(") - expression.count(")")
    bracket, kind = ("(", "unclosed_bracket") if surplus > 0 else (")", "extra_bracket")
    places = [at for at, character in enumerate(expression) if character == bracket] if abs(surplus) == 1 else []
    mends = [at for at in places if is_right(f"{expression[:at]} {expression[at + 1 :]}", hand, target)]
    return [(kind, tuple((at, at + 1) for at in mends))] if mends else []


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
