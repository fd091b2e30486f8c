"""The advantage estimators by name: ``algorithm.advantage``. Each composes the pure functions of this room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from rlsf_lightning.rl.gae import gae, reward_to_go
from rlsf_lightning.rl.group import leave_one_out, prefix_tree_advantages, viable_prefix_advantages
from rlsf_lightning.rl.masks import StatsReduce, scale_by_rms, whiten, zero_outside


@dataclass(frozen=True)
class Evidence:
    """What an estimator may look at. Rows are prompt-major groups of ``group_size`` samples."""

    verifier_BT: Tensor  # the reward channel that says what is right and wrong
    penalties_BT: Tensor  # the sum of all other channels, the KL penalty among them
    value_BT: Tensor  # the critic's values; zeros where there is none
    ids_BT: Tensor  # the sampled tokens
    is_credited_BT: Tensor  # actions from which something is learnt
    passed_B: Tensor  # right, and ended by itself
    group_size: int

    @property
    def is_valid_B(self) -> Tensor:
        """Something is learnt from the sample: the tool did not abstain."""
        return self.is_credited_BT.any(dim=1)


@dataclass(frozen=True)
class Settings:
    """The numbers of an estimator."""

    gamma: float = 1.0
    lam: float = 0.95


Estimator = Callable[[Evidence, Settings], tuple[Tensor, Tensor]]


def gae_estimator(evidence: Evidence, settings: Settings) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation on the sum of all channels, with the value head.

    The first token that is not credited ends the episode: nothing is bootstrapped from beyond it.
    """
    rewards_BT = evidence.verifier_BT + evidence.penalties_BT
    return gae(
        zero_outside(rewards_BT, evidence.is_credited_BT),
        evidence.value_BT,
        evidence.is_credited_BT,
        gamma=settings.gamma,
        lam=settings.lam,
    )


def viable_prefix_estimator(evidence: Evidence, settings: Settings) -> tuple[Tensor, Tensor]:
    """Critic-free: the group form of first-dead-token credit, see :func:`viable_prefix_advantages`.

    Returns are the same as the advantages: there is no value head to train.
    """
    advantage_BT = viable_prefix_advantages(
        blame(evidence), evidence.passed_B, evidence.is_credited_BT, evidence.is_valid_B, evidence.group_size
    )
    advantage_BT = advantage_BT + penalties_to_go(evidence, settings)
    return advantage_BT, advantage_BT


def prefix_tree_estimator(evidence: Evidence, settings: Settings) -> tuple[Tensor, Tensor]:
    """Critic-free: as ``viable_prefix``, with a baseline for every shared prefix, see :func:`prefix_tree_advantages`."""
    advantage_BT = prefix_tree_advantages(
        blame(evidence),
        evidence.passed_B,
        evidence.is_credited_BT,
        evidence.is_valid_B,
        evidence.ids_BT,
        evidence.group_size,
        settings.gamma,
    )
    advantage_BT = advantage_BT + penalties_to_go(evidence, settings)
    return advantage_BT, advantage_BT


def blame(evidence: Evidence) -> Tensor:
    """The verifier's negative rewards; -1 on the last credited token of a sample that failed and has none.

    So a credit scheme that says nothing of the place (``boolean``, say) is the same estimator with the place unknown.
    """
    is_credited_BT = evidence.is_credited_BT
    blame_BT = zero_outside(evidence.verifier_BT, is_credited_BT).clamp(max=0.0)
    is_unplaced_B = ~evidence.passed_B & ~blame_BT.lt(0).any(dim=1)
    is_last_BT = is_credited_BT & (is_credited_BT.flip(1).cumsum(1).flip(1) == 1)
    return torch.where(is_last_BT & is_unplaced_B[:, None], -1.0, blame_BT)


def penalties_to_go(evidence: Evidence, settings: Settings) -> Tensor:
    """The channels that have no verdict to hang on: reward-to-go less the leave-one-out mean of the group's totals."""
    is_credited_BT = evidence.is_credited_BT
    penalties_BT = zero_outside(evidence.penalties_BT, is_credited_BT)
    baseline_B = leave_one_out(penalties_BT.sum(dim=1), evidence.group_size, evidence.is_valid_B)
    rest_BT = reward_to_go(penalties_BT, is_credited_BT, settings.gamma) - baseline_B[:, None]
    return zero_outside(rest_BT, is_credited_BT)


ESTIMATORS: Mapping[str, Estimator] = {
    "prefix_tree": prefix_tree_estimator,
    "viable_prefix": viable_prefix_estimator,
    "gae": gae_estimator,
}
#: Estimators that read ``value_BT``: for the others no value head is built.
NEEDS_VALUES = frozenset({"gae"})


@torch.no_grad()
def normalise(how: str, advantage_BT: Tensor, is_credited_BT: Tensor, stats_reduce: StatsReduce | None) -> Tensor:
    """``scale``: divide by the root mean square; ``centre``: mean 0 and variance 1; ``none``. Over all ranks' tokens."""
    if how == "none":
        return advantage_BT
    if how == "centre":
        return whiten(advantage_BT, is_credited_BT, centre=True, stats_reduce=stats_reduce)
    return scale_by_rms(advantage_BT, is_credited_BT, stats_reduce=stats_reduce)
