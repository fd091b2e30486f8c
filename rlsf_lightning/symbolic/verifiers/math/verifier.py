"""Worked solutions: every equation of literal numbers is recomputed, and the final answer is compared with the reference.

Covered: each wrong step `a op b = c`, at c, at an operator that could be another one, and at an operand with which another
number from the question or from what stands before would make it right; a wrong final answer, at its place;
a missing one. Steps are judged by exact fractions, and only where they certainly say what they seem to (``steps``).
Answers that are plain numbers are compared exactly, all others by math-verify, in a process of its own with limits of time and
memory.

Not covered: algebra, reasoning in words, steps that spread over lines. There is no ``viable``: a chain 5 + 3 = 9 - 1 may set
right what has begun wrongly, and a later answer replaces an earlier one, so that hardly a prefix is dead for certain. What
a step or an answer says wrongly is therefore blamed where it stands.
"""

from __future__ import annotations

import time
from typing import Any

from rlsf_lightning._version import __version__
from rlsf_lightning.errors import ToolFailed, UserError
from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.math import compare
from rlsf_lightning.symbolic.verifiers.math.answer import Answer, find_answer, plain_number, same_number
from rlsf_lightning.symbolic.verifiers.math.compare import Comparer
from rlsf_lightning.symbolic.verifiers.math.recheck import MAX_ANSWER, MAX_EXPLAINED, MAX_FINDINGS, MAX_STEPS, stands
from rlsf_lightning.symbolic.verifiers.math.steps import (
    Step,
    exchangeable,
    exchangeable_operands,
    is_right,
    known_numbers,
    read_steps,
)

#: The kinds that mean "no answer at all".
INVALID_KINDS = frozenset(("empty", "too_long", "missing_answer"))
KINDS = INVALID_KINDS | {"wrong_step", "division_by_zero", "wrong_answer"}
MAX_CHARS = 50_000


