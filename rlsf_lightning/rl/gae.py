"""Generalised advantage estimation (GAE) and reward-to-go, from token rewards."""

from __future__ import annotations

import torch
from torch import Tensor

from rlsf_lightning.rl.masks import check_shapes, zero_outside


@torch.no_grad()
def gae(
    rewards_BT: Tensor,
    values_BT: Tensor,
    is_action_BT: Tensor,
    *,
    gamma: float | Tensor,
    lam: float,
    value_lam: float | None = None,
    bootstrap_B: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation (Schulman et al. 2016, https://arxiv.org/abs/1506.02438).

    Over the actions 1..n of a row, in order, with v_{n+1} = ``bootstrap_B`` or 0::

        delta_k = r_k + gamma_k * v_{k+1} - v_k
        A_k     = delta_k + gamma_k * lam * A_{k+1},   A_{n+1} = 0
        R_k     = A_k + v_k

    With ``value_lam``, R_k uses it in place of ``lam`` (decoupled GAE: VC-PPO, https://arxiv.org/abs/2503.01491; VAPO,
    https://arxiv.org/abs/2504.05118). With 1 the critic's targets are Monte-Carlo returns, which a bad critic does not bias
    and which carry a late reward undiminished to early tokens, while ``lam`` below 1 keeps the policy's variance low.

    Masked positions are skipped: they neither discount nor end an episode, so a gap in the middle joins the actions around
    it and padding contributes nothing.

    Args:
        rewards_BT: reward of each action.
        values_BT: the critic's value before each action; same dtype as the rewards.
        is_action_BT: loss mask.
        gamma: discount, or one per step as [B, T]: that of step k multiplies what follows action k.
        lam: lambda of the advantages, in [0, 1].
        value_lam: lambda of the returns, in [0, 1]; None for ``lam``.
        bootstrap_B: value of the state after each row's last action; None for 0: the episode has ended.

    Returns:
        ``(advantages_BT, returns_BT)``, both 0 outside the mask, and without gradient.

    Raises:
        AssertionError: shapes or dtypes that do not fit, or a lambda outside [0, 1].
    """
    check_shapes(is_action_BT, rewards_BT, values_BT)
    assert rewards_BT.dtype == values_BT.dtype, f"rewards {rewards_BT.dtype}, values {values_BT.dtype}"
    batch, steps = rewards_BT.shape
    gamma_BT = torch.as_tensor(gamma, dtype=rewards_BT.dtype, device=rewards_BT.device).expand(batch, steps)
    next_value_B = rewards_BT.new_zeros(batch) if bootstrap_B is None else bootstrap_B
    assert next_value_B.shape == (batch,), f"bootstrap_B must be [{batch}], got {tuple(next_value_B.shape)}"

    delta_BT = torch.zeros_like(rewards_BT)
    for t in reversed(range(steps)):
        delta_BT[:, t] = rewards_BT[:, t] + gamma_BT[:, t] * next_value_B - values_BT[:, t]
        next_value_B = torch.where(is_action_BT[:, t], values_BT[:, t], next_value_B)
    advantages_BT = _decayed(delta_BT, gamma_BT, lam, is_action_BT)
    if value_lam is None or value_lam == lam:
        return advantages_BT, zero_outside(advantages_BT + values_BT, is_action_BT)
    for_value_BT = _decayed(delta_BT, gamma_BT, value_lam, is_action_BT)
    return advantages_BT, zero_outside(for_value_BT + values_BT, is_action_BT)


def _decayed(delta_BT: Tensor, gamma_BT: Tensor, lam: float, is_action_BT: Tensor) -> Tensor:
    """``A_k = delta_k + gamma_k * lam * A_{k+1}`` over the actions, 0 elsewhere."""
    assert 0.0 <= lam <= 1.0, f"lambda must be in [0, 1], got {lam}"
    return zero_outside(discounted_sums(delta_BT, is_action_BT, gamma_BT * lam), is_action_BT)


@torch.no_grad()
def discounted_sums(x_BT: Tensor, is_action_BT: Tensor, gamma: float | Tensor) -> Tensor:
    """``S_t = x_t + gamma_t * S_{t+1}`` at an action, ``S_t = S_{t+1}`` elsewhere, 0 after the last column. [B, T].

    So a masked position holds the sum from the next action on (:func:`reward_to_go` has 0 there).
    """
    check_shapes(is_action_BT, x_BT)
    batch, steps = x_BT.shape
    gamma_BT = torch.as_tensor(gamma, dtype=x_BT.dtype, device=x_BT.device).expand(batch, steps)
    sum_B, sums_BT = x_BT.new_zeros(batch), torch.zeros_like(x_BT)
    for t in reversed(range(steps)):
        sum_B = torch.where(is_action_BT[:, t], x_BT[:, t] + gamma_BT[:, t] * sum_B, sum_B)
        sums_BT[:, t] = sum_B
    return sums_BT


def reward_to_go(rewards_BT: Tensor, is_action_BT: Tensor, gamma: float | Tensor) -> Tensor:
    """Discounted sum of the rewards from each action on: ``G_k = r_k + gamma * G_{k+1}`` over the row's actions.

    This is :func:`gae` with lambda 1 and a critic that is 0 everywhere. [B, T], 0 outside the mask.
    """
    return zero_outside(discounted_sums(rewards_BT, is_action_BT, gamma), is_action_BT)
