import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rl_cases import actions, masked

from rlsf_lightning.rl.kl import adapt_beta, k1, k2, k3

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
