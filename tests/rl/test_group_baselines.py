import itertools
import math

import pytest
import torch

from rlsf_lightning.rl.gae import reward_to_go
from rlsf_lightning.rl.group_baselines import dr_grpo_advantages, grpo_advantages, rloo_advantages
from rlsf_lightning.rl.prefix_credit import leave_one_out

ALL = [rloo_advantages, grpo_advantages, dr_grpo_advantages]


def case():
    """Three samples and an abstained one: blamed at token 1, at token 2, and right after two tokens."""
    nan = float("nan")
    rewards_BT = torch.tensor([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, nan], [nan, nan, nan]]).double()
    return rewards_BT, ~rewards_BT.isnan(), torch.tensor([True, True, True, False])


def test_literals():
    rewards_BT, is_action_BT, is_valid_B = case()
    # To go: [-1, -1, 0], [-1, -1, -1] and [1, 1, 1 beyond the end].
    found_BT = rloo_advantages(rewards_BT, is_action_BT, is_valid_B, 4)
    assert found_BT.tolist() == [[-1.0, -1.0, 0.0], [-1.0, -1.0, -1.5], [2.0, 2.0, 0.0], [0.0] * 3]
    third = 1 / 3
    found_BT = dr_grpo_advantages(rewards_BT, is_action_BT, is_valid_B, 4)
    expected = [[-2 * third, -2 * third, 0.0], [-2 * third, -2 * third, -1.0], [4 * third, 4 * third, 0.0], [0.0] * 3]
    torch.testing.assert_close(found_BT, torch.tensor(expected, dtype=torch.float64))
    # The totals -1, -1, 1: mean -1/3, variance 8/9; no token index spreads more.
    found_BT = grpo_advantages(rewards_BT, is_action_BT, is_valid_B, 4)
    torch.testing.assert_close(found_BT, torch.tensor(expected, dtype=torch.float64) / math.sqrt(8 / 9))


def test_scalar_rewards_are_the_published_forms_whatever_the_lengths():
    totals_B = torch.tensor([3.0, 0.0, 6.0, 1.0, 1.0, -2.0]).double()
    lengths_B = torch.tensor([1, 4, 2, 3, 3, 1])
    is_action_BT = torch.arange(4) < lengths_B[:, None]
    rewards_BT = torch.zeros(6, 4).double()
    rewards_BT[torch.arange(6), lengths_B - 1] = totals_B
    valid_B = torch.ones(6, dtype=torch.bool)
    loo_B = totals_B - torch.tensor([3.0, 4.5, 1.5, -0.5, -0.5, 1.0]).double()
    torch.testing.assert_close(rloo_advantages(rewards_BT, is_action_BT, valid_B, 3), loo_B[:, None] * is_action_BT)
    # Means 3 and 0, biased standard deviations sqrt(6) and sqrt(2).
    z_B = torch.tensor([0.0, -3.0, 3.0, 1.0, 1.0, -2.0]).double() / torch.tensor([6.0] * 3 + [2.0] * 3).double().sqrt()
    torch.testing.assert_close(grpo_advantages(rewards_BT, is_action_BT, valid_B, 3), z_B[:, None] * is_action_BT)


@pytest.mark.parametrize("function", ALL)
def test_a_longer_success_earns_nothing_by_its_length(function):
    is_action_BT = torch.tensor([[True, False, False], [True, True, True]])
    rewards_BT = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert not function(rewards_BT, is_action_BT, torch.tensor([True, True]), 2).any()


def test_grpo_is_bounded_where_totals_are_almost_equal():
    """All fail, at different places, with a little noise in the totals: the quotient by their spread would be 5e4."""
    rewards_BT = torch.tensor([[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.00002]]).double()
    ones_BT, valid_B = torch.ones(3, 3, dtype=torch.bool), torch.ones(3, dtype=torch.bool)
    found_BT = grpo_advantages(rewards_BT, ones_BT, valid_B, 3)
    assert 0.5 < float(found_BT.abs().max()) <= math.sqrt(2) + 1e-9
    equal_BT = torch.tensor([[0.0, 0.7], [0.0, 0.7], [0.0, 0.7]]).double()
    assert not grpo_advantages(equal_BT, ones_BT[:, :2], valid_B, 3).any()


@pytest.mark.parametrize("function", ALL)
def test_a_lone_valid_sample_teaches_nothing(function):
    ones_BT = torch.ones(2, 2, dtype=torch.bool)
    assert not function(torch.tensor([[0.0, -1.0], [0.0, 1.0]]), ones_BT, torch.tensor([True, False]), 2).any()


