"""Second opinion on a certificate, by independent algorithms.

Independent of ``verify``: every finding, the verdict, the score, the witness and the first dead character are worked out again
by another reader, another evaluator and another search (``rewrite``), and compared. Not independent: how a value of a step may
be spelled, and whether a hand of more than four numbers has a solution. What would take too long is let stand; messages
are not looked at.
"""

from __future__ import annotations

from rlsf_lightning.records import Certificate, Verdict
from rlsf_lightning.symbolic.certificates import MAX_FINDINGS
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.game24.recheck.expression import expression_stands, expression_witness
from rlsf_lightning.symbolic.verifiers.game24.recheck.rewrite import (
    BLANKS,
    Said,
    expression_lives,
    is_right,
    makes,
)
from rlsf_lightning.symbolic.verifiers.game24.recheck.steps import Replay, replay, steps_live
from rlsf_lightning.symbolic.verifiers.game24.task import Task


def stands(certificate: Certificate, task: Task, completion: str, max_chars: int) -> bool:
    """Whether nothing is found against the certificate."""
    text, offset = stripped(completion)
    if certificate.verdict is Verdict.ABSTAIN:
        return not certificate.findings
    if "solution" not in certificate.witness or not _solution_holds(certificate.witness["solution"], task):
        return False
    said = _said(certificate, offset)
    witness = {key: value for key, value in certificate.witness.items() if key != "solution"}
    if not text or len(text) > max_chars:
        expected = [("too_long", ((max_chars, len(text)),))] if text else [("empty", ())]
        alone = certificate.verdict is Verdict.FAIL and said == expected and not witness
        return alone and certificate.score == 0.0 and _dies(certificate, completion, task, max_chars)
    steps = replay(text, task)
    if is_right(text, task.hand, task.target):
        return certificate.verdict is Verdict.PASS and witness == expression_witness(text, task)
    if steps.findings == []:
        return certificate.verdict is Verdict.PASS and _steps_witness_holds(witness, steps, offset)
    if witness.get("form") == "steps":
        if not _steps_witness_holds(witness, steps, offset):
            return False
        if steps.findings is None:
            return True
        agrees = certificate.verdict is Verdict.FAIL and abs(steps.score - certificate.score) < 1e-9
        agrees = agrees and (said == sorted(steps.findings) or len(steps.findings) > MAX_FINDINGS)
    else:
        agrees = certificate.verdict is Verdict.FAIL and expression_stands(certificate, text, said, task)
        agrees = agrees and witness == expression_witness(text, task)
    return agrees and _dies(certificate, completion, task, max_chars)


def lives(prefix: str, task: Task, max_chars: int) -> bool | None:
    """Whether some continuation passes. None: cannot tell."""
    text = prefix.lstrip()
    core = text.rstrip()
    if len(core) > max_chars:
        return False
    if text[len(core) :].strip(BLANKS):
        return None
    if len(task.hand) > 1 and steps_live(text, task):
        return True
    return expression_lives(text, task.hand, task.target)


def _said(certificate: Certificate, offset: int) -> list[Said]:
    """What the certificate says, of the text that begins at ``offset``; without a last finding that sums up the rest."""
    many = len(certificate.findings) == MAX_FINDINGS + 1
    findings = certificate.findings[:MAX_FINDINGS] if many else certificate.findings
    return sorted((f.kind, tuple((s.start - offset, s.end - offset) for s in f.spans)) for f in findings)


def _dies(certificate: Certificate, completion: str, task: Task, max_chars: int) -> bool:
    """Whether what stands before the first dead character is alive, and dead with it."""
    at = certificate.dead_from
    can_be_made = _can_be_made(task)
    if at is None or can_be_made is False:
        return at is None and not can_be_made
    if not 0 <= at <= len(completion) or lives(completion[:at], task, max_chars) is False:
        return False
    return at == len(completion) or lives(completion[: at + 1], task, max_chars) is not True


def _solution_holds(solution: object, task: Task) -> bool:
    """Whether the witness solves the puzzle; None must mean that nothing does. Of many numbers the verifier's search tells."""
    if solution is None:
        can_be_made = _can_be_made(task)
        return not (task.has_solution if can_be_made is None else can_be_made)
    if not isinstance(solution, str) or len(solution) >= 200 or "=" in solution:
        return False
    return is_right(solution, task.hand, task.target)


def _can_be_made(task: Task) -> bool | None:
    """Whether joining the numbers leaves the target or, under a sign, its negative. None: too many to try."""
    answers = makes(task.hand, task.target), makes(task.hand, -task.target)
    return True if True in answers else None if None in answers else False


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
