from pathlib import Path

import pytest
import torch
from torch import nn

from rlsf_lightning.config import schema
from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.load import load_policy
from rlsf_lightning.policy.logprob import score_actions
from rlsf_lightning.policy.policy import Policy

IDS = torch.tensor([[5, 17, 200, 3, 3, 91], [44, 2, 8, 150, 299, 1]])
ACTIONS = torch.ones(2, 3, dtype=torch.bool)


def logits(policy: Policy) -> torch.Tensor:
    with torch.no_grad():
        return policy.causal_lm(IDS, use_cache=False).logits


def gradients(policy: Policy) -> list[torch.Tensor]:
    scores = score_actions(policy, IDS, torch.ones_like(IDS).bool(), ACTIONS, temperature=1.0)
    return list(torch.autograd.grad(scores.logp_BT.sum(), policy.adapter_parameters()))


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@pytest.mark.parametrize("gradient_checkpointing", [False, True])
def test_no_dropout_in_any_mode(make_policy, family, gradient_checkpointing):
    policy = make_policy(family, gradient_checkpointing=gradient_checkpointing)
    score = {}
    for mode in (True, False):
        policy.train(mode)
        assert policy.training is mode
        torch.manual_seed(int(mode))
        score[mode] = logits(policy)
        with torch.enable_grad():  # layers that recompute run in another mode
            every = torch.ones_like(IDS).bool()
            score[mode, "scored"] = score_actions(policy, IDS, every, ACTIONS, temperature=1.0).logp_BT.detach()
    assert torch.equal(score[True], score[False])
    assert torch.equal(score[True, "scored"], score[False, "scored"])


