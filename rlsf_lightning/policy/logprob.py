"""Log-probabilities, entropies and values of given tokens, without ever making a (B, T, V) tensor.

A plain linear head goes through the fused kernel of ``fused_linear_logprob.py``, any other through chunks that are recomputed
in the backward pass. It never samples and knows no rewards.

Shape suffixes: B = sequences, S = whole sequence, T = its last columns, which hold the completions, N = actions (real
completion tokens) of the batch, n = those of one chunk, D = width, V = vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from rlsf_lightning.policy.action_hidden_states import action_hidden_states
from rlsf_lightning.policy.fused_linear_logprob import fused_logprob_and_entropy
from rlsf_lightning.policy.heads import linear_head, lm_head
from rlsf_lightning.policy.policy import Policy

#: Logits alive at a time, if the caller sets no chunk: 2**22 are 16 MiB in fp32, which stays in a CPU's cache.
LOGITS_AT_A_TIME = 2**22


@dataclass(frozen=True)
class ActionScores:
    """Per action, in fp32; 0 at padding. An EOS is an action like any other. Log-probabilities and entropies in nats."""

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
    depend neither on ``chunk`` nor on padding, but for rounding.

    Args:
        ids_BS: token ids, any id at padding.
        is_real_BS: attention mask, bool, False at padding. Made from lengths: the padding id may also be a real token.
        is_action_BT: loss mask, bool, True where a completion's token is scored; only at real tokens.
        temperature: divisor of the logits, > 0: the sampling temperature.
        with_entropy, with_value: also return these; the value needs a policy with a value head.
        detach_entropy: no gradient through the entropy, which saves a third of the head's work.
        detach_value: no gradient from the value into the policy's backbone. A critic's own adapter always gets it.
        chunk: actions per tile or chunk of the head; None: chosen by device and vocabulary.

    Raises:
        AssertionError: shapes or dtypes that do not fit, a prompt that does not end in column S - T - 1, or a row with
            padding in its middle.
    """
    _check_layout(ids_BS, is_real_BS, is_action_BT)
    assert temperature > 0, f"temperature must be > 0, got {temperature}"
    assert not with_value or policy.value_head is not None, "this policy has no value head"

    hidden_ND = action_hidden_states(policy, ids_BS, is_real_BS, is_action_BT)
    target_N = ids_BS[:, -is_action_BT.shape[1] :][is_action_BT]
    head = linear_head(policy.causal_lm)
    if head is not None:
        kwargs = {"with_entropy": with_entropy, "detach_entropy": detach_entropy}
        logp_N, entropy_N = fused_logprob_and_entropy(head, hidden_ND, target_N, temperature, chunk, **kwargs)
    else:
        chunk = chunk or max(1, LOGITS_AT_A_TIME // policy.vocabulary_size)
        logits_of = lm_head(policy.causal_lm)
        logp_N, entropy_N = _in_chunks(logits_of, hidden_ND, target_N, temperature, with_entropy, chunk)
        if detach_entropy:
            entropy_N = entropy_N.detach()

    value_N = None
    if with_value and policy.value_head is not None:
        if policy.has_critic:  # a forward pass of its own, which learns from the value loss alone
            with policy.critic():
                hidden_ND = action_hidden_states(policy, ids_BS, is_real_BS, is_action_BT)
        value_N = policy.value_head(hidden_ND, detach=detach_value and not policy.has_critic)

    def unpack(values_N: Tensor) -> Tensor:
        return values_N.new_zeros(is_action_BT.shape).masked_scatter(is_action_BT, values_N)

    return ActionScores(
        logp_BT=unpack(logp_N),
        entropy_BT=unpack(entropy_N) if with_entropy else None,
        value_BT=None if value_N is None else unpack(value_N),
    )


def _check_layout(ids_BS: Tensor, is_real_BS: Tensor, is_action_BT: Tensor) -> None:
    length, width = ids_BS.shape[1], is_action_BT.shape[1]
    assert is_real_BS.shape == ids_BS.shape and len(is_action_BT) == len(ids_BS), "shapes differ"
    assert is_real_BS.dtype == is_action_BT.dtype == torch.bool, "masks are bool"
    assert 0 < width < length, f"T must leave room for a prompt, got T={width}, S={length}"
    assert bool(is_real_BS[:, length - width - 1].all()), "a prompt must end in the column before the completions"
    assert bool((is_action_BT <= is_real_BS[:, length - width :]).all()), "padding is no action"
    runs_B = is_real_BS[:, 0].int() + (is_real_BS[:, 1:] & ~is_real_BS[:, :-1]).sum(1)
    assert bool((runs_B == 1).all()), "a row's real tokens must be contiguous"


def _in_chunks(
    logits_of: Callable[[Tensor], Tensor],
    hidden_ND: Tensor,
    target_N: Tensor,
    temperature: float,
    with_entropy: bool,
    chunk: int,
) -> tuple[Tensor, Tensor]:
    """(logp_N, entropy_N) with the logits of at most ``chunk`` tokens alive: gradient checkpointing of head and softmax."""

    def one(hidden_nD: Tensor, target_n: Tensor) -> tuple[Tensor, Tensor]:
        logp_nV = torch.log_softmax(logits_of(hidden_nD) / temperature, dim=-1)
        logp_n = logp_nV.gather(-1, target_n[:, None]).squeeze(-1)
        entropy_n = -(logp_nV.exp() * logp_nV).sum(-1) if with_entropy else torch.zeros_like(logp_n)
        return logp_n, entropy_n

    chunks = []
    # At least one chunk, if an empty one: a batch of empty completions then still has a graph, with zero gradients.
    for start in range(0, max(len(target_N), 1), chunk):
        arguments = hidden_ND[start : start + chunk], target_N[start : start + chunk]
        if torch.is_grad_enabled():
            chunks.append(checkpoint(one, *arguments, use_reentrant=False, preserve_rng_state=False))
        else:
            chunks.append(one(*arguments))
    return torch.cat([logp_n for logp_n, _ in chunks]), torch.cat([entropy_n for _, entropy_n in chunks])
