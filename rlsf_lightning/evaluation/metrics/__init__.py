"""Metrics of a policy's completions (torchmetrics), and the suites of them that a task is reported with.

Every metric reduces over ranks and keeps its numbers per item, for intervals. No policy, no generation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rlsf_lightning.config.extension_points import METRICS
from rlsf_lightning.config.plugins import resolve
from rlsf_lightning.evaluation.metrics.base import ItemMetric
from rlsf_lightning.evaluation.metrics.certificates import (
    AbstainRate,
    ExactMatch,
    FinishedRate,
    MeanScore,
    PassRate,
)
from rlsf_lightning.evaluation.metrics.documents import FieldF1, SchemaValid
from rlsf_lightning.evaluation.metrics.findings import (
    AnswerAccuracy,
    CompAcc,
    LegalMoves,
    StepsRight,
    StepValidity,
    ValidQueries,
)
from rlsf_lightning.evaluation.metrics.molecules import (
    MACCSTanimoto,
    MorganTanimoto,
    RDKTanimoto,
    Validity,
)
from rlsf_lightning.evaluation.metrics.pass_at_k import PassAtK, pass_at_k
from rlsf_lightning.evaluation.metrics.reactions import AllValid, Distinct, MaxFrag, SameMolecules, Top3, Top5, TopK
from rlsf_lightning.evaluation.metrics.strings import Bleu, Length, Levenshtein, WordBleu
from rlsf_lightning.evaluation.metrics.witnesses import FactsHeld, NameMatch, Readable

__all__ = [
    "DESCRIBED_MOLECULES",
    "DOCUMENTS",
    "GAME24",
    "GENERIC",
    "MATH",
    "MOLECULES",
    "NAMES",
    "PRODUCTS",
    "PROGRAMS",
    "REACTANTS",
    "SQL",
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
    #: Of all samples of a prompt together, as top-k accuracy is.
    grouped: Mapping[str, type[ItemMetric]] = field(default_factory=dict)


_ANY_TASK: Mapping[str, type[ItemMetric]] = {
    "score": MeanScore,
    "length": Length,
    "finished": FinishedRate,
    "abstained": AbstainRate,
}

GENERIC = Suite({"pass_rate": PassRate, **_ANY_TASK}, success="pass_rate")
_SIMILARITIES: Mapping[str, type[ItemMetric]] = {
    "morgan_tanimoto": MorganTanimoto,
    "maccs_tanimoto": MACCSTanimoto,
    "rdk_tanimoto": RDKTanimoto,
}
_TOP_K: Mapping[str, type[ItemMetric]] = {"top_1": TopK, "top_3": Top3, "top_5": Top5}

MOLECULES = Suite(
    {
        "exact_match": ExactMatch,
        "validity": Validity,
        **_SIMILARITIES,
        "bleu": Bleu,
        "levenshtein": Levenshtein,
        **_ANY_TASK,
    },
    success="exact_match",
    sampled=("validity",),
)
DESCRIBED_MOLECULES = Suite(
    {
        "pass_rate": PassRate,
        "facts_held": FactsHeld,
        "validity": Validity,
        "exact_match": SameMolecules,
        **_SIMILARITIES,
        **_ANY_TASK,
    },
    success="pass_rate",
    sampled=("facts_held", "validity"),
    grouped={"distinct": Distinct},
)
NAMES = Suite(
    {"exact_match": ExactMatch, "readable": Readable, "name_match": NameMatch, **_ANY_TASK},
    success="exact_match",
    sampled=("readable",),
)
PRODUCTS = Suite(
    {"exact_match": ExactMatch, "validity": Validity, **_SIMILARITIES, **_ANY_TASK},
    success="exact_match",
    sampled=("validity",),
    grouped=_TOP_K,
)
REACTANTS = Suite(
    {"round_trip": PassRate, "exact_match": SameMolecules, "max_frag": MaxFrag, "validity": AllValid, **_ANY_TASK},
    success="round_trip",
    sampled=("exact_match", "validity"),
    grouped=_TOP_K,
)
DOCUMENTS = Suite(
    {"exact_match": ExactMatch, "schema_valid": SchemaValid, "field_f1": FieldF1, **_ANY_TASK},
    success="exact_match",
    sampled=("schema_valid", "field_f1"),
)
GAME24 = Suite(
    {"success": PassRate, "legal": LegalMoves, "step_validity": StepValidity, **_ANY_TASK},
    success="success",
    sampled=("legal",),
)
MATH = Suite(
    {"pass_rate": PassRate, "answer_accuracy": AnswerAccuracy, "steps_right": StepsRight, **_ANY_TASK},
    success="pass_rate",
    sampled=("answer_accuracy", "steps_right"),
)
PROGRAMS = Suite(
    {"fcorr_acc": PassRate, "comp_acc": CompAcc, "bleu": WordBleu, **_ANY_TASK},
    success="fcorr_acc",
    sampled=("comp_acc",),
)
SQL = Suite(
    {"execution_accuracy": PassRate, "valid_queries": ValidQueries, **_ANY_TASK},
    success="execution_accuracy",
    sampled=("valid_queries",),
)


def suite_for(verifier_class: type, name: str | None = None) -> Suite:
    """The suite that ``evaluation.metrics`` names, else the verifier's own: its class attribute ``metrics``.

    ``metrics`` is a Suite, or the name of one. UserError: there is none of that name.
    """
    chosen = getattr(verifier_class, "metrics", "generic") if name is None else name
    suite: Suite = resolve(METRICS, chosen) if isinstance(chosen, str) else chosen
    return suite
