"""The rollout as an advantage estimator reads it, its hyperparameters, and the terms that several estimators share."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rlsf_lightning.rl.gae import reward_to_go
from rlsf_lightning.rl.group_baselines import rloo_advantages
from rlsf_lightning.rl.masks import StatsReduce, zero_outside


@dataclass(frozen=True)
class EstimatorInputs:
    """The rollout as tensors; rows are prompt-major groups of ``group_size`` samples.

    No tensor is read outside the loss mask ``is_credited_BT``. An estimator asserts that the optional ones it needs are there.
    """

    verifier_BT: Tensor  # the verifier's reward channel
    penalties_BT: Tensor  # the sum of all other channels, the KL penalty among them
    value_BT: Tensor  # the critic's values; zeros without a critic
    ids_BT: Tensor  # the sampled token ids
    is_credited_BT: Tensor  # the loss mask: actions that receive credit
    passed_B: Tensor  # the verdict is PASS and the completion ended by itself
    group_size: int
    logp_BT: Tensor | None = None  # log-probabilities under the policy that sampled
    ref_logp_BT: Tensor | None = None  # the same under the reference
    step_BT: Tensor | None = None  # index (long) of each token's step, from 0
    step_value_BK: Tensor | None = None  # value of the state before step k, and after the last; see vine_advantages
    is_step_value_known_BK: Tensor | None = None  # False where there is no estimate; None: all are known

    @property
    def is_valid_B(self) -> Tensor:
        """[B] The sample has a token in the loss mask: the tool did not abstain."""
        return self.is_credited_BT.any(dim=1)

    @property
    def rewards_BT(self) -> Tensor:
        """[B, T] The sum of all channels."""
        return self.verifier_BT + self.penalties_BT


@dataclass(frozen=True)
class Settings:
    """Hyperparameters of an estimator."""

    gamma: float = 1.0  # discount
    lam: float = 0.95  # GAE lambda of the advantages
    value_lam: float | None = None  # GAE lambda of the critic's targets; None: the same
    kl_beta: float = 0.0  # KL coefficient (reward per nat), for estimators that fold the KL into their values
    stats_reduce: StatsReduce | None = None  # all-reduces (sums) a small tensor over ranks; None: one rank


def blame(inputs: EstimatorInputs) -> Tensor:
    """[B, T] The verifier's negative rewards; -1 on the last credited token of a failed sample that has none.

    So under a credit scheme that locates nothing (``boolean``, say) the same estimator blames the end.
    """
    is_credited_BT = inputs.is_credited_BT
    blame_BT = zero_outside(inputs.verifier_BT, is_credited_BT).clamp(max=0.0)
    is_unlocated_B = ~inputs.passed_B & ~blame_BT.lt(0).any(dim=1)
    is_last_BT = is_credited_BT & (is_credited_BT.flip(1).cumsum(1).flip(1) == 1)
    return torch.where(is_last_BT & is_unlocated_B[:, None], -1.0, blame_BT)


def penalties_to_go(inputs: EstimatorInputs, settings: Settings) -> Tensor:
    """[B, T] The other channels' part of the advantage: :func:`rloo_advantages` of them, without regard to the verdict.

    With one sample a prompt there is no baseline, and it is their reward-to-go: no penalty is dropped.
    """
    if inputs.group_size == 1:
        return reward_to_go(inputs.penalties_BT, inputs.is_credited_BT, settings.gamma)
    return rloo_advantages(
        inputs.penalties_BT, inputs.is_credited_BT, inputs.is_valid_B, inputs.group_size, settings.gamma
    )
