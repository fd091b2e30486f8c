"""Merged LoRA that still trains: a linear layer whose adapter is added into its weight, with gradients for A and B.

``y = x (W + s B A)^T`` is one product instead of three and two sums of the size of y; so is the gradient of x in the backward
pass. Those of A and B come from x and from y's gradient: ``dB = s dy^T (x A^T)`` and ``dA = s (dy B)^T x``.
(LoRA: Hu et al. 2021, https://arxiv.org/abs/2106.09685.)

Shape suffixes: N = tokens, I = inputs, O = outputs, R = rank of the adapter.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def merged_weight(layer: Any) -> Tensor:
    """[O, I] ``W + s B A`` of a peft layer, without gradient."""
    weight_OI: Tensor = layer.get_base_layer().weight
    a_RI, b_OR, scale = adapter_of(layer)
    return torch.addmm(weight_OI.detach(), b_OR.detach(), a_RI.detach(), alpha=scale)


def merged_forward(layer: Any, x: Tensor) -> Tensor:
    """``forward`` of a peft layer whose base weight is the merged one: x of shape [..., I] -> [..., O]."""
    base = layer.get_base_layer()
    a_RI, b_OR, scale = adapter_of(layer)
    if torch.is_grad_enabled() and (a_RI.requires_grad or b_OR.requires_grad):
        result: Tensor = _MergedLinear.apply(x, base.weight.detach(), base.bias, a_RI, b_OR, scale)
        return result
    return F.linear(x, base.weight, base.bias)


def adapter_of(layer: Any) -> tuple[Tensor, Tensor, float]:
    """A, of shape [R, I], B, [O, R], and the scale of a peft layer's active adapter."""
    (name,) = layer.active_adapters
    return layer.lora_A[name].weight, layer.lora_B[name].weight, layer.scaling[name]


class _MergedLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight_OI: Tensor, bias_O: Tensor | None, a_RI: Tensor, b_OR: Tensor, scale: float
    ) -> Tensor:
        ctx.save_for_backward(x, weight_OI, a_RI, b_OR)
        ctx.scale = scale
        return F.linear(x, weight_OI, bias_O)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight_OI, a_RI, b_OR = ctx.saved_tensors
        dy_NO, x_NI = gradients[0].flatten(0, -2), x.flatten(0, -2)
        dx = (dy_NO @ weight_OI).view(x.shape) if ctx.needs_input_grad[0] else None
        da_RI = ((dy_NO @ b_OR).T @ x_NI).mul_(ctx.scale)
        db_OR = (dy_NO.T @ (x_NI @ a_RI.T)).mul_(ctx.scale)
        return dx, None, None, da_RI, db_OR, None
