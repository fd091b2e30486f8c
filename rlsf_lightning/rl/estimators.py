"""The advantage estimators: ``algorithm.advantage=NAME`` is ``NAME_estimator``. Each composes the pure functions of this room.

What each needs of the framework stands in the registry, ``config/estimator_specs.py``.

An estimator returns ``(advantages_BT, returns_BT)``. Without a value head there is nothing to train on returns, and they
are the same tensor as the advantages.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from rlsf_lightning.rl.estimator_inputs import Evidence, Settings, blame, penalties_to_go
from rlsf_lightning.rl.etpo import etpo_advantages
from rlsf_lightning.rl.gae import gae, reward_to_go
from rlsf_lightning.rl.group_baselines import dr_grpo_advantages, grpo_advantages, rloo_advantages
from rlsf_lightning.rl.masks import normalise, whiten
from rlsf_lightning.rl.prefix_credit import prefix_tree_advantages, viable_prefix_advantages
from rlsf_lightning.rl.vine import vine_advantages

__all__ = ["Estimator", "Evidence", "Settings", "normalise"]


#: Advantages and returns from what is known of a rollout.
Estimator = Callable[[Evidence, Settings], tuple[Tensor, Tensor]]


def gae_estimator(evidence: Evidence, settings: Settings) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation on the sum of all channels, with the value head.

    The first token that is not credited ends the episode: nothing is bootstrapped from beyond it.
    """
    return gae(
        evidence.rewards_BT,
        evidence.value_BT,
        evidence.is_credited_BT,
        gamma=settings.gamma,
        lam=settings.lam,
        value_lam=settings.value_lam,
    )


def etpo_estimator(evidence: Evidence, settings: Settings) -> tuple[Tensor, Tensor]:
    """See :func:`etpo_advantages`; ``penalties_BT`` holds no KL penalty here."""
    logp_BT, ref_logp_BT = evidence.logp_BT, evidence.ref_logp_BT
    assert logp_BT is not None and ref_logp_BT is not None, "etpo reads the log-probabilities of policy and reference"
    return etpo_advantages(
        evidence.rewards_BT,
        evidence.value_BT,
        logp_BT,
        ref_logp_BT,
        evidence.is_credited_BT,
        beta=settings.kl_beta,
        gamma=settings.gamma,
        lam=settings.lam,
        value_lam=settings.value_lam,
    )


def reward_to_go_estimator(evidence: Evidence, settings: Settings) -> tuple[Tensor, Tensor]:
    """REINFORCE (Williams 1992, https://doi.org/10.1007/BF00992696): ``A_t = G_t``, without any baseline."""
    return _alone(reward_to_go(evidence.rewards_BT, evidence.is_credited_BT, settings.gamma))


def reinforce_pp_estimator(evidence: Evidence, settings: Settings) -> tuple[Tensor, Tensor]:
    """REINFORCE++ (Hu et al. 2025, https://arxiv.org/abs/2501.03262): one baseline and one scale for the whole batch.

    ``A_t = (G_t - m) / s`` with the mean m and the standard deviation s of the reward-to-go over the tokens of all
    prompts on all ranks. The KL penalty is one of the channels that G_t sums. One sample a prompt is enough.
    """
    to_go_BT = reward_to_go(evidence.rewards_BT, evidence.is_credited_BT, settings.gamma)
    return _alone(whiten(to_go_BT, evidence.is_credited_BT, centre=True, stats_reduce=settings.stats_reduce))


def _of_group(advantages: Callable[..., Tensor]) -> Estimator:
    """An estimator of one of the group baselines: on the sum of all channels."""

    def estimate(evidence: Evidence, settings: Settings) -> tuple[Tensor, Tensor]:
        is_credited_BT, is_valid_B = evidence.is_credited_BT, evidence.is_valid_B
        return _alone(advantages(evidence.rewards_BT, is_credited_BT, is_valid_B, evidence.group_size, settings.gamma))

    return estimate


rloo_estimator = _of_group(rloo_advantages)
grpo_estimator = _of_group(grpo_advantages)
dr_grpo_estimator = _of_group(dr_grpo_advantages)


def viable_prefix_estimator(evidence: Evidence, settings: Settings) -> tuple[Tensor, Tensor]:
    """Critic-free: the group form of first-dead-token credit, see :func:`viable_prefix_advantages`."""
    advantage_BT = viable_prefix_advantages(
        blame(evidence), evidence.passed_B, evidence.is_credited_BT, evidence.is_valid_B, evidence.group_size
    )
    return _alone(advantage_BT + penalties_to_go(evidence, settings))


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
    return _alone(advantage_BT + penalties_to_go(evidence, settings))


def vine_estimator(evidence: Evidence, settings: Settings) -> tuple[Tensor, Tensor]:
    """See :func:`vine_advantages`, on the verifier's channel, which is what the rollouts were valued by.

    The other channels go by :func:`penalties_to_go`.
    """
    step_BT, value_BK = evidence.step_BT, evidence.step_value_BK
    assert step_BT is not None and value_BK is not None, "vine reads the steps of a completion and their values"
    advantage_BT = vine_advantages(
        evidence.verifier_BT,
        evidence.is_credited_BT,
        step_BT,
        value_BK,
        is_known_BK=evidence.is_step_value_known_BK,
        gamma=settings.gamma,
    )
    return _alone(advantage_BT + penalties_to_go(evidence, settings))


def _alone(advantage_BT: Tensor) -> tuple[Tensor, Tensor]:
    return advantage_BT, advantage_BT
