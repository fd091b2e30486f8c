"""Log-probabilities and entropies through a linear head, tile by tile, with two buffers and a gradient of its own.

What autograd would do in many steps (logits, softmax, gather, each with a result that lives until the backward pass) is
done here in place: forward and backward each walk over the tokens and hold the logits of one tile. For heads that do not
learn; anything else goes through ``logprob.py``'s general way.

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
    head: LinearHead, hidden_ND: Tensor, target_N: Tensor, temperature: float, with_entropy: bool, tile: int
) -> tuple[Tensor, Tensor]:
    """(logp_N, entropy_N) of ``softmax(logits / temperature)``, differentiable in ``hidden_ND``.

    ``logp = z_target - lse(z)`` and ``entropy = lse(z) - sum p z`` with z = logits / temperature; the gradients are
    ``onehot - p`` and ``-p (log p + entropy)``. Entropies are 0 where they are not asked for.
    """
    assert not head.weight_VD.requires_grad, "the head learns: its gradient is not computed here"
    with torch.autocast(hidden_ND.device.type, enabled=False):
        result: tuple[Tensor, Tensor] = _TiledScores.apply(
            hidden_ND, head.weight_VD, head.bias_V, target_N, head.scale / temperature, with_entropy, tile
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
        tile: int,
    ) -> tuple[Tensor, Tensor]:
        logp_N = weight_VD.new_empty(len(target_N))
        top_N, entropy_N = torch.empty_like(logp_N), torch.zeros_like(logp_N)
        logits, probs = _buffers(weight_VD, tile, len(target_N))
        for start in range(0, len(target_N), tile):
            n = slice(start, start + tile)
            z_nV = _logits(hidden_ND[n], weight_VD, bias_V, scale, logits)
            top_n1 = z_nV.amax(-1, keepdim=True)
            p_nV = torch.sub(z_nV, top_n1, out=probs[: len(z_nV)]).exp_()
            total_n = p_nV.sum(-1)
            top_N[n] = top_n1.squeeze(-1) + total_n.log()  # log of the sum of exp(z)
            logp_N[n] = z_nV.gather(-1, target_N[n, None]).squeeze(-1) - top_N[n]
            if with_entropy:
                entropy_N[n] = top_N[n] - torch.bmm(p_nV[:, None], z_nV[:, :, None]).flatten() / total_n
        ctx.save_for_backward(hidden_ND, weight_VD, bias_V, target_N, top_N, entropy_N)
        ctx.scale, ctx.with_entropy, ctx.tile = scale, with_entropy, tile
        return logp_N, entropy_N

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        hidden_ND, weight_VD, bias_V, target_N, lse_N, entropy_N = ctx.saved_tensors
        logp_gradient_N, entropy_gradient_N = gradients
        gradient_ND = torch.empty_like(hidden_ND)
        logits, probs = _buffers(weight_VD, ctx.tile, len(target_N))
        for start in range(0, len(target_N), ctx.tile):
            n = slice(start, start + ctx.tile)
            z_nV = _logits(hidden_ND[n], weight_VD, bias_V, ctx.scale, logits)
            log_p_nV = z_nV.sub_(lse_N[n, None])
            p_nV = torch.exp(log_p_nV, out=probs[: len(z_nV)])
            if ctx.with_entropy:  # p * (-g_logp - g_entropy * (log p + entropy)), and g_logp at the target
                gradient_nV = log_p_nV.add_(entropy_N[n, None]).mul_(-entropy_gradient_N[n, None])
                gradient_nV = gradient_nV.sub_(logp_gradient_N[n, None]).mul_(p_nV)
            else:
                gradient_nV = p_nV.mul_(-logp_gradient_N[n, None])
            gradient_nV.scatter_add_(-1, target_N[n, None], logp_gradient_N[n, None])
            gradient_ND[n] = (gradient_nV @ weight_VD).mul_(ctx.scale)
        return gradient_ND, None, None, None, None, None, None


def _buffers(weight_VD: Tensor, tile: int, tokens: int) -> tuple[Tensor, Tensor]:
    shape = (min(tile, tokens), len(weight_VD))
    return weight_VD.new_empty(shape), weight_VD.new_empty(shape)


def _logits(hidden_nD: Tensor, weight_VD: Tensor, bias_V: Tensor | None, scale: float, buffer: Tensor) -> Tensor:
    z_nV = torch.mm(hidden_nD.to(weight_VD.dtype), weight_VD.T, out=buffer[: len(hidden_nD)])
    if bias_V is not None:
        z_nV += bias_V
    return z_nV.mul_(scale) if scale != 1.0 else z_nV
