"""Log-probabilities and entropies through a linear head, tile by tile, with two buffers and a gradient of its own.

What autograd would do in many steps (logits, softmax, gather, each with a result that lives until the backward pass) is
done here in place, in one walk over the tokens that holds the logits of one tile: some tokens by some words of the
vocabulary. What is summed over the vocabulary grows from tile to tile, relative to the largest logit so far; what the hidden
states will need of the gradient, a vector for each token, is among it. For heads that do not learn; anything else goes
through ``logprob.py``'s general way.

Shape suffixes: N = predicted tokens, n = those of one tile, D = width, V = vocabulary, W = words of one tile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

#: Tokens and words of a tile, by the kind of device. With few tokens a product is slow, as it brings the weights into order
#: anew for each tile; with many of both the logits do not stay in a CPU's cache. A GPU wants large products.
TILE = {"cpu": (1024, 1024)}
LARGE_TILE = (4096, 16384)
#: Below every logit, and finite.
LOWEST = -1e30
#: exp(x) = 2 ** (x * LOG2_E), which PyTorch computes four times as fast on a CPU, and as exactly.
LOG2_E = 1 / math.log(2)


@dataclass(frozen=True)
class LinearHead:
    """logits = (hidden @ weight.T + bias) * scale, in the weight's dtype."""

    weight_VD: Tensor
    bias_V: Tensor | None
    scale: float


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
    """(logp_N, entropy_N) of ``softmax(logits / temperature)``, differentiable in ``hidden_ND``.

    ``logp = z_target - lse(z)`` and ``entropy = lse(z) - sum p z`` with z = logits / temperature; the gradients are
    ``onehot - p`` and ``-p (log p + entropy)``. Entropies are 0 where they are not asked for. ``tile``: tokens of a tile,
    if not the device's own.
    """
    assert not head.weight_VD.requires_grad, "the head learns: its gradient is not computed here"
    tokens, words = TILE.get(hidden_ND.device.type, LARGE_TILE)
    scale = head.scale / temperature
    learns = hidden_ND.requires_grad and torch.is_grad_enabled(), with_entropy and not detach_entropy
    with torch.autocast(hidden_ND.device.type, enabled=False):
        result: tuple[Tensor, Tensor] = _FusedLogprob.apply(
            hidden_ND, head.weight_VD, head.bias_V, target_N, scale, with_entropy, learns, (tile or tokens, words)
        )
    return result


class _FusedLogprob(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden_ND: Tensor,
        weight_VD: Tensor,
        bias_V: Tensor | None,
        target_N: Tensor,
        scale: float,
        with_entropy: bool,
        learns: tuple[bool, bool],
        tile: tuple[int, int],
    ) -> tuple[Tensor, Tensor]:
        tokens, words_at_once = tile
        logp_N = weight_VD.new_empty(len(target_N))
        entropy_N = torch.zeros_like(logp_N)
        is_learnt, is_entropy_learnt = learns[0], all(learns)
        logp_gradient_ND = weight_VD.new_empty(len(target_N) * is_learnt, weight_VD.shape[1])
        entropy_gradient_ND = weight_VD.new_empty(len(target_N) * is_entropy_learnt, weight_VD.shape[1])
        buffers = weight_VD.new_empty(1 + with_entropy, min(tokens, len(target_N)) * min(words_at_once, len(weight_VD)))
        for start in range(0, len(target_N), tokens):
            n = slice(start, start + tokens)
            sums = _Sums(hidden_ND[n].to(weight_VD.dtype), target_N[n])
            for first in range(0, len(weight_VD), words_at_once):
                words = slice(first, first + words_at_once)
                bias_W = None if bias_V is None else bias_V[words]
                sums.add(first, weight_VD[words], bias_W, scale, buffers, is_learnt, is_entropy_learnt)
            logp_N[n] = sums.target_n - sums.top_n - sums.total_n.log()
            if with_entropy:
                entropy_N[n] = sums.total_n.log() - sums.mean_n / sums.total_n
            if is_learnt:
                expected_nD = sums.weights_nD / sums.total_n[:, None]
                logp_gradient_ND[n] = (weight_VD[target_N[n]] - expected_nD).mul_(scale)
            if is_entropy_learnt:
                mean_n1 = (sums.mean_n / sums.total_n)[:, None]
                products_nD = sums.products_nD / sums.total_n[:, None]
                entropy_gradient_ND[n] = (products_nD - mean_n1 * expected_nD).mul_(-scale)
        ctx.save_for_backward(logp_gradient_ND, entropy_gradient_ND)
        ctx.is_entropy_learnt, ctx.dtype = is_entropy_learnt, hidden_ND.dtype
        if not is_entropy_learnt:
            ctx.mark_non_differentiable(entropy_N)
        return logp_N, entropy_N

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        logp_gradient_ND, entropy_gradient_ND = ctx.saved_tensors
        gradient_ND = logp_gradient_ND * gradients[0][:, None]
        if ctx.is_entropy_learnt:
            gradient_ND = gradient_ND + entropy_gradient_ND * gradients[1][:, None]
        return gradient_ND.to(ctx.dtype), None, None, None, None, None, None, None


