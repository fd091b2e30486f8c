"""A second opinion on a certificate about the game of 24: every finding, the verdict, the score, the witness and the first
dead character are worked out again by other algorithms (``rewrite``) and compared. What would take too long is
let stand.
"""

from __future__ import annotations

import re
from fractions import Fraction

from rlsf_lightning.records import Certificate, Verdict
from rlsf_lightning.symbolic.verifiers.game24.recheck_mends import blamed, bracket_mends, number_gaps
from rlsf_lightning.symbolic.verifiers.game24.recheck_steps import Replay, Said, replay, steps_live
from rlsf_lightning.symbolic.verifiers.game24.rewrite import (
    BLANKS,
    DividesByZero,
    Numbers,
    Place,
    evaluate,
    expression_lives,
    is_right,
    makes,
)
from rlsf_lightning.symbolic.verifiers.game24.values import reaches_signed

Places = tuple[Place, ...]

#: With more findings the last one sums up the rest; such a certificate is not compared finding by finding.
_MANY = 50


def stands(certificate: Certificate, completion: str, hand: Numbers, target: Fraction, max_chars: int) -> bool:
    """Whether nothing is found against the certificate."""
    text = completion.strip()
    offset = completion.find(text) if text else 0
    if certificate.verdict is Verdict.ABSTAIN:
        return not certificate.findings
    if "solution" not in certificate.witness or not _solution_holds(certificate.witness["solution"], hand, target):
        return False
    findings = certificate.findings[:_MANY] if len(certificate.findings) == _MANY + 1 else certificate.findings
    said = sorted((f.kind, tuple((s.start - offset, s.end - offset) for s in f.spans)) for f in findings)
    witness = {key: value for key, value in certificate.witness.items() if key != "solution"}
    if not text or len(text) > max_chars:
        alone = certificate.verdict is Verdict.FAIL and said == [("too_long" if text else "empty", ())] and not witness
        return alone and certificate.score == 0.0 and _dies(certificate, completion, hand, target, max_chars)
    steps = replay(text, hand, target) if len(hand) > 1 else Replay([("bad_step", ())], 0.0, [], [])
    if is_right(text, hand, target):
        return certificate.verdict is Verdict.PASS and witness == _expression_witness(text, hand)
    if steps.findings == []:
        return certificate.verdict is Verdict.PASS and _steps_witness_holds(witness, steps, offset)
    if witness.get("form") == "steps":
        if not _steps_witness_holds(witness, steps, offset):
            return False
        if steps.findings is None:
            return True
        agrees = certificate.verdict is Verdict.FAIL and abs(steps.score - certificate.score) < 1e-9
        agrees = agrees and (said == sorted(steps.findings) or len(steps.findings) > _MANY)
    else:
        agrees = certificate.verdict is Verdict.FAIL and _expression_stands(certificate, text, said, hand, target)
        agrees = agrees and witness == _expression_witness(text, hand)
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
    """Whether the witness solves the puzzle; None must mean that nothing does. Of many numbers the verifier's search tells."""
    if solution is None:
        answers = makes(hand, target), makes(hand, -target)
        return not reaches_signed(hand, target) if None in answers else True not in answers
    return (
        isinstance(solution, str) and len(solution) < 200 and "=" not in solution and is_right(solution, hand, target)
    )


def _expression_witness(text: str, hand: Numbers) -> dict[str, object]:
    """All that the witness says of an expression but for a solution."""
    expression, equals, stated = text.partition("=")
    value = None
    try:
        if re.search(r"[^-0-9+*/()= \t\r\n]", text) or bool(equals) != bool(stated.strip(BLANKS)):
            raise ValueError("not an expression")
        value = str(evaluate(expression))
    except DividesByZero:
        pass
    except ValueError:
        return {"form": "expression", "value": None}
    _, used, unused = _numbers_found(expression, hand)
    return {"form": "expression", "value": value, "used": used, "unused": unused}


def _steps_witness_holds(witness: dict[str, object], steps: Replay, offset: int) -> bool:
    """Whether the witness tells the steps as they are, and what is left in any order."""
    left = witness.get("left")
    rows = [
        {"span": [start + offset, end + offset], "value": None if value is None else str(value)}
        for (start, end), value in steps.steps
    ]
    return (
        witness.keys() == {"form", "steps", "left"}
        and (witness["form"], witness["steps"]) == ("steps", rows)
        and isinstance(left, list)
        and sorted(map(str, left)) == sorted(map(str, steps.left))
    )


def _expression_stands(certificate: Certificate, text: str, said: list[Said], hand: Numbers, target: Fraction) -> bool:
    expression, equals, stated = text.partition("=")
    after = stated.strip(BLANKS)
    value, zeros = None, Places()
    try:
        if re.search(r"[^-0-9+*/()= \t\r\n]", text) or bool(equals) != bool(after):
            raise ValueError("not an expression")
        value = evaluate(expression)
    except DividesByZero as error:
        zeros = error.places
    except ValueError:
        mends = bracket_mends(expression, hand, target)
        shown = said == mends if mends else bool(said) and all(_shows(kind, at, text) for kind, at in said)
        return shown and certificate.score == 0.0
    found, used, unused = _numbers_found(expression, hand)
    if found == [("number_unused", ())]:
        found = [("number_unused", number_gaps(expression, used, unused, hand, target))]
    if zeros:
        found.append(("division_by_zero", zeros))
    elif value != target and not found:
        claimed = next((places for kind, places in said if kind == "wrong_value"), ())
        places = blamed(expression, claimed, hand, target)
        if places is None:
            return False
        found.append(("wrong_value", places))
    if value is not None and equals and after != str(target) and (after != str(value) or value == target):
        start = len(expression) + 1 + len(stated) - len(stated.lstrip(BLANKS))
        found.append(("wrong_arithmetic", ((start, start + len(after)),)))
    good = len(hand) - len(unused)
    score = 0.5 * good / max(len(hand), len(used)) + (0.4 if value == target else 0.0)
    return (said == sorted(found) or len(found) > _MANY) and abs(score - certificate.score) < 1e-9


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