@pytest.mark.parametrize("function", ALL)
def test_wrong_shapes_are_refused(function):
    zeros_BT, ones_BT = torch.zeros(3, 1), torch.ones(3, 1, dtype=torch.bool)
    with pytest.raises(AssertionError, match="groups"):
        function(zeros_BT, ones_BT, ones_BT[:, 0], 2)
    with pytest.raises(AssertionError, match="boolean"):
        function(zeros_BT, ones_BT, zeros_BT[:, 0], 3)


def completions(steps=3):
    """Every completion of tokens 0 (go on) and 1 (stop) of at most three tokens, with made-up token rewards."""
    rows = [ids for n in range(1, steps + 1) for ids in itertools.product([0, 1], repeat=n)]
    rows = [ids for ids in rows if 1 not in ids[:-1] and (len(ids) == steps or ids[-1] == 1)]
    return [(ids, [0.3 * t - 1.0 * (token == 0) * (t == 1) + token for t, token in enumerate(ids)]) for ids in rows]


@pytest.mark.parametrize(("function", "factor"), [(rloo_advantages, 1.0), (dr_grpo_advantages, 0.5)])
def test_the_gradient_is_unbiased(function, factor):
    """Expectation over every pair of completions, of different lengths, against the gradient of the expected reward."""
    logits_TV = torch.tensor([[0.3, -0.2], [0.9, 0.1], [-0.5, 0.4]], dtype=torch.float64, requires_grad=True)
    logp_TV = logits_TV.log_softmax(-1)
    every = completions()
    logp = [sum(logp_TV[t, token] for t, token in enumerate(ids)) for ids, _ in every]
    assert float(sum(x.exp() for x in logp).detach()) == pytest.approx(1.0)
    exact = sum(x.exp() * sum(rewards) for x, (_, rewards) in zip(logp, every, strict=True))
    (exact_gradient,) = torch.autograd.grad(exact, logits_TV, retain_graph=True)
    surrogate = torch.zeros((), dtype=torch.float64)
    for i, j in itertools.product(range(len(every)), repeat=2):
        rewards_BT = torch.zeros(2, 3, dtype=torch.float64)
        is_action_BT = torch.zeros(2, 3, dtype=torch.bool)
        for row, k in enumerate((i, j)):
            rewards_BT[row, : len(every[k][1])] = torch.tensor(every[k][1], dtype=torch.float64)
            is_action_BT[row, : len(every[k][0])] = True
        advantages_BT = function(rewards_BT, is_action_BT, torch.tensor([True, True]), 2)
        chance = (logp[i] + logp[j]).detach().exp()
        for row, k in enumerate((i, j)):
            for t, token in enumerate(every[k][0]):
                surrogate = surrogate + chance * advantages_BT[row, t] * logp_TV[t, token] / 2
    (gradient,) = torch.autograd.grad(surrogate, logits_TV)
    torch.testing.assert_close(gradient, factor * exact_gradient, rtol=1e-10, atol=1e-12)


def blamed_somewhere(seed, prompts=400, group_size=8, steps=20, failing=0.6):
    """Rewards of samples of which a part fails: -1 at a random token, all tokens credited; 1 on the last of the others."""
    g = torch.Generator().manual_seed(seed)
    rows = prompts * group_size
    fails_B = torch.rand(rows, generator=g) < failing
    place_B = torch.where(fails_B, torch.randint(0, steps - 1, (rows,), generator=g), steps - 1)
    rewards_BT = torch.zeros(rows, steps, dtype=torch.float64)
    rewards_BT[torch.arange(rows), place_B] = torch.where(fails_B, -1.0, 1.0).double()
    return rewards_BT, fails_B, place_B


def test_totals_as_the_baseline_make_more_noise():
    """The mean square of the advantages, which is the variance of the gradient where states are not shared."""
    rewards_BT, fails_B, place_B = blamed_somewhere(0)
    ones_BT, valid_B = torch.ones_like(rewards_BT, dtype=torch.bool), torch.ones_like(fails_B)
    by_place_BT = rloo_advantages(rewards_BT, ones_BT, valid_B, 8)
    totals_B = leave_one_out(rewards_BT.sum(1), 8, valid_B)
    by_total_BT = reward_to_go(rewards_BT, ones_BT, 1.0) - totals_B[:, None]
    assert by_place_BT.square().mean() < 0.9 * by_total_BT.square().mean()
    # A failing sample's tokens behind the blamed one have nothing to go; the totals' mean is -0.2 at every index.
    is_behind_BT = fails_B[:, None] & (torch.arange(20) > place_B[:, None])
    assert 0.15 < float(by_total_BT[is_behind_BT].mean()) < 0.25
