"""How far the policy is from its reference: estimators for each sampled token, and the controller of their weight.

The three estimators of http://joschu.net/blog/kl-approx.html for KL(policy || reference), from tokens that the policy
sampled, with ``d = log pi(token) - log pi_ref(token)``. k1 is the one to put into the reward. k3 is for logging; as a
loss it would need its importance factor, because its gradient is not that of the KL.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rlsf_lightning.rl.masks import check_shapes, zero_outside


def k1(logp_BT: Tensor, ref_logp_BT: Tensor, is_action_BT: Tensor) -> Tensor:
    """``d``: unbiased, of either sign, high variance. In nats a token; 0 where no action is."""
    check_shapes(is_action_BT, logp_BT, ref_logp_BT)
    return zero_outside(logp_BT - ref_logp_BT, is_action_BT)


def k2(logp_BT: Tensor, ref_logp_BT: Tensor, is_action_BT: Tensor) -> Tensor:
    """``d^2 / 2``: biased, never negative, low variance. In nats a token; 0 where no action is."""
    return k1(logp_BT, ref_logp_BT, is_action_BT).square() / 2


def k3(logp_BT: Tensor, ref_logp_BT: Tensor, is_action_BT: Tensor) -> Tensor:
    """``exp(-d) - 1 + d``: unbiased, never negative, low variance. In nats a token; 0 where no action is."""
    d_BT = k1(logp_BT, ref_logp_BT, is_action_BT)
    return torch.expm1(-d_BT) + d_BT


def adapt_beta(beta: float, kl: float, *, target: float, samples: int, horizon: float) -> float:
    """The next coefficient of the penalty (Ziegler et al. 2019, section 2.2, https://arxiv.org/abs/1909.08593).

    ``beta * (1 + clip(kl / target - 1, -0.2, 0.2) * samples / horizon)``

    Args:
        beta: the present coefficient.
        kl: measured KL, in the target's unit (nats a token, or nats a completion).
        target: what it should be, above 0.
        samples: completions since the last call.
        horizon: completions after which a lasting error of 20 % has changed beta by 20 %.
    """
    assert math.isfinite(kl), f"the measured KL is {kl}"
    assert target > 0 and horizon > 0 and samples >= 0, f"target {target}, horizon {horizon}, samples {samples}"
    error = min(max(kl / target - 1.0, -0.2), 0.2)
    return beta * (1.0 + error * samples / horizon)
