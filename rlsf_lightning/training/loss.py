"""The loss that an update minimises: surrogate, value loss, KL and entropy of one micro-batch, by the formulas of ``rl/``."""

from __future__ import annotations

import torch
from torch import Tensor

from rlsf_lightning.config import schema
from rlsf_lightning.policy.logprob import ActionScores
from rlsf_lightning.rl import kl, ppo
from rlsf_lightning.rl.masks import zero_outside
from rlsf_lightning.rl.ratio import probability_ratio, truncated_importance
from rlsf_lightning.training.rollout import Part, Rollout


def losses_of(
    settings: schema.Algorithm,
    rollout: Rollout,
    part: Part,
    weight_BT: Tensor,
    scores: ActionScores,
    *,
    kl_beta: float,
    only_critic: bool,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The part's share of the step's mean loss, and the sums to log.

    Args:
        weight_BT: of each token of the part in the step's mean loss.
        scores: of the part's tokens by the policy that learns, with entropies.
        kl_beta: weight of a KL that is a loss term.
        only_critic: the policy's losses count nothing yet.
    """
    assert scores.entropy_BT is not None
    is_credited_BT, advantage_BT = part.is_used_BT, part.of(rollout.advantage_BT)
    sampled_logp_BT = part.of(rollout.sampled_logp_BT)
    old_logp_BT = scores.logp_BT.detach() if rollout.logp_BT is None else part.of(rollout.logp_BT)
    dual_clip = settings.dual_clip if settings.loss == "dual_clip" else None
    bounds = ppo.ClipRange(settings.clip, settings.clip_high, dual_clip)
    ratio_BT = probability_ratio(scores.logp_BT, old_logp_BT, is_credited_BT)
    losses = {"policy": ppo.clipped_surrogate(ratio_BT, advantage_BT, is_credited_BT, bounds)}
    if settings.importance_cap is not None:
        cap = settings.importance_cap
        weight = truncated_importance(old_logp_BT, sampled_logp_BT, is_credited_BT, cap=cap)
        losses["policy"] = losses["policy"] * weight
    if has_kl_loss(settings, kl_beta):
        kl_loss = kl.KL_LOSSES[settings.kl.form]
        losses["kl"] = kl_beta * kl_loss(scores.logp_BT, old_logp_BT, part.of(rollout.ref_logp_BT), is_credited_BT)
    if settings.entropy_coef != 0:
        losses["entropy"] = -settings.entropy_coef * zero_outside(scores.entropy_BT, is_credited_BT)
    if only_critic:  # zero gradients keep every rank's reduction whole
        losses = {name: loss_BT * 0.0 for name, loss_BT in losses.items()}
    if scores.value_BT is not None:
        old_value_BT, return_BT = part.of(rollout.value_BT), part.of(rollout.return_BT)
        losses["value"] = settings.value_coef * ppo.clipped_value_loss(
            scores.value_BT, old_value_BT, return_BT, is_credited_BT, clip=settings.value_clip
        )
    shares = {f"loss/{name}": (loss_BT * weight_BT).sum() for name, loss_BT in losses.items()}
    sums = {name: share.detach() for name, share in shares.items()} | ppo.policy_sums(
        ratio_BT, scores.logp_BT, old_logp_BT, advantage_BT, scores.entropy_BT, is_credited_BT, bounds
    )
    # How far the sampler's numbers are from the update's: rounding, or the two disagree on what the policy is.
    sums["sampler_deviation"] = zero_outside(old_logp_BT - sampled_logp_BT, is_credited_BT).abs().sum()
    return torch.stack(list(shares.values())).sum(), sums


def has_kl_loss(settings: schema.Algorithm, kl_beta: float) -> bool:
    """Whether the KL to the reference is a term of the loss."""
    return kl_beta > 0 and settings.kl.form in kl.KL_LOSSES
