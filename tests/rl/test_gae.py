import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rl_cases import FLOATS, actions, masked

from rlsf_lightning.rl.gae import discounted_sums, gae, reward_to_go

# Dense rewards, per-step discounts and a bootstrap value: the rlax test case.
RLAX_R = [[0.0, 0.0, 1.0, 0.0, -0.5], [0.0, 0.0, 0.0, 0.0, 1.0]]
RLAX_V = [[1.0, 4.0, -3.0, -2.0, -1.0, -1.0], [-3.0, -2.0, -1.0, 0.0, 5.0, -1.0]]
RLAX_DISCOUNT = [[0.99] * 5, [0.9, 0.9, 0.9, 0.0, 0.9]]


@pytest.mark.parametrize(
    ("lam", "expected"),
    [
        (1.0, [[-1.4512, -4.4557, 2.5397, 0.5249, -0.49], [3.0, 2.0, 1.0, 0.0, -4.9]]),
        (0.7, [[-0.6770, -5.2482, 2.4846, 0.6704, -0.49], [2.2899, 1.73, 1.0, 0.0, -4.9]]),
        (0.4, [[0.5673, -6.0421, 2.3431, 0.8160, -0.49], [1.7256, 1.46, 1.0, 0.0, -4.9]]),
    ],
)
def test_rlax_literals(lam, expected):
    values = torch.tensor(RLAX_V)
    advantages_BT, returns_BT = gae(
        torch.tensor(RLAX_R),
        values[:, :-1],
        torch.ones(2, 5, dtype=torch.bool),
        gamma=torch.tensor(RLAX_DISCOUNT),
        lam=lam,
        bootstrap_B=values[:, -1],
    )
    torch.testing.assert_close(advantages_BT, torch.tensor(expected), atol=1e-4, rtol=0)
    torch.testing.assert_close(returns_BT, torch.tensor(expected) + values[:, :-1], atol=1e-4, rtol=0)


def test_lambda_zero_literal():
    mask_BT = torch.ones(1, 3, dtype=torch.bool)
    advantages_BT, _ = gae(torch.tensor([[0.0, 0, 5]]), torch.tensor([[1.0, 2, 3]]), mask_BT, gamma=1.0, lam=0.0)
    assert advantages_BT.tolist() == [[1.0, 1.0, 2.0]]


