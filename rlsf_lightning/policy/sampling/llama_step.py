"""A fused decoding step for Llama-like models: one token per row through all layers, in a few operations a layer.

transformers computes the same step with some forty operations and as many module calls a layer, which on a CPU cost as much
as the arithmetic. Here the QKV projections are one product, gate and up another. Other architectures, and whatever computes
neither in fp32 nor over a bf16 base on a CPU, are left to transformers (``llama_step_for`` returns None).

Shape suffixes: R = rows, D = width, H = heads, h = key-value heads, G = heads a key-value head, E = head width, K = columns of
the KV cache, I = inputs, O = outputs, L = rank of adapters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import ModulesToSaveWrapper
from torch import Tensor

from rlsf_lightning.policy.merged_lora import adapter_of
from rlsf_lightning.policy.policy import Policy
from rlsf_lightning.policy.sampling.kvcache import GrowingCache, GrowingLayer

#: Model types whose layers are computed as below, where they have no sliding windows.
FAMILIES = frozenset(["llama", "qwen2", "mistral"])
#: Types of rotary position embeddings (RoPE) whose angles do not depend on the sequence's length.
ROTARIES = frozenset(["default", "linear", "llama3"])


@dataclass(frozen=True)
class _Linear:
    weight: Tensor
    bias: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


@dataclass(frozen=True)
class _Adapted:
    """A layer in 16 bits with its adapters beside it: added into its weight, small changes would be rounded away."""

    base: _Linear
    a_LI: Tensor
    b_OL: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        y = self.base(x)
        return (y + F.linear(F.linear(x.to(self.a_LI.dtype), self.a_LI), self.b_OL)).to(y.dtype)


@dataclass(frozen=True)
class _Layer:
    first_norm: Tensor
    qkv: _Linear | _Adapted
    out: _Linear | _Adapted
    second_norm: Tensor
    gate_up: _Linear | _Adapted
    down: _Linear | _Adapted


class LlamaStep:
    """Callable with the next token of every row; made inside ``policy.merged()`` and valid as long as that lasts."""

    def __init__(self, policy: Policy, columns: int) -> None:
        model: Any = policy.causal_lm.base_model
        config = model.config
        self.heads, self.kv_heads = config.num_attention_heads, config.num_key_value_heads
        self.size = model.layers[0].self_attn.head_dim
        self.scale, self.epsilon = model.layers[0].self_attn.scaling, config.rms_norm_eps
        self.embedding_VD: Tensor = model.embed_tokens.weight
        self.norm_D = _norm(model.norm)
        positions = torch.arange(columns, device=policy.device)[None]
        cosine, sine = model.rotary_emb(self.embedding_VD[:1], positions)
        self.cosine_KE, self.sine_KE = cosine[0], sine[0]
        self.sine_KE[:, : self.size // 2] *= -1  # so that rotating needs only a swap of the halves
        self.layers = [
            _Layer(
                _norm(layer.input_layernorm),
                _joined(layer.self_attn.q_proj, layer.self_attn.k_proj, layer.self_attn.v_proj),
                _joined(layer.self_attn.o_proj),
                _norm(layer.post_attention_layernorm),
                _joined(layer.mlp.gate_proj, layer.mlp.up_proj),
                _joined(layer.mlp.down_proj),
            )
            for layer in model.layers
        ]

    def __call__(self, token_R: Tensor, position_R: Tensor, is_real_RK: Tensor | None, cache: GrowingCache) -> Tensor:
        """The last hidden states, (R, D), after the final norm; appends a column to the KV cache.

        Args:
            token_R, position_R: ids and position ids of the new tokens.
            is_real_RK: attention mask, bool, the new column included; None: every column is attended to.
        """
        hidden_RD = self.embedding_VD[token_R]
        cosine_R1E, sine_R1E = self.cosine_KE[position_R][:, None], self.sine_KE[position_R][:, None]
        mask_R11K = None if is_real_RK is None else is_real_RK[:, None, None]
        width, rotated = hidden_RD.shape[-1:], self.heads + self.kv_heads
        for layer, cached in zip(self.layers, cache.layers, strict=True):
            x_RD = F.rms_norm(hidden_RD, width, layer.first_norm, self.epsilon)
            qkv_RHE = layer.qkv(x_RD).view(len(token_R), -1, self.size)
            qk_RHE = qkv_RHE[:, :rotated]
            qk_RHE = torch.addcmul(qk_RHE * cosine_R1E, qk_RHE.roll(self.size // 2, -1), sine_R1E)
            assert isinstance(cached, GrowingLayer)
            keys_RhKE, values_RhKE = cached.update(qk_RHE[:, self.heads :, None], qkv_RHE[:, rotated:, None])
            attended_RHE = self._attended(qk_RHE[:, : self.heads], keys_RhKE, values_RhKE, mask_R11K)
            hidden_RD = hidden_RD + layer.out(attended_RHE.flatten(1))
            x_RD = F.rms_norm(hidden_RD, width, layer.second_norm, self.epsilon)
            gate_RI, up_RI = layer.gate_up(x_RD).chunk(2, -1)
            hidden_RD = hidden_RD + layer.down(F.silu(gate_RI).mul_(up_RI))
        return F.rms_norm(hidden_RD, width, self.norm_D, self.epsilon)

    def _attended(
        self, queries_RHE: Tensor, keys_RhKE: Tensor, values_RhKE: Tensor, mask_R11K: Tensor | None
    ) -> Tensor:
        """In two products where PyTorch's own kernel, for one query a row in bf16 on a CPU, takes six times as long."""
        if queries_RHE.dtype is not torch.bfloat16:
            return F.scaled_dot_product_attention(
                queries_RHE[:, :, None],
                keys_RhKE,
                values_RhKE,
                attn_mask=mask_R11K,
                scale=self.scale,
                enable_gqa=self.heads != self.kv_heads,
            )[:, :, 0]
        queries_RhGE = queries_RHE.reshape(len(queries_RHE), self.kv_heads, -1, self.size)
        scores_RhGK = (queries_RhGE @ keys_RhKE.mT).float() * self.scale
        if mask_R11K is not None:
            scores_RhGK.masked_fill_(~mask_R11K, -torch.inf)
        attended_RhGE = scores_RhGK.softmax(-1).to(values_RhKE.dtype) @ values_RhKE
        return attended_RhGE.flatten(1, 2)


