"""Token-level group baselines: RLOO, GRPO and Dr. GRPO with the group's reward-to-go at the same token index.

The baseline of a reward-to-go is the other samples' reward-to-go at that index, not their return. Both leave the policy
gradient unbiased, since neither depends on the sample; but a return keeps rewards that a token can no longer influence. With
located rewards, a failing sample's tokens after the blamed one have a reward-to-go of 0, and a baseline of, say, -0.6 (the
mean return) gives each of them an advantage of +0.6; the others' reward-to-go shrinks as their own blamed tokens pass, and
that advantage with it.

Beyond its end a sample counts with the reward of its last token. With 0 instead, the tokens by which a success is longer
than others would get positive advantages, and longer samples would be compared with failures that no longer count.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rlsf_lightning.rl.gae import discounted_sums
from rlsf_lightning.rl.masks import check_shapes, zero_outside

#: Standard deviation below which a group's rewards-to-go count as equal.
SPREAD_FLOOR = 1e-6


def _to_go(
    rewards_BT: Tensor, is_action_BT: Tensor, is_valid_B: Tensor, group_size: int, gamma: float
) -> tuple[Tensor, Tensor]:
    """``(to_go_PGT, valid_PG1)``: rewards-to-go; beyond a sample's last action its last reward; 0 in invalid samples."""
    check_shapes(is_action_BT, rewards_BT)
    batch, steps = rewards_BT.shape
    assert is_valid_B.dtype == torch.bool, f"a mask is boolean, got {is_valid_B.dtype}"
    assert is_valid_B.shape == (batch,), f"{tuple(is_valid_B.shape)} is not [B] = [{batch}]"
    assert group_size >= 1 and batch % group_size == 0, f"{batch} samples are no groups of {group_size}"
    assert 0.0 <= gamma <= 1.0, f"gamma must be in [0, 1], got {gamma}"
    counts_BT = is_action_BT & is_valid_B[:, None]
    to_go_BT = discounted_sums(zero_outside(rewards_BT, counts_BT), counts_BT, gamma)
    left_BT = counts_BT.flip(1).cumsum(1).flip(1)
    last_B1 = zero_outside(rewards_BT, counts_BT & (left_BT == 1)).sum(dim=1, keepdim=True)
    to_go_BT = torch.where(left_BT == 0, last_B1, to_go_BT)
    return to_go_BT.view(batch // group_size, group_size, steps), is_valid_B.view(-1, group_size, 1)


@torch.no_grad()
def rloo_advantages(
    rewards_BT: Tensor, is_action_BT: Tensor, is_valid_B: Tensor, group_size: int, gamma: float = 1.0
) -> Tensor:
    """Token-level leave-one-out advantages (RLOO: Ahmadian et al. 2024, https://arxiv.org/abs/2402.14740).

    For sample i of a prompt with n valid samples, and the token at index t of the response::

        G_it = sum of gamma^(actions between t and k) * r_ik over the actions k >= t of sample i
        G_it = the reward of sample i's last action, where t lies beyond it
        b_it = sum_{j != i, j valid} G_jt / (n - 1)
        A_it = G_it - b_it

    ``b_it`` does not depend on what sample i chose, so that the gradient is unbiased, at the same index or at any other; at
    the same index the others had about as much reward left. With all reward on the last token and gamma 1 this is RLOO as
    published, which sums the rewards of a completion.

    Args:
        rewards_BT: reward of each action.
        is_action_BT: loss mask.
        is_valid_B: False where the tool abstained: such a sample enters no baseline and nothing of it is read.
        group_size: samples of a prompt, prompt-major.
        gamma: discount in [0, 1].

    Returns:
        advantages_BT in the dtype of ``rewards_BT``; 0 outside the mask, for invalid samples, and for the only valid sample
        of a group.

    Raises:
        AssertionError: shapes or dtypes that do not fit, B that is not a multiple of ``group_size``, or gamma out of range.
    """
    to_go_PGT, valid_PG1 = _to_go(rewards_BT, is_action_BT, is_valid_B, group_size, gamma)
    others_P11 = valid_PG1.sum(dim=1, keepdim=True) - 1
    baseline_PGT = (to_go_PGT.sum(dim=1, keepdim=True) - to_go_PGT) / others_P11.clamp(min=1)
    advantages_PGT = torch.where(others_P11 >= 1, to_go_PGT - baseline_PGT, 0.0)
    return zero_outside(advantages_PGT.reshape(rewards_BT.shape), is_action_BT & is_valid_B[:, None])


@torch.no_grad()
def dr_grpo_advantages(
    rewards_BT: Tensor, is_action_BT: Tensor, is_valid_B: Tensor, group_size: int, gamma: float = 1.0
) -> Tensor:
    """``A_it = G_it - mean_j G_jt`` over the n valid samples, i among them (Dr. GRPO, https://arxiv.org/abs/2503.20783).

    This is ``(n - 1) / n`` times :func:`rloo_advantages`. It does not divide by the group's standard deviation, which would
    give more weight to prompts whose samples are nearly equal (difficulty bias); and it asks for a loss mean whose
    denominator depends on no length (``constant`` of :func:`~rlsf_lightning.rl.loss_weights.loss_weights`), since dividing by
    a completion's own length makes long failures cheap (length bias).

    Args, result and errors as in :func:`rloo_advantages`.
    """
    to_go_PGT, valid_PG1 = _to_go(rewards_BT, is_action_BT, is_valid_B, group_size, gamma)
    mean_P1T = to_go_PGT.sum(dim=1, keepdim=True) / valid_PG1.sum(dim=1, keepdim=True).clamp(min=1)
    advantages_BT = (to_go_PGT - mean_P1T).reshape(rewards_BT.shape)
    return zero_outside(advantages_BT, is_action_BT & is_valid_B[:, None])


@torch.no_grad()
def grpo_advantages(
    rewards_BT: Tensor, is_action_BT: Tensor, is_valid_B: Tensor, group_size: int, gamma: float = 1.0
) -> Tensor:
    """``A_it = (G_it - mean_j G_jt) / s`` over the n valid samples (GRPO, https://arxiv.org/abs/2402.03300, section 4.1).

    As in the paper's process supervision, a token gets its reward-to-go; here the group's mean is taken at each token index.
    The divisor is the group's standard deviation (biased: over n) of the returns, guarded::

        s = max(std of sum_k r_jk, max_t std of G_jt)

    With located rewards the returns alone are no divisor: where all samples fail at different tokens the returns are equal,
    but for rounding or a small penalty, and the quotient would be arbitrarily large. With the second term no advantage
    exceeds ``sqrt(n - 1)``, the bound of the published form; with all reward on the last token and gamma 1 both terms are
    the same. Where s is below 1e-6 all advantages of the group are 0.

    Args, result and errors as in :func:`rloo_advantages`.
    """
    to_go_PGT, valid_PG1 = _to_go(rewards_BT, is_action_BT, is_valid_B, group_size, gamma)
    counts_BT = is_action_BT & is_valid_B[:, None]
    total_PG1 = zero_outside(rewards_BT, counts_BT).sum(dim=1).view(-1, group_size, 1)
    columns = torch.cat([total_PG1, to_go_PGT], dim=2)
    valid_P11 = valid_PG1.sum(dim=1, keepdim=True).clamp(min=1)
    centred = torch.where(valid_PG1, columns - columns.sum(dim=1, keepdim=True) / valid_P11, 0.0)
    spread_P11 = (centred.square().sum(dim=1, keepdim=True) / valid_P11).amax(dim=2, keepdim=True).sqrt()
    scaled_PGT = centred[..., 1:] / spread_P11.clamp(min=SPREAD_FLOOR) * (spread_P11 >= SPREAD_FLOOR)
    return zero_outside(scaled_PGT.reshape(rewards_BT.shape), counts_BT)
