import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rl_cases import FLOATS, actions, masked

from rlsf_lightning.rl.masks import masked_sum
from rlsf_lightning.rl.ppo import ClipRange, clipped_surrogate, clipped_value_loss, policy_sums
from rlsf_lightning.rl.ratio import probability_ratio

LOGP = st.floats(-4, 0)
NAN = float("nan")


def surrogate(logp_BT, old_logp_BT, advantages_BT, is_action_BT, **bounds):
    ratio_BT = probability_ratio(logp_BT, old_logp_BT, is_action_BT)
    return clipped_surrogate(ratio_BT, advantages_BT, is_action_BT, ClipRange(**bounds))


def sums_of(logp_BT, old_logp_BT, advantages_BT, entropy_BT, is_action_BT, **bounds):
    ratio_BT = probability_ratio(logp_BT, old_logp_BT, is_action_BT)
    return policy_sums(ratio_BT, logp_BT, old_logp_BT, advantages_BT, entropy_BT, is_action_BT, ClipRange(**bounds))


@pytest.mark.parametrize(("log_ratio", "expected"), [(1.0, -1.2), (-1.0, -0.36788), (0.1, -1.10517)])
def test_clip_literals(log_ratio, expected):
    ones_BT = torch.ones(1, 1)
    loss_BT = surrogate(ones_BT * log_ratio, ones_BT * 0, ones_BT, ones_BT.bool(), clip=0.2)
    assert float(loss_BT) == pytest.approx(expected, abs=1e-5)


def test_clip_literals_of_a_negative_advantage():
    logp_BT = torch.tensor([[1.0, -1.0, 0.1]])
    loss_BT = surrogate(logp_BT, 0 * logp_BT, -torch.ones(1, 3), torch.ones(1, 3).bool(), clip=0.2)
    torch.testing.assert_close(loss_BT, torch.tensor([[math.e, 0.8, 1.105171]]))


@given(masked(LOGP, LOGP, FLOATS), st.floats(0.05, 0.5))
def test_surrogate_against_a_loop(case, clip):
    is_action_BT, logp_BT, old_logp_BT, advantages_BT = case
    loss_BT = surrogate(logp_BT, old_logp_BT, advantages_BT, is_action_BT, clip=clip)
    assert (loss_BT[~is_action_BT] == 0).all()
    for row in range(len(is_action_BT)):
        for t in actions(is_action_BT, row):
            ratio = math.exp(float(logp_BT[row, t]) - float(old_logp_BT[row, t]))
            a = float(advantages_BT[row, t])
            expected = -min(ratio * a, min(max(ratio, 1 - clip), 1 + clip) * a)
            assert float(loss_BT[row, t]) == pytest.approx(expected, abs=1e-9)


def test_decoupled_bounds_and_dual_clip_literals():
    # Ratios 1.5, 1.5, .5, .5, 5, 5 with advantages 1, -1, 1, -1, 1, -1.
    logp_BT = torch.tensor([[1.5, 1.5, 0.5, 0.5, 5.0, 5.0]]).log()
    advantages_BT = torch.tensor([[1.0, -1.0, 1.0, -1.0, 1.0, -1.0]])
    bounds = {"clip": 0.2, "clip_high": 0.28, "dual_clip": 3.0}
    ones_BT, zeros_BT = torch.ones(1, 6).bool(), torch.zeros(1, 6)
    loss_BT = surrogate(logp_BT, zeros_BT, advantages_BT, ones_BT, **bounds)
    torch.testing.assert_close(loss_BT, torch.tensor([[-1.28, 1.5, -0.5, 0.8, -1.28, 3.0]]))
    sums = sums_of(logp_BT, zeros_BT, advantages_BT, zeros_BT, ones_BT, **bounds)
    assert int(sums["clip_fraction"]) == 4  # the first, the fourth and the last two
    without = sums_of(logp_BT, zeros_BT, advantages_BT, zeros_BT, ones_BT, clip=0.2, clip_high=0.6)
    assert int(without["clip_fraction"]) == 2  # the fourth and the fifth


