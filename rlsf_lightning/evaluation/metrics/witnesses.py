"""Metrics read from what a certificate's witness holds: facts that are true of a molecule, names that can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rlsf_lightning.evaluation.metrics.base import LEFT_OUT, ItemMetric, same_length
from rlsf_lightning.records import Certificate, Verdict


class FactsHeld(ItemMetric):
    """Share of the stated facts that are true, over all facts of all prompts; nothing is true of what is no molecule.

    ``width`` is 2: facts that hold, facts stated.
    """

    higher_is_better = True

    def update(self, certificates: Sequence[Certificate], facts: Sequence[Mapping[str, Any]]) -> None:
        """One certificate of the verifier ``molecule``, and the facts of its prompt, per item."""
        same_length(certificates=certificates, facts=facts)
        pairs = zip(certificates, facts, strict=True)
        self.add([LEFT_OUT if c.verdict is Verdict.ABSTAIN else (_held(c), float(len(f["facts"]))) for c, f in pairs])


class Readable(ItemMetric):
    """Share of the names that OPSIN reads, right or wrong, among those that it judged."""

    higher_is_better = True

    def update(self, certificates: Sequence[Certificate]) -> None:
        """One certificate of the verifier ``iupac_name`` per item."""
        self.add(
            [LEFT_OUT if c.verdict is Verdict.ABSTAIN else (float("smiles" in c.witness), 1.0) for c in certificates]
        )


class NameMatch(ItemMetric):
    """Share of the predictions that are the known name, letter for letter but for case and blanks around it."""

    higher_is_better = True

    def update(self, predictions: Sequence[str], targets: Sequence[str | None]) -> None:
        """One name each per item; items without a known name are left out."""
        same_length(predictions=predictions, targets=targets)
        pairs = zip(predictions, targets, strict=True)
        self.add([LEFT_OUT if t is None else (float(_plain(p) == _plain(t)), 1.0) for p, t in pairs])


def _held(certificate: Certificate) -> float:
    return float(sum(row["holds"] for row in certificate.witness.get("facts", ())))


def _plain(name: str) -> str:
    return name.strip().casefold()
