import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rl_cases import actions, masked

from rlsf_lightning.rl.kl import KL_LOSSES, adapt_beta, k1, k2, k2_loss, k3, k3_loss

LOGP = st.floats(-8, 0)


def test_literals():
    logp_BT, ref_logp_BT = torch.tensor([[-1.0, -2.0, 5.0]]), torch.tensor([[-1.5, -1.0, float("nan")]])
    is_action_BT = torch.tensor([[True, True, False]])
    torch.testing.assert_close(k1(logp_BT, ref_logp_BT, is_action_BT), torch.tensor([[0.5, -1.0, 0.0]]))
    torch.testing.assert_close(k2(logp_BT, ref_logp_BT, is_action_BT), torch.tensor([[0.125, 0.5, 0.0]]))
    # exp(-.5) - 1 + .5 and e - 1 - 1
    torch.testing.assert_close(k3(logp_BT, ref_logp_BT, is_action_BT), torch.tensor([[0.106531, 0.718282, 0.0]]))


@given(masked(LOGP, LOGP))
def test_against_a_loop(case):
    is_action_BT, logp_BT, ref_logp_BT = case
    for row in range(len(is_action_BT)):
        for t in actions(is_action_BT, row):
            d = float(logp_BT[row, t]) - float(ref_logp_BT[row, t])
            got = [float(f(logp_BT, ref_logp_BT, is_action_BT)[row, t]) for f in (k1, k2, k3)]
            assert got == pytest.approx([d, d * d / 2, math.exp(-d) - 1 + d], abs=1e-8)
    for f in (k1, k2, k3):
        assert (f(logp_BT, ref_logp_BT, is_action_BT)[~is_action_BT] == 0).all()


def test_expectations_over_a_whole_vocabulary():
    """Under the policy k1 and k3 average to the exact KL; k2 only nearly."""
    p, q = [0.5, 0.3, 0.2], [0.4, 0.4, 0.2]
    exact = 0.5 * math.log(0.5 / 0.4) + 0.3 * math.log(0.3 / 0.4)
    logp_BT, ref_logp_BT = torch.tensor([p]).log(), torch.tensor([q]).log()
    ones_BT = torch.ones(1, 3, dtype=torch.bool)
    for f, tolerance in ((k1, 1e-6), (k3, 1e-6), (k2, 0.05 * exact)):
        mean = float((torch.tensor([p]) * f(logp_BT, ref_logp_BT, ones_BT)).sum())
        assert mean == pytest.approx(exact, abs=tolerance)


@pytest.mark.parametrize(
    ("kl", "expected"),
    [
        (6.0, 0.1),  # on target
        (6.6, 0.101),  # 10 % above, 100 of 1,000 completions
        (60.0, 0.102),  # clipped at 20 %
        (0.0, 0.098),
        (-3.0, 0.098),  # a k1 estimate may be negative
    ],
)
def test_controller_literals(kl, expected):
    assert adapt_beta(0.1, kl, target=6.0, samples=100, horizon=1000) == pytest.approx(expected, abs=1e-12)


def test_controller_refuses_a_kl_that_is_no_number():
    with pytest.raises(AssertionError):
        adapt_beta(0.1, float("nan"), target=6.0, samples=1, horizon=10)


def categorical(seed, actions=6):
    """Logits of policy, sampling policy and reference over a few actions."""
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(1, actions, generator=g, dtype=torch.float64) for _ in range(3)]


def gradient_of(loss, logits, old_logits, ref_logits):
    """Gradient of the expectation, under the sampling policy, of a loss given for each action."""
    logits = logits.clone().requires_grad_()
    logp, old, ref = logits.log_softmax(-1), old_logits.log_softmax(-1), ref_logits.log_softmax(-1)
    mask = torch.ones_like(logits, dtype=torch.bool)
    (old.exp() * loss(logp, old, ref, mask)).sum().backward()
    return logits.grad


def exact_gradient(logits, ref_logits):
    logits = logits.clone().requires_grad_()
    logp, ref = logits.log_softmax(-1), ref_logits.log_softmax(-1)
    (logp.exp() * (logp - ref)).sum().backward()
    return logits.grad


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", sorted(KL_LOSSES))
def test_the_losses_have_the_gradient_of_the_kl(name, seed):
    logits, old_logits, ref_logits = categorical(seed)
    exact = exact_gradient(logits, ref_logits)
    for sampling in (logits, old_logits):  # on-policy and off-policy
        got = gradient_of(KL_LOSSES[name], logits, sampling, ref_logits)
        torch.testing.assert_close(got, exact, rtol=1e-10, atol=1e-13)


def test_the_plain_estimates_have_another_gradient():
    logits, old_logits, ref_logits = categorical(0)
    exact = exact_gradient(logits, ref_logits)
    plain = {f: lambda logp, old, ref, mask, f=f: f(logp, ref, mask) for f in (k1, k2, k3)}
    on_policy = {f: gradient_of(loss, logits, logits, ref_logits) for f, loss in plain.items()}
    assert on_policy[k1].abs().max() < 1e-12  # no information at all
    torch.testing.assert_close(on_policy[k2], exact, rtol=1e-10, atol=1e-13)
    # k3 as a loss pulls to the mean of the reference: softmax(logits) - softmax(reference).
    torch.testing.assert_close(on_policy[k3], logits.softmax(-1) - ref_logits.softmax(-1), rtol=1e-10, atol=1e-13)
    assert (on_policy[k3] - exact).norm() > 0.1 * exact.norm()
    assert (gradient_of(plain[k2], logits, old_logits, ref_logits) - exact).norm() > 0.1 * exact.norm()


def test_loss_literals_and_values():
    # ratio e^.5 and e^-1; d .5 and -1.
    logp_BT, old_BT = torch.tensor([[-1.0, -2.0, float("nan")]]), torch.tensor([[-1.5, -1.0, 0.0]])
    ref_BT, is_action_BT = torch.tensor([[-1.5, -1.0, float("nan")]]), torch.tensor([[True, True, False]])
    found_BT = k2_loss(logp_BT, old_BT, ref_BT, is_action_BT)
    torch.testing.assert_close(found_BT, torch.tensor([[1.648721 * 0.125, 0.367879 * 0.5, 0.0]]))
    found_BT = k3_loss(logp_BT, old_BT, ref_BT, is_action_BT)
    torch.testing.assert_close(found_BT, torch.tensor([[1.648721 * 0.106531, 0.367879 * 0.718282, 0.0]]))


@given(masked(LOGP, LOGP, LOGP))
def test_both_losses_have_one_gradient_and_padding_has_none(case):
    is_action_BT, logp_BT, old_logp_BT, ref_logp_BT = case
    gradients = []
    for loss in KL_LOSSES.values():
        leaf_BT = logp_BT.clone().requires_grad_()
        loss(leaf_BT, old_logp_BT, ref_logp_BT, is_action_BT).sum().backward()
        gradients.append(leaf_BT.grad)
    for row in range(len(is_action_BT)):
        for t in actions(is_action_BT, row):
            d = float(logp_BT[row, t] - ref_logp_BT[row, t])
            expected = math.exp(float(logp_BT[row, t] - old_logp_BT[row, t])) * d
            assert [float(g[row, t]) for g in gradients] == pytest.approx([expected] * 2, rel=1e-9, abs=1e-9)
    assert all((g[~is_action_BT] == 0).all() for g in gradients)
