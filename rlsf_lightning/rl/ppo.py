"""PPO's losses and statistics (Schulman et al. 2017, https://arxiv.org/abs/1707.06347).

Losses are given per token and statistics as sums, never as means of a micro-batch: the caller adds them up and divides
by the tokens of the whole optimiser step over all ranks (or multiplies by ``loss_weights``),
so that no result depends on how the step was cut.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rlsf_lightning.rl.kl import k3
from rlsf_lightning.rl.masks import check_shapes, zero_outside
from rlsf_lightning.rl.ratio import probability_ratio


def _bounds(clip: float, clip_high: float | None, dual_clip: float | None) -> tuple[float, float]:
    """The range in which the ratio is free, after a look at the numbers."""
    assert clip > 0, f"clip must be above 0, got {clip}"
    assert clip_high is None or clip_high > 0, f"clip_high must be above 0, got {clip_high}"
    assert dual_clip is None or dual_clip > 1, f"dual_clip must be above 1, got {dual_clip}"
    return 1 - clip, 1 + (clip if clip_high is None else clip_high)


def clipped_surrogate(
    logp_BT: Tensor,
    old_logp_BT: Tensor,
    advantages_BT: Tensor,
    is_action_BT: Tensor,
    *,
    clip: float,
    clip_high: float | None = None,
    dual_clip: float | None = None,
) -> Tensor:
    """``-min(ratio * A, clamp(ratio, 1 - clip, 1 + clip_high) * A)`` for each token.

    With ``dual_clip`` = c, where A < 0 the loss is at most ``-c * A`` (Ye et al. 2020, section "Dual-clip PPO",
    https://arxiv.org/abs/1912.09729): a token that has become c times likelier gives no gradient any more, however bad
    it is, where without it the loss grows with the ratio and without bound.

    Args:
        logp_BT: log-probabilities of the sampled tokens under the policy that learns; carries the gradient.
        old_logp_BT: the same under the policy that sampled, from the same kind of forward pass.
        advantages_BT: advantages.
        is_action_BT: which positions count.
        clip: epsilon, above 0: how far a ratio may fall and still gain.
        clip_high: how far it may rise and still gain, above 0; None for ``clip``. A larger one leaves rare tokens room
            to grow (DAPO, https://arxiv.org/abs/2503.14476, section 3.1).
        dual_clip: c, above 1; None for none.

    Returns:
        loss_BT, 0 where no action is: sum it, then divide by the tokens of the whole optimiser step on all ranks. Where
        gradients are averaged over ranks, multiply by the number of ranks too.
    """
    check_shapes(is_action_BT, logp_BT, old_logp_BT, advantages_BT)
    low, high = _bounds(clip, clip_high, dual_clip)
    ratio_BT = probability_ratio(logp_BT, old_logp_BT, is_action_BT)
    advantages_BT = zero_outside(advantages_BT, is_action_BT)
    gain_BT = torch.minimum(ratio_BT * advantages_BT, ratio_BT.clamp(low, high) * advantages_BT)
    if dual_clip is not None:
        floored_BT = torch.maximum(gain_BT, dual_clip * advantages_BT)
        gain_BT = torch.where(advantages_BT < 0, floored_BT, gain_BT)
    return -gain_BT


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
    clip_high: float | None = None,
    dual_clip: float | None = None,
) -> dict[str, Tensor]:
    """What to log of an update: scalar sums over the actions, to be added up and divided by ``tokens``.

    ``ratio``, ``ratio_deviation`` (|ratio - 1|: 0 on the first minibatch, or old and new log-probabilities do not come
    from the same computation), ``clip_fraction`` (tokens whose gradient a bound of :func:`clipped_surrogate` removed),
    ``approx_kl`` (k3 from the sampling policy to the one that learns, nats) and ``entropy`` (nats).
    """
    check_shapes(is_action_BT, logp_BT, old_logp_BT, advantages_BT, entropy_BT)
    low, high = _bounds(clip, clip_high, dual_clip)
    ratio_BT = probability_ratio(logp_BT, old_logp_BT, is_action_BT)
    advantages_BT = zero_outside(advantages_BT, is_action_BT)
    is_clipped_BT = (ratio_BT > high) & (advantages_BT > 0) | (ratio_BT < low) & (advantages_BT < 0)
    if dual_clip is not None:
        is_clipped_BT |= (ratio_BT > dual_clip) & (advantages_BT < 0)
    return {
        "tokens": is_action_BT.sum(),
        "ratio": zero_outside(ratio_BT, is_action_BT).sum(),
        "ratio_deviation": (ratio_BT - 1).abs().sum(),
        "clip_fraction": is_clipped_BT.sum(),
        "approx_kl": k3(old_logp_BT, logp_BT, is_action_BT).sum(),
        "entropy": zero_outside(entropy_BT, is_action_BT).sum(),
    }
