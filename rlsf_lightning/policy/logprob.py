"""Log-probabilities, entropies and values of given tokens: one forward pass, and never a (B, T, V) tensor.

It never samples and knows no rewards. Shape suffixes: B = sequences, S = whole sequence, T = its last columns, in which
completions lie, N = actions (real completion tokens) of the batch, D = width, V = vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint
from transformers import DynamicCache

from rlsf_lightning.policy.heads import linear_head, lm_head
from rlsf_lightning.policy.policy import Policy
from rlsf_lightning.policy.tiles import TOKENS, tiled_scores

#: Logits alive at a time, when the caller names no chunk: 2**22 are 16 MiB in fp32, which stays in a CPU's cache.
LOGITS_AT_A_TIME = 2**22


@dataclass(frozen=True)
class ActionScores:
    """Per action, in fp32; 0 where there is none. An EOS is an action like any other."""

    logp_BT: Tensor
    entropy_BT: Tensor | None
    value_BT: Tensor | None


def score_actions(
    policy: Policy,
    ids_BS: Tensor,
    is_real_BS: Tensor,
    is_action_BT: Tensor,
    *,
    temperature: float,
    with_entropy: bool = False,
    detach_entropy: bool = False,
    with_value: bool = False,
    detach_value: bool = True,
    chunk: int | None = None,
) -> ActionScores:
    """Score the actions in the last T columns of left-padded prompts followed by right-padded completions.

    logp = log softmax(logits / temperature)[id] and entropy = -sum p log p of the same distribution, both predicted
    from the column before; the value is V of the state in which the action is taken, from that same column. Results
    depend neither on ``chunk`` (actions in one piece of head and softmax) nor on padding.

    Args:
        ids_BS: token ids, any id at padding.
        is_real_BS: bool, False at padding. Made from lengths: the padding id may also be a real token.
        is_action_BT: bool, True where a completion's token is scored; only at real tokens.
        temperature: what the logits are divided by, > 0: the sampling temperature.
        with_entropy, with_value: also return these; the value needs a policy with a value head.
        detach_entropy: nothing is learnt from the entropy, which saves a third of the head's work.
        detach_value: keep the value's gradient out of the policy's backbone. A critic's adapter gets it always.

    Raises:
        AssertionError: shapes or dtypes that do not fit, a prompt that does not end in column S - T - 1, or a row with
            padding in its middle.
    """
    length, width = ids_BS.shape[1], is_action_BT.shape[1]
    assert is_real_BS.shape == ids_BS.shape and len(is_action_BT) == len(ids_BS), "shapes differ"
    assert is_real_BS.dtype == is_action_BT.dtype == torch.bool, "masks are bool"
    assert 0 < width < length, f"T must leave room for a prompt, got T={width}, S={length}"
    assert temperature > 0, f"temperature must be > 0, got {temperature}"
    assert bool(is_real_BS[:, length - width - 1].all()), "a prompt must end in the column before the completions"
    assert bool((is_action_BT <= is_real_BS[:, length - width :]).all()), "padding is no action"
    runs_B = is_real_BS[:, 0].int() + (is_real_BS[:, 1:] & ~is_real_BS[:, :-1]).sum(1)
    assert bool((runs_B == 1).all()), "a row's real tokens must be contiguous"
    assert not with_value or policy.value_head is not None, "this policy has no value head"

    hidden_ND = _predicting_states(policy, ids_BS, is_real_BS, is_action_BT)
    target_N = ids_BS[:, length - width :][is_action_BT]
    head = linear_head(policy.causal_lm)
    if head is not None:
        kwargs = {"with_entropy": with_entropy, "detach_entropy": detach_entropy}
        logp_N, entropy_N = tiled_scores(head, hidden_ND, target_N, temperature, chunk or TOKENS, **kwargs)
    else:
        chunk = chunk or max(1, LOGITS_AT_A_TIME // policy.vocabulary_size)
        logits_of = lm_head(policy.causal_lm)
        logp_N, entropy_N = _in_chunks(logits_of, hidden_ND, target_N, temperature, with_entropy, chunk)
        if detach_entropy:
            entropy_N = entropy_N.detach()

    value_N = None
    if with_value and policy.value_head is not None:
        if policy.has_critic:  # a pass of its own, which learns from the value loss alone
            with policy.critic():
                hidden_ND = _predicting_states(policy, ids_BS, is_real_BS, is_action_BT)
        value_N = policy.value_head(hidden_ND, detach=detach_value and not policy.has_critic)

    def unpack(values_N: Tensor) -> Tensor:
        return values_N.new_zeros(is_action_BT.shape).masked_scatter(is_action_BT, values_N)

    return ActionScores(
        logp_BT=unpack(logp_N),
        entropy_BT=unpack(entropy_N) if with_entropy else None,
        value_BT=None if value_N is None else unpack(value_N),
    )


def _predicting_states(policy: Policy, ids_BS: Tensor, is_real_BS: Tensor, is_action_BT: Tensor) -> Tensor:
    """The hidden state in the column before each action, (N, D)."""
    if _can_share(policy):
        width = is_action_BT.shape[1]
        row_P, owner_B = _distinct(ids_BS, is_real_BS, width)
        shared = len(row_P) * int(is_real_BS[:, :-width].sum(1).max()) + len(ids_BS) * (width - 1)
        whole = len(ids_BS) * int(is_real_BS.sum(1).max())  # tokens that are computed, padding among them
        if len(row_P) < len(ids_BS) and shared < 0.9 * whole:
            return _after_shared_prompts(policy, row_P, owner_B, ids_BS, is_real_BS, is_action_BT)
    return _in_one_pass(policy, ids_BS, is_real_BS, is_action_BT)


def _in_one_pass(policy: Policy, ids_BS: Tensor, is_real_BS: Tensor, is_action_BT: Tensor) -> Tensor:
    """Every row with its prompt, without any padding in front.

    Every row is moved to the left edge, and what padding is left lies behind it, where causal attention does not look.
    So positions are plain, no mask is needed (attention may use its fastest kernel), fewer columns may do, and no
    padding attends to nothing, which would make its gradient NaN.
    """
    length = ids_BS.shape[1]
    first_B = is_real_BS.int().argmax(1)
    moved_BS, _ = _moved_left(ids_BS, is_real_BS)
    hidden_BSD = policy.hidden_states(moved_BS, None)
    row_N, action_N = is_action_BT.nonzero(as_tuple=True)
    return hidden_BSD[row_N, length - is_action_BT.shape[1] + action_N - first_B[row_N] - 1]


def _moved_left(ids_BS: Tensor, is_real_BS: Tensor) -> tuple[Tensor, Tensor]:
    """The rows from their first real token on, as wide as the longest, and their lengths."""
    first_B, length_B = is_real_BS.int().argmax(1), is_real_BS.sum(1)
    columns = torch.arange(int(length_B.max()), device=ids_BS.device)
    return ids_BS.gather(1, (first_B[:, None] + columns).clamp(max=ids_BS.shape[1] - 1)), length_B


def _distinct(ids_BS: Tensor, is_real_BS: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """A row for each of the different prompts, and which of them each row has."""
    prompts_BS = torch.where(is_real_BS, ids_BS, -1)[:, :-width]
    _, owner_B = torch.unique(prompts_BS, dim=0, return_inverse=True)
    rows_B = torch.arange(len(ids_BS), device=ids_BS.device)
    first_P = torch.full((int(owner_B.max()) + 1,), len(ids_BS), device=ids_BS.device)
    return first_P.scatter_reduce(0, owner_B, rows_B, "amin"), owner_B


def _can_share(policy: Policy) -> bool:
    """Whether completions may read their prompt's keys and values: in fp32, where it makes no difference to the numbers,
    without windows on what is read, and without recomputation, which keeps no cache."""
    config = policy.causal_lm.config.get_text_config()
    windows = any(kind != "full_attention" for kind in getattr(config, "layer_types", None) or [])
    windows |= getattr(config, "sliding_window", None) is not None
    is_possible = policy.takes_positions and not windows and not policy.gradient_checkpointing
    return is_possible and policy.samples_as_it_scores


def _after_shared_prompts(
    policy: Policy, row_P: Tensor, owner_B: Tensor, ids_BS: Tensor, is_real_BS: Tensor, is_action_BT: Tensor
) -> Tensor:
    """Every distinct prompt once; the completions after it read its keys and values, which gather all their gradients.

    Prompts stand at the left edge where they are computed, and end in the same column where they are read.
    """
    width = is_action_BT.shape[1]
    prompt_ids_PL, length_P = _moved_left(ids_BS[row_P, :-width], is_real_BS[row_P, :-width])
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
    is_read_BK = F.pad(column_PL[owner_B] >= 0, (0, width - 1), value=True)
    if width > 1:
        position_BT = length_P[owner_B][:, None] + torch.arange(width - 1, device=ids_BS.device)
        later_BTD = policy.hidden_states(ids_BS[:, -width:-1], is_read_BK, position_ids_BS=position_BT, cache=cache)
        state_B1D = torch.cat((state_B1D, later_BTD), 1)
    return state_B1D[is_action_BT]


def _in_chunks(
    logits_of: Callable[[Tensor], Tensor],
    hidden_ND: Tensor,
    target_N: Tensor,
    temperature: float,
    with_entropy: bool,
    chunk: int,
) -> tuple[Tensor, Tensor]:
    """(logp_N, entropy_N), with the logits of at most ``chunk`` tokens alive at a time: computed again in the backward pass."""

    def one(hidden_nD: Tensor, target_n: Tensor) -> tuple[Tensor, Tensor]:
        logp_nV = torch.log_softmax(logits_of(hidden_nD) / temperature, dim=-1)
        logp_n = logp_nV.gather(-1, target_n[:, None]).squeeze(-1)
        entropy_n = -(logp_nV.exp() * logp_nV).sum(-1) if with_entropy else torch.zeros_like(logp_n)
        return logp_n, entropy_n

    pieces = []
    # At least one piece, if an empty one: a batch of empty completions then still has a graph, with zero gradients.
    for start in range(0, max(len(target_N), 1), chunk):
        arguments = hidden_ND[start : start + chunk], target_N[start : start + chunk]
        if torch.is_grad_enabled():
            pieces.append(checkpoint(one, *arguments, use_reentrant=False, preserve_rng_state=False))
        else:
            pieces.append(one(*arguments))
    return torch.cat([p[0] for p in pieces]), torch.cat([p[1] for p in pieces])
