"""The advantage estimators: ``algorithm.advantage=NAME`` is ``NAME_estimator``, composed of the pure functions of ``rl/``.

Their requirements (critic, group, reference) are in the registry, ``config/estimator_specs.py``.

An estimator returns ``(advantages_BT, returns_BT)``. The returns are the critic's targets; critic-free estimators return the
advantages twice.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from rlsf_lightning.rl.estimator_inputs import EstimatorInputs, Settings, blame, penalties_to_go
from rlsf_lightning.rl.etpo import etpo_advantages
from rlsf_lightning.rl.gae import gae, reward_to_go
from rlsf_lightning.rl.group_baselines import dr_grpo_advantages, grpo_advantages, rloo_advantages
from rlsf_lightning.rl.masks import normalise, whiten
from rlsf_lightning.rl.prefix_credit import prefix_tree_advantages, viable_prefix_advantages
from rlsf_lightning.rl.vine import vine_advantages

__all__ = ["Estimator", "EstimatorInputs", "Settings", "normalise"]


#: ``(advantages_BT, returns_BT)`` of a rollout.
Estimator = Callable[[EstimatorInputs, Settings], tuple[Tensor, Tensor]]


def gae_estimator(inputs: EstimatorInputs, settings: Settings) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation with the value head, on the sum of all channels; see :func:`gae`.

    The episode ends with the last credited token: nothing is bootstrapped from beyond it.
    """
    return gae(
        inputs.rewards_BT,
        inputs.value_BT,
        inputs.is_credited_BT,
        gamma=settings.gamma,
        lam=settings.lam,
        value_lam=settings.value_lam,
    )


def etpo_estimator(inputs: EstimatorInputs, settings: Settings) -> tuple[Tensor, Tensor]:
    """See :func:`etpo_advantages`; ``penalties_BT`` holds no KL penalty here."""
    logp_BT, ref_logp_BT = inputs.logp_BT, inputs.ref_logp_BT
    assert logp_BT is not None and ref_logp_BT is not None, "etpo needs the log-probabilities of policy and reference"
    return etpo_advantages(
        inputs.rewards_BT,
        inputs.value_BT,
        logp_BT,
        ref_logp_BT,
        inputs.is_credited_BT,
        beta=settings.kl_beta,
        gamma=settings.gamma,
        lam=settings.lam,
        value_lam=settings.value_lam,
    )


def reward_to_go_estimator(inputs: EstimatorInputs, settings: Settings) -> tuple[Tensor, Tensor]:
    """REINFORCE (Williams 1992, https://doi.org/10.1007/BF00992696): ``A_t = G_t``, without any baseline."""
    return _alone(reward_to_go(inputs.rewards_BT, inputs.is_credited_BT, settings.gamma))


def reinforce_pp_estimator(inputs: EstimatorInputs, settings: Settings) -> tuple[Tensor, Tensor]:
    """REINFORCE++ (Hu et al. 2025, https://arxiv.org/abs/2501.03262): one baseline and one scale for the whole batch.

    ``A_t = (G_t - m) / s`` with the mean m and the standard deviation s of the reward-to-go over the tokens of all
    prompts on all ranks. The KL penalty is one of the channels that G_t sums. One sample a prompt is enough.
    """
    to_go_BT = reward_to_go(inputs.rewards_BT, inputs.is_credited_BT, settings.gamma)
    return _alone(whiten(to_go_BT, inputs.is_credited_BT, centre=True, stats_reduce=settings.stats_reduce))


def _of_group(advantages: Callable[..., Tensor]) -> Estimator:
    """The estimator of a group baseline, on the sum of all channels."""

    def estimate(inputs: EstimatorInputs, settings: Settings) -> tuple[Tensor, Tensor]:
        is_credited_BT, is_valid_B = inputs.is_credited_BT, inputs.is_valid_B
        return _alone(advantages(inputs.rewards_BT, is_credited_BT, is_valid_B, inputs.group_size, settings.gamma))

    return estimate


rloo_estimator = _of_group(rloo_advantages)
grpo_estimator = _of_group(grpo_advantages)
dr_grpo_estimator = _of_group(dr_grpo_advantages)


def viable_prefix_estimator(inputs: EstimatorInputs, settings: Settings) -> tuple[Tensor, Tensor]:
    """Critic-free: the group form of first-dead-token credit, see :func:`viable_prefix_advantages`."""
    advantage_BT = viable_prefix_advantages(
        blame(inputs), inputs.passed_B, inputs.is_credited_BT, inputs.is_valid_B, inputs.group_size
    )
    return _alone(advantage_BT + penalties_to_go(inputs, settings))


def prefix_tree_estimator(inputs: EstimatorInputs, settings: Settings) -> tuple[Tensor, Tensor]:
    """Critic-free: as ``viable_prefix``, with a baseline for every shared prefix, see :func:`prefix_tree_advantages`."""
    advantage_BT = prefix_tree_advantages(
        blame(inputs),
        inputs.passed_B,
        inputs.is_credited_BT,
        inputs.is_valid_B,
        inputs.ids_BT,
        inputs.group_size,
        settings.gamma,
    )
    return _alone(advantage_BT + penalties_to_go(inputs, settings))


def vine_estimator(inputs: EstimatorInputs, settings: Settings) -> tuple[Tensor, Tensor]:
    """See :func:`vine_advantages`, on the verifier's channel, from which the step values were estimated.

    The other channels enter through :func:`penalties_to_go`.
    """
    step_BT, value_BK = inputs.step_BT, inputs.step_value_BK
    assert step_BT is not None and value_BK is not None, "vine needs the steps of a completion and their values"
    advantage_BT = vine_advantages(
        inputs.verifier_BT,
        inputs.is_credited_BT,
        step_BT,
        value_BK,
        is_known_BK=inputs.is_step_value_known_BK,
        gamma=settings.gamma,
    )
    return _alone(advantage_BT + penalties_to_go(inputs, settings))


def _alone(advantage_BT: Tensor) -> tuple[Tensor, Tensor]:
    return advantage_BT, advantage_BT
