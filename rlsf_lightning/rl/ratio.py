"""Probability ratios between two policies: PPO's ratio, and truncated importance sampling."""

from __future__ import annotations

import torch
from torch import Tensor

from rlsf_lightning.rl.masks import check_shapes, zero_outside

#: Log-ratios are clamped to +-20 before exponentiation: beyond it exp() nears overflow, and where the minimum picks the
#: clipped branch the gradient of an infinite ratio would be 0 * inf = NaN.
MAX_LOG_RATIO = 20.0


def probability_ratio(logp_BT: Tensor, old_logp_BT: Tensor, is_action_BT: Tensor) -> Tensor:
    """``pi / pi_old`` of each token, with the gradient of both. [B, T], 1 outside the loss mask ``is_action_BT``.

    Masked before exp(), so that padding sends no NaN into the gradient.
    """
    check_shapes(is_action_BT, logp_BT, old_logp_BT)
    log_ratio_BT = zero_outside(logp_BT - old_logp_BT, is_action_BT)
    return log_ratio_BT.clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO).exp()


@torch.no_grad()
def truncated_importance(train_logp_BT: Tensor, sampler_logp_BT: Tensor, is_action_BT: Tensor, *, cap: float) -> Tensor:
    """``min(pi_train / pi_sampler, cap)``: the importance weight of a token that another engine sampled.

    An external sampler runs the same weights with other kernels, in another precision or quantised, so its samples are
    slightly off-policy. As a factor of a token's policy loss this corrects for it token by token; the cap bounds the variance
    and leaves a bias where it acts (truncated importance sampling: Ionides 2008; for language models Yao et al. 2025,
    https://fengyao.notion.site/off-policy-rl).

    Args:
        train_logp_BT: log-probabilities of the sampled tokens by the training forward, under the weights that sampled:
            the PPO ratio's old log-probabilities.
        sampler_logp_BT: the same as the sampler reports them, at the same temperature.
        is_action_BT: loss mask.
        cap: largest weight, at least 1; 2 is usual.

    Returns:
        weights_BT, without gradient; 0 outside the mask.

    Raises:
        AssertionError: a cap below 1.
    """
    assert cap >= 1, f"a cap below 1 scales every loss down, got {cap}"
    weights_BT = probability_ratio(train_logp_BT, sampler_logp_BT, is_action_BT).clamp(max=cap)
    return zero_outside(weights_BT, is_action_BT)
