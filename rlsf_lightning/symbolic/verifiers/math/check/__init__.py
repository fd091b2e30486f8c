"""Checks a solution: the two sides of every step are compared, and the final answer with the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.verifiers.math.check.answers import MAX_ANSWER, Same
from rlsf_lightning.symbolic.verifiers.math.check.steps import Step, check_steps
from rlsf_lightning.symbolic.verifiers.math.parse import Solution
from rlsf_lightning.symbolic.verifiers.math.parse.answer import Answer
from rlsf_lightning.symbolic.verifiers.math.task import Task

#: No more steps are in the witness.
MAX_STEPS = 200
#: Characters of the reference in a message.
_SHOWN = 100


@dataclass(frozen=True)
class Checked:
    """A solution, compared with its task."""

    reference: str
    steps: list[Step]
    answer: Answer | None
    #: Whether the answer is the reference. None: there is none, the reference cannot be read, or the tool failed.
    is_equal: bool | None = None
    failure: str | None = None

    @property
    def wrong_steps(self) -> list[Step]:
        return [step for step in self.steps if not step.holds]

    @property
    def score(self) -> float:
        """Of a wrong solution: half for the right answer, and 0.4 times the share of right steps."""
        share = (len(self.steps) - len(self.wrong_steps)) / len(self.steps) if self.steps else 0.0
        return 0.4 * share + (0.5 if self.is_equal else 0.0)

    @property
    def answer_findings(self) -> list[Finding]:
        """At most one."""
        if self.answer is None:
            return [Finding("missing_answer", "no final answer: write #### and the answer in a last line")]
        if self.is_equal is False:
            return [Finding("wrong_answer", f"the answer is not {self.reference[:_SHOWN]}", (self.answer.span,))]
        return []

    @property
    def witness(self) -> dict[str, Any]:
        """Every step with the values of its sides, and what the answer was compared with."""
        witness: dict[str, Any] = {
            "steps": [_row(step) for step in self.steps[:MAX_STEPS]],
            "reference": self.reference,
        }
        if self.answer is not None:
            text, span, _ = self.answer
            witness["answer"] = {"text": text[:MAX_ANSWER], "span": [span.start, span.end], "equal": self.is_equal}
        if self.failure is not None:
            witness["error"] = self.failure
        return witness

    @property
    def undecided(self) -> str | None:
        """Why it is not known whether the answer is right; None where it is known."""
        if self.answer is None or self.is_equal is not None:
            return None
        return self.failure or f"math-verify cannot read the reference {self.reference[:_SHOWN]}"


def check(solution: Solution, task: Task, is_same: Same) -> Checked:
    """The steps and the answer of a solution; ``is_same`` compares two answers."""
    steps, answer = check_steps(solution.equations), solution.answer
    if answer is None:
        return Checked(task.reference, steps, answer)
    try:
        return Checked(task.reference, steps, answer, is_same(task.reference, answer.written))
    except ToolFailed as failure:
        return Checked(task.reference, steps, answer, failure=str(failure))


def _row(step: Step) -> dict[str, Any]:
    values = [None if value is None else str(value)[:200] for value in (step.left_value, step.right_value)]
    return {"span": [step.equation.start, step.equation.end], "values": values, "holds": step.holds}