@given(masked(LOGP, LOGP, FLOATS), st.floats(0.05, 0.5), st.floats(0.05, 0.5), st.floats(1.1, 4))
def test_all_bounds_against_a_loop_and_the_gradient(case, clip, clip_high, dual_clip):
    is_action_BT, logp_BT, old_logp_BT, advantages_BT = case
    leaf_BT = logp_BT.clone().requires_grad_()
    bounds = {"clip": clip, "clip_high": clip_high, "dual_clip": dual_clip}
    loss_BT = surrogate(leaf_BT, old_logp_BT, advantages_BT, is_action_BT, **bounds)
    loss_BT.sum().backward()
    loss_BT = loss_BT.detach()
    removed, kinks = 0, 0
    for row in range(len(is_action_BT)):
        for t in actions(is_action_BT, row):
            ratio = math.exp(float(logp_BT[row, t]) - float(old_logp_BT[row, t]))
            a = float(advantages_BT[row, t])
            expected = min(ratio * a, min(max(ratio, 1 - clip), 1 + clip_high) * a)
            if a < 0:
                expected = max(expected, dual_clip * a)
            assert float(loss_BT[row, t]) == pytest.approx(-expected, abs=1e-9)
            kinks += min(abs(ratio - x) for x in (1 - clip, 1 + clip_high, dual_clip)) < 1e-6
            removed += a != 0 and float(leaf_BT.grad[row, t]) == 0
    assert (leaf_BT.grad[~is_action_BT] == 0).all()
    sums = sums_of(logp_BT, old_logp_BT, advantages_BT, old_logp_BT, is_action_BT, **bounds)
    if not kinks:
        assert int(sums["clip_fraction"]) == removed


@pytest.mark.parametrize("bounds", [{"clip": 0.0}, {"clip": 0.2, "clip_high": 0.0}, {"clip": 0.2, "dual_clip": 1.0}])
def test_bounds_that_bound_nothing_are_refused(bounds):
    zeros_BT = torch.zeros(1, 1)
    with pytest.raises(AssertionError, match="must be above"):
        surrogate(zeros_BT, zeros_BT, zeros_BT, zeros_BT == 0, **bounds)


def test_value_loss_literals():
    # Inside the clip range; beyond it, where the larger loss counts; and a move away from the target, not clipped down.
    values_BT = torch.tensor([[1.1, 2.0, 0.0, NAN]])
    old_BT = torch.tensor([[1.0, 1.0, 1.0, NAN]])
    returns_BT = torch.tensor([[2.0, 2.0, 3.0, NAN]])
    is_action_BT = torch.tensor([[True, True, True, False]])
    loss_BT = clipped_value_loss(values_BT, old_BT, returns_BT, is_action_BT, clip=0.2)
    torch.testing.assert_close(loss_BT, torch.tensor([[0.405, 0.32, 4.5, 0.0]]))


@given(masked(FLOATS, FLOATS, FLOATS), st.floats(0.05, 0.5))
def test_value_loss_against_a_loop(case, clip):
    is_action_BT, values_BT, old_BT, returns_BT = case
    loss_BT = clipped_value_loss(values_BT, old_BT, returns_BT, is_action_BT, clip=clip)
    assert (loss_BT[~is_action_BT] == 0).all()
    for row in range(len(is_action_BT)):
        for t in actions(is_action_BT, row):
            v, o, r = (float(x[row, t]) for x in (values_BT, old_BT, returns_BT))
            near = min(max(v, o - clip), o + clip)
            assert float(loss_BT[row, t]) == pytest.approx(0.5 * max((v - r) ** 2, (near - r) ** 2), abs=1e-9)


def test_window_norm_literal():
    """100 tokens of mean 2.0 and 900 of mean .5 are .65 over the step, and not 1.25."""
    micro = [(torch.full((1, n), mean), torch.ones(1, n).bool()) for n, mean in ((100, 2.0), (900, 0.5))]
    tokens = sum(int(mask_BT.sum()) for _, mask_BT in micro)
    total = sum(float(masked_sum(loss_BT, mask_BT)) / tokens for loss_BT, mask_BT in micro)
    assert total == pytest.approx(0.65, abs=1e-6)


def random_case(seed=0, rows=6, steps=5):
    g = torch.Generator().manual_seed(seed)
    draw = [torch.randn(rows, steps, generator=g, dtype=torch.float64) for _ in range(4)]
    return (*draw, torch.rand(rows, steps, generator=g) < 0.7)


