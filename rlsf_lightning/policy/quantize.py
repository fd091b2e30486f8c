"""NF4 (4-bit) base weights through bitsandbytes, on CUDA and on CPUs. It quantises; it reads no files.

QLoRA, https://arxiv.org/abs/2305.14314: the frozen base in NF4 with double quantisation, the adapter in fp32.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import BitsAndBytesConfig


def nf4_dtype(device: torch.device, half: torch.dtype = torch.bfloat16) -> torch.dtype:
    """The compute dtype of NF4 layers: ``half`` on CUDA and on CPUs with bf16 instructions, else fp32."""
    return half if device.type == "cuda" or multiplies_bf16(device) else torch.float32


def multiplies_bf16(device: torch.device) -> bool:
    """Whether this is a CPU with bf16 instructions."""
    from bitsandbytes.functional import has_avx512bf16

    return device.type == "cpu" and bool(has_avx512bf16())


def nf4_config(dtype: torch.dtype) -> BitsAndBytesConfig:
    """The configuration with which transformers quantises weights to NF4 while it loads them; ``dtype``: to compute in."""
    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )


def quantize_in_place(model: Any, dtype: torch.dtype) -> None:
    """Quantise every linear layer but the head to NF4, one at a time, so that at most one is in memory twice.

    For weights that transformers cannot quantise while it loads them, such as a GGUF file's.
    """
    import bitsandbytes as bnb

    head = model.get_output_embeddings()
    layers = [(name, m) for name, m in model.named_modules() if type(m) is nn.Linear and m is not head]
    for name, linear in layers:
        weight = linear.weight.data
        shell = bnb.nn.Linear4bit(
            linear.in_features, linear.out_features, False, compute_dtype=dtype, quant_type="nf4", device="meta"
        )
        packed: Any = bnb.nn.Params4bit(weight, requires_grad=False, quant_type="nf4", module=shell)
        shell.weight = packed.to(device=weight.device)
        shell.bias = linear.bias
        model.set_submodule(name, shell.eval())
        del linear.weight, weight
    model.is_loaded_in_4bit = True  # peft then puts its 4-bit layers around these


def keep_trainable(model: Any) -> None:
    """Keep bitsandbytes from packing NF4 weights for AVX-512 CPUs.

    It would do so in the first forward pass without gradients, irreversibly: scales are rounded to bf16, so that the
    reference changes, and packed layers pass no gradient.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
