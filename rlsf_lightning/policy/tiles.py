"""Log-probabilities and entropies through a linear head, tile by tile, with two buffers and a gradient of its own.

What autograd would do in many steps (logits, softmax, gather, each with a result that lives until the backward pass) is
done here in place, in one walk over the tokens that holds the logits of one tile: what the hidden states will need of the
gradient, a vector for each token, is made while the tile is there. For heads that do not learn; anything else goes through
``logprob.py``'s general way.

Shape suffixes: N = predicted tokens, n = those of one tile, D = width, V = vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class LinearHead:
    """logits = (hidden @ weight.T + bias) * scale, in the weight's dtype."""

    weight_VD: Tensor
    bias_V: Tensor | None
    scale: float


def tiled_scores(
    head: LinearHead,
    hidden_ND: Tensor,
    target_N: Tensor,
    temperature: float,
    tile: int,
    *,
    with_entropy: bool,
    detach_entropy: bool,
) -> tuple[Tensor, Tensor]:
    """(logp_N, entropy_N) of ``softmax(logits / temperature)``, differentiable in ``hidden_ND``.

    ``logp = z_target - lse(z)`` and ``entropy = lse(z) - sum p z`` with z = logits / temperature; the gradients are
    ``onehot - p`` and ``-p (log p + entropy)``. Entropies are 0 where they are not asked for.
    """
    assert not head.weight_VD.requires_grad, "the head learns: its gradient is not computed here"
    learns = hidden_ND.requires_grad and torch.is_grad_enabled(), with_entropy and not detach_entropy
    with torch.autocast(hidden_ND.device.type, enabled=False):
        result: tuple[Tensor, Tensor] = _TiledScores.apply(
            hidden_ND, head.weight_VD, head.bias_V, target_N, head.scale / temperature, with_entropy, learns, tile
        )
    return result


class _TiledScores(torch.autograd.Function):
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
        tile: int,
    ) -> tuple[Tensor, Tensor]:
        logp_N = weight_VD.new_empty(len(target_N))
        entropy_N = torch.zeros_like(logp_N)
        is_learnt, is_entropy_learnt = learns[0], all(learns)
        logp_gradient_ND = weight_VD.new_empty(len(target_N) * is_learnt, weight_VD.shape[1])
        entropy_gradient_ND = weight_VD.new_empty(len(target_N) * is_entropy_learnt, weight_VD.shape[1])
        logits, probs = _buffers(weight_VD, tile, len(target_N))
        for start in range(0, len(target_N), tile):
            n = slice(start, start + tile)
            z_nV = _logits(hidden_ND[n], weight_VD, bias_V, scale, logits)
            top_n1 = z_nV.amax(-1, keepdim=True)
            p_nV = torch.sub(z_nV, top_n1, out=probs[: len(z_nV)]).exp_()
            total_n = p_nV.sum(-1)
            lse_n = top_n1.squeeze(-1) + total_n.log()  # log of the sum of exp(z)
            logp_N[n] = z_nV.gather(-1, target_N[n, None]).squeeze(-1) - lse_n
            if with_entropy:
                entropy_N[n] = lse_n - torch.bmm(p_nV[:, None], z_nV[:, :, None]).flatten() / total_n
            if is_learnt:
                p_nV.div_(total_n[:, None])
                logp_gradient_ND[n] = (weight_VD[target_N[n]] - p_nV @ weight_VD).mul_(scale)
            if is_entropy_learnt:  # z becomes p (log p + entropy)
                z_nV.sub_((lse_n - entropy_N[n])[:, None]).mul_(p_nV)
                entropy_gradient_ND[n] = (z_nV @ weight_VD).mul_(-scale)
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


def _buffers(weight_VD: Tensor, tile: int, tokens: int) -> tuple[Tensor, Tensor]:
    shape = (min(tile, tokens), len(weight_VD))
    return weight_VD.new_empty(shape), weight_VD.new_empty(shape)


def _logits(hidden_nD: Tensor, weight_VD: Tensor, bias_V: Tensor | None, scale: float, buffer: Tensor) -> Tensor:
    z_nV = torch.mm(hidden_nD.to(weight_VD.dtype), weight_VD.T, out=buffer[: len(hidden_nD)])
    if bias_V is not None:
        z_nV += bias_V
    return z_nV.mul_(scale) if scale != 1.0 else z_nV