@pytest.mark.parametrize("cuts", [[6], [3, 3], [1, 1, 1, 1, 1, 1], [1, 5]])
def test_gradients_do_not_depend_on_micro_batches(cuts):
    logp_BT, old_BT, advantages_BT, returns_BT, is_action_BT = random_case()
    tokens = is_action_BT.sum()

    def gradient(sizes):
        policy_BT, value_BT = logp_BT.clone().requires_grad_(), logp_BT.clone().requires_grad_()
        start = 0
        for size in sizes:
            rows = slice(start, start + size)
            mask_BT = is_action_BT[rows]
            loss = surrogate(policy_BT[rows], old_BT[rows], advantages_BT[rows], mask_BT, clip=0.2).sum()
            loss = loss + clipped_value_loss(value_BT[rows], old_BT[rows], returns_BT[rows], mask_BT, clip=0.2).sum()
            (loss / tokens).backward()
            start += size
        return policy_BT.grad, value_BT.grad

    for got_BT, whole_BT in zip(gradient(cuts), gradient([6]), strict=True):
        torch.testing.assert_close(got_BT, whole_BT, rtol=1e-12, atol=0)
        assert (got_BT[~is_action_BT] == 0).all()
    assert all((grad_BT[is_action_BT] != 0).any() for grad_BT in gradient([6]))


@pytest.mark.parametrize("garbage", [NAN, float("inf"), float("-inf"), 1e30])
def test_padding_reaches_neither_loss_nor_gradient(garbage):
    is_action_BT = torch.tensor([[True, False]])
    logp_BT = torch.tensor([[-1.0, garbage]], requires_grad=True)
    values_BT = torch.tensor([[0.5, garbage]], requires_grad=True)
    old_BT, advantages_BT = torch.tensor([[-1.1, -1.0]]), torch.tensor([[1.0, garbage]])
    loss = surrogate(logp_BT, old_BT, advantages_BT, is_action_BT, clip=0.2).sum()
    loss = loss + clipped_value_loss(values_BT, old_BT, advantages_BT, is_action_BT, clip=0.2).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert logp_BT.grad is not None and values_BT.grad is not None
    assert torch.isfinite(logp_BT.grad).all() and logp_BT.grad[0, 1] == 0
    assert torch.isfinite(values_BT.grad).all() and values_BT.grad[0, 1] == 0


@pytest.mark.parametrize("advantage", [1.0, -1.0])
def test_an_absurd_ratio_gives_no_nan(advantage):
    logp_BT = torch.tensor([[0.0]], requires_grad=True)
    loss = surrogate(
        logp_BT, torch.tensor([[-200.0]]), torch.tensor([[advantage]]), torch.ones(1, 1).bool(), clip=0.2
    ).sum()
    loss.backward()
    assert logp_BT.grad is not None
    assert torch.isfinite(loss) and torch.isfinite(logp_BT.grad).all()


def test_first_minibatch():
    logp_BT, _, advantages_BT, entropy_BT, is_action_BT = random_case()
    sums = sums_of(logp_BT, logp_BT, advantages_BT, entropy_BT, is_action_BT, clip=0.2)
    tokens = int(is_action_BT.sum())
    assert int(sums["tokens"]) == tokens and float(sums["ratio"]) == tokens
    assert float(sums["ratio_deviation"]) == float(sums["clip_fraction"]) == float(sums["approx_kl"]) == 0.0


@given(masked(LOGP, LOGP, FLOATS, st.floats(0, 3)))
def test_statistics_against_a_loop(case):
    is_action_BT, logp_BT, old_BT, advantages_BT, entropy_BT = case
    sums = sums_of(logp_BT, old_BT, advantages_BT, entropy_BT, is_action_BT, clip=0.2)
    expected = dict.fromkeys(("tokens", "ratio", "ratio_deviation", "clip_fraction", "approx_kl", "entropy"), 0.0)
    for row in range(len(is_action_BT)):
        for t in actions(is_action_BT, row):
            d, a = float(logp_BT[row, t]) - float(old_BT[row, t]), float(advantages_BT[row, t])
            ratio = math.exp(d)
            expected["tokens"] += 1
            expected["ratio"] += ratio
            expected["ratio_deviation"] += abs(ratio - 1)
            expected["clip_fraction"] += min(max(ratio, 0.8), 1.2) * a < ratio * a
            expected["approx_kl"] += ratio - 1 - d
            expected["entropy"] += float(entropy_BT[row, t])
    assert {k: float(v) for k, v in sums.items()} == pytest.approx(expected, abs=1e-6)


def test_clip_fraction_counts_only_where_the_gradient_is_gone():
    logp_BT = torch.tensor([[1.0, 1.0, -1.0, -1.0, 1.0, 0.1]])
    advantages_BT = torch.tensor([[1.0, -1.0, 1.0, -1.0, 0.0, 1.0]])
    zeros_BT, mask_BT = torch.zeros(1, 6), torch.ones(1, 6).bool()
    sums = sums_of(logp_BT, zeros_BT, advantages_BT, zeros_BT, mask_BT, clip=0.2)
    assert int(sums["clip_fraction"]) == 2  # up with a positive, down with a negative advantage
