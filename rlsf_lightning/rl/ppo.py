"""PPO's losses and statistics (Schulman et al. 2017, https://arxiv.org/abs/1707.06347).

Losses are given per token and statistics as sums, never as means of a micro-batch: the caller adds them up and divides
by the tokens of the whole optimiser step over all ranks, so that no result depends on how the step was cut.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rlsf_lightning.rl.kl import k3
from rlsf_lightning.rl.masks import check_shapes, zero_outside

#: Log-ratios are clamped to +-20 before exponentiation: beyond it exp() nears overflow, and where the minimum picks the
#: clipped branch the gradient of an infinite ratio would be 0 * inf = NaN.
MAX_LOG_RATIO = 20.0


def _ratio(logp_BT: Tensor, old_logp_BT: Tensor, is_action_BT: Tensor) -> Tensor:
    """``pi / pi_old``, and 1 where no action is: masked before exp(), so that padding reaches no gradient either."""
    log_ratio_BT = zero_outside(logp_BT - old_logp_BT, is_action_BT)
    return log_ratio_BT.clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO).exp()


def clipped_surrogate(
    logp_BT: Tensor, old_logp_BT: Tensor, advantages_BT: Tensor, is_action_BT: Tensor, *, clip: float
) -> Tensor:
    """``-min(ratio * A, clamp(ratio, 1 - clip, 1 + clip) * A)`` for each token.

    Args:
        logp_BT: log-probabilities of the sampled tokens under the policy that learns; carries the gradient.
        old_logp_BT: the same under the policy that sampled, from the same kind of forward pass.
        advantages_BT: advantages.
        is_action_BT: which positions count.
        clip: epsilon, above 0.

    Returns:
        loss_BT, 0 where no action is: sum it, then divide by the tokens of the whole optimiser step on all ranks. Where
        gradients are averaged over ranks, multiply by the number of ranks too.
    """
    check_shapes(is_action_BT, logp_BT, old_logp_BT, advantages_BT)
    assert clip > 0, f"clip must be above 0, got {clip}"
    ratio_BT = _ratio(logp_BT, old_logp_BT, is_action_BT)
    advantages_BT = zero_outside(advantages_BT, is_action_BT)
    return -torch.minimum(ratio_BT * advantages_BT, ratio_BT.clamp(1 - clip, 1 + clip) * advantages_BT)


def clipped_value_loss(
    values_BT: Tensor, old_values_BT: Tensor, returns_BT: Tensor, is_action_BT: Tensor, *, clip: float
) -> Tensor:
    """``0.5 * max((v - R)^2, (clamp(v, v_old - clip, v_old + clip) - R)^2)`` for each token.

    Args:
        values_BT: the critic's values now; carries the gradient.
        old_values_BT: its values when the completions were scored.
        returns_BT: the targets.
        is_action_BT: which positions count.
        clip: how far a value may move and still gain, above 0.

    Returns:
        loss_BT, 0 where no action is, to be divided as :func:`clipped_surrogate` says.
    """
    check_shapes(is_action_BT, values_BT, old_values_BT, returns_BT)
    assert clip > 0, f"clip must be above 0, got {clip}"
    values_BT, old_values_BT, returns_BT = (
        zero_outside(x_BT, is_action_BT) for x_BT in (values_BT, old_values_BT, returns_BT)
    )
    clipped_BT = old_values_BT + (values_BT - old_values_BT).clamp(-clip, clip)
    return 0.5 * torch.maximum((values_BT - returns_BT).square(), (clipped_BT - returns_BT).square())


@torch.no_grad()
def policy_sums(
    logp_BT: Tensor,
    old_logp_BT: Tensor,
    advantages_BT: Tensor,
    entropy_BT: Tensor,
    is_action_BT: Tensor,
    *,
    clip: float,
) -> dict[str, Tensor]:
    """What to log of an update: scalar sums over the actions, to be added up and divided by ``tokens``.

    ``ratio``, ``ratio_deviation`` (|ratio - 1|: 0 on the first minibatch, or old and new log-probabilities do not come
    from the same computation), ``clip_fraction`` (tokens whose gradient the clip removed), ``approx_kl`` (k3 from the
    sampling policy to the one that learns, nats) and ``entropy`` (nats).
    """
    check_shapes(is_action_BT, logp_BT, old_logp_BT, advantages_BT, entropy_BT)
    ratio_BT = _ratio(logp_BT, old_logp_BT, is_action_BT)
    advantages_BT = zero_outside(advantages_BT, is_action_BT)
    is_clipped_BT = ((ratio_BT > 1 + clip) & (advantages_BT > 0)) | ((ratio_BT < 1 - clip) & (advantages_BT < 0))
    return {
        "tokens": is_action_BT.sum(),
        "ratio": zero_outside(ratio_BT, is_action_BT).sum(),
        "ratio_deviation": (ratio_BT - 1).abs().sum(),
        "clip_fraction": is_clipped_BT.sum(),
        "approx_kl": k3(old_logp_BT, logp_BT, is_action_BT).sum(),
        "entropy": zero_outside(entropy_BT, is_action_BT).sum(),
    }
