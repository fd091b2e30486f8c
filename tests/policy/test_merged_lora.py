"""Merged adapters: gradients as if they stood beside their weights, and nothing left behind."""

import pytest
import torch
from torch import nn

from rlsf_lightning.policy.logprob import score_actions


def loss_of(policy):
    drawn = torch.Generator().manual_seed(0)
    ids = torch.randint(1, 300, (3, 12), generator=drawn)
    everything = torch.ones_like(ids, dtype=torch.bool)
    scores = score_actions(policy, ids, everything, everything[:, :7], temperature=0.7, with_entropy=True)
    weight = torch.randn(3, 7, generator=drawn, dtype=scores.logp_BT.dtype)
    return (weight * (scores.logp_BT + 0.3 * scores.entropy_BT)).sum()


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("family", ["llama", "mistral", "phi"])
def test_gradients_equal_those_of_adapters_that_stand_beside(make_policy, family, checkpointing):
    policy = make_policy(family, gradient_checkpointing=checkpointing).double().train()
    for name, parameter in policy.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.1)
    parameters = policy.adapter_parameters()
    loss = loss_of(policy)
    expected = torch.autograd.grad(loss, parameters)
    with policy.merged(learning=True):
        assert any("forward" in vars(module) for module in policy.modules())  # otherwise nothing is tested
        merged = loss_of(policy)
        gradients = torch.autograd.grad(merged, parameters)
    torch.testing.assert_close(merged, loss, rtol=1e-9, atol=0)
    for ours, theirs in zip(gradients, expected, strict=True):
        assert (ours - theirs).norm() <= 1e-9 * theirs.norm() and theirs.norm() > 0
    assert not any("forward" in vars(module) for module in policy.modules())
    assert torch.equal(loss_of(policy), loss)


def test_a_graph_outlives_the_merging(make_policy):
    policy = make_policy().double()
    with policy.merged(learning=True):
        loss = loss_of(policy)
        inside = torch.autograd.grad(loss, policy.adapter_parameters(), retain_graph=True)
    for ours, theirs in zip(torch.autograd.grad(loss, policy.adapter_parameters()), inside, strict=True):
        assert torch.equal(ours, theirs)


def test_the_reference_is_not_asked_for_while_its_weights_are_merged(make_policy):
    policy = make_policy()
    with policy.merged(), pytest.raises(AssertionError, match="in the weights"), policy.reference():
        pass
    with policy.reference(), policy.merged():
        loss_of(policy)
