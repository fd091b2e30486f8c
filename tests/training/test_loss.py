"""What the losses of a recipe are put together from, on two completions whose numbers are worked out by hand."""

import math

import pytest
import torch

from rlsf_lightning.config import schema
from rlsf_lightning.policy.logprob import ActionScores
from rlsf_lightning.training.loss import losses_of
from rlsf_lightning.training.rollout import Rollout

T, F = True, False
WEIGHT_BT = torch.tensor([[0.25, 0.25], [0.5, 0.0]])
LOG2 = math.log(2)


def rollout_of_two():
    """Two tokens and one token; ratios 2, 1/2 and 4, advantages 1, -1 and -1; the sampler was half as sure."""
    is_action_BT = torch.tensor([[T, T], [T, F]])
    rollout = Rollout(
        prompts=[],
        completions=[],
        spans=[],
        ids_BS=torch.zeros(2, 3, dtype=torch.long),
        is_real_BS=torch.tensor([[T, T, T], [T, T, F]]),
        is_action_BT=is_action_BT,
        is_finished_B=torch.tensor([T, T]),
        sampled_logp_BT=torch.full((2, 2), -2.0 - LOG2),
        sampled_value_BT=torch.zeros(2, 2),
        group_size=1,
        logp_BT=torch.full((2, 2), -2.0),
    )
    rollout.ref_logp_BT = torch.full((2, 2), -2.0 - LOG2)
    rollout.advantage_BT = torch.tensor([[1.0, -1.0], [-1.0, 0.0]])
    rollout.value_BT, rollout.return_BT = torch.zeros(2, 2), torch.full((2, 2), 1.0)
    part = rollout.part(torch.tensor([0, 1]), is_action_BT)
    logp_BT = torch.tensor([[-2 + LOG2, -2 - LOG2], [-2 + 2 * LOG2, math.nan]], requires_grad=True)
    value_BT = torch.tensor([[0.5, -0.5], [1.0, math.nan]], requires_grad=True)
    return rollout, part, ActionScores(logp_BT, torch.tensor([[1.0, 2.0], [3.0, math.nan]]), value_BT)


def parts(only_critic=False, kl_beta=0.0, **settings):
    """The losses by name, what they sum to, and the rest of the statistics."""
    rollout, part, scores = rollout_of_two()
    made = schema.Algorithm(**settings)
    loss, sums = losses_of(made, rollout, part, WEIGHT_BT, scores, kl_beta=kl_beta, only_critic=only_critic)
    losses = {name.removeprefix("loss/"): float(x) for name, x in sums.items() if name.startswith("loss/")}
    assert float(loss) == pytest.approx(sum(losses.values()))
    loss.backward()
    return losses, {name: float(x) for name, x in sums.items() if not name.startswith("loss/")}, scores


def test_the_clipped_loss_and_the_values():
    losses, sums, scores = parts()
    # Gains 1.2, -0.8 and -4; values 0.5 (clipped: 0.2), -0.5 (-0.2) and 1 (0.2) against 1.
    assert losses["policy"] == pytest.approx(0.25 * -1.2 + 0.25 * 0.8 + 0.5 * 4)
    assert losses["value"] == pytest.approx(0.5 * 0.5 * (0.25 * 0.64 + 0.25 * 2.25 + 0.5 * 0.64))
    assert losses.keys() == {"policy", "value"}
    assert sums["tokens"] == 3 and sums["clip_fraction"] == 2
    assert sums["ratio"] == pytest.approx(6.5) and sums["entropy"] == pytest.approx(6.0)
    assert sums["sampler_deviation"] == pytest.approx(3 * LOG2)
    # The one token whose ratio is not clipped, and only it: -A * ratio * weight.
    torch.testing.assert_close(scores.logp_BT.grad, torch.tensor([[0.0, 0.0], [2.0, 0.0]]))


def test_each_bound_is_its_own_key():
    assert parts(clip_high=1.5)[0]["policy"] == pytest.approx(0.25 * -2 + 0.25 * 0.8 + 0.5 * 4)
    assert parts(clip=0.6)[0]["policy"] == pytest.approx(0.25 * -1.6 + 0.25 * 0.5 + 0.5 * 4)
    losses, sums, _ = parts(loss="dual_clip", dual_clip=3.0)
    assert losses["policy"] == pytest.approx(0.25 * -1.2 + 0.25 * 0.8 + 0.5 * 3)
    assert sums["clip_fraction"] == 3
    assert parts(dual_clip=3.0)[0] == parts()[0]  # without loss=dual_clip it is not read
    wide = parts(value_clip=10.0, value_coef=2.0)[0]["value"]
    assert wide == pytest.approx(2.0 * 0.5 * (0.25 * 0.25 + 0.25 * 2.25 + 0.5 * 0.0))


@pytest.mark.parametrize(("cap", "weight"), [(8.0, 2.0), (1.5, 1.5), (1.0, 1.0)])
def test_what_another_sampler_drew_is_weighed_up_to_the_cap(cap, weight):
    """The training forward is twice as sure of every token as the sampler was."""
    assert parts(importance_cap=cap)[0]["policy"] == pytest.approx(weight * parts()[0]["policy"])


def test_the_entropy_bonus():
    assert parts(entropy_coef=0.1)[0]["entropy"] == pytest.approx(-0.1 * (0.25 * 1 + 0.25 * 2 + 0.5 * 3))
    assert "entropy" not in parts()[0]


@pytest.mark.parametrize(("form", "estimate"), [("k2", lambda d: d * d / 2), ("k3", lambda d: math.exp(-d) - 1 + d)])
def test_the_kl_as_a_loss_has_the_importance_factor(form, estimate):
    losses, _, _ = parts(kl=schema.Kl(form=form), kl_beta=0.1)
    expected = [w * ratio * estimate(d * LOG2) for w, ratio, d in ((0.25, 2, 2), (0.25, 0.5, 0), (0.5, 4, 3))]
    assert losses["kl"] == pytest.approx(0.1 * sum(expected))
    assert "kl" not in parts(kl=schema.Kl(form=form), kl_beta=0.0)[0]
    assert "kl" not in parts(kl=schema.Kl(form="k1"), kl_beta=0.1)[0]  # that one is in the rewards


def test_while_the_critic_warms_up_only_it_learns():
    losses, _, scores = parts(only_critic=True, entropy_coef=0.1, kl=schema.Kl(form="k3"), kl_beta=0.1)
    assert losses["policy"] == losses["entropy"] == losses["kl"] == 0 and losses["value"] > 0
    assert not scores.logp_BT.grad.any() and scores.value_BT.grad.any()
    assert torch.isfinite(scores.logp_BT.grad).all() and torch.isfinite(scores.value_BT.grad).all()