@pytest.mark.parametrize("hidden", [999.0, float("nan")])
def test_gap_literal(hidden):
    is_action_BT = torch.tensor([[True, True, False, True, True]])
    advantages_BT, returns_BT = gae(
        torch.tensor([[0.0, 0.0, hidden, 0.0, 1.0]]),
        torch.tensor([[0.1, 0.2, hidden, 0.4, 0.5]]),
        is_action_BT,
        gamma=0.99,
        lam=0.95,
    )
    expected = torch.tensor([[0.782324, 0.727618, 0.0, 0.565250, 0.5]])
    torch.testing.assert_close(advantages_BT, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(returns_BT, expected + torch.tensor([[0.1, 0.2, 0, 0.4, 0.5]]), atol=1e-6, rtol=0)


def test_returns_literal():
    r = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    _, returns_BT = gae(r, r, torch.ones(1, 4, dtype=torch.bool), gamma=0.9, lam=0.95)
    torch.testing.assert_close(returns_BT, torch.tensor([[0.657923, 0.7695, 0.9, 1.0]]), atol=1e-6, rtol=0)


def test_reward_to_go_literal_with_gap():
    is_action_BT = torch.tensor([[True, False, True]])
    assert reward_to_go(torch.tensor([[0.0, 7.0, 1.0]]), is_action_BT, 0.5).tolist() == [[0.5, 0.0, 1.0]]


def test_eos_reward_with_a_cold_critic_and_no_bootstrap_from_padding():
    """With a critic of zeros every advantage is the terminal reward; padding is not read."""
    is_action_BT = torch.tensor([[True, True, True, False, False]])
    rewards_BT = torch.tensor([[0.0, 0.0, 1.0, 5.0, 5.0]])
    values_BT = torch.tensor([[0.0, 0.0, 0.0, 9.0, 9.0]])
    advantages_BT, _ = gae(rewards_BT, values_BT, is_action_BT, gamma=1.0, lam=1.0)
    assert advantages_BT.tolist() == [[1.0, 1.0, 1.0, 0.0, 0.0]]
    # With lambda .95 the terminal token still gets all of it (on the first PAD it would be .95).
    advantages_BT, _ = gae(rewards_BT, values_BT, is_action_BT, gamma=1.0, lam=0.95)
    torch.testing.assert_close(advantages_BT, torch.tensor([[0.9025, 0.95, 1.0, 0.0, 0.0]]))


def test_a_reward_of_minus_one_survives():
    mask_BT = torch.ones(1, 3, dtype=torch.bool)
    assert reward_to_go(torch.tensor([[0.0, -1.0, 0.5]]), mask_BT, 1.0).tolist() == [[-0.5, -0.5, 0.5]]


def slow_gae(rewards, values, discounts, lam, bootstrap):
    """The definition as a double sum: A_k = sum_l (prod of gamma_j * lambda for j in k..k+l-1) * delta_{k+l}."""
    n = len(rewards)
    following = [*values[1:], bootstrap]
    deltas = [rewards[k] + discounts[k] * following[k] - values[k] for k in range(n)]
    advantages = []
    for k in range(n):
        total, weight = 0.0, 1.0
        for j in range(k, n):
            total += weight * deltas[j]
            weight *= discounts[j] * lam
        advantages.append(total)
    return advantages


@given(masked(FLOATS, FLOATS, st.floats(0, 1)), st.floats(0, 1), st.booleans())
def test_against_the_double_sum(case, lam, with_bootstrap):
    is_action_BT, rewards_BT, values_BT, gamma_BT = case
    bootstrap_B = torch.arange(1.0, len(is_action_BT) + 1, dtype=torch.float64) if with_bootstrap else None
    advantages_BT, returns_BT = gae(
        rewards_BT, values_BT, is_action_BT, gamma=gamma_BT, lam=lam, bootstrap_B=bootstrap_B
    )
    for row in range(len(is_action_BT)):
        at = actions(is_action_BT, row)
        r, v, d = (x[row, at].tolist() for x in (rewards_BT, values_BT, gamma_BT))
        expected = slow_gae(r, v, d, lam, row + 1.0 if with_bootstrap else 0.0)
        assert advantages_BT[row, at].tolist() == pytest.approx(expected, abs=1e-9)
        sums = [a + b for a, b in zip(expected, v, strict=True)]
        assert returns_BT[row, at].tolist() == pytest.approx(sums, abs=1e-9)
    assert (advantages_BT[~is_action_BT] == 0).all() and (returns_BT[~is_action_BT] == 0).all()


def test_decoupled_lambda_literal():
    # r = v = [0, 0, 0, 1], gamma 1: with lambda 1 the critic is told 1 everywhere, while lambda 0 gives the differences.
    r = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    advantages_BT, returns_BT = gae(r, r, torch.ones(1, 4, dtype=torch.bool), gamma=1.0, lam=0.0, value_lam=1.0)
    assert advantages_BT.tolist() == [[0.0, 0.0, 1.0, 0.0]]
    assert returns_BT.tolist() == [[1.0, 1.0, 1.0, 1.0]]


@given(masked(FLOATS, FLOATS), st.floats(0, 1), st.floats(0, 1))
def test_decoupled_lambdas_are_two_runs(case, lam, value_lam):
    is_action_BT, rewards_BT, values_BT = case
    advantages_BT, returns_BT = gae(rewards_BT, values_BT, is_action_BT, gamma=0.9, lam=lam, value_lam=value_lam)
    for row in range(len(is_action_BT)):
        at = actions(is_action_BT, row)
        r, v, d = rewards_BT[row, at].tolist(), values_BT[row, at].tolist(), [0.9] * len(at)
        assert advantages_BT[row, at].tolist() == pytest.approx(slow_gae(r, v, d, lam, 0.0), abs=1e-9)
        targets = [a + b for a, b in zip(slow_gae(r, v, d, value_lam, 0.0), v, strict=True)]
        assert returns_BT[row, at].tolist() == pytest.approx(targets, abs=1e-9)
    assert (returns_BT[~is_action_BT] == 0).all()


@pytest.mark.parametrize("lams", [{"lam": 1.5}, {"lam": 0.5, "value_lam": -0.1}])
def test_lambda_is_a_share(lams):
    with pytest.raises(AssertionError, match="lambda"):
        gae(torch.zeros(1, 1), torch.zeros(1, 1), torch.ones(1, 1, dtype=torch.bool), gamma=1.0, **lams)


def test_sums_reach_across_gaps():
    is_action_BT = torch.tensor([[False, True, False, True, False]])
    x_BT = torch.tensor([[9.0, 1.0, 9.0, 2.0, 9.0]])
    assert discounted_sums(x_BT, is_action_BT, 0.5).tolist() == [[2.0, 2.0, 2.0, 2.0, 0.0]]
    assert discounted_sums(x_BT, is_action_BT, 0.0).tolist() == [[1.0, 1.0, 2.0, 2.0, 0.0]]


@given(masked(FLOATS), st.floats(0, 1))
def test_reward_to_go_against_a_loop(case, gamma):
    is_action_BT, rewards_BT = case
    result_BT = reward_to_go(rewards_BT, is_action_BT, gamma)
    for row in range(len(is_action_BT)):
        at = actions(is_action_BT, row)
        r = rewards_BT[row, at].tolist()
        expected = [sum(gamma ** (j - k) * r[j] for j in range(k, len(r))) for k in range(len(r))]
        assert result_BT[row, at].tolist() == pytest.approx(expected, abs=1e-9)
    assert (result_BT[~is_action_BT] == 0).all()


def test_no_gradient_flows_into_the_targets():
    values_BT = torch.zeros(1, 2, requires_grad=True)
    for result_BT in gae(torch.ones(1, 2), values_BT, torch.ones(1, 2, dtype=torch.bool), gamma=1.0, lam=0.9):
        assert not result_BT.requires_grad
