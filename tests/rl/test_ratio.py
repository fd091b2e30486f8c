import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rl_cases import actions, masked

from rlsf_lightning.rl.ratio import probability_ratio, truncated_importance

LOGP = st.floats(-4, 0)


def test_truncated_importance_literals():
    # Ratios e, 1/e, e^.1 and padding.
    train_BT = torch.tensor([[1.0, -1.0, 0.1, float("nan")]], requires_grad=True)
    is_action_BT = torch.tensor([[True, True, True, False]])
    weights_BT = truncated_importance(train_BT, torch.zeros(1, 4), is_action_BT, cap=2.0)
    torch.testing.assert_close(weights_BT, torch.tensor([[2.0, 0.367879, 1.105171, 0.0]]))
    assert not weights_BT.requires_grad


@given(masked(LOGP, LOGP), st.floats(1, 5))
def test_against_a_loop(case, cap):
    is_action_BT, train_BT, sampler_BT = case
    weights_BT = truncated_importance(train_BT, sampler_BT, is_action_BT, cap=cap)
    ratio_BT = probability_ratio(train_BT, sampler_BT, is_action_BT)
    for row in range(len(is_action_BT)):
        for t in actions(is_action_BT, row):
            ratio = math.exp(float(train_BT[row, t]) - float(sampler_BT[row, t]))
            assert float(ratio_BT[row, t]) == pytest.approx(ratio, rel=1e-9)
            assert float(weights_BT[row, t]) == pytest.approx(min(ratio, cap), rel=1e-9)
    assert (weights_BT[~is_action_BT] == 0).all() and (ratio_BT[~is_action_BT] == 1).all()


def test_it_corrects_for_another_sampler():
    """Weighted by the uncapped ratio, what the sampler draws has the training policy's expectation."""
    train, sampler = torch.tensor([[0.7, 0.2, 0.1]]), torch.tensor([[0.5, 0.3, 0.2]])
    gain = torch.tensor([[1.0, -2.0, 5.0]])
    weights = truncated_importance(train.log(), sampler.log(), torch.ones(1, 3).bool(), cap=100.0)
    assert float((sampler * weights * gain).sum()) == pytest.approx(0.7 - 0.4 + 0.5, abs=1e-6)


def test_an_absurd_ratio_stays_finite():
    huge_BT = torch.tensor([[200.0]])
    assert float(probability_ratio(huge_BT, 0 * huge_BT, huge_BT > 0)) == pytest.approx(math.exp(20))


def test_a_cap_below_one_is_refused():
    with pytest.raises(AssertionError, match="cap"):
        truncated_importance(torch.zeros(1, 1), torch.zeros(1, 1), torch.ones(1, 1).bool(), cap=0.5)
