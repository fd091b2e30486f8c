"""What an advantage estimator may look at, and the parts that several of them share."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rlsf_lightning.rl.gae import reward_to_go
from rlsf_lightning.rl.group_baselines import rloo_advantages
from rlsf_lightning.rl.masks import StatsReduce, zero_outside


@dataclass(frozen=True)
class EstimatorInputs:
    """The rollout as tensors. Rows are prompt-major groups of ``group_size`` samples.

    What is not credited is not read in any of them. An estimator asserts that the optional ones it needs are there.
    """

    verifier_BT: Tensor  # the reward channel that says what is right and wrong
    penalties_BT: Tensor  # the sum of all other channels, the KL penalty among them
    value_BT: Tensor  # the critic's values; zeros where there is none
    ids_BT: Tensor  # the sampled tokens
    is_credited_BT: Tensor  # actions from which something is learnt
    passed_B: Tensor  # right, and ended by itself
    group_size: int
    logp_BT: Tensor | None = None  # log-probabilities under the policy that sampled
    ref_logp_BT: Tensor | None = None  # the same under the reference
    step_BT: Tensor | None = None  # index (long) of each token's step, from 0
    step_value_BK: Tensor | None = None  # value of the state before step k, and after the last; see vine_advantages
    is_step_value_known_BK: Tensor | None = None  # False where there is no estimate; None: all are known

    @property
    def is_valid_B(self) -> Tensor:
        """Something is learnt from the sample: the tool did not abstain."""
        return self.is_credited_BT.any(dim=1)

    @property
    def rewards_BT(self) -> Tensor:
        """The sum of all channels."""
        return self.verifier_BT + self.penalties_BT


@dataclass(frozen=True)
class Settings:
    """The numbers of an estimator."""

    gamma: float = 1.0  # discount
    lam: float = 0.95  # lambda of the advantages
    value_lam: float | None = None  # lambda of the critic's targets; None: the same
    kl_beta: float = 0.0  # what a nat of KL costs, for estimators that fold the KL into their values
    stats_reduce: StatsReduce | None = None  # sums a small tensor over all ranks; None: there is one rank


def blame(inputs: EstimatorInputs) -> Tensor:
    """The verifier's negative rewards; -1 on the last credited token of a sample that failed and has none.

    So a credit scheme that says nothing of the place (``boolean``, say) is the same estimator with the place unknown.
    """
    is_credited_BT = inputs.is_credited_BT
    blame_BT = zero_outside(inputs.verifier_BT, is_credited_BT).clamp(max=0.0)
    is_unplaced_B = ~inputs.passed_B & ~blame_BT.lt(0).any(dim=1)
    is_last_BT = is_credited_BT & (is_credited_BT.flip(1).cumsum(1).flip(1) == 1)
    return torch.where(is_last_BT & is_unplaced_B[:, None], -1.0, blame_BT)


def penalties_to_go(inputs: EstimatorInputs, settings: Settings) -> Tensor:
    """The channels that have no verdict to hang on: their part of the advantage is :func:`rloo_advantages`.

    With one sample a prompt there is nobody to compare with, and their reward-to-go stands as it is: a penalty that is
    asked for is not left out.
    """
    if inputs.group_size == 1:
        return reward_to_go(inputs.penalties_BT, inputs.is_credited_BT, settings.gamma)
    return rloo_advantages(
        inputs.penalties_BT, inputs.is_credited_BT, inputs.is_valid_B, inputs.group_size, settings.gamma
    )
