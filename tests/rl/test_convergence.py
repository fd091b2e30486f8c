"""Each estimator finds the optimum of worlds where it is known, and values come out as they are."""

import pytest
import torch
from rl_functions import FUNCTIONS
from rl_worlds import BANDIT, CHAIN, RIGHT, chain_values, sample, train

from rlsf_lightning.rl.estimators import EstimatorInputs, Settings
from rlsf_lightning.rl.vine import mean_of_rollouts

UNREGULARISED = sorted(FUNCTIONS.keys() - {"etpo"})


@pytest.mark.parametrize("name", UNREGULARISED)
def test_the_bandits_best_arm(name):
    _, last_TV, _ = train(name, BANDIT, updates=60)
    assert last_TV[0, 2] > 0.97


@pytest.mark.parametrize("name", UNREGULARISED)
def test_the_chains_only_path(name):
    _, last_TV, _ = train(name, CHAIN, updates=120)
    assert last_TV[torch.arange(4), RIGHT].prod() > 0.95


@pytest.mark.parametrize("world", [BANDIT, CHAIN], ids=["bandit", "chain"])
def test_etpo_finds_the_regularised_optimum(world):
    """pi* = ref * exp(Q / beta) / Z from the last step back: it keeps what the reference prefers."""
    beta = 0.5
    ref_TV = torch.linspace(-0.5, 0.5, world.rewards_TV.numel(), dtype=torch.float64).view_as(world.rewards_TV)
    soft_value, optimum, values = 0.0, [], []
    for reward_V, passes_V, ref_V in zip(
        world.rewards_TV.flip(0), world.passes_TV.flip(0), ref_TV.log_softmax(-1).flip(0), strict=True
    ):
        q_V = reward_V + soft_value * passes_V
        optimum.insert(0, (ref_V + q_V / beta).softmax(-1))
        soft_value = float(beta * (ref_V + q_V / beta).logsumexp(-1))
        values.insert(0, float((optimum[0] * q_V).sum()))
    mean_TV, _, value_T = train("etpo", world, updates=240, lr=0.05, kl_beta=beta, ref_TV=ref_TV, group_size=16)
    torch.testing.assert_close(mean_TV, torch.stack(optimum), atol=0.03, rtol=0)
    torch.testing.assert_close(value_T, torch.tensor(values, dtype=torch.float64), atol=0.1, rtol=0)


RIGHT_T = [0.9, 0.6, 0.8, 0.7]
PROBS_TV = torch.full((4, 3), 0.0, dtype=torch.float64)
PROBS_TV[torch.arange(4), RIGHT] = torch.tensor(RIGHT_T, dtype=torch.float64)
PROBS_TV += (1 - PROBS_TV.sum(1, keepdim=True)) / 2 * (PROBS_TV == 0)
TRUE = chain_values(RIGHT_T)[:-1]


def test_the_chains_values_by_hand():
    assert chain_values([0.5]) == [0.0, 1.0]
    assert chain_values([0.5, 0.5]) == [-0.5, 0.0, 1.0]


def test_vines_values_lie_within_their_standard_error():
    """2,000 states with 64 rollouts each: the truth lies within one and two standard errors as often as it should."""
    generator = torch.Generator().manual_seed(0)
    for t, true in enumerate(TRUE):
        rest = type(CHAIN)(CHAIN.rewards_TV[t:], CHAIN.passes_TV[t:])
        returns_NK = rest.play(sample(PROBS_TV[t:], 2000 * 64, generator))[0].sum(1).view(2000, 64)
        value_N, error_N, is_known_N = mean_of_rollouts(returns_NK, torch.ones(2000, 64, dtype=torch.bool))
        assert is_known_N.all()
        off_N = (value_N - true).abs() / error_N
        assert 0.63 < (off_N < 1).double().mean() < 0.74 and 0.92 < (off_N < 2).double().mean() < 0.975
        assert abs(float(value_N.mean()) - true) < 4 * float(error_N.mean()) / 2000**0.5


@pytest.mark.parametrize("lam", [0.0, 0.95, 1.0])
def test_a_critic_on_gaes_targets_learns_the_chains_values(lam):
    generator = torch.Generator().manual_seed(0)
    value_T = torch.zeros(4, dtype=torch.float64)
    for step in range(150):
        ids_BT = sample(PROBS_TV, 512, generator)
        rewards_BT, is_credited_BT, passed_B = CHAIN.play(ids_BT)
        inputs = EstimatorInputs(
            verifier_BT=rewards_BT,
            penalties_BT=0 * rewards_BT,
            value_BT=value_T.expand_as(rewards_BT),
            ids_BT=ids_BT,
            is_credited_BT=is_credited_BT,
            passed_B=passed_B,
            group_size=1,
        )
        _, returns_BT = FUNCTIONS["gae"](inputs, Settings(lam=0.95, value_lam=lam))
        rate = max(0.02, 1 / (1 + step / 3))
        value_T = value_T + rate * (returns_BT.sum(0) / is_credited_BT.sum(0) - value_T)
    torch.testing.assert_close(value_T, torch.tensor(TRUE, dtype=torch.float64), atol=0.04, rtol=0)
