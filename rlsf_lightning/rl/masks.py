"""Masked sums, whitening and scaling: statistics over the positions of a loss mask."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: All-reduces (sums over all ranks) a small float64 tensor and returns the result.
StatsReduce = Callable[[Tensor], Tensor]

#: Added to a variance before its root is taken: without it a batch of rounding noise would be blown up to unit size.
VARIANCE_FLOOR = 1e-8


def check_shapes(is_action_BT: Tensor, *others_BT: Tensor) -> None:
    """Raise AssertionError unless the mask is a boolean matrix and every other tensor has its shape."""
    assert is_action_BT.dtype == torch.bool, f"a mask is boolean, got {is_action_BT.dtype}"
    assert is_action_BT.dim() == 2, f"expected [B, T], got {tuple(is_action_BT.shape)}"
    for other_BT in others_BT:
        assert other_BT.shape == is_action_BT.shape, f"{tuple(other_BT.shape)} is not {tuple(is_action_BT.shape)}"


def zero_outside(x_BT: Tensor, is_action_BT: Tensor) -> Tensor:
    """``x_BT`` with 0 where the mask is False. Multiplying by the mask would let NaN and infinity through."""
    return torch.where(is_action_BT, x_BT, torch.zeros_like(x_BT))


def masked_sum(x_BT: Tensor, is_action_BT: Tensor) -> Tensor:
    """Sum over the mask: a scalar."""
    check_shapes(is_action_BT, x_BT)
    return zero_outside(x_BT, is_action_BT).sum()


def _moments(x_BT: Tensor, is_action_BT: Tensor, stats_reduce: StatsReduce | None) -> tuple[Tensor, Tensor]:
    """Mean and mean square over the masks of all ranks, in float64; both 0 if no position counts."""
    x64_BT = zero_outside(x_BT, is_action_BT).double()
    stats = torch.stack([is_action_BT.sum().double(), x64_BT.sum(), x64_BT.square().sum()])
    if stats_reduce is not None:
        stats = stats_reduce(stats)
    count, total, squares = stats.unbind()
    count = count.clamp(min=1.0)
    return total / count, squares / count


@torch.no_grad()
def whiten(x_BT: Tensor, is_action_BT: Tensor, *, centre: bool, stats_reduce: StatsReduce | None = None) -> Tensor:
    """Whiten: scale to unit variance over the mask.

    With the mean m and the biased variance s^2 over its tokens, ``(x - m) / sqrt(s^2 + 1e-8)``; without centring
    the mean is added back, so that the result has mean m. (The whitening of section 2 of "The N implementation details
    of RLHF with PPO", https://huggingface.co/blog/the_n_implementation_details_of_rlhf_with_ppo.)

    Args:
        x_BT: what to scale.
        is_action_BT: loss mask.
        centre: whether the result has mean 0.
        stats_reduce: sums the float64 tensor (count, sum, sum of squares) over all ranks. Every rank must call, one
            without valid tokens too.

    Returns:
        [B, T] in the dtype of ``x_BT``, 0 outside the mask. A constant, and so a single token, has no variance to scale by:
        it becomes 0 with centring and is unchanged without.
    """
    check_shapes(is_action_BT, x_BT)
    mean, mean_square = _moments(x_BT, is_action_BT, stats_reduce)
    variance = (mean_square - mean.square()).clamp(min=0.0)
    white_BT = (x_BT.double() - mean) * torch.rsqrt(variance + VARIANCE_FLOOR)
    if not centre:
        white_BT = white_BT + mean
    return zero_outside(white_BT, is_action_BT).to(x_BT.dtype)


@torch.no_grad()
def scale_by_rms(x_BT: Tensor, is_action_BT: Tensor, *, stats_reduce: StatsReduce | None = None) -> Tensor:
    """Divide by the root mean square over the mask: ``x / sqrt(mean(x^2) + 1e-8)``.

    Unlike centring it keeps zeros and signs: for advantages where 0 means "no credit".

    Args and result as for :func:`whiten`.
    """
    check_shapes(is_action_BT, x_BT)
    _, mean_square = _moments(x_BT, is_action_BT, stats_reduce)
    scaled_BT = x_BT.double() * torch.rsqrt(mean_square + VARIANCE_FLOOR)
    return zero_outside(scaled_BT, is_action_BT).to(x_BT.dtype)


@torch.no_grad()
def normalise(how: str, advantage_BT: Tensor, is_credited_BT: Tensor, stats_reduce: StatsReduce | None) -> Tensor:
    """Advantage normalisation over all ranks' tokens: ``scale`` by the root mean square, ``centre`` to mean 0 and variance 1,
    or ``none``. [B, T]."""
    if how == "none":
        return advantage_BT
    if how == "centre":
        return whiten(advantage_BT, is_credited_BT, centre=True, stats_reduce=stats_reduce)
    return scale_by_rms(advantage_BT, is_credited_BT, stats_reduce=stats_reduce)
