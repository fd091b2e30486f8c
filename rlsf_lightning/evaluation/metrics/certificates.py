"""Metrics that any verifier has: pass rate or exact match, graded score, abstentions.

An abstention is the tool's failure, so it counts neither for nor against the policy: it leaves the other rates and
shows in ``AbstainRate``. An unfinished completion (cut at the length limit) is never a success, whatever the tool said.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlsf_lightning.evaluation.metrics.base import LEFT_OUT, ItemMetric, same_length
from rlsf_lightning.records import Certificate, Verdict


def succeeds(certificate: Certificate, is_finished: bool) -> bool | None:
    """Whether this completion is a success; None where only the tool's failure keeps us from knowing."""
    if not is_finished:
        return False
    return None if certificate.verdict is Verdict.ABSTAIN else certificate.verdict is Verdict.PASS


class PassRate(ItemMetric):
    """Share of finished completions with the verdict PASS, among those that the tool judged."""

    higher_is_better = True

    def update(self, certificates: Sequence[Certificate], is_finished: Sequence[bool]) -> None:
        """One certificate per item, and whether the completion ended by itself."""
        same_length(certificates=certificates, is_finished=is_finished)
        self.add([_row(succeeds(c, f)) for c, f in zip(certificates, is_finished, strict=True)])


class ExactMatch(ItemMetric):
    """``PassRate`` over the items that have a reference, for verifiers that pass exactly what equals it."""

    higher_is_better = True

    def update(
        self, certificates: Sequence[Certificate], is_finished: Sequence[bool], references: Sequence[str | None]
    ) -> None:
        """As for ``PassRate``; items whose reference is None are left out."""
        same_length(certificates=certificates, is_finished=is_finished, references=references)
        items = zip(certificates, is_finished, references, strict=True)
        self.add([LEFT_OUT if r is None else _row(succeeds(c, f)) for c, f, r in items])


class MeanScore(ItemMetric):
    """Mean graded score in [0, 1] of the completions that the tool judged, finished or not."""

    higher_is_better = True

    def update(self, certificates: Sequence[Certificate]) -> None:
        """One certificate per item."""
        self.add([LEFT_OUT if c.verdict is Verdict.ABSTAIN else (c.score, 1.0) for c in certificates])


class AbstainRate(ItemMetric):
    """Share of the completions that the tool could not judge."""

    higher_is_better = False

    def update(self, certificates: Sequence[Certificate]) -> None:
        """One certificate per item."""
        self.add([(float(c.verdict is Verdict.ABSTAIN), 1.0) for c in certificates])


class FinishedRate(ItemMetric):
    """Share of the completions that ended by themselves, within the length limit."""

    higher_is_better = True

    def update(self, is_finished: Sequence[bool]) -> None:
        """One flag per item."""
        self.add([(float(f), 1.0) for f in is_finished])


def _row(success: bool | None) -> tuple[float, float]:
    return LEFT_OUT if success is None else (float(success), 1.0)
