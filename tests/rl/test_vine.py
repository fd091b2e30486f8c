import math

import pytest
import torch
from hypothesis import given
from rl_cases import FLOATS, actions, masked

from rlsf_lightning.rl.vine import mean_of_rollouts, vine_advantages

T, F = True, False
NAN = float("nan")


def test_literal():
    # Steps of 2, 1 and 2 tokens; the second row ends after its first step, with a gap in it.
    rewards_BT = torch.tensor([[0.0, -1.0, 0.5, 0.0, 1.0], [0.25, NAN, 0.5, NAN, NAN]])
    is_action_BT = torch.tensor([[T, T, T, T, T], [T, F, T, F, F]])
    step_BT = torch.tensor([[0, 0, 1, 2, 2], [0, 99, 0, -3, 7]])
    value_BK = torch.tensor([[0.5, -0.5, 0.25, 0.0], [0.5, 0.0, NAN, NAN]])
    found_BT = vine_advantages(rewards_BT, is_action_BT, step_BT, value_BK)
    assert found_BT.tolist() == [[-2.0, -2.0, 1.25, 0.75, 0.75], [0.25, 0.0, 0.25, 0.0, 0.0]]


def test_discount_literal():
    # gamma 1/2, steps of 2 and 1 tokens: 1 + 2/2 + 8/4 - 3 and 4 + 16/2 - 8.
    found_BT = vine_advantages(
        torch.tensor([[1.0, 2.0, 4.0]]),
        torch.ones(1, 3, dtype=torch.bool),
        torch.tensor([[0, 0, 1]]),
        torch.tensor([[3.0, 8.0, 16.0]]),
        gamma=0.5,
    )
    assert found_BT.tolist() == [[1.0, 1.0, 4.0]]


def test_a_step_without_an_estimate_teaches_nothing():
    is_known_BK = torch.tensor([[True, False, True, True]])
    found_BT = vine_advantages(
        torch.zeros(1, 3),
        torch.ones(1, 3, dtype=torch.bool),
        torch.tensor([[0, 1, 2]]),
        torch.tensor([[1.0, NAN, 2.0, 0.0]]),
        is_known_BK=is_known_BK,
    )
    assert found_BT.tolist() == [[0.0, 0.0, -2.0]]


def test_undiscounted_advantages_of_the_steps_sum_to_the_total_less_the_first_value():
    g = torch.Generator().manual_seed(0)
    rewards_BT = torch.randn(1, 6, generator=g, dtype=torch.float64)
    value_BK = torch.randn(1, 7, generator=g, dtype=torch.float64)
    value_BK[:, -1] = 0
    ones_BT = torch.ones(1, 6, dtype=torch.bool)
    found_BT = vine_advantages(rewards_BT, ones_BT, torch.arange(6)[None], value_BK)
    assert float(found_BT.sum()) == pytest.approx(float(rewards_BT.sum() - value_BK[0, 0]), abs=1e-12)


@pytest.mark.parametrize(
    ("steps", "complaint"), [([0, 2, 3], "beyond"), ([0, -1, 1], "beyond"), ([1, 0, 2], "goes back")]
)
def test_wrong_steps_are_refused(steps, complaint):
    with pytest.raises(AssertionError, match=complaint):
        vine_advantages(torch.zeros(1, 3), torch.ones(1, 3, dtype=torch.bool), torch.tensor([steps]), torch.zeros(1, 4))


def test_mean_of_rollouts_literals():
    returns_NK = torch.tensor([[1.0, -1.0, 1.0, NAN], [0.5, NAN, NAN, NAN], [NAN] * 4])
    is_valid_NK = ~returns_NK.isnan()
    value_N, error_N, is_known_N = mean_of_rollouts(returns_NK, is_valid_NK)
    torch.testing.assert_close(value_N, torch.tensor([1 / 3, 0.5, 0.0]))
    # Squares 4/9 + 16/9 + 4/9 over 2, over 3.
    assert error_N.tolist() == pytest.approx([math.sqrt(8 / 3 / 2 / 3), math.inf, math.inf])
    assert is_known_N.tolist() == [True, True, False]


@given(masked(FLOATS))
def test_mean_of_rollouts_against_a_loop(case):
    is_valid_NK, returns_NK = case
    found = mean_of_rollouts(returns_NK, is_valid_NK)
    for n, (value, error, is_known) in enumerate(zip(*(x.tolist() for x in found), strict=True)):
        returns = [float(returns_NK[n, k]) for k in actions(is_valid_NK, n)]
        assert is_known == bool(returns)
        mean = sum(returns) / max(1, len(returns))
        assert value == pytest.approx(mean, abs=1e-9)
        if len(returns) < 2:
            assert error == math.inf
        else:
            variance = sum((x - mean) ** 2 for x in returns) / (len(returns) - 1)
            assert error == pytest.approx(math.sqrt(variance / len(returns)), abs=1e-7)