def llama_step_for(policy: Policy, columns: int) -> LlamaStep | None:
    """The policy's decoding step for sequences of at most ``columns`` tokens; None where transformers must compute it."""
    config: Any = policy.causal_lm.config
    rotary = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
    is_known = (
        config.model_type in FAMILIES
        and not policy.has_sliding_windows
        and rotary in ROTARIES
        and getattr(config, "hidden_act", "") == "silu"
    )
    is_plain = policy.weights_are_effective and policy.samples_as_it_scores
    return LlamaStep(policy, columns) if is_known and (is_plain or policy.adapts_bf16_on_cpu) else None


def _norm(module: Any) -> Tensor:
    if isinstance(module, ModulesToSaveWrapper):
        module = (
            module.modules_to_save[module.active_adapters[0]] if not module.disable_adapters else module.original_module
        )
    weight: Tensor = module.weight
    return weight


def _joined(*modules: Any) -> _Linear | _Adapted:
    """Linear layers of the same input as one. Merged weights become views of the joined one, to be in memory only once."""
    layers: list[Any] = [m.get_base_layer() if isinstance(m, BaseTunerLayer) else m for m in modules]
    biases = [layer.bias for layer in layers]
    bias = None if biases[0] is None else torch.cat([b for b in biases if b is not None])
    weight = layers[0].weight if len(layers) == 1 else torch.cat([layer.weight for layer in layers])
    if len(layers) > 1 and all("forward" in vars(m) for m in modules):
        for layer, part in zip(layers, weight.split([len(layer.weight) for layer in layers]), strict=True):
            layer.weight.data = part
    base = _Linear(weight, bias)
    if not any(isinstance(m, BaseTunerLayer) and "forward" not in vars(m) for m in modules):
        return base
    # Not merged, for the base is in 16 bits: their adapters as one, which see one input and give outputs of their own.
    parts = [adapter_of(m) if isinstance(m, BaseTunerLayer) else None for m in modules]
    blocks = [
        torch.zeros(len(layer.weight), 0) if part is None else part[1] * part[2]
        for layer, part in zip(layers, parts, strict=True)
    ]
    return _Adapted(base, torch.cat([part[0] for part in parts if part is not None]), torch.block_diag(*blocks))
