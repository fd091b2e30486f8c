"""The optimiser of a recipe and its learning rates."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from rlsf_lightning.config import schema


def build_optimizer(
    groups: Sequence[tuple[str, list[nn.Parameter]]], settings: schema.Algorithm, *, can_fuse: bool
) -> Optimizer:
    """AdamW over parameters, each group beside the name of the setting that gives its learning rate.

    Args:
        can_fuse: the whole step may be one kernel; then nobody else may clip the gradients of 16-bit training.
    """
    rates = {name: getattr(settings, name) for name in ("lr", "modules_to_save_lr", "value_lr")}
    if rates["modules_to_save_lr"] is None:
        rates["modules_to_save_lr"] = settings.lr
    learning = [{"params": parameters, "lr": rates[name]} for name, parameters in groups if parameters]
    if settings.optimizer == "adamw_8bit":
        from bitsandbytes.optim import AdamW8bit

        packed: Optimizer = AdamW8bit(learning, weight_decay=settings.weight_decay, eps=1e-6)
        return packed
    return torch.optim.AdamW(learning, weight_decay=settings.weight_decay, eps=1e-6, fused=can_fuse)


def build_schedule(optimizer: Optimizer, settings: schema.Algorithm, steps: float) -> LambdaLR:
    """Linear warm-up, then a line to ``final_lr_share`` of the peak after ``steps`` optimiser steps."""

    def share(step: int) -> float:
        warm = min(1.0, (step + 1) / max(1, settings.warmup_steps))
        return warm * (1.0 - (1.0 - settings.final_lr_share) * min(1.0, step / max(1, steps)))

    return LambdaLR(optimizer, share)