class MathVerifier:
    """PASS when the final answer equals the prompt's reference and no step is wrong.

    The reference is an answer (`72`, `\\frac{1}{2}`, `x^2 + 1`) or a solution with a marked one (`#### 72`, `\\boxed{72}`).
    Score: 0.5 for the right answer, and 0.4 times the share of right steps. A failure of math-verify, or a reference that it
    cannot read, is an abstention, unless a step is wrong.

    Args:
        answers: `math-verify` compares whatever is no plain number with that package; `numbers` takes it for wrong unless it
            is spelled like the reference.
        max_chars: longer completions are not read; from 1 to 50000.
        seconds: computing time of one comparison by math-verify, of which there is one a call. By the clock it ends after
            15 s (five times ``seconds`` if that is more), the start of its process included: then the verdict is ABSTAIN.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS

    def __init__(self, *, answers: str = "math-verify", max_chars: int = 8000, seconds: float = 3.0) -> None:
        if answers not in ("math-verify", "numbers"):
            raise ValueError(f"answers={answers}: must be math-verify or numbers")
        if not 0 < max_chars <= MAX_CHARS:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to {MAX_CHARS}")
        if not seconds > 0:
            raise ValueError(f"seconds={seconds}: must be above 0")
        self.answers, self.max_chars = answers, max_chars
        self.tool, self.version = "arithmetic", __version__
        if answers == "math-verify":
            self.tool, self.version = "arithmetic + math-verify", f"{self.version} + {compare.version()}"
        self._comparer = Comparer(seconds)

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError where the prompt has no reference."""
        start = time.perf_counter()
        reference = _reference(prompt)
        fields = self._judge(reference, prompt.text, completion)
        return Certificate(tool=self.tool, version=self.version, seconds=time.perf_counter() - start, **fields)

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether the steps, computed again by another evaluator, and the answer bear a certificate out."""
        reference = _reference(prompt)
        return stands(certificate, prompt.text, completion, reference.text, self.max_chars, self._is_same)

    def _judge(self, reference: Answer, question: str, completion: str) -> dict[str, Any]:
        text, offset = stripped(completion)
        if not text:
            return _failed([Finding("empty", "there is no answer")], 0.0, len(completion), {})
        if len(text) > self.max_chars:
            message = f"{len(text)} characters, more than max_chars={self.max_chars}"
            beyond = text[self.max_chars :]
            dead = offset + self.max_chars + len(beyond) - len(beyond.lstrip())
            return _failed([Finding("too_long", message)], 0.0, dead, {})
        steps = read_steps(completion)
        wrong = [step for step in steps if not step.holds]
        blamed = (_blamed(step, number, question, completion) for number, step in enumerate(wrong))
        findings = [_finding_of(step, places, completion) for step, places in zip(wrong, blamed, strict=True)]
        answer = find_answer(completion)
        witness: dict[str, Any] = {"steps": [_row(step) for step in steps[:MAX_STEPS]], "reference": reference.text}
        share = (len(steps) - len(findings)) / len(steps) if steps else 0.0
        if answer is None:
            may_go_on = not findings and len(text) + len(reference.text) + 6 <= self.max_chars
            missing = Finding("missing_answer", "no final answer: write #### and the answer in a last line")
            return _failed([*findings, missing], 0.4 * share, len(completion) if may_go_on else None, witness)
        witness["answer"] = {"text": answer.text[:MAX_ANSWER], "span": [answer.span.start, answer.span.end]}
        try:
            same = self._is_same(reference.text, answer.text)
        except ToolFailed as error:
            same, witness["error"] = None, str(error)
        witness["answer"]["equal"] = same
        if same is False:
            message = f"the answer is not {reference.text[:100]}"
            findings.append(Finding("wrong_answer", message, (answer.span,)))
        if findings:
            return _failed(findings, 0.4 * share + (0.5 if same else 0.0), None, witness)
        if same is None:
            witness.setdefault("error", f"math-verify cannot read the reference {reference.text[:100]}")
            return {"verdict": Verdict.ABSTAIN, "witness": witness}
        return {"verdict": Verdict.PASS, "score": 1.0, "witness": witness}

    def _is_same(self, reference: str, answer: str) -> bool | None:
        """Whether both are the same; None: the reference cannot be read. Raises ToolFailed."""
        if " ".join(reference.split()) == " ".join(answer.split()):
            return True
        if len(answer) > MAX_ANSWER:
            return False
        ours, theirs = plain_number(answer), plain_number(reference)
        if ours is not None and theirs is not None:
            return same_number(ours, theirs)
        return self._comparer.same(reference, answer) if self.answers == "math-verify" else False


def _reference(prompt: Prompt) -> Answer:
    """The answer in the reference. Raises UserError."""
    text = prompt.reference
    if not isinstance(text, str) or not text.strip():
        raise UserError(
            f'math needs the right answer of each prompt as its `reference`, which is {text!r}; write "reference": "72"'
        )
    found = find_answer(text) if "####" in text or "boxed" in text or "\n" in text.strip() else None
    return found or Answer(text.strip(), Span(0, len(text)))


def _blamed(step: Step, number: int, question: str, text: str) -> list[Span]:
    """Where a wrong step is wrong: at its result, and wherever one change of its left side would do."""
    tokens = exchangeable(step)
    if number < MAX_EXPLAINED:
        tokens += exchangeable_operands(step, known_numbers(question, text, step.left.start), is_right)
    return sorted([*(Span(token.start, token.end) for token in tokens), Span(step.right.start, step.right.end)])


def _finding_of(step: Step, blamed: list[Span], text: str) -> Finding:
    left, right = text[step.left.start : step.left.end], text[step.right.start : step.right.end]
    if step.left_value is None or step.right_value is None:
        side = step.left if step.left_value is None else step.right
        return Finding("division_by_zero", "a division by 0", (Span(side.start, side.end),))
    message = f"{left[:60]} is {str(step.left_value)[:60]}, not {right[:60]}"
    return Finding("wrong_step", message, tuple(blamed))


def _row(step: Step) -> dict[str, Any]:
    values = [None if value is None else str(value)[:200] for value in (step.left_value, step.right_value)]
    return {"span": [step.left.start, step.right.end], "values": values, "holds": step.holds}


def _failed(findings: list[Finding], score: float, dead_from: int | None, witness: dict[str, Any]) -> dict[str, Any]:
    if len(findings) > MAX_FINDINGS:
        rest = Finding(findings[MAX_FINDINGS].kind, f"and {len(findings) - MAX_FINDINGS} more findings")
        findings = [*findings[:MAX_FINDINGS], rest]
    return {
        "verdict": Verdict.FAIL,
        "findings": tuple(findings),
        "score": score,
        "dead_from": dead_from,
        "witness": witness,
    }
