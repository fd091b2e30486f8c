"""Loss aggregation as one weight per token, and dynamic sampling: the prompts whose samples have mixed outcomes."""

from __future__ import annotations

import torch
from torch import Tensor

from rlsf_lightning.rl.masks import StatsReduce, check_shapes

#: The loss aggregations that :func:`loss_weights` knows.
LOSS_MEANS = ("token", "sequence", "constant")


@torch.no_grad()
def loss_weights(
    is_action_BT: Tensor,
    mean: str,
    *,
    max_length: int | None = None,
    stats_reduce: StatsReduce | None = None,
) -> Tensor:
    """Weights w_it: the sum of ``w_it * loss_it`` over an optimiser step is the mean that is asked for.

    With N tokens and S completions (of at least one token) in the step on all ranks, and n_i tokens of completion i::

        token      w_it = 1 / N                  every token counts the same (DAPO, https://arxiv.org/abs/2503.14476)
        sequence   w_it = 1 / (S * n_i)          every completion counts the same (GRPO, https://arxiv.org/abs/2402.03300);
                                                 a long completion's tokens count less
        constant   w_it = 1 / (S * max_length)   a token's weight depends on no length (Dr. GRPO,
                                                 https://arxiv.org/abs/2503.20783)

    Call it once for all rows of an optimiser step and give each micro-batch its rows of the result: the gradient then does
    not depend on the micro-batches. Where gradients are averaged over ranks, multiply by the number of ranks too.

    Args:
        is_action_BT: loss mask of this rank's rows.
        mean: one of ``LOSS_MEANS``.
        max_length: most tokens that a completion can have; needed by ``constant`` alone.
        stats_reduce: sums the float64 tensor (tokens, completions) over all ranks. Every rank must call.

    Returns:
        weights_BT in float32, 0 outside the mask.

    Raises:
        AssertionError: an unknown mean, or ``constant`` without a max_length.
    """
    check_shapes(is_action_BT)
    assert mean in LOSS_MEANS, f"there is no mean `{mean}` (there are {', '.join(LOSS_MEANS)})"
    assert mean != "constant" or (max_length is not None and max_length >= 1), f"max_length is {max_length}"
    length_B1 = is_action_BT.sum(dim=1, keepdim=True).double()
    stats = torch.stack([length_B1.sum(), length_B1.gt(0).sum().double()])
    if stats_reduce is not None:
        stats = stats_reduce(stats)
    tokens, completions = stats.clamp(min=1.0).unbind()
    if mean == "token":
        denominator = tokens
    elif mean == "sequence":
        denominator = completions * length_B1.clamp(min=1.0)
    else:
        assert max_length is not None
        denominator = completions * max_length
    return (is_action_BT / denominator).float()


@torch.no_grad()
def has_mixed_outcomes(passed_B: Tensor, is_valid_B: Tensor, group_size: int) -> Tensor:
    """Which samples belong to a prompt whose success rate is strictly between 0 and 1.

    A prompt whose samples all pass, or all fail, gives a group estimator no outcomes to compare (dynamic sampling: DAPO,
    https://arxiv.org/abs/2503.14476, section 3.2). The share of prompts with mixed outcomes is
    ``result.view(-1, group_size).any(1)`` averaged.

    Args:
        passed_B: the verdict is PASS and the completion ended by itself.
        is_valid_B: False where the tool abstained: counted neither as passed nor as failed.
        group_size: samples of a prompt, prompt-major.

    Returns:
        has_mixed_outcomes_B: bool, True for the valid samples of such a prompt.

    Raises:
        AssertionError: masks that are not boolean [B], or B that is not a multiple of ``group_size``.
    """
    for mask_B in (passed_B, is_valid_B):
        assert mask_B.dtype == torch.bool and mask_B.dim() == 1, f"{mask_B.dtype} {tuple(mask_B.shape)} is no mask [B]"
    assert passed_B.shape == is_valid_B.shape, f"{tuple(passed_B.shape)} is not {tuple(is_valid_B.shape)}"
    assert group_size >= 1 and len(passed_B) % group_size == 0, f"{len(passed_B)} samples are no groups of {group_size}"
    passed_PG, is_valid_PG = passed_B.view(-1, group_size), is_valid_B.view(-1, group_size)
    has_pass_P1 = (passed_PG & is_valid_PG).any(dim=1, keepdim=True)
    has_fail_P1 = (~passed_PG & is_valid_PG).any(dim=1, keepdim=True)
    return (is_valid_PG & has_pass_P1 & has_fail_P1).reshape(-1)
