"""Token rewards to advantages with a critic, and to plain returns."""

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
    bootstrap_B: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation (Schulman et al. 2016, https://arxiv.org/abs/1506.02438).

    Over the actions 1..n of a row, in order, with v_{n+1} = ``bootstrap_B`` or 0::

        delta_k = r_k + gamma_k * v_{k+1} - v_k
        A_k     = delta_k + gamma_k * lam * A_{k+1},   A_{n+1} = 0
        R_k     = A_k + v_k

    A position that is no action is transparent: it neither discounts nor ends anything, so a gap in the middle joins
    the actions around it and padding contributes nothing.

    Args:
        rewards_BT: reward of each action.
        values_BT: the critic's value before each action; same dtype as the rewards.
        is_action_BT: which positions are actions.
        gamma: discount, or one per step as [B, T]: that of step k multiplies what follows action k.
        lam: lambda in [0, 1].
        bootstrap_B: value of the state after each row's last action; None for 0, where the episode has ended.

    Returns:
        ``(advantages_BT, returns_BT)``, both 0 where no action is, and without gradient.
    """
    check_shapes(is_action_BT, rewards_BT, values_BT)
    assert rewards_BT.dtype == values_BT.dtype, f"rewards {rewards_BT.dtype}, values {values_BT.dtype}"
    assert 0.0 <= lam <= 1.0, f"lambda must be in [0, 1], got {lam}"
    batch, steps = rewards_BT.shape
    gamma_BT = torch.as_tensor(gamma, dtype=rewards_BT.dtype, device=rewards_BT.device).expand(batch, steps)
    next_value_B = rewards_BT.new_zeros(batch) if bootstrap_B is None else bootstrap_B
    assert next_value_B.shape == (batch,), f"bootstrap_B must be [{batch}], got {tuple(next_value_B.shape)}"

    advantage_B = rewards_BT.new_zeros(batch)
    advantages_BT = torch.zeros_like(rewards_BT)
    for t in reversed(range(steps)):
        is_action_B, gamma_B, value_B = is_action_BT[:, t], gamma_BT[:, t], values_BT[:, t]
        delta_B = rewards_BT[:, t] + gamma_B * next_value_B - value_B
        advantage_B = torch.where(is_action_B, delta_B + gamma_B * lam * advantage_B, advantage_B)
        next_value_B = torch.where(is_action_B, value_B, next_value_B)
        advantages_BT[:, t] = advantage_B
    advantages_BT = zero_outside(advantages_BT, is_action_BT)
    return advantages_BT, zero_outside(advantages_BT + values_BT, is_action_BT)


def reward_to_go(rewards_BT: Tensor, is_action_BT: Tensor, gamma: float | Tensor) -> Tensor:
    """Discounted sum of the rewards from each action on: ``G_k = r_k + gamma * G_{k+1}`` over the row's actions.

    This is :func:`gae` with lambda 1 and a critic that says 0 everywhere. [B, T], 0 where no action is.
    """
    return gae(rewards_BT, torch.zeros_like(rewards_BT), is_action_BT, gamma=gamma, lam=1.0)[0]