class _Sums:
    """Over the words seen so far, with e = exp(z - top): sum e, sum e (z - top), sum e W, sum e (z - top) W."""

    def __init__(self, hidden_nD: Tensor, word_n: Tensor) -> None:
        self.hidden_nD, self.word_n = hidden_nD, word_n
        self.top_n = hidden_nD.new_full((len(hidden_nD),), LOWEST)
        self.target_n = torch.zeros_like(self.top_n)  # the logit of word_n
        self.total_n, self.mean_n = torch.zeros_like(self.top_n), torch.zeros_like(self.top_n)
        self.weights_nD, self.products_nD = torch.zeros_like(hidden_nD), torch.zeros_like(hidden_nD)

    def add(
        self,
        first: int,
        weight_WD: Tensor,
        bias_W: Tensor | None,
        scale: float,
        buffers: Tensor,
        is_learnt: bool,
        is_entropy_learnt: bool,
    ) -> None:
        """Take in the words from ``first`` on. ``buffers``: one for the logits, and a second where entropies are wanted."""
        size = len(self.hidden_nD) * len(weight_WD)
        tiles = buffers[:, :size].view(len(buffers), len(self.hidden_nD), len(weight_WD))
        z_nW = torch.mm(self.hidden_nD, weight_WD.T, out=tiles[0])
        if bias_W is not None:
            z_nW += bias_W
        if scale != 1.0:
            z_nW *= scale
        place_n = self.word_n - first
        is_here_n = (place_n >= 0) & (place_n < len(weight_WD))
        here_n = z_nW.gather(1, place_n.clamp(0, len(weight_WD) - 1)[:, None]).squeeze(1)
        self.target_n = torch.where(is_here_n, here_n, self.target_n)
        self._raise(torch.maximum(self.top_n, z_nW.amax(-1)), is_learnt, is_entropy_learnt)
        z_nW -= self.top_n[:, None]
        e_nW = torch.mul(z_nW, LOG2_E, out=tiles[-1]).exp2_()
        self.total_n += e_nW.sum(-1)
        if is_learnt:
            self.weights_nD.addmm_(e_nW, weight_WD)
        if len(tiles) > 1:
            product_nW = z_nW.mul_(e_nW)
            self.mean_n += product_nW.sum(-1)
            if is_entropy_learnt:
                self.products_nD.addmm_(product_nW, weight_WD)

    def _raise(self, top_n: Tensor, is_learnt: bool, is_entropy_learnt: bool) -> None:
        """Make the sums relative to a higher logit."""
        lower_n = self.top_n - top_n
        fade_n = lower_n.exp()
        self.top_n = top_n
        self.mean_n.addcmul_(lower_n, self.total_n).mul_(fade_n)
        self.total_n *= fade_n
        if is_entropy_learnt:
            self.products_nD.addcmul_(lower_n[:, None], self.weights_nD).mul_(fade_n[:, None])
        if is_learnt:
            self.weights_nD *= fade_n[:, None]
