"""The heads on the backbone's last hidden state: language-model head and value head. Never runs the backbone.

Shape suffixes: N = predicted tokens, D = width, V = vocabulary; n, v = tokens and vocabulary entries of one tile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel


@dataclass(frozen=True)
class LinearHead:
    """logits = (hidden @ weight.T + bias) * scale, in the weight's dtype."""

    weight_VD: Tensor
    bias_V: Tensor | None
    scale: float

    def logits_tile(self, hidden_nD: Tensor, entries: slice, temperature: float, out_nv: Tensor) -> Tensor:
        """``logits / temperature`` of some vocabulary entries, written into ``out_nv`` and returned; all in one dtype."""
        with torch.autocast(hidden_nD.device.type, enabled=False):
            torch.mm(hidden_nD, self.weight_VD[entries].T, out=out_nv)
        if self.bias_V is not None:
            out_nv += self.bias_V[entries]
        scale = self.scale / temperature
        return out_nv if scale == 1.0 else out_nv.mul_(scale)


def _at_least_fp32(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)


def lm_head(causal_lm: PreTrainedModel) -> Callable[[Tensor], Tensor]:
    """The function hidden_ND -> logits_NV of a causal language model, in fp32 (fp64 stays fp64), under autocast too.

    bf16 logits have 8 bits of precision: log-probabilities near -10 would be off by .03, as much as a PPO step moves them.
    A plain linear head is therefore multiplied in fp32, from a copy of its weights that lives as long as the returned
    function; any other head (quantised, or with an adapter) computes as it is stored, and only its output is upcast. The
    constants that some architectures apply to their logits come from the model's configuration: Gemma's soft cap, Granite's
    divisor, Cohere's factor.
    """
    head = causal_lm.get_output_embeddings()
    cap, factor = _constants(causal_lm)
    is_plain = type(head) is nn.Linear and head.weight.is_floating_point()
    dtype = _at_least_fp32(head.weight.dtype) if is_plain else torch.float32
    weight_VD = head.weight.to(dtype) if is_plain else None
    bias_V = head.bias.to(dtype) if is_plain and head.bias is not None else None

    def logits(hidden_ND: Tensor) -> Tensor:
        with torch.autocast(hidden_ND.device.type, enabled=False):
            if weight_VD is None:
                logits_NV = head(hidden_ND).to(dtype)
            else:
                logits_NV = F.linear(hidden_ND.to(dtype), weight_VD, bias_V)
            if factor != 1.0:
                logits_NV = logits_NV * factor
            return logits_NV if cap is None else torch.tanh(logits_NV / cap) * cap

    return logits


def linear_head(causal_lm: PreTrainedModel, *, learns: bool = False) -> LinearHead | None:
    """The same head as weights, at least fp32, where it is a plain linear layer without a soft cap; else None.

    ``learns``: also return a head that learns, for a caller that needs no gradient of it.
    """
    head = causal_lm.get_output_embeddings()
    cap, factor = _constants(causal_lm)
    if type(head) is not nn.Linear or not head.weight.is_floating_point() or cap is not None:
        return None
    if not learns and any(parameter.requires_grad for parameter in head.parameters()):
        return None
    dtype = _at_least_fp32(head.weight.dtype)
    return LinearHead(head.weight.to(dtype), None if head.bias is None else head.bias.to(dtype), factor)


def _constants(causal_lm: PreTrainedModel) -> tuple[float | None, float]:
    """The soft cap of the logits, and the factor that is applied before it."""
    config = causal_lm.config.get_text_config()
    cap = getattr(config, "final_logit_softcapping", None)
    return cap, (getattr(config, "logit_scale", None) or 1.0) / (getattr(config, "logits_scaling", None) or 1.0)


class ValueHead(nn.Module):
    """The critic: V(s) = w . h + b in fp32, initialised to 0, so that the first advantages are the rewards-to-go."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 1, dtype=torch.float32)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, hidden_ND: Tensor, *, detach: bool = True) -> Tensor:
        """hidden_ND -> value_N. With ``detach`` the value loss sends no gradient into the backbone."""
        hidden_ND = hidden_ND.detach() if detach else hidden_ND
        with torch.autocast(hidden_ND.device.type, enabled=False):
            dtype = _at_least_fp32(self.linear.weight.dtype)
            return F.linear(hidden_ND.to(dtype), self.linear.weight.to(dtype), self.linear.bias.to(dtype)).squeeze(-1)
