"""NF4 through bitsandbytes, on the CPU that the test runs on."""

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from rlsf_lightning.config import schema
from rlsf_lightning.policy.load import load_policy
from rlsf_lightning.policy.logprob import score_actions
from rlsf_lightning.policy.quantize import nf4_dtype, quantize_in_place
from rlsf_lightning.policy.sampling.generate import sample

bnb = pytest.importorskip("bitsandbytes")

WIDE = {"hidden_size": 64, "intermediate_size": 128, "head_dim": 16}  # whole blocks of 64 weights
IDS = torch.tensor([[5, 17, 200, 3, 3, 91]])
EVERY = torch.ones_like(IDS, dtype=torch.bool)


@pytest.fixture(scope="module")
def wide_dir(make_model, byte_tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wide")
    make_model("llama", len(byte_tokenizer), **WIDE).save_pretrained(folder)
    byte_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def nf4_policy(wide_dir):
    policy = load_policy(schema.Policy(name=str(wide_dir), quantize="nf4"), with_value=True)
    for name, parameter in policy.named_parameters():
        if "lora_B" in name:
            nn.init.constant_(parameter, 0.05)
    return policy


def logits(policy) -> torch.Tensor:
    with torch.no_grad():
        return policy.causal_lm(IDS, use_cache=False).logits


def test_every_linear_layer_but_the_head_is_nf4_and_only_the_adapter_learns(nf4_policy):
    packed = [n for n, m in nf4_policy.causal_lm.named_modules() if isinstance(m, bnb.nn.Linear4bit)]
    assert len(packed) == 2 * 7
    for module in nf4_policy.modules():
        if isinstance(module, bnb.nn.Linear4bit):
            assert module.weight.quant_state.quant_type == "nf4" and module.weight.quant_state.nested
            assert module.compute_dtype == nf4_dtype(torch.device("cpu"))
    assert type(nf4_policy.causal_lm.lm_head) is nn.Linear
    assert {p.dtype for p in nf4_policy.adapter_parameters() + nf4_policy.value_parameters()} == {torch.float32}
    assert len(nf4_policy.adapter_parameters()) == 2 * 7 * 2


def test_sampling_first_does_not_cut_gradients_or_change_the_reference(nf4_policy):
    """bitsandbytes would pack the weights for AVX-512 at the first forward pass without gradients, for good."""
    with nf4_policy.reference():
        before = logits(nf4_policy)
    learnt = logits(nf4_policy)
    assert not torch.equal(before, learnt)
    answers = sample(nf4_policy, [[5, 17], [3]], samples=3, max_new_tokens=4, generator=torch.Generator())
    assert all(1 <= len(a.ids) <= 4 for a in answers)
    with nf4_policy.reference():
        assert torch.equal(logits(nf4_policy), before)
    assert torch.equal(logits(nf4_policy), learnt)
    action = torch.ones(1, 3, dtype=torch.bool)
    scores = score_actions(nf4_policy, IDS, EVERY, action, temperature=1.0, with_value=True)
    scores.logp_BT.sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in nf4_policy.adapter_parameters())


def test_old_logp_equals_new_logp(nf4_policy):
    action = torch.ones(1, 3, dtype=torch.bool)
    with torch.no_grad():
        old = score_actions(nf4_policy, IDS, EVERY, action, temperature=1.0).logp_BT
    assert torch.equal(score_actions(nf4_policy, IDS, EVERY, action, temperature=1.0).logp_BT.detach(), old)


def test_in_place_quantisation_equals_that_of_transformers(nf4_policy, wide_dir):
    dtype = nf4_dtype(torch.device("cpu"))
    model = AutoModelForCausalLM.from_pretrained(wide_dir, dtype=dtype)
    dense = model(IDS).logits
    quantize_in_place(model, dtype)
    for module in model.modules():
        if isinstance(module, bnb.nn.Linear4bit):
            module.support_avx512bf16_for_cpu = False
    with torch.no_grad(), nf4_policy.reference():
        assert torch.equal(model(IDS).logits, nf4_policy.causal_lm(IDS).logits)
    assert not torch.equal(model(IDS).logits, dense)
    assert sum(isinstance(m, bnb.nn.Linear4bit) for m in model.modules()) == 2 * 7
    assert type(model.lm_head) is nn.Linear


def test_biases_survive_in_place_quantisation(make_model):
    model = make_model("phi", 300, hidden_size=64, intermediate_size=128, head_dim=16)
    biases = {n: p.clone() for n, p in model.named_parameters() if n.endswith("bias")}
    quantize_in_place(model, torch.float32)
    after = dict(model.named_parameters())
    assert biases and all(torch.equal(after[name], value) for name, value in biases.items())
