"""Entropy-regularised token-level policy optimisation (ETPO): the KL to the reference is folded into the values."""

from __future__ import annotations

import torch
from torch import Tensor

from rlsf_lightning.rl.gae import discounted_sums, gae
from rlsf_lightning.rl.kl import k1
from rlsf_lightning.rl.masks import zero_outside


@torch.no_grad()
def etpo_advantages(
    rewards_BT: Tensor,
    values_BT: Tensor,
    logp_BT: Tensor,
    ref_logp_BT: Tensor,
    is_action_BT: Tensor,
    *,
    beta: float,
    gamma: float | Tensor = 1.0,
    lam: float = 0.0,
    value_lam: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Soft Bellman backup for each token (ETPO: Wen et al. 2024, https://arxiv.org/abs/2402.06700).

    The paper's backup of a token's action value, with U(s) = E_pi[Q(s, .)] and KL(s) = KL(pi(.|s) || ref(.|s))::

        Q(s_k, w_k) <- r_k + gamma_k * (U(s_{k+1}) - beta * KL(s_{k+1})),    U = KL = 0 after the last token

    and its policy minimises the KL to the target ``ref * exp(Q / beta) / Z``. The gradient of ``beta * KL(pi || target)`` is
    ``-E_pi[(Q - beta * d) * grad log pi]`` with ``d = log pi - log ref``, so the token's advantage is ``Q - U - beta * d``.
    Here, from sampled tokens with log-probabilities and a critic v of U::

        delta_k = r_k + gamma_k * (v_{k+1} - beta * d_{k+1}) - v_k
        B_k     = delta_k + gamma_k * lam * B_{k+1}
        A_k     = B_k - beta * d_k
        R_k     = B_k + v_k        (with value_lam): the critic's target

    The critic's targets hold the KL of the tokens after k and not that of token k. With beta 0 this is :func:`gae`.

    Differences from the paper: a state-value head replaces the vocabulary-sized action-value head and its target network, so
    that E_pi[Q] is one number a token and no tensor of size B*T*V is made; d of the sampled token is the KL's unbiased
    estimate; data is on-policy and a clipped surrogate follows the policy gradient instead of regressing on the target
    policy; lambda above 0 generalises the paper's one-step backup (lambda 0). The paper discounts between actions and not
    between the tokens of one; a completion is one action, so gamma is 1, or give it for each step.

    Args:
        rewards_BT: reward of each action, without any KL penalty.
        values_BT: the critic's U before each action; same dtype.
        logp_BT: log-probabilities (nats) of the actions under the policy that sampled.
        ref_logp_BT: the same under the reference.
        is_action_BT: loss mask.
        beta: temperature: the KL penalty in reward per nat, at least 0.
        gamma, lam, value_lam: as in :func:`gae`.

    Returns:
        ``(advantages_BT, returns_BT)``, both 0 outside the mask, and without gradient.

    Raises:
        AssertionError: a negative beta, or shapes and dtypes that do not fit.
    """
    assert beta >= 0, f"beta must be at least 0, got {beta}"
    d_BT = k1(logp_BT, ref_logp_BT, is_action_BT).to(rewards_BT.dtype)
    # With discount 0 the sums hold the next action's own d, across gaps; one column on, that of the action after it.
    from_here_BT = discounted_sums(d_BT, is_action_BT, 0.0)
    after_BT = torch.cat([from_here_BT[:, 1:], torch.zeros_like(d_BT[:, :1])], dim=1)
    soft_BT = zero_outside(rewards_BT - beta * gamma * after_BT, is_action_BT)
    advantages_BT, returns_BT = gae(soft_BT, values_BT, is_action_BT, gamma=gamma, lam=lam, value_lam=value_lam)
    return advantages_BT - beta * d_BT, returns_BT
