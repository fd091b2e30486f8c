"""The registry of advantage estimators: for each the function, a line about it, and what it needs of the framework.

The functions stand in ``rl/estimators.py``; they are named here and not imported, as help and checks load no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from rlsf_lightning.config.extension_points import takes
from rlsf_lightning.config.plugins import Entry, Kind, resolve

LossMean = Literal["token", "sequence", "constant"]
F = TypeVar("F", bound=Callable[..., Any])

_SPEC = "estimator_spec"


@dataclass(frozen=True)
class EstimatorSpec:
    """An advantage estimator as the rest of the framework must know it."""

    summary: str = "an estimator of the user's own"
    #: Reads the critic's values: a value head is built.
    needs_values: bool = False
    #: Compares the samples of a prompt: with one sample a prompt all advantages are 0.
    needs_group: bool = False
    #: Reads the values of steps, from completions that are sampled from within completions.
    needs_rollouts: bool = False
    #: Has the KL to the reference inside its values: it is no reward beside them.
    folds_kl: bool = False
    #: ``algorithm.kl.beta`` where a recipe leaves it null.
    kl_beta: float = 0.0
    #: What its paper averages the loss over.
    loss_mean: LossMean = "token"
    #: ``package.module:function``; of those that ship, where it is not NAME_estimator of ``rl/estimators.py``.
    function: str = ""


#: ``algorithm.advantage``.
ESTIMATORS: Mapping[str, EstimatorSpec] = {
    "prefix_tree": EstimatorSpec(
        "first dead token, with a baseline for every prefix that a prompt's samples share; no critic", needs_group=True
    ),
    "viable_prefix": EstimatorSpec(
        "first dead token, with the success rate of a prompt's other samples as baseline; no critic", needs_group=True
    ),
    "rloo": EstimatorSpec(
        "reward-to-go less that of a prompt's other samples at the same token; no critic", needs_group=True
    ),
    "grpo": EstimatorSpec(
        "reward-to-go less the group's mean at the same token, over the group's standard deviation; no critic",
        needs_group=True,
        loss_mean="sequence",
    ),
    "dr_grpo": EstimatorSpec(
        "as grpo, without the division and with a loss mean that does not depend on lengths; no critic",
        needs_group=True,
        loss_mean="constant",
    ),
    "reward_to_go": EstimatorSpec("discounted sum of the rewards from each token on, without a baseline; no critic"),
    "reinforce_pp": EstimatorSpec(
        "REINFORCE++: reward-to-go, normalised over the tokens of the whole batch; no critic"
    ),
    "vine": EstimatorSpec(
        "VinePPO: values of steps by rollouts from their prefixes, one advantage a step; no critic, much sampling",
        needs_rollouts=True,
    ),
    "gae": EstimatorSpec("generalised advantage estimation with a value head", needs_values=True),
    "etpo": EstimatorSpec(
        "soft Bellman backup for each token with a value head; the KL to the reference (kl.beta) is in the values",
        needs_values=True,
        folds_kl=True,
        kl_beta=0.05,
    ),
}


ADVANTAGE = Kind(
    "algorithm.advantage",
    "advantage estimator",
    lambda: {
        name: Entry(spec.function or f"rlsf_lightning.rl.estimators:{name}_estimator", spec.summary)
        for name, spec in ESTIMATORS.items()
    },
    wants="a function (inputs, settings) -> (advantages_BT, returns_BT)",
    accepts=takes(2),
)


def estimator(
    *,
    summary: str = EstimatorSpec.summary,
    needs_values: bool = False,
    needs_group: bool = False,
    needs_rollouts: bool = False,
    folds_kl: bool = False,
    kl_beta: float = 0.0,
    loss_mean: LossMean = "token",
) -> Callable[[F], F]:
    """Decorator of an estimator outside the package: the function carries its own spec (see ``EstimatorSpec``)."""
    spec = EstimatorSpec(summary, needs_values, needs_group, needs_rollouts, folds_kl, kl_beta, loss_mean)

    def with_spec(function: F) -> F:
        setattr(function, _SPEC, spec)
        return function

    return with_spec


def find_estimator(reference: str) -> tuple[Callable[..., Any], EstimatorSpec]:
    """The estimator that ``algorithm.advantage`` names, with its spec. UserError: there is none."""
    function = resolve(ADVANTAGE, reference)
    own: EstimatorSpec = getattr(function, _SPEC, EstimatorSpec())
    return function, ESTIMATORS.get(reference, own)
