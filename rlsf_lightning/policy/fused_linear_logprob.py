"""Fused linear log-probabilities and entropies: chunked linear cross-entropy with an online softmax, for frozen heads.

No tensor of tokens x vocabulary ever exists. The vocabulary is walked in tiles whose logits are computed in place; running
sums are rescaled when the running maximum rises (online softmax: Milakov and Gimelshein 2018,
https://arxiv.org/abs/1805.02867). The gradient with respect to the hidden states is accumulated in the same pass, so the
backward pass does not multiply by the head again (as in Liger's fused linear cross-entropy, https://arxiv.org/abs/2410.10989).
A head that learns, or is no plain linear layer, goes through the checkpointed chunks of ``logprob.py``.

Shape suffixes: N = predicted tokens, V = vocabulary, D = width; n, v = tokens and vocabulary entries of one tile.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from rlsf_lightning.policy.heads import LinearHead

#: Tokens and vocabulary entries of a tile, by the kind of device. A CPU packs the weights anew for each tile's product, which
#: few tokens do not pay back; with many of both the logits outgrow its cache. A GPU wants large products.
TILE = {"cpu": (1024, 1024)}
LARGE_TILE = (4096, 16384)
#: Below every logit, and finite.
LOWEST = -1e30
#: exp(x) = 2 ** (x * LOG2_E), which PyTorch computes four times as fast on a CPU, and as exactly.
LOG2_E = 1 / math.log(2)


def fused_logprob_and_entropy(
    head: LinearHead,
    hidden_ND: Tensor,
    target_N: Tensor,
    temperature: float,
    tile: int | None = None,
    *,
    with_entropy: bool,
    detach_entropy: bool,
) -> tuple[Tensor, Tensor]:
    """(logp_N, entropy_N) of ``softmax(logits / temperature)`` in nats, differentiable in ``hidden_ND``.

    ``logp = z_target - lse(z)`` and ``entropy = lse(z) - sum p z`` with z = logits / temperature; the gradients with respect
    to z are ``onehot - p`` and ``-p (log p + entropy)``.

    Args:
        head: frozen; both results are in its dtype.
        target_N: ids of the tokens to score.
        tile: tokens of a tile, if not the device's own; results do not depend on it but for rounding.
        with_entropy: False: entropies are 0.
        detach_entropy: entropies without gradient, which saves a product with the head.
    """
    assert not head.weight_VD.requires_grad, "the head learns: its gradient is not computed here"
    tokens, entries = TILE.get(hidden_ND.device.type, LARGE_TILE)
    is_learnt = hidden_ND.requires_grad and torch.is_grad_enabled()
    learns = is_learnt, is_learnt and with_entropy and not detach_entropy
    with torch.autocast(hidden_ND.device.type, enabled=False):
        result: tuple[Tensor, Tensor] = _FusedLogprob.apply(
            hidden_ND, head, target_N, temperature, with_entropy, learns, (tile or tokens, entries)
        )
    return result


class _FusedLogprob(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden_ND: Tensor,
        head: LinearHead,
        target_N: Tensor,
        temperature: float,
        with_entropy: bool,
        learns: tuple[bool, bool],
        tile: tuple[int, int],
    ) -> tuple[Tensor, Tensor]:
        (tokens, entries), (vocabulary, width) = tile, head.weight_VD.shape
        logp_N = head.weight_VD.new_empty(len(target_N))
        entropy_N = torch.zeros_like(logp_N)
        logp_gradient_ND, entropy_gradient_ND = (logp_N.new_empty(len(target_N) * flag, width) for flag in learns)
        buffers = logp_N.new_empty(1 + with_entropy, min(tokens, len(target_N)) * min(entries, vocabulary))
        for start in range(0, len(target_N), tokens):
            n = slice(start, start + tokens)
            softmax = _OnlineSoftmax(head, temperature, hidden_ND[n].to(logp_N.dtype), target_N[n], learns)
            for first in range(0, vocabulary, entries):
                softmax.add(slice(first, first + entries), buffers)
            logp_N[n] = softmax.logp_n()
            if with_entropy:
                entropy_N[n] = softmax.entropy_n()
            if learns[0]:
                logp_gradient_ND[n] = softmax.logp_gradient_nD()
            if learns[1]:
                entropy_gradient_ND[n] = softmax.entropy_gradient_nD()
        ctx.save_for_backward(logp_gradient_ND, entropy_gradient_ND)
        ctx.is_entropy_learnt, ctx.dtype = learns[1], hidden_ND.dtype
        if not learns[1]:
            ctx.mark_non_differentiable(entropy_N)
        return logp_N, entropy_N

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        logp_gradient_ND, entropy_gradient_ND = ctx.saved_tensors
        gradient_ND = logp_gradient_ND * gradients[0][:, None]
        if ctx.is_entropy_learnt:
            gradient_ND = gradient_ND + entropy_gradient_ND * gradients[1][:, None]
        return gradient_ND.to(ctx.dtype), None, None, None, None, None, None


class _OnlineSoftmax:
    """Running sums over the vocabulary, with e = exp(z - max): sum e, sum e (z - max), sum e W, sum e (z - max) W.

    ``learns``: whether log-probabilities and entropies need the last two, for their gradients.
    """

    def __init__(
        self, head: LinearHead, temperature: float, hidden_nD: Tensor, target_n: Tensor, learns: tuple[bool, bool]
    ) -> None:
        self.head, self.temperature, self.hidden_nD, self.target_n = head, temperature, hidden_nD, target_n
        self.is_learnt, self.is_entropy_learnt = learns
        self.max_n = hidden_nD.new_full((len(hidden_nD),), LOWEST)
        self.target_z_n = torch.zeros_like(self.max_n)
        self.sum_n, self.sum_z_n = torch.zeros_like(self.max_n), torch.zeros_like(self.max_n)
        self.sum_w_nD, self.sum_zw_nD = torch.zeros_like(hidden_nD), torch.zeros_like(hidden_nD)

    def add(self, entries: slice, buffers: Tensor) -> None:
        """Take in some vocabulary entries. ``buffers``: one for their logits, a second where entropies are wanted."""
        weight_vD = self.head.weight_VD[entries]
        shape = len(self.hidden_nD), len(weight_vD)
        tiles = buffers[:, : math.prod(shape)].view(len(buffers), *shape)
        z_nv = self.head.logits_tile(self.hidden_nD, entries, self.temperature, tiles[0])
        column_n = self.target_n - entries.start
        is_here_n = (column_n >= 0) & (column_n < len(weight_vD))
        z_n = z_nv.gather(1, column_n.clamp(0, len(weight_vD) - 1)[:, None]).squeeze(1)
        self.target_z_n = torch.where(is_here_n, z_n, self.target_z_n)
        self._rescale(torch.maximum(self.max_n, z_nv.amax(-1)))
        z_nv -= self.max_n[:, None]
        e_nv = torch.mul(z_nv, LOG2_E, out=tiles[-1]).exp2_()
        self.sum_n += e_nv.sum(-1)
        if self.is_learnt:
            self.sum_w_nD.addmm_(e_nv, weight_vD)
        if len(tiles) > 1:
            ez_nv = z_nv.mul_(e_nv)
            self.sum_z_n += ez_nv.sum(-1)
            if self.is_entropy_learnt:
                self.sum_zw_nD.addmm_(ez_nv, weight_vD)

    def _rescale(self, max_n: Tensor) -> None:
        """Make the sums relative to a new maximum."""
        shift_n = self.max_n - max_n
        scale_n = shift_n.exp()
        self.max_n = max_n
        self.sum_z_n.addcmul_(shift_n, self.sum_n).mul_(scale_n)
        self.sum_n *= scale_n
        if self.is_entropy_learnt:
            self.sum_zw_nD.addcmul_(shift_n[:, None], self.sum_w_nD).mul_(scale_n[:, None])
        if self.is_learnt:
            self.sum_w_nD *= scale_n[:, None]

    def logp_n(self) -> Tensor:
        return self.target_z_n - self.max_n - self.sum_n.log()

    def entropy_n(self) -> Tensor:
        return self.sum_n.log() - self.sum_z_n / self.sum_n

    def logp_gradient_nD(self) -> Tensor:
        """Of the log-probabilities with respect to the hidden states: ``(W_target - E[W]) * scale / temperature``."""
        expected_nD = self.sum_w_nD / self.sum_n[:, None]
        return (self.head.weight_VD[self.target_n] - expected_nD).mul_(self.head.scale / self.temperature)

    def entropy_gradient_nD(self) -> Tensor:
        """Of the entropies: ``-(E[z W] - E[z] E[W]) * scale / temperature``."""
        mean_n1 = (self.sum_z_n / self.sum_n)[:, None]
        expected_nD = self.sum_w_nD / self.sum_n[:, None]
        product_nD = self.sum_zw_nD / self.sum_n[:, None]
        return (product_nD - mean_n1 * expected_nD).mul_(-(self.head.scale / self.temperature))
