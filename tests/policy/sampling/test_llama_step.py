"""The fused decoding step against transformers' forward pass, and which models it is for."""

import pytest
import torch

from rlsf_lightning.config import schema
from rlsf_lightning.policy.load import load_policy
from rlsf_lightning.policy.sampling.kvcache import GrowingCache
from rlsf_lightning.policy.sampling.llama_step import llama_step_for

LENGTHS = torch.tensor([5, 9, 2])


def prefilled(policy):
    """A cache with three left-padded prompts, and their attention mask."""
    drawn = torch.Generator().manual_seed(0)
    ids = torch.randint(1, 300, (3, 9), generator=drawn)
    is_real = torch.arange(9) >= 9 - LENGTHS[:, None]
    cache = GrowingCache()
    policy.hidden_states(ids, is_real, cache=cache)
    return cache, is_real


@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize("family", ["llama", "qwen2"])
@torch.no_grad()
def test_steps_equal_those_of_transformers(make_policy, family, merge):
    policy = make_policy(family) if merge else make_policy(family, r=0)
    for name, parameter in policy.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter)
    with policy.merged():
        step = llama_step_for(policy, 20)
        assert step is not None
        ours, mask = prefilled(policy)
        theirs, _ = prefilled(policy)
        for number in range(4):
            tokens = torch.tensor([7, 8, 9]) + number
            mask = torch.nn.functional.pad(mask, (0, 1), value=True)
            position = LENGTHS + number
            hidden = step(tokens, position, mask, ours)
            expected = policy.hidden_states(tokens[:, None], mask, position_ids_BS=position[:, None], cache=theirs)
            torch.testing.assert_close(
                hidden, expected[:, 0], rtol=1e-5, atol=1e-5
            )  # norms of transformers are in fp32
            for layer, other in zip(ours.layers, theirs.layers, strict=True):
                torch.testing.assert_close(layer.keys[:, :, 9:], other.keys[:, :, 9:], rtol=1e-4, atol=1e-4)


def adapted_in_bf16(folder, **lora):
    """A policy whose adapters, which are not zero, stand beside a bf16 base."""
    policy = load_policy(schema.Policy(name=str(folder), lora=schema.Lora(r=3, **lora)), is_mixed=True)
    for name, parameter in policy.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
        elif not parameter.requires_grad:
            parameter.data = parameter.data.bfloat16()  # whatever this processor multiplies
    return policy


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "v_proj", "down_proj"]])
@pytest.mark.parametrize("family", ["llama", "qwen2"])
@torch.no_grad()
def test_beside_a_bf16_base_steps_differ_by_its_rounding(family_dir, family, targets, autocast):
    policy = adapted_in_bf16(family_dir(family), targets=targets)
    exact = load_policy(schema.Policy(name=str(family_dir(family)), lora=schema.Lora(r=3, targets=targets)))
    values = dict(policy.named_parameters())
    for name, parameter in exact.named_parameters():
        parameter.data = values[name].float()
    with policy.merged(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        step = llama_step_for(policy, 20)
        assert step is not None
        ours, mask = prefilled(policy)
    theirs, _ = prefilled(policy)
    right, _ = prefilled(exact)
    for number in range(4):
        tokens = torch.tensor([7, 8, 9]) + number
        mask = torch.nn.functional.pad(mask, (0, 1), value=True)
        position = LENGTHS + number
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            hidden = step(tokens, position, mask, ours)
        arguments = {"position_ids_BS": position[:, None]}
        expected = exact.hidden_states(tokens[:, None], mask, cache=right, **arguments)[:, 0]
        rounded = policy.hidden_states(tokens[:, None], mask, cache=theirs, **arguments)[:, 0]
        error = (hidden.float() - expected).abs().max()
        assert (
            hidden.dtype == torch.bfloat16 and error <= 0.05 and error <= 4 * (rounded.float() - expected).abs().max()
        )


def test_beside_a_bf16_base_some_are_left_to_transformers(family_dir):
    saved = adapted_in_bf16(family_dir("llama"), modules_to_save=["model.norm"])
    policy = adapted_in_bf16(family_dir("llama"))
    with saved.merged():
        assert llama_step_for(saved, 20) is None
    with policy.reference(), policy.merged():
        assert llama_step_for(policy, 20) is None


def test_the_base_comes_back_though_its_merged_weights_were_joined(make_policy):
    policy = make_policy("llama")
    before = {name: (p.data_ptr(), p.clone()) for name, p in policy.named_parameters()}
    with torch.no_grad(), policy.merged():
        llama_step_for(policy, 20)
    for name, parameter in policy.named_parameters():
        place, values = before[name]
        assert parameter.data_ptr() == place and torch.equal(parameter, values)


@pytest.mark.parametrize("family", ["gpt2", "mistral", "gemma2", "cohere", "phi", "granite"])
def test_other_models_are_left_to_transformers(make_policy, family):
    policy = make_policy(family)
    with policy.merged():
        assert llama_step_for(policy, 20) is None


def test_what_does_not_compute_in_fp32_is_left_to_transformers(make_policy, family_dir):
    with make_policy("llama").double().merged():
        assert llama_step_for(make_policy("llama").double(), 20) is None
    policy = make_policy("llama")
    with torch.autocast("cpu", dtype=torch.bfloat16), policy.merged():
        assert llama_step_for(policy, 20) is None
    packed = load_policy(schema.Policy(name=str(family_dir("llama")), quantize="nf4", lora=schema.Lora(r=2)))
    with packed.merged():
        assert llama_step_for(packed, 20) is None


def test_under_the_reference_its_own_norm_is_used(family_dir):
    lora = schema.Lora(r=2, modules_to_save=["model.norm"])
    policy = load_policy(schema.Policy(name=str(family_dir("llama")), lora=lora), with_value=False)
    (weight,) = policy.modules_to_save_parameters()
    with torch.no_grad():
        assert llama_step_for(policy, 20) is None  # the adapters stand beside the weights
        with policy.merged():
            learnt = llama_step_for(policy, 20).norm_D
        weight.mul_(2.0)
        with policy.reference():
            assert torch.equal(2.0 * llama_step_for(policy, 20).norm_D, learnt)
