"""Metrics that say of what a completion is free: of findings of certain kinds, and of wrong steps.

As for the pass rate, an abstention does not count, and what was cut at the length limit is never right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rlsf_lightning.evaluation.metrics.base import LEFT_OUT, ItemMetric, same_length
from rlsf_lightning.records import Certificate, Verdict

#: Findings about a step of ``game24`` itself; that nothing leads on from it is another matter.
_WRONG_STEP = frozenset("number_not_available division_by_zero wrong_arithmetic wrong_remainder".split())
_NO_STEP = frozenset("bad_step bad_character".split())


class FreeOf(ItemMetric):
    """Share of the finished completions without a finding of ``spoiling``, among those that the tool judged."""

    higher_is_better = True
    #: Kinds of findings.
    spoiling: ClassVar[frozenset[str]]

    def update(self, certificates: Sequence[Certificate], is_finished: Sequence[bool]) -> None:
        """One certificate per item, and whether the completion ended by itself."""
        same_length(certificates=certificates, is_finished=is_finished)
        self.add([self._row(c, f) for c, f in zip(certificates, is_finished, strict=True)])

    def _row(self, certificate: Certificate, is_finished: bool) -> tuple[float, float]:
        if certificate.verdict is Verdict.ABSTAIN:
            return LEFT_OUT if is_finished else (0.0, 1.0)
        spoilt = any(finding.kind in self.spoiling for finding in certificate.findings)
        return float(is_finished and not spoilt), 1.0


class LegalMoves(FreeOf):
    """Of ``game24``: answers that use every number once and nothing else, whatever they make of them."""

    spoiling = frozenset(
        "empty too_long bad_character missing_operand missing_operator unclosed_bracket extra_bracket bad_step "
        "number_not_available number_unused division_by_zero".split()
    )


class AnswerAccuracy(FreeOf):
    """Of ``math``: solutions whose final answer is right, whatever their steps."""

    spoiling = frozenset("empty too_long missing_answer wrong_answer".split())


class ValidQueries(FreeOf):
    """Of ``sql``: queries that run, whatever rows they give."""

    spoiling = frozenset(
        "ambiguous_column bad_character empty forbidden invalid_query misuse runtime_error syntax too_complex too_costly "
        "too_large too_long unclosed unexpected_end unknown_column unknown_function unknown_table wrong_arguments".split()
    )


class CompAcc(FreeOf):
    """Of ``cpp``: programs that compile, whatever they print."""

    spoiling = frozenset(
        "call compile empty header link redeclared syntax template too_long type unbalanced undeclared".split()
    )


class StepsRight(ItemMetric):
    """Of ``math``: share of the equations that hold, over all completions; those without an equation add nothing."""

    higher_is_better = True

    def update(self, certificates: Sequence[Certificate]) -> None:
        """One certificate per item."""
        rows = [[bool(step["holds"]) for step in c.witness.get("steps", ())] for c in certificates]
        self.add([(float(sum(holds)), float(len(holds))) for holds in rows])


class StepValidity(ItemMetric):
    """Of ``game24``: share of the lines that are right steps, over all answers that are lists of steps.

    A step is right when its numbers were left, its arithmetic holds, and what it says is left is. It may lead nowhere.
    """

    higher_is_better = True

    def update(self, certificates: Sequence[Certificate]) -> None:
        """One certificate per item."""
        self.add([_steps(certificate) for certificate in certificates])


def _steps(certificate: Certificate) -> tuple[float, float]:
    if "steps" not in certificate.witness:
        return LEFT_OUT
    steps = [tuple(step["span"]) for step in certificate.witness["steps"]]
    wrong = {
        span
        for span in steps
        for finding in certificate.findings
        if finding.kind in _WRONG_STEP and any(span[0] <= place.start < span[1] for place in finding.spans)
    }
    unread = sum(finding.kind in _NO_STEP for finding in certificate.findings)
    return float(len(steps) - len(wrong)), float(len(steps) + unread)
