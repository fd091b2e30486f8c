"""VinePPO: step values by Monte-Carlo rollouts from the prefixes of a completion."""

from __future__ import annotations

import torch
from torch import Tensor

from rlsf_lightning.rl.masks import check_shapes, zero_outside


@torch.no_grad()
def mean_of_rollouts(returns_NK: Tensor, is_valid_NK: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Monte-Carlo values of N states from K rollouts of each.

    ``V = mean of the valid returns``, with standard error ``sqrt(unbiased variance / number of valid returns)``.

    Args:
        returns_NK: return of each rollout: the sum of the rewards *after* the state.
        is_valid_NK: False where the tool abstained; such a return is not read.

    Returns:
        ``(value_N, error_N, is_known_N)``: the value is 0 and unknown where all abstained; the standard error is infinite
        where fewer than two returns are valid.
    """
    check_shapes(is_valid_NK, returns_NK)
    returns_NK = zero_outside(returns_NK, is_valid_NK)
    valid_N = is_valid_NK.sum(dim=1)
    value_N = returns_NK.sum(dim=1) / valid_N.clamp(min=1)
    squares_N = zero_outside((returns_NK - value_N[:, None]).square(), is_valid_NK).sum(dim=1)
    error_N = (squares_N / (valid_N - 1).clamp(min=1) / valid_N.clamp(min=1)).sqrt()
    return value_N, torch.where(valid_N >= 2, error_N, float("inf")), valid_N >= 1


@torch.no_grad()
def vine_advantages(
    rewards_BT: Tensor,
    is_action_BT: Tensor,
    step_BT: Tensor,
    value_BK: Tensor,
    *,
    is_known_BK: Tensor | None = None,
    gamma: float = 1.0,
) -> Tensor:
    """Step-level advantages (VinePPO: Kazemnejad et al. 2024, https://arxiv.org/abs/2410.01679).

    A completion is cut into steps 0..K-2. With s_k the state before step k, and n_k the step's tokens::

        r_k = sum of gamma^i * (reward of the step's i-th token, from 0)
        A_k = r_k + gamma^n_k * V(s_{k+1}) - V(s_k)

    and every token of step k gets A_k. Values count what comes after a state, so the completion and the rollouts must be
    rewarded alike, and V of a completion that has ended is 0. No critic is involved: a mistake that lowers the mean return of
    rollouts is attributed to its step from verdicts alone.

    Args:
        rewards_BT: reward of each action.
        is_action_BT: loss mask.
        step_BT: index (long) of the step of each action, non-decreasing along a row.
        value_BK: V(s_k), K at least 1 more than the number of steps; a row's columns beyond the state after its last
            step are not read.
        is_known_BK: False where there is no estimate (all of a state's rollouts abstained); a step that begins or ends
            there gets 0. None: all are known.
        gamma: discount in [0, 1]; the paper has 1.

    Returns:
        advantages_BT in the dtype of ``rewards_BT``, 0 outside the mask.

    Raises:
        AssertionError: shapes or dtypes that do not fit, or step indices that decrease or exceed the values.
    """
    check_shapes(is_action_BT, rewards_BT, step_BT)
    batch, columns = value_BK.shape
    assert batch == len(rewards_BT), f"{batch} rows of values, {len(rewards_BT)} of rewards"
    assert step_BT.dtype == torch.long, f"step indices are long, got {step_BT.dtype}"
    step_BT = zero_outside(step_BT, is_action_BT)
    assert bool(((step_BT >= 0) & (step_BT <= columns - 2) | ~is_action_BT).all()), f"steps beyond the {columns} values"
    so_far_BT = step_BT.cummax(dim=1).values if step_BT.numel() else step_BT
    assert bool((step_BT == so_far_BT)[is_action_BT].all()), "a row goes back to an earlier step"

    zeros_BK = rewards_BT.new_zeros(batch, columns)
    length_BK = zeros_BK.scatter_add(1, step_BT, is_action_BT.to(rewards_BT.dtype))
    first_BK = length_BK.cumsum(dim=1) - length_BK
    within_BT = is_action_BT.cumsum(dim=1) - 1 - first_BK.gather(1, step_BT)
    base = rewards_BT.new_tensor(gamma)
    reward_BK = zeros_BK.scatter_add(1, step_BT, zero_outside(rewards_BT * base**within_BT, is_action_BT))
    after_BK, before_BK = value_BK[:, 1:], value_BK[:, :-1]
    advantage_BK = reward_BK[:, :-1] + base ** length_BK[:, :-1] * after_BK - before_BK
    if is_known_BK is not None:
        assert is_known_BK.dtype == torch.bool and is_known_BK.shape == value_BK.shape, f"{tuple(is_known_BK.shape)}"
        advantage_BK = zero_outside(advantage_BK, is_known_BK[:, 1:] & is_known_BK[:, :-1])
    return zero_outside(advantage_BK.gather(1, step_BT), is_action_BT).to(rewards_BT.dtype)
