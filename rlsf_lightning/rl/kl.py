"""The KL penalty between policy and reference: per-token estimators, KL losses, and the adaptive coefficient.

The three estimators of http://joschu.net/blog/kl-approx.html for KL(policy || reference), from tokens that the policy
sampled, with ``d = log pi(token) - log pi_ref(token)`` in nats. k1 belongs in the reward. k2 and k3 estimate the KL's
value; as a loss term use :func:`k2_loss` or :func:`k3_loss`, because the gradient of an estimate is not an estimate of the
gradient (Tang and Munos 2025, https://arxiv.org/abs/2506.09477)::

    grad KL                 = E_pi[d * grad log pi]
    E_pi[grad k1]           = E_pi[grad log pi] = 0
    E_pi[grad k2]           = E_pi[d * grad log pi]                 right, while pi sampled the tokens
    E_pi[grad k3]           = E_pi[(1 - exp(-d)) * grad log pi]     the gradient of KL(reference || policy)
    E_old[grad(rho * k3)]   = E_old[rho * d * grad log pi]          right, with rho = pi / pi_old, off-policy too

The last line: ``grad(rho * k3) = rho * (k3 + 1 - exp(-d)) * grad log pi`` and ``k3 + 1 - exp(-d) = d``.

A per-token loss treats the states as given: it lacks the effect of a token on the KL of those after it. k1 inside the reward
has that part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from rlsf_lightning.rl.masks import check_shapes, zero_outside
from rlsf_lightning.rl.ratio import probability_ratio


def k1(logp_BT: Tensor, ref_logp_BT: Tensor, is_action_BT: Tensor) -> Tensor:
    """``d``: unbiased, of either sign, high variance. [B, T] in nats; 0 outside the mask."""
    check_shapes(is_action_BT, logp_BT, ref_logp_BT)
    return zero_outside(logp_BT - ref_logp_BT, is_action_BT)


def k2(logp_BT: Tensor, ref_logp_BT: Tensor, is_action_BT: Tensor) -> Tensor:
    """``d^2 / 2``: biased, never negative, low variance. [B, T] in nats; 0 outside the mask."""
    return k1(logp_BT, ref_logp_BT, is_action_BT).square() / 2


def k3(logp_BT: Tensor, ref_logp_BT: Tensor, is_action_BT: Tensor) -> Tensor:
    """``exp(-d) - 1 + d``: unbiased, never negative, low variance. [B, T] in nats; 0 outside the mask."""
    d_BT = k1(logp_BT, ref_logp_BT, is_action_BT)
    return torch.expm1(-d_BT) + d_BT


def k2_loss(logp_BT: Tensor, old_logp_BT: Tensor, ref_logp_BT: Tensor, is_action_BT: Tensor) -> Tensor:
    """``sg(pi / pi_old) * d^2 / 2`` for each token, sg = stop-gradient: its gradient is an unbiased estimate of the KL's.

    On the first minibatch the factor is 1 and this is k2. The value is biased: log another estimator.

    Args:
        logp_BT: log-probabilities of the sampled tokens under the policy that learns; carries the gradient.
        old_logp_BT: the same under the policy that sampled.
        ref_logp_BT: the same under the reference.
        is_action_BT: loss mask.

    Returns:
        loss_BT in nats, 0 outside the mask, to be summed and divided as
        :func:`~rlsf_lightning.rl.ppo.clipped_surrogate` says.
    """
    rho_BT = probability_ratio(logp_BT, old_logp_BT, is_action_BT).detach()
    return rho_BT * k2(logp_BT, ref_logp_BT, is_action_BT)


def k3_loss(logp_BT: Tensor, old_logp_BT: Tensor, ref_logp_BT: Tensor, is_action_BT: Tensor) -> Tensor:
    """``(pi / pi_old) * (exp(-d) - 1 + d)`` for each token: the ratio carries gradient too, or it would be the wrong one.

    Its gradient is that of :func:`k2_loss`, token by token; its value is an unbiased estimate of the KL.
    Args and result as there.
    """
    return probability_ratio(logp_BT, old_logp_BT, is_action_BT) * k3(logp_BT, ref_logp_BT, is_action_BT)


#: The KL as a loss term, by the name of its estimator; called as (policy, old policy, reference, mask).
KL_LOSSES: Mapping[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {"k2": k2_loss, "k3": k3_loss}


def adapt_beta(beta: float, kl: float, *, target: float, samples: int, horizon: float) -> float:
    """The adaptive KL coefficient (Ziegler et al. 2019, section 2.2, https://arxiv.org/abs/1909.08593).

    ``beta * (1 + clip(kl / target - 1, -0.2, 0.2) * samples / horizon)``

    Args:
        beta: the present coefficient.
        kl: measured KL, in the target's unit (nats a token, or nats a completion).
        target: the KL aimed at, above 0.
        samples: completions since the last call.
        horizon: completions after which a lasting error of 20 % has changed beta by 20 %.

    Raises:
        AssertionError: a KL that is not finite, or numbers out of range.
    """
    assert math.isfinite(kl), f"the measured KL is {kl}"
    assert target > 0 and horizon > 0 and samples >= 0, f"target {target}, horizon {horizon}, samples {samples}"
    error = min(max(kl / target - 1.0, -0.2), 0.2)
    return beta * (1.0 + error * samples / horizon)
