"""Second opinion on a certificate, by independent algorithms.

Independent of ``verify``: every finding, the verdict, the score, the witness and the first dead character are worked out again
by another reader, another evaluator and another search (``rewrite``), and compared. Not independent: how other
notations are made plain, how a value of a step may be spelled, and whether a hand of more than four numbers has a solution.
What would take too long is let stand; messages are not looked at.
"""

from __future__ import annotations

from collections import Counter

from rlsf_lightning.records import Certificate, Verdict
from rlsf_lightning.symbolic.certificates import MAX_FINDINGS
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.game24.parse.notation import (
    BLANKS,
    Announced,
    announced,
    before_announcement,
    plain,
    plain_beginnings,
    without_stop,
)
from rlsf_lightning.symbolic.verifiers.game24.recheck.expression import expression_score, expression_witness
from rlsf_lightning.symbolic.verifiers.game24.recheck.rewrite import (
    Said,
    expression_lives,
    is_right,
    makes,
)
from rlsf_lightning.symbolic.verifiers.game24.recheck.steps import Replay, replay, steps_end, steps_live
from rlsf_lightning.symbolic.verifiers.game24.task import Task

Witness = dict[str, object]


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
    text = plain(text)
    parts = announced(text) or Announced("", text, 0)
    if parts.before.strip():
        agrees = _both_stand(certificate, parts, said, witness, task, offset)
    elif parts.start:
        agrees = _expression_stands(certificate, parts, said, witness, task)
    else:
        agrees = _either_stands(certificate, parts, said, witness, task, offset)
    return agrees and (certificate.verdict is Verdict.PASS or _dies(certificate, completion, task, max_chars))


def _either_stands(
    certificate: Certificate, parts: Announced, said: list[Said], witness: Witness, task: Task, offset: int
) -> bool:
    """Of an answer that may be an expression or steps."""
    steps = replay(parts.answer, task)
    if is_right(without_stop(parts.answer), task.hand, task.target):
        return _expression_stands(certificate, parts, said, witness, task)
    if steps.findings == []:
        return certificate.verdict is Verdict.PASS and _steps_witness_holds(witness, steps, offset)
    if witness.get("form") != "steps":
        return _expression_stands(certificate, parts, said, witness, task)
    if not _steps_witness_holds(witness, steps, offset):
        return False
    if steps.findings is None:
        return True
    agrees = certificate.verdict is Verdict.FAIL and abs(steps.score - certificate.score) < 1e-9
    return agrees and (said == sorted(steps.findings) or len(steps.findings) > MAX_FINDINGS)


def _expression_stands(
    certificate: Certificate, parts: Announced, said: list[Said], witness: Witness, task: Task
) -> bool:
    """Of an answer that is an expression."""
    text = without_stop(parts.answer)
    if witness != expression_witness(text, task):
        return False
    if is_right(text, task.hand, task.target):
        return certificate.verdict is Verdict.PASS
    score = expression_score(text, _moved(said, -parts.start), task)
    return certificate.verdict is Verdict.FAIL and score is not None and abs(score - certificate.score) < 1e-9


def _both_stand(
    certificate: Certificate, parts: Announced, said: list[Said], witness: Witness, task: Task, offset: int
) -> bool:
    """Of steps and the answer announced after them: what is said of the steps, and of the answer the rest."""
    steps, text = replay(parts.before, task), without_stop(parts.answer)
    own = {key: value for key, value in witness.items() if key != "answer"}
    if not _steps_witness_holds(own, steps, offset) or witness.get("answer") != expression_witness(text, task):
        return False
    if steps.findings is None or len(certificate.findings) > MAX_FINDINGS:
        return True
    of_steps, rest = Counter(steps.findings), Counter(said)
    if of_steps - rest:
        return False
    rest -= of_steps
    scores = [steps.score] if steps.findings else []
    if not is_right(text, task.hand, task.target):
        score = expression_score(text, _moved(sorted(rest.elements()), -parts.start), task)
        if score is None:
            return False
        scores.append(score)
    elif rest:
        return False
    if not scores:
        return certificate.verdict is Verdict.PASS
    return certificate.verdict is Verdict.FAIL and abs(min(scores) - certificate.score) < 1e-9


def _moved(said: list[Said], by: int) -> list[Said]:
    return [(kind, tuple((start + by, end + by) for start, end in places)) for kind, places in said]


def lives(prefix: str, task: Task, max_chars: int) -> bool | None:
    """Whether some continuation passes. None: cannot tell."""
    text = prefix.lstrip()
    core = text.rstrip()
    if len(core) > max_chars:
        return False
    if text[len(core) :].strip(BLANKS):
        return None
    if core.endswith(".") and _is_right_answer(plain(core), task):
        return True
    answers = {_lives(beginning, task) for beginning in plain_beginnings(text)}
    return True if True in answers else None if None in answers else False


def _is_right_answer(text: str, task: Task) -> bool:
    """Whether a plain text is right in one of the forms."""
    parts = announced(text) or Announced("", text, 0)
    is_whole = is_right(without_stop(parts.answer), task.hand, task.target)
    if parts.start:
        return is_whole and (not parts.before.strip() or replay(parts.before, task).findings == [])
    return is_whole or (len(task.hand) > 1 and replay(text, task).findings == [])


def _lives(text: str, task: Task) -> bool | None:
    """The same of a plain text without white space before it."""
    parts = announced(text)
    if parts is not None:
        if parts.before.strip() and not steps_end(parts.before, task):
            return False
        return expression_lives(parts.answer.lstrip(BLANKS), task.hand, task.target)
    before = before_announcement(text)
    if before is not None and (steps_end(before, task) if before.strip() else _can_be_made(task) is not False):
        return True
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


def _steps_witness_holds(witness: Witness, steps: Replay, offset: int) -> bool:
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
