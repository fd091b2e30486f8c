"""Minibatches of a rollout for optimiser steps, and micro-batches of these for gradient accumulation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from rlsf_lightning.config import schema
from rlsf_lightning.training.rollout import Part, Rollout


def minibatches(rollout: Rollout, count: int, generator: torch.Generator) -> Sequence[Tensor]:
    """All rows in random order, in ``count`` parts; of whole prompts where these can be shared out evenly."""
    size = 1 if len(rollout.prompts) // rollout.group_size % count else rollout.group_size
    order = torch.randperm(len(rollout.prompts) // size, generator=generator)
    return (order[:, None] * size + torch.arange(size)).flatten().tensor_split(count)


def tokens_at_a_time(settings: schema.Algorithm, device: torch.device) -> int:
    """``algorithm.micro_batch_tokens``, or what suits the device."""
    return settings.micro_batch_tokens or (1024 if device.type == "cpu" else 8192)


def micro_batches(
    rollout: Rollout, is_used_BT: Tensor, rows: Tensor, tokens: int, agree: Callable[[int], int] = lambda n: n
) -> list[Part]:
    """Cut rows into parts of at most about ``tokens`` tokens each: rows of like length together, or those of a prompt.

    The first leaves less padding, the second computes prompts less often: whichever leaves less to compute.
    ``agree`` makes the number of parts the same on all ranks (the most that any of them needs).
    """
    rows = rows.to(rollout.ids_BS.device)
    columns_T = torch.arange(1, is_used_BT.shape[1] + 1, device=rows.device)
    used = (is_used_BT[rows] * columns_T).amax(1).tolist()
    prompt = (rollout.is_real_BS[rows].sum(1) - rollout.length_B[rows]).tolist()
    owner = (rows // rollout.group_size).tolist()
    whole = [before + after for before, after in zip(prompt, used, strict=True)]
    longest: dict[int, int] = {}
    for each, tokens_in_all in zip(owner, whole, strict=True):
        longest[each] = max(longest.get(each, 0), tokens_in_all)
    most = max(1, tokens // (max(prompt) + max(used)))
    count = min(agree(-(-len(rows) // most)), len(rows))

    def cost(order: Tensor) -> int:
        """Tokens that are computed, padding among them."""
        computed = 0
        for part in (part.tolist() for part in order.tensor_split(count)):
            prompts = len({owner[i] for i in part}) * max(prompt[i] for i in part)
            shared = prompts + len(part) * max(used[i] for i in part)
            computed += min(shared, len(part) * max(whole[i] for i in part))
        return computed

    by_length = torch.tensor(sorted(range(len(rows)), key=whole.__getitem__))
    by_prompt = torch.tensor(sorted(range(len(rows)), key=lambda i: (longest[owner[i]], owner[i], whole[i])))
    order = min(by_length, by_prompt, key=cost)
    return [rollout.part(rows[part], is_used_BT) for part in order.tensor_split(count)]
