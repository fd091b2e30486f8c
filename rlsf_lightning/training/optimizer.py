"""The optimiser of a recipe, its learning rates, and a step of it with gradient clipping and loss scaling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from lightning import Trainer
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, get_total_norm
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from rlsf_lightning.config import schema


def build_optimizer(
    groups: Sequence[tuple[str, list[nn.Parameter]]], settings: schema.Algorithm, *, can_fuse: bool
) -> Optimizer:
    """AdamW over parameters, each group beside the name of the setting that gives its learning rate.

    Args:
        can_fuse: the whole step may be one kernel; with a loss scale that kernel would divide by it after the clipping.
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


def clipped_step(
    optimizer: LightningOptimizer, groups: Mapping[str, Sequence[Tensor]], max_norm: float
) -> dict[str, float] | None:
    """One optimiser step with gradient clipping by the norm over all groups.

    With ``trainer.precision=16-mixed`` gradients are multiplied by the loss scale (Micikevicius et al. 2018, section 3.2,
    https://arxiv.org/abs/1710.03740) until Lightning divides by it inside ``step``. So they are clipped by a hook that torch
    calls after that, right before the parameters move; it does not call it where the ``GradScaler`` skips the step because
    a gradient overflowed.

    Args:
        groups: name -> parameters whose gradient norm is wanted.

    Returns:
        ``grad_norm/NAME`` of every group with parameters, before clipping; None for a step that was skipped.
    """
    norms: dict[str, float] = {}

    def clip(stepping: Optimizer, *_: Any) -> None:
        norms.update({f"grad_norm/{name}": float(get_total_norm(_gradients(ps))) for name, ps in groups.items() if ps})
        clip_grad_norm_([p for group in stepping.param_groups for p in group["params"]], max_norm)

    hook = optimizer.optimizer.register_step_pre_hook(clip)
    try:
        optimizer.step()
    finally:
        hook.remove()
    return norms or None


def has_loss_scale(trainer: Trainer) -> bool:
    """Whether a ``GradScaler`` scales the loss of this run, and may skip steps."""
    return getattr(trainer.precision_plugin, "scaler", None) is not None


def _gradients(parameters: Iterable[Tensor]) -> list[Tensor]:
    """The gradients that there are."""
    return [p.grad for p in parameters if p.grad is not None]