def test_dropout_that_an_adapter_was_saved_with_is_off(make_policy, family_dir, tmp_path):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    config = LoraConfig(r=2, target_modules="all-linear", lora_dropout=0.9, task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(family_dir("llama")), config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.ones_(parameter)
    model.save_pretrained(tmp_path)
    policy = load_policy(schema.Policy(name=str(family_dir("llama")), adapter=str(tmp_path)), with_value=False)
    # Raise every flag by force: even then no probability is left.
    for module in policy.modules():
        module.training = True
    assert torch.equal(logits(policy), logits(policy))


def test_reference_is_the_base_bit_for_bit(make_policy, make_model):
    policy = make_policy()
    base = make_model("llama")(IDS).logits
    learnt = logits(policy)
    assert (learnt - base).abs().max() > 0.1
    with policy.reference():
        assert torch.equal(logits(policy), base)
        with policy.reference():  # nested
            assert torch.equal(logits(policy), base)
        assert torch.equal(logits(policy), base)
    assert torch.equal(logits(policy), learnt)


def test_reference_ends_with_an_exception_too(make_policy):
    policy = make_policy()
    learnt = logits(policy)
    frozen = policy.adapter_parameters()[0].requires_grad_(False)
    flags = [p.requires_grad for p in policy.parameters()]
    with pytest.raises(KeyError), policy.reference():
        raise KeyError("inside")
    assert torch.equal(logits(policy), learnt)
    assert [p.requires_grad for p in policy.parameters()] == flags
    assert not frozen.requires_grad


def test_the_value_head_is_no_part_of_the_reference(make_policy):
    policy = make_policy()
    nn.init.ones_(policy.value_head.linear.bias)
    with policy.reference():
        assert policy.value_head(torch.zeros(1, 32)).item() == 1.0
    assert not {id(p) for p in policy.value_parameters()} & {id(p) for p in policy.backbone.parameters()}


def test_full_fine_tuning_has_a_frozen_copy_as_its_reference(make_policy, make_model):
    policy = make_policy(r=0)
    base = make_model("llama")(IDS).logits
    assert torch.equal(logits(policy), base)
    assert {id(p) for p in policy.adapter_parameters()} == {id(p) for p in policy.backbone.parameters()}
    assert not any(p.requires_grad for p in policy.frozen_copy.parameters())
    with torch.no_grad():
        for parameter in policy.adapter_parameters():
            parameter.add_(0.01)
    assert (logits(policy) - base).abs().max() > 0.1
    with policy.reference():
        assert torch.equal(logits(policy), base)


def test_only_adapter_and_value_head_learn(make_policy):
    policy = make_policy()
    learning = {id(p) for p in policy.parameters() if p.requires_grad}
    adapter, value = policy.adapter_parameters(), policy.value_parameters()
    assert learning == {id(p) for p in adapter + value} and len(learning) == len(adapter) + len(value)
    names = {name for name, p in policy.named_parameters() if p.requires_grad}
    assert all("lora_" in name or name.startswith("value_head.") for name in names)
    adapter[0].requires_grad_(False)
    assert len(policy.adapter_parameters()) == len(adapter)  # freezing for a while changes no parameter group
    assert make_policy(with_value=False).value_parameters() == []


def test_adapter_round_trip(make_policy, family_dir, tmp_path):
    policy = make_policy()
    policy.save_adapter(tmp_path)
    cfg = schema.Policy(name=str(family_dir("llama")), adapter=str(tmp_path))
    loaded = load_policy(cfg, with_value=False)
    assert torch.equal(logits(loaded), logits(policy))
    with policy.reference(), loaded.reference():
        assert torch.equal(logits(loaded), logits(policy))
    assert len(loaded.adapter_parameters()) == len(policy.adapter_parameters())
    assert all(p.requires_grad for p in loaded.adapter_parameters())


def test_whole_model_round_trip(make_policy, tmp_path):
    policy = make_policy(r=0)
    with torch.no_grad():
        policy.adapter_parameters()[0].add_(0.01)
    policy.save_adapter(tmp_path)
    loaded = load_policy(schema.Policy(name=str(tmp_path)), with_value=False)
    assert torch.equal(logits(loaded), logits(policy))
    assert loaded.eos_token_ids == [0]


def test_trainable_state_round_trip_gives_equal_logits_and_values(make_policy):
    policy, other = make_policy(), make_policy(std=0.0)
    nn.init.normal_(policy.value_head.linear.weight, generator=torch.Generator().manual_seed(0))
    state = {name: p for name, p in policy.state_dict().items() if "lora_" in name or "value_head" in name}
    missing, unexpected = other.load_state_dict(state, strict=False)
    assert not unexpected and not any("lora_" in name or "value_head" in name for name in missing)
    kwargs = {"temperature": 1.0, "with_value": True}
    with torch.no_grad():
        ours = score_actions(policy, IDS, torch.ones_like(IDS).bool(), ACTIONS, **kwargs)
        theirs = score_actions(other, IDS, torch.ones_like(IDS).bool(), ACTIONS, **kwargs)
    assert torch.equal(ours.logp_BT, theirs.logp_BT) and torch.equal(ours.value_BT, theirs.value_BT)
    assert ours.value_BT.abs().min() > 0


@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral"])
def test_gradient_checkpointing_recomputes_and_changes_no_gradient(make_policy, family):
    calls = []

    def count(policy: Policy) -> int:
        calls.clear()
        norms = [m for n, m in policy.causal_lm.named_modules() if n.endswith(("0.input_layernorm", "h.0.ln_1"))]
        assert len(norms) == 1
        handle = norms[0].register_forward_hook(lambda *_: calls.append(1))
        count.gradients = gradients(policy)
        handle.remove()
        return len(calls)

    assert count(make_policy(family)) == 1
    plain = count.gradients
    assert count(make_policy(family, gradient_checkpointing=True).train()) == 2
    for ours, theirs in zip(count.gradients, plain, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
        assert theirs.abs().max() > 0


def test_merging_gives_the_same_logits_and_gives_the_base_back(make_policy):
    policy = make_policy()
    learnt = logits(policy)
    with policy.reference():
        base = logits(policy)
    weights = [p for n, p in policy.named_parameters() if n.endswith("base_layer.weight")]
    places = [p.data_ptr() for p in weights]
    with pytest.raises(KeyError), policy.merged():
        assert all(p.data_ptr() != place for p, place in zip(weights, places, strict=True))
        torch.testing.assert_close(logits(policy), learnt, rtol=0, atol=1e-4)
        raise KeyError("inside")
    assert [p.data_ptr() for p in weights] == places
    assert torch.equal(logits(policy), learnt)
    with policy.reference():
        assert torch.equal(logits(policy), base)
        with policy.merged():
            assert torch.equal(logits(policy), base)
    assert all(p.requires_grad for p in policy.adapter_parameters())


def test_merging_leaves_weights_alone_that_would_round_the_update_away(make_policy):
    policy = make_policy()
    weights = [p for n, p in policy.named_parameters() if n.endswith("base_layer.weight")]
    places = [p.data_ptr() for p in weights]
    with torch.autocast("cpu", dtype=torch.bfloat16), policy.merged():
        assert [p.data_ptr() for p in weights] == places
    for weight in weights:
        weight.data = weight.data.bfloat16()
    places = [p.data_ptr() for p in weights]
    with policy.merged():
        assert [p.data_ptr() for p in weights] == places


def test_merging_leaves_an_embedding_alone_that_is_tied_to_an_adapted_head(family_dir):
    cfg = schema.Policy(name=str(family_dir("llama")), lora=schema.Lora(r=2, targets=["lm_head", "q_proj"]))
    policy = load_policy(cfg, with_value=False)
    for name, parameter in policy.named_parameters():
        if "lora_B" in name:
            nn.init.constant_(parameter, 0.3)
    learnt = logits(policy)
    with policy.merged():
        torch.testing.assert_close(logits(policy), learnt, rtol=0, atol=1e-4)


def test_encode_prompt(make_policy, byte_tokenizer):
    policy = make_policy()
    text = "propan-2-one\nSMILES:"
    assert policy.encode_prompt(text) == byte_tokenizer.encode(text, add_special_tokens=False)
    with pytest.raises(UserError, match=r"no tokens.*data\.template"):
        policy.encode_prompt("")
    with pytest.raises(UserError, match="do not belong together"):
        policy.causal_lm.resize_token_embeddings(10)
        policy.encode_prompt(text)


def test_bos_goes_in_front_only_if_the_tokenizer_puts_it_there_and_eos_never_behind(make_policy, byte_tokenizer):
    from tokenizers import Tokenizer, processors
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer.from_str(byte_tokenizer.backend_tokenizer.to_str())
    quiet = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="!", eos_token="<|end|>")
    bos = quiet.bos_token_id
    backend = Tokenizer.from_str(byte_tokenizer.backend_tokenizer.to_str())
    backend.post_processor = processors.TemplateProcessing(
        single="! $A <|end|>", special_tokens=[("!", bos), ("<|end|>", 0)]
    )
    adding = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="!", eos_token="<|end|>")
    model = make_policy(r=0).causal_lm
    plain = byte_tokenizer.encode("CCO", add_special_tokens=False)
    for tokenizer, expected in ((quiet, plain), (adding, [bos, *plain])):
        policy = Policy(model, tokenizer, eos_token_ids=[0], pad_token_id=0)
        assert policy.encode_prompt("CCO") == expected
    assert adding.encode("CCO") == [bos, *plain, 0]
    assert Policy(model, adding, eos_token_ids=[0], pad_token_id=0).encode_prompt("") == [bos]


