"""torchmetrics of a policy's completions, and the one registry of which of them a task is reported with.

Every metric reduces over ranks and keeps its numbers per item, for intervals. No policy, no generation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rlsf_lightning.errors import UserError
from rlsf_lightning.evaluation.metrics.base import ItemMetric
from rlsf_lightning.evaluation.metrics.certificates import (
    AbstainRate,
    ExactMatch,
    FinishedRate,
    MeanScore,
    PassRate,
)
from rlsf_lightning.evaluation.metrics.molecules import (
    MACCSTanimoto,
    MorganTanimoto,
    RDKTanimoto,
    Validity,
)
from rlsf_lightning.evaluation.metrics.pass_at_k import PassAtK, pass_at_k
from rlsf_lightning.evaluation.metrics.strings import Bleu, Length, Levenshtein

__all__ = [
    "SUITES",
    "ItemMetric",
    "PassAtK",
    "Suite",
    "pass_at_k",
    "suite_for",
]


@dataclass(frozen=True)
class Suite:
    """The metrics of one kind of task, by the names under which they are reported."""

    #: Of one greedy completion per prompt.
    greedy: Mapping[str, type[ItemMetric]]
    #: Which of them is success: reported of samples too, as pass@1 (``sampled_<success>``) and pass@k.
    success: str
    #: Which others are reported of samples too, as ``sampled_<name>``: cheap ones only.
    sampled: tuple[str, ...] = ()


_ANY_TASK: Mapping[str, type[ItemMetric]] = {
    "score": MeanScore,
    "length": Length,
    "finished": FinishedRate,
    "abstained": AbstainRate,
}

SUITES: Mapping[str, Suite] = {
    "generic": Suite({"pass_rate": PassRate, **_ANY_TASK}, success="pass_rate"),
    "molecules": Suite(
        {
            "exact_match": ExactMatch,
            "validity": Validity,
            "morgan_tanimoto": MorganTanimoto,
            "maccs_tanimoto": MACCSTanimoto,
            "rdk_tanimoto": RDKTanimoto,
            "bleu": Bleu,
            "levenshtein": Levenshtein,
            **_ANY_TASK,
        },
        success="exact_match",
        sampled=("validity",),
    ),
    "described_molecules": Suite(
        {"pass_rate": PassRate, "validity": Validity, **_ANY_TASK}, success="pass_rate", sampled=("validity",)
    ),
}
#: The suite of each verifier (the module that defines it) whose suite is not "generic".
SUITE_OF_VERIFIER: Mapping[str, str] = {
    "rlsf_lightning.symbolic.verifiers.smiles.verifier": "molecules",
    "rlsf_lightning.symbolic.verifiers.molecule.verifier": "described_molecules",
}


def suite_for(verifier_class: type, name: str | None = None) -> Suite:
    """The suite called ``name``, else the one that suits the verifier. UserError for an unknown name."""
    if name is None:
        suiting = (SUITE_OF_VERIFIER.get(base.__module__) for base in verifier_class.__mro__)
        name = next((suite for suite in suiting if suite is not None), "generic")
    if name not in SUITES:
        known = ", ".join(SUITES)
        raise UserError(f"no suite of metrics is called `{name}`; set evaluation.metrics to one of {known}")
    return SUITES[name]
