import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rl_cases import FLOATS, masked

from rlsf_lightning.rl.etpo import etpo_advantages
from rlsf_lightning.rl.gae import gae

LOGP = st.floats(-4, 0)


def test_one_step_backup_literal():
    # d = 1, gap, -2, 0.5; beta 1/2; lambda 0.
    is_action_BT = torch.tensor([[True, False, True, True]])
    rewards_BT, values_BT = torch.tensor([[0.0, 9.0, -1.0, 1.0]]), torch.tensor([[0.25, 9.0, 0.5, 0.75]])
    logp_BT, ref_logp_BT = torch.tensor([[-1.0, 9.0, -3.0, -1.0]]), torch.tensor([[-2.0, 0.0, -1.0, -1.5]])
    advantages_BT, returns_BT = etpo_advantages(
        rewards_BT, values_BT, logp_BT, ref_logp_BT, is_action_BT, beta=0.5, lam=0.0
    )
    # Targets 0 + (.5 + 1), -1 + (.75 - .25), 1; advantages these less the value less half of d.
    assert returns_BT.tolist() == [[1.5, 0.0, -0.5, 1.0]]
    assert advantages_BT.tolist() == [[0.75, 0.0, 0.0, 0.0]]


@given(masked(FLOATS, FLOATS, LOGP, LOGP), st.floats(0, 1), st.floats(0, 1))
def test_without_temperature_it_is_gae(case, gamma, lam):
    is_action_BT, rewards_BT, values_BT, logp_BT, ref_logp_BT = case
    found = etpo_advantages(rewards_BT, values_BT, logp_BT, ref_logp_BT, is_action_BT, beta=0.0, gamma=gamma, lam=lam)
    rewards_BT = torch.where(is_action_BT, rewards_BT, 0.0)
    for got_BT, expected_BT in zip(found, gae(rewards_BT, values_BT, is_action_BT, gamma=gamma, lam=lam), strict=True):
        torch.testing.assert_close(got_BT, expected_BT)


def test_the_gradient_is_that_of_the_regularised_objective():
    """Two steps, every pair of tokens, exact values: E[A grad log pi] = grad E[sum of r - beta * KL]."""
    g = torch.Generator().manual_seed(0)
    beta, tokens = 0.3, 3
    first_V, second_VV, ref_first_V, ref_second_VV, reward_VV = (
        torch.randn(shape, generator=g, dtype=torch.float64)
        for shape in ((tokens,), (tokens, tokens), (tokens,), (tokens, tokens), (tokens, tokens))
    )
    leaves = (first_V.requires_grad_(), second_VV.requires_grad_())
    logp_V, logp_VV = first_V.log_softmax(-1), second_VV.log_softmax(-1)
    ref_V, ref_VV = ref_first_V.log_softmax(-1), ref_second_VV.log_softmax(-1)
    logp_of_pair_VV = logp_V[:, None] + logp_VV
    objective = (logp_of_pair_VV.exp() * (reward_VV - beta * (logp_of_pair_VV - ref_V[:, None] - ref_VV))).sum()
    exact = torch.autograd.grad(objective, leaves, retain_graph=True)

    a, b = (x.flatten() for x in torch.meshgrid(torch.arange(tokens), torch.arange(tokens), indexing="ij"))
    zeros_B = torch.zeros(tokens**2, dtype=torch.float64)
    pair_BT = torch.stack([logp_V[a], logp_VV[a, b]], 1)
    advantages_BT, _ = etpo_advantages(
        torch.stack([zeros_B, reward_VV[a, b]], 1),
        torch.stack([zeros_B + 0.7, ref_V[a]], 1),  # any values that do not depend on the token
        pair_BT.detach(),
        torch.stack([ref_V[a], ref_VV[a, b]], 1),
        torch.ones(tokens**2, 2, dtype=torch.bool),
        beta=beta,
        lam=1.0,
    )
    chance_B = pair_BT.sum(1).detach().exp()
    found = torch.autograd.grad((chance_B[:, None] * advantages_BT * pair_BT).sum(), leaves)
    for got, expected in zip(found, exact, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)


def test_a_negative_temperature_is_refused():
    zeros_BT = torch.zeros(1, 1)
    with pytest.raises(AssertionError, match="beta"):
        etpo_advantages(zeros_BT, zeros_BT, zeros_BT, zeros_BT, zeros_BT == 0, beta=-1.0)