def test_modules_that_learn_as_a_whole(family_dir, tmp_path):
    base = load_policy(schema.Policy(name=str(family_dir("llama")), lora=schema.Lora(r=2)), with_value=False)
    lora = schema.Lora(r=2, modules_to_save=["model.norm"])
    policy = load_policy(schema.Policy(name=str(family_dir("llama")), lora=lora), with_value=False)
    (weight,) = policy.modules_to_save_parameters()
    assert any(weight is p for p in policy.adapter_parameters())
    assert torch.equal(logits(policy), logits(base))
    with torch.no_grad():
        weight.mul_(2.0)
    torch.testing.assert_close(logits(policy), 2.0 * logits(base))
    with policy.reference():
        assert torch.equal(logits(policy), logits(base))
    with policy.merged():
        torch.testing.assert_close(logits(policy), 2.0 * logits(base))
    assert weight.requires_grad
    policy.save_adapter(tmp_path)
    loaded = load_policy(schema.Policy(name=str(family_dir("llama")), adapter=str(tmp_path)), with_value=False)
    assert torch.equal(logits(loaded), logits(policy))
    assert len(loaded.modules_to_save_parameters()) == 1


def test_a_module_to_save_that_is_not_there(family_dir):
    lora = schema.Lora(r=2, modules_to_save=["model.nrom"])
    with pytest.raises(UserError, match=r"modules_to_save=.*model\.nrom"):
        load_policy(schema.Policy(name=str(family_dir("llama")), lora=lora), with_value=False)


