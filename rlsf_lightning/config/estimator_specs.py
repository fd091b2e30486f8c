"""The names that a recipe's ``algorithm`` block chooses from, each explained in a line. What they do stands in ``rl/``.

No torch: help and checks are printed from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LossMean = Literal["token", "sequence", "constant"]


@dataclass(frozen=True)
class Advantage:
    """An advantage estimator as the rest of the framework must know it."""

    summary: str
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


#: ``algorithm.advantage``.
ADVANTAGES: Mapping[str, Advantage] = {
    "prefix_tree": Advantage(
        "first dead token, with a baseline for every prefix that a prompt's samples share; no critic", needs_group=True
    ),
    "viable_prefix": Advantage(
        "first dead token, with the success rate of a prompt's other samples as baseline; no critic", needs_group=True
    ),
    "rloo": Advantage(
        "reward-to-go less that of a prompt's other samples at the same token; no critic", needs_group=True
    ),
    "grpo": Advantage(
        "reward-to-go less the group's mean at the same token, over the group's standard deviation; no critic",
        needs_group=True,
        loss_mean="sequence",
    ),
    "dr_grpo": Advantage(
        "as grpo, without the division and with a loss mean that does not depend on lengths; no critic",
        needs_group=True,
        loss_mean="constant",
    ),
    "reward_to_go": Advantage("discounted sum of the rewards from each token on, without a baseline; no critic"),
    "reinforce_pp": Advantage("REINFORCE++: reward-to-go, normalised over the tokens of the whole batch; no critic"),
    "vine": Advantage(
        "VinePPO: values of steps by rollouts from their prefixes, one advantage a step; no critic, much sampling",
        needs_rollouts=True,
    ),
    "gae": Advantage("generalised advantage estimation with a value head", needs_values=True),
    "etpo": Advantage(
        "soft Bellman backup for each token with a value head; the KL to the reference (kl.beta) is in the values",
        needs_values=True,
        folds_kl=True,
        kl_beta=0.05,
    ),
}


def described() -> str:
    """The estimators, one a line."""
    width = max(map(len, ADVANTAGES))
    return "\n".join(f"  {name:<{width}}  {advantage.summary}" for name, advantage in ADVANTAGES.items())
