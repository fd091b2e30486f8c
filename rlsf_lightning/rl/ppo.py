"""PPO's losses and statistics (Schulman et al. 2017, https://arxiv.org/abs/1707.06347): surrogate, value loss, clip fraction.

Losses are per token and statistics are sums, never means of a micro-batch: the caller adds them up and divides by the tokens
of the whole optimiser step over all ranks (or multiplies by ``loss_weights``), so that no result depends on the
micro-batches.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rlsf_lightning.rl.kl import k3
from rlsf_lightning.rl.masks import check_shapes, zero_outside


@dataclass(frozen=True)
class ClipRange:
    """How far a ratio may move and still gain.

    Args:
        clip: epsilon, above 0: how far a ratio may fall below 1.
        clip_high: how far it may rise above 1, above 0; None for ``clip``. A larger one leaves rare tokens room to grow
            (DAPO, https://arxiv.org/abs/2503.14476, section 3.1).
        dual_clip: c, above 1: where the advantage is negative, the loss is at most ``-c * A`` (Ye et al. 2020, section
            "Dual-clip PPO", https://arxiv.org/abs/1912.09729). A token that has become c times likelier gives no gradient
            any more, however bad it is; without it (None) the loss grows with the ratio and without bound.

    Raises:
        AssertionError: a number that bounds nothing.
    """

    clip: float
    clip_high: float | None = None
    dual_clip: float | None = None

    def __post_init__(self) -> None:
        assert self.clip > 0, f"clip must be above 0, got {self.clip}"
        assert self.clip_high is None or self.clip_high > 0, f"clip_high must be above 0, got {self.clip_high}"
        assert self.dual_clip is None or self.dual_clip > 1, f"dual_clip must be above 1, got {self.dual_clip}"

    @property
    def low(self) -> float:
        return 1 - self.clip

    @property
    def high(self) -> float:
        return 1 + (self.clip if self.clip_high is None else self.clip_high)


def clipped_surrogate(ratio_BT: Tensor, advantages_BT: Tensor, is_action_BT: Tensor, bounds: ClipRange) -> Tensor:
    """``-min(ratio * A, clamp(ratio, 1 - clip, 1 + clip_high) * A)`` for each token, at most ``-dual_clip * A`` for A < 0.

    Args:
        ratio_BT: pi / pi_old of each token (:func:`~rlsf_lightning.rl.ratio.probability_ratio`), from log-probabilities of
            the same kind of forward pass; carries the gradient.
        advantages_BT: advantages.
        is_action_BT: loss mask.
        bounds: where the ratio is clipped.

    Returns:
        loss_BT, 0 outside the mask: sum it, then divide by the tokens of the whole optimiser step on all ranks. Where
        gradients are averaged over ranks, multiply by the number of ranks too.
    """
    check_shapes(is_action_BT, ratio_BT, advantages_BT)
    ratio_BT, advantages_BT = zero_outside(ratio_BT, is_action_BT), zero_outside(advantages_BT, is_action_BT)
    gain_BT = torch.minimum(ratio_BT * advantages_BT, ratio_BT.clamp(bounds.low, bounds.high) * advantages_BT)
    if bounds.dual_clip is not None:
        floored_BT = torch.maximum(gain_BT, bounds.dual_clip * advantages_BT)
        gain_BT = torch.where(advantages_BT < 0, floored_BT, gain_BT)
    return -gain_BT


def clipped_value_loss(
    values_BT: Tensor, old_values_BT: Tensor, returns_BT: Tensor, is_action_BT: Tensor, *, clip: float
) -> Tensor:
    """``0.5 * max((v - R)^2, (clamp(v, v_old - clip, v_old + clip) - R)^2)`` for each token.

    Args:
        values_BT: the critic's values now; carries the gradient.
        old_values_BT: its values when the completions were scored.
        returns_BT: the critic's targets.
        is_action_BT: loss mask.
        clip: how far a value may move and still gain, above 0.

    Returns:
        loss_BT, 0 outside the mask, to be divided as :func:`clipped_surrogate` says.
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
    ratio_BT: Tensor,
    logp_BT: Tensor,
    old_logp_BT: Tensor,
    advantages_BT: Tensor,
    entropy_BT: Tensor,
    is_action_BT: Tensor,
    bounds: ClipRange,
) -> dict[str, Tensor]:
    """Statistics of an update: scalar sums over the mask, to be added up and divided by ``tokens``.

    ``ratio``, ``ratio_deviation`` (|ratio - 1|: 0 on the first minibatch, or old and new log-probabilities do not come
    from the same computation), ``clip_fraction`` (tokens whose gradient a bound of :func:`clipped_surrogate` removed),
    ``approx_kl`` (k3 from the sampling policy to the one that learns, nats) and ``entropy`` (nats).

    Args:
        ratio_BT, advantages_BT, is_action_BT, bounds: as :func:`clipped_surrogate` got them.
        logp_BT, old_logp_BT: log-probabilities of the sampled tokens, of which ``ratio_BT`` is made.
        entropy_BT: entropies of the policy that learns.
    """
    check_shapes(is_action_BT, ratio_BT, logp_BT, old_logp_BT, advantages_BT, entropy_BT)
    advantages_BT = zero_outside(advantages_BT, is_action_BT)
    is_clipped_BT = (ratio_BT > bounds.high) & (advantages_BT > 0) | (ratio_BT < bounds.low) & (advantages_BT < 0)
    if bounds.dual_clip is not None:
        is_clipped_BT |= (ratio_BT > bounds.dual_clip) & (advantages_BT < 0)
    return {
        "tokens": is_action_BT.sum(),
        "ratio": zero_outside(ratio_BT, is_action_BT).sum(),
        "ratio_deviation": zero_outside(ratio_BT - 1, is_action_BT).abs().sum(),
        "clip_fraction": is_clipped_BT.sum(),
        "approx_kl": k3(old_logp_BT, logp_BT, is_action_BT).sum(),
        "entropy": zero_outside(entropy_BT, is_action_BT).sum(),
    }
