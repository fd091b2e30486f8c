"""The rivals' weights and trainers in the precision that the task asks for: fp32, bf16, or an NF4 base with bf16 around it."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig


def dtype_of(task: dict[str, Any]) -> torch.dtype:
    """Of dense weights, and of what NF4 ones are multiplied in."""
    return torch.float32 if task["precision"] == "fp32" else torch.bfloat16


def load_policy(task: dict[str, Any]) -> Any:
    """The folder's model; in NF4 with doubly quantised scales, as ours is."""
    packed: dict[str, Any] = {}
    if task["precision"] == "nf4":
        quantisation = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype_of(task),
        )
        packed = {"quantization_config": quantisation, "device_map": {"": 0 if task["device"] == "cuda" else "cpu"}}
    return AutoModelForCausalLM.from_pretrained(task["model"], dtype=dtype_of(task), **packed)


def arguments_of(task: dict[str, Any]) -> dict[str, Any]:
    """Arguments of TRL's trainers. With ``bf16`` adapters, which are in fp32, are multiplied in bf16, as ours are."""
    return {"use_cpu": task["device"] == "cpu", "bf16": task["precision"] != "fp32"}


def lower_adapters(model: Any) -> None:
    """What learns in ``model`` becomes bf16, as TRL does it where the base is NF4."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.bfloat16()