def test_a_critic_of_its_own_shares_nothing_that_learns(make_policy) -> None:
    policy = make_policy(with_critic=True)
    plain = make_policy()
    plain.load_state_dict({name: x for name, x in policy.state_dict().items() if ".critic." not in name})
    ids_BS = torch.tensor([[5, 6, 7, 8]])
    is_real_BS = torch.ones_like(ids_BS, dtype=torch.bool)
    is_action_BT = torch.ones((1, 2), dtype=torch.bool)
    torch.nn.init.normal_(policy.value_head.linear.weight)
    before = [p.requires_grad for p in policy.parameters()]
    scores = score_actions(policy, ids_BS, is_real_BS, is_action_BT, temperature=1.0, with_value=True)
    assert [p.requires_grad for p in policy.parameters()] == before
    # The policy is what it is without a critic; the value is that of the backbone with the critic's adapter.
    expected = score_actions(plain, ids_BS, is_real_BS, is_action_BT, temperature=1.0).logp_BT
    torch.testing.assert_close(scores.logp_BT, expected)
    with policy.critic():
        hidden_BSD = policy.hidden_states(ids_BS, is_real_BS)
    torch.testing.assert_close(scores.value_BT, policy.value_head(hidden_BSD[0, 1:3])[None])
    assert not torch.allclose(hidden_BSD, policy.hidden_states(ids_BS, is_real_BS))

    critic, adapter = policy.value_parameters()[2:], policy.adapter_parameters()
    assert critic and not {id(p) for p in critic} & {id(p) for p in adapter}
    scores.value_BT.sum().backward(retain_graph=True)
    assert all(p.grad is None for p in adapter) and any(p.grad is not None and p.grad.any() for p in critic)
    policy.zero_grad()
    scores.logp_BT.sum().backward()
    assert all(p.grad is None for p in critic) and any(p.grad is not None and p.grad.any() for p in adapter)
    assert sum(len(parameters) for _, parameters in policy.parameter_groups()) == len(
        {id(p) for p in policy.parameters() if p.requires_grad}
    )


def test_the_critic_is_no_part_of_the_reference_or_of_what_is_saved(make_policy, tmp_path: Path) -> None:
    policy = make_policy(with_critic=True)
    ids_BS = torch.tensor([[5, 6, 7, 8]])
    with policy.reference():
        reference = policy.hidden_states(ids_BS, None)
    plain = make_policy()
    with plain.reference():
        torch.testing.assert_close(reference, plain.hidden_states(ids_BS, None))
    assert all(p.requires_grad for p in policy.value_parameters() + policy.adapter_parameters())
    policy.save_adapter(tmp_path)
    assert not list(tmp_path.glob("critic*"))
