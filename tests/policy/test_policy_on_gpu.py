"""Sampling against scoring below fp32, in bf16 and NF4: on the CPU, and by ``-m gpu`` on a CUDA device."""

import pytest
import torch
from test_logprob import laid_out

from rlsf_lightning.policy.logprob import score_actions
from rlsf_lightning.policy.sampling.generate import sample

PROMPTS = [[7, 8, 9, 10, 11, 12, 13, 14, 15], [5], [60, 61], [7, 8]]
SAMPLES, TEMPERATURE = 8, 0.8


@pytest.mark.parametrize("quantize", ["none", "nf4"])
@pytest.mark.parametrize("family", ["llama", "mistral", "gemma2"])  # plain, with sliding windows, with a soft cap
def test_the_sampler_reports_what_scoring_computes(make_policy, device, family, quantize):
    policy = make_policy(family, quantize=quantize, device=device)
    torch.nn.init.normal_(policy.value_head.linear.weight, std=0.1)
    policy.eos_token_ids = list(range(0, 300, 12))  # so that rows are evicted and others admitted all the time
    kwargs = {"temperature": TEMPERATURE, "with_value": True}
    with torch.autocast(device, torch.bfloat16), torch.no_grad():
        sampled = sample(
            policy,
            PROMPTS,
            samples=SAMPLES,
            max_new_tokens=16,
            temperature=TEMPERATURE,
            with_values=True,
            batch_size=12,
            generator=torch.Generator().manual_seed(0),
        )
        prompts = [prompt for prompt in PROMPTS for _ in range(SAMPLES)]
        batch = [tensor.to(device) for tensor in laid_out(prompts, [each.ids for each in sampled])]
        scores = score_actions(policy, *batch, **kwargs)
        with policy.reference():
            reference = score_actions(policy, *batch, **kwargs)
        assert not policy.samples_as_it_scores
    assert len({len(each.ids) for each in sampled}) > 5
    is_action_BT = batch[-1]
    logp_N = torch.tensor([logp for each in sampled for logp in each.logp])
    value_N = torch.tensor([value for each in sampled for value in each.values])
    deviation_N = (scores.logp_BT[is_action_BT].cpu() - logp_N).abs()
    # The adapter's effect is larger by far: a sampler without it, or one that misses a column, would be seen.
    assert (reference.logp_BT[is_action_BT].cpu() - logp_N).abs().mean() > 0.1
    assert deviation_N.max() < 0.05 and deviation_N.mean() < 0.005
    torch.testing.assert_close(scores.value_BT[is_action_BT].cpu(), value_N, rtol=0, atol=0.05)
    assert value_N.abs().mean() > 0.05


@pytest.mark.parametrize("quantize", ["none", "nf4"])
def test_old_and_new_scores_are_equal_before_the_first_step(make_policy, device, quantize):
    policy = make_policy(quantize=quantize, device=device).train()
    batch = [tensor.to(device) for tensor in laid_out(PROMPTS, [[20, 21, 0], [30, 31, 32], [0], [40]])]
    with torch.autocast(device, torch.bfloat16):
        with torch.no_grad():
            old_BT = score_actions(policy, *batch, temperature=TEMPERATURE).logp_BT
        new_BT = score_actions(policy, *batch, temperature=TEMPERATURE).logp_BT
    torch.testing.assert_close(new_BT.detach(), old_BT, rtol=0, atol=1e-5)
    new_BT.sum().backward()
    gradients = [parameter.grad for parameter in policy.adapter_parameters()]
    assert all(each.isfinite().all() and each.any() and each.device.type == device for each in gradients)
