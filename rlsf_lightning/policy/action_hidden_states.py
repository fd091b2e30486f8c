"""The hidden states that predict the actions of a batch, from one forward pass over prompts and completions.

A prompt with several completions is prefilled once where that is less work (a shared KV cache, with gradients).

Shape suffixes: B = sequences, S = whole sequence, T = its last columns, which hold the completions, N = actions, P = distinct
prompts, L = columns of the prompts, K = columns that completions may attend to, D = width.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import DynamicCache

from rlsf_lightning.policy.policy import Policy


def action_hidden_states(policy: Policy, ids_BS: Tensor, is_real_BS: Tensor, is_action_BT: Tensor) -> Tensor:
    """The hidden state in the column before each action, (N, D), in row-major order.

    Args:
        ids_BS: left-padded prompts followed by right-padded completions; any id at padding.
        is_real_BS: attention mask, bool, False at padding.
        is_action_BT: bool, which tokens of the last T columns are actions.
    """
    if _can_share_prompts(policy):
        width = is_action_BT.shape[1]
        row_P, owner_B = _distinct_prompts(ids_BS, is_real_BS, width)
        shared = len(row_P) * int(is_real_BS[:, :-width].sum(1).max()) + len(ids_BS) * (width - 1)
        whole = len(ids_BS) * int(is_real_BS.sum(1).max())  # tokens computed, padding included
        if len(row_P) < len(ids_BS) and shared < 0.9 * whole:
            return _with_shared_prompts(policy, row_P, owner_B, ids_BS, is_real_BS, is_action_BT)
    return _in_one_pass(policy, ids_BS, is_real_BS, is_action_BT)


def _in_one_pass(policy: Policy, ids_BS: Tensor, is_real_BS: Tensor, is_action_BT: Tensor) -> Tensor:
    """Every row with its own prompt, left-aligned.

    Rows are left-aligned, so all padding is on the right, where causal attention never attends. So position ids are plain, no
    attention mask is needed (attention may use its fastest kernel), the batch may get narrower, and no row of the attention
    is fully masked, which would make its gradient NaN.
    """
    length = ids_BS.shape[1]
    first_B = is_real_BS.int().argmax(1)
    aligned_BS, _ = _left_aligned(ids_BS, is_real_BS)
    hidden_BSD = policy.hidden_states(aligned_BS, None)
    row_N, action_N = is_action_BT.nonzero(as_tuple=True)
    return hidden_BSD[row_N, length - is_action_BT.shape[1] + action_N - first_B[row_N] - 1]


def _left_aligned(ids_BS: Tensor, is_real_BS: Tensor) -> tuple[Tensor, Tensor]:
    """The rows from their first real token on, right-padded to the longest, and their lengths."""
    first_B, length_B = is_real_BS.int().argmax(1), is_real_BS.sum(1)
    columns = torch.arange(int(length_B.max()), device=ids_BS.device)
    return ids_BS.gather(1, (first_B[:, None] + columns).clamp(max=ids_BS.shape[1] - 1)), length_B


def _distinct_prompts(ids_BS: Tensor, is_real_BS: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """A row index for each distinct prompt (P), and the index of each row's prompt (B)."""
    prompts_BS = torch.where(is_real_BS, ids_BS, -1)[:, :-width]
    _, owner_B = torch.unique(prompts_BS, dim=0, return_inverse=True)
    rows_B = torch.arange(len(ids_BS), device=ids_BS.device)
    first_P = torch.full((int(owner_B.max()) + 1,), len(ids_BS), device=ids_BS.device)
    return first_P.scatter_reduce(0, owner_B, rows_B, "amin"), owner_B


def _can_share_prompts(policy: Policy) -> bool:
    """Whether completions may attend to a shared KV cache of their prompt: in fp32, where it does not change the numbers,
    without sliding-window attention, and without gradient checkpointing, which keeps no cache."""
    is_possible = policy.takes_positions and not policy.has_sliding_windows and not policy.gradient_checkpointing
    return is_possible and policy.samples_as_it_scores


def _with_shared_prompts(
    policy: Policy, row_P: Tensor, owner_B: Tensor, ids_BS: Tensor, is_real_BS: Tensor, is_action_BT: Tensor
) -> Tensor:
    """Every distinct prompt once; its completions attend to its KV cache, in which their gradients add up.

    Prompts are left-aligned for the prefill, and left-padded in the cache, so that all end in the same column.
    """
    width = is_action_BT.shape[1]
    prompt_ids_PL, length_P = _left_aligned(ids_BS[row_P, :-width], is_real_BS[row_P, :-width])
    cache = DynamicCache()
    hidden_PLD = policy.hidden_states(prompt_ids_PL, None, cache=cache)
    state_B1D = hidden_PLD[torch.arange(len(row_P), device=ids_BS.device), length_P - 1][owner_B][:, None]
    longest = prompt_ids_PL.shape[1]
    column_PL = torch.arange(longest, device=ids_BS.device) - (longest - length_P)[:, None]
    source_BL = column_PL.clamp(min=0)[owner_B]
    layers: list[Any] = cache.layers
    for layer in layers:
        layer.keys = layer.keys[owner_B[:, None], :, source_BL].transpose(1, 2)
        layer.values = layer.values[owner_B[:, None], :, source_BL].transpose(1, 2)
    is_real_BK = F.pad(column_PL[owner_B] >= 0, (0, width - 1), value=True)
    if width > 1:
        position_BT = length_P[owner_B][:, None] + torch.arange(width - 1, device=ids_BS.device)
        later_BTD = policy.hidden_states(ids_BS[:, -width:-1], is_real_BK, position_ids_BS=position_BT, cache=cache)
        state_B1D = torch.cat((state_B1D, later_BTD), 1)
    return state_B1D[is_action_BT]
