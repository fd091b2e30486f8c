"""First-dead-token credit without a critic: the group's success rate, or the prefix tree of its samples, as the baseline.

A prefix is *viable* if some continuation of it passes, and *dead* if none does; a failed completion has one first dead token,
which its blame marks. Token structure is kept: no function here sums token rewards to a scalar.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rlsf_lightning.rl.gae import reward_to_go
from rlsf_lightning.rl.masks import check_shapes, zero_outside


@torch.no_grad()
def leave_one_out(x_B: Tensor, group_size: int, is_valid_B: Tensor) -> Tensor:
    """Mean over the *other* valid samples of the same prompt (RLOO: Ahmadian et al. 2024, https://arxiv.org/abs/2402.14740).

    ``b_i = sum_{j != i, j valid} x_j / (n - 1)`` for the n valid samples of a group. It does not depend on sample i, so
    subtracting it leaves the policy gradient unbiased.

    Args:
        x_B: one number a sample, prompt-major: samples ``[k * group_size, (k + 1) * group_size)`` belong to prompt k.
        group_size: samples of a prompt.
        is_valid_B: False where the tool abstained; such a sample enters no baseline and its ``x_B`` is not read.

    Returns:
        baseline_B in the dtype of ``x_B``. Where no baseline exists (an invalid sample, or fewer than two valid ones in
        the group) it is the sample's own ``x`` (0 if invalid), so that ``x - baseline`` is 0.

    Raises:
        AssertionError: shapes or dtypes that do not fit, or B that is not a multiple of ``group_size``.
    """
    assert is_valid_B.dtype == torch.bool, f"a mask is boolean, got {is_valid_B.dtype}"
    assert x_B.dim() == 1 and x_B.shape == is_valid_B.shape, f"{tuple(x_B.shape)} is not {tuple(is_valid_B.shape)}"
    assert x_B.is_floating_point(), f"a mean needs floating-point numbers, got {x_B.dtype}"
    assert group_size >= 1 and x_B.numel() % group_size == 0, f"{x_B.numel()} samples are no groups of {group_size}"
    x_PG = zero_outside(x_B, is_valid_B).view(-1, group_size)
    is_valid_PG = is_valid_B.view(-1, group_size)
    others_PG = is_valid_PG.sum(dim=1, keepdim=True) - is_valid_PG.long()
    mean_PG = (x_PG.sum(dim=1, keepdim=True) - x_PG) / others_PG.clamp(min=1)
    return torch.where(is_valid_PG & (others_PG >= 1), mean_PG, x_PG).reshape(-1)


@torch.no_grad()
def viable_prefix_advantages(
    blame_BT: Tensor, passed_B: Tensor, is_action_BT: Tensor, is_valid_B: Tensor, group_size: int
) -> Tensor:
    """Advantages from the first dead token, with the group's success rate as the value of every viable prefix.

    Let p be the leave-one-out success rate of a sample's prompt: an estimate of the chance that the policy passes from
    a prefix that is still viable. Then ::

        A_t = 1 - p           every token of a passing sample
        A_t = p * blame_t     a failing sample: -p at its first dead token, 0 before and after it
        A_t = 0               abstained samples, and outside the mask

    If all samples of a prompt fail, p = 0 and every advantage is 0; if all pass, 1 - p = 0 and so is every advantage;
    with fewer than two valid samples there is no p and every advantage is 0. The result is not centred: 0 means "no
    credit, no blame", and a shift would give credit to tokens of which nothing is known.

    Args:
        blame_BT: at most 0: -1 at a failing sample's first dead token, else 0. Not read for passing samples.
        passed_B: True where the completion ended by itself and passed.
        is_action_BT: loss mask.
        is_valid_B: False where the tool abstained.
        group_size: samples of a prompt, prompt-major as for :func:`leave_one_out`.

    Returns:
        advantages_BT in the dtype of ``blame_BT``.

    Raises:
        AssertionError: shapes or dtypes that do not fit, or blame above 0.
    """
    check_shapes(is_action_BT, blame_BT)
    assert passed_B.dtype == torch.bool, f"a mask is boolean, got {passed_B.dtype}"
    assert passed_B.shape == is_action_BT.shape[:1], f"{tuple(passed_B.shape)} is not [B] = [{len(is_action_BT)}]"
    counts_BT = is_action_BT & is_valid_B[:, None]
    blame_BT = zero_outside(blame_BT, counts_BT & ~passed_B[:, None])
    assert bool((blame_BT <= 0).all()), "blame is at most 0"
    success_B = leave_one_out(passed_B.to(blame_BT.dtype), group_size, is_valid_B)
    success_B1 = success_B[:, None]
    return zero_outside(torch.where(passed_B[:, None], 1.0 - success_B1, success_B1 * blame_BT), counts_BT)


@torch.no_grad()
def shared_prefix(ids_BT: Tensor, group_size: int) -> Tensor:
    """Which samples of a prompt are in the same state: [P, n, n, T], True where ``ids[i, :t]`` equals ``ids[j, :t]``.

    All samples of a prompt share the state before their first token. The diagonal is True.
    """
    assert ids_BT.dim() == 2 and len(ids_BT) % group_size == 0, f"{tuple(ids_BT.shape)}: no groups of {group_size}"
    ids_PnT = ids_BT.view(len(ids_BT) // group_size, group_size, ids_BT.shape[1])
    is_same_token = ids_PnT[:, :, None] == ids_PnT[:, None]
    is_start = torch.ones_like(is_same_token[..., :1])
    return torch.cat([is_start, is_same_token[..., :-1].long().cumprod(-1).bool()], dim=-1)


@torch.no_grad()
def prefix_tree_advantages(
    blame_BT: Tensor,
    passed_B: Tensor,
    is_action_BT: Tensor,
    is_valid_B: Tensor,
    ids_BT: Tensor,
    group_size: int,
    gamma: float = 1.0,
) -> Tensor:
    """First-dead-token credit with a state-dependent baseline: one for every prefix that samples of a prompt share.

    The samples of a prompt form a prefix tree, which branches where their tokens first differ. Let G_t be the discounted
    blame from t on: 0 for a passing sample, ``-gamma ** k`` for one whose first dead token is k tokens later. Then ::

        A_t = G_t - b_t    where another valid sample has the same tokens before t; b_t is the mean of these others' G_t
        A_t = as viable_prefix_advantages gives it, where no other sample shares the prefix

    With gamma 1, -b_t is the failure rate from that state on. A smaller gamma blames early choices less for later mistakes,
    so that staying viable longer is worth something where no sample of a prompt passes.

    Where samples that share a prefix all continue with the same token and gamma is 1, their advantages sum to 0, so that
    token gets no gradient: credit and blame fall on the tokens at which they branch. After the last branch a sample has no
    state-dependent baseline, and its mistake is located by its certificate alone.

    Args:
        blame_BT, passed_B, is_action_BT, is_valid_B, group_size: as in :func:`viable_prefix_advantages`.
        ids_BT: token ids; not read beyond a row's last action.
        gamma: discount in [0, 1].

    Returns:
        advantages_BT in the dtype of ``blame_BT``.

    Raises:
        AssertionError: as :func:`viable_prefix_advantages`, or ids of another shape.
    """
    unshared_BT = viable_prefix_advantages(blame_BT, passed_B, is_action_BT, is_valid_B, group_size)
    assert ids_BT.shape == is_action_BT.shape, f"{tuple(ids_BT.shape)} is not {tuple(is_action_BT.shape)}"
    counts_BT = is_action_BT & is_valid_B[:, None]
    blame_BT = zero_outside(blame_BT, counts_BT & ~passed_B[:, None])
    groups, steps = len(blame_BT) // group_size, blame_BT.shape[1]
    to_go_PnT = reward_to_go(blame_BT, counts_BT, gamma).view(groups, group_size, steps)
    is_self = torch.eye(group_size, dtype=torch.bool, device=ids_BT.device)[..., None]
    counts_PnT = counts_BT.view(groups, group_size, steps)
    is_sibling_PnnT = shared_prefix(ids_BT, group_size) & counts_PnT[:, None] & ~is_self
    siblings_PnT = is_sibling_PnnT.sum(2)
    baseline_PnT = (is_sibling_PnnT * to_go_PnT[:, None]).sum(2) / siblings_PnT.clamp(min=1)
    shared_BT = (to_go_PnT - baseline_PnT).reshape(blame_BT.shape)
    has_sibling_BT = siblings_PnT.gt(0).reshape(blame_BT.shape)
    return zero_outside(torch.where(has_sibling_BT, shared_BT, unshared_BT), counts_BT)
