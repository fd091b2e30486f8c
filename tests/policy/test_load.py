import json
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from rlsf_lightning.config import schema
from rlsf_lightning.errors import UserError
from rlsf_lightning.policy import load, preflight
from rlsf_lightning.policy.load import load_backbone, load_policy
from rlsf_lightning.policy.preflight import check_policy
from rlsf_lightning.policy.sampling.generate import sample

IDS = torch.tensor([[5, 17, 200, 3, 3, 91]])


@pytest.fixture
def folder(family_dir, tmp_path) -> Path:
    """A copy of a saved Llama that a test may damage."""
    target = tmp_path / "model"
    target.mkdir()
    for path in family_dir("llama").iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def change_json(path: Path, **changes: object) -> None:
    content = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(content | changes))


def refused(cfg: schema.Policy, *parts: str) -> None:
    """``check_policy`` refuses, before anything is loaded, in words that hold the parts."""
    with pytest.raises(UserError) as error:
        check_policy(cfg)
    for part in parts:
        assert part in str(error.value)


def test_a_good_folder_and_a_hub_name_pass(folder, monkeypatch):
    monkeypatch.setattr(preflight, "hub_answers", lambda: True)
    check_policy(schema.Policy(name=str(folder)))
    check_policy(schema.Policy(name="some-owner/some-model"))
    check_policy(schema.Policy(name="gpt2"))


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "~/nowhere", "models/that/are/not", "..", ".\\win"])
def test_a_folder_that_does_not_exist(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(schema.Policy(name=name), f"policy.name={name}", "config.json")


def test_a_file_in_place_of_a_folder(folder):
    refused(schema.Policy(name=str(folder / "config.json")), "is a file", f"policy.name={folder}")
    (folder / "m.gguf").write_bytes(b"GGUF")
    refused(schema.Policy(name=str(folder / "m.gguf")), f"policy.name={folder} policy.gguf_file=m.gguf")


def test_a_folder_without_its_parts(folder):
    (folder / "model.safetensors").rename(folder / "kept")
    refused(schema.Policy(name=str(folder)), str(folder), "no weights")
    (folder / "kept").rename(folder / "model.safetensors")
    for name in preflight.TOKENIZER_FILES:
        (folder / name).unlink(missing_ok=True)
    refused(schema.Policy(name=str(folder)), "no tokenizer", "tokenizer.save_pretrained")
    (folder / "config.json").unlink()
    refused(schema.Policy(name=str(folder)), "no config.json")
    (folder / "m.gguf").write_bytes(b"GGUF")
    refused(schema.Policy(name=str(folder)), "policy.gguf_file=m.gguf")


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-7], lambda data: data[:4], lambda data: b"", lambda data: b"version https://git-lfs\n" * 9],
)
def test_damaged_weights_name_the_file_and_what_to_do(folder, damage):
    weights = folder / "model.safetensors"
    weights.write_bytes(damage(weights.read_bytes()))
    refused(schema.Policy(name=str(folder)), str(weights), "Restore or download it again")


def test_a_missing_shard(folder):
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    refused(schema.Policy(name=str(folder)), "lacks model-00002.safetensors")
    (folder / "model.safetensors.index.json").write_text("{")
    refused(schema.Policy(name=str(folder)), "model.safetensors.index.json is damaged")


def test_the_embedded_policy_is_checked_like_any_folder(folder, monkeypatch):
    monkeypatch.setattr(preflight, "EMBEDDED", folder / "gone")
    refused(schema.Policy(), "policy.name=embedded", str(folder / "gone"))


def test_settings_that_make_no_sense(folder):
    name = str(folder)
    refused(schema.Policy(name=name, lora=schema.Lora(r=0), quantize="nf4"), "policy.quantize=none")
    refused(schema.Policy(name=name, lora=schema.Lora(r=0), adapter=name), "policy.adapter=null")


def test_gguf_mistakes(folder, monkeypatch):
    refused(schema.Policy(name=str(folder), gguf_file="x.gguf"), "x.gguf", str(folder), "none")
    (folder / "y.gguf").write_bytes(b"nope")
    refused(schema.Policy(name=str(folder), gguf_file="x.gguf"), "y.gguf")
    refused(schema.Policy(name=str(folder), gguf_file="y.gguf"), "does not begin like a GGUF file")
    monkeypatch.setattr(preflight.importlib.util, "find_spec", lambda name: None)
    refused(schema.Policy(name=str(folder), gguf_file="y.gguf"), "pip install gguf")
    refused(schema.Policy(name=str(folder), quantize="nf4"), "pip install bitsandbytes")


def test_adapter_mistakes(folder, make_policy, tmp_path):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    cfg = schema.Policy(name=str(folder), adapter=str(adapter))
    refused(cfg, str(adapter), "adapter_config.json", "policy.adapter=null")
    make_policy().save_adapter(adapter)
    check_policy(cfg)
    weights = adapter / "adapter_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    refused(cfg, str(weights), "Restore or download")
    weights.unlink()
    refused(cfg, "adapter_model.safetensors")
    weights.write_bytes(whole)
    change_json(adapter / "adapter_config.json", peft_type="PROMPT_TUNING")
    refused(cfg, "PROMPT_TUNING", "LORA")


def test_an_adapter_of_another_base(family_dir, make_policy, tmp_path, make_model, byte_tokenizer):
    make_policy().save_adapter(tmp_path / "adapter")
    wide = tmp_path / "wide"
    make_model("llama", len(byte_tokenizer), hidden_size=64, head_dim=16).save_pretrained(wide)
    byte_tokenizer.save_pretrained(wide)
    with pytest.raises(UserError, match="the adapter could not be loaded"):
        load_policy(schema.Policy(name=str(wide), adapter=str(tmp_path / "adapter")))


def test_a_name_that_is_nowhere(monkeypatch):
    with pytest.raises(UserError, match=r"the tokenizer could not be loaded.*policy\.name=no-such-owner/no-such-model"):
        load_policy(schema.Policy(name="no-such-owner/no-such-model"))


def test_weights_that_do_not_fit_the_configuration(folder):
    weights = load_file(folder / "model.safetensors")
    removed = next(name for name in sorted(weights) if "q_proj" in name)
    kept = {name: tensor for name, tensor in weights.items() if name != removed}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"do not fit config\.json.*q_proj"):
        load_policy(schema.Policy(name=str(folder)))


def test_the_seed_alone_decides_the_adapter_and_the_global_generator_is_left_alone(folder):
    def adapter(seed: int) -> list[torch.Tensor]:
        return load_policy(schema.Policy(name=str(folder)), seed=seed).adapter_parameters()

    torch.manual_seed(1)
    one = adapter(7)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    two = adapter(7)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one, adapter(8), strict=True))


def test_a_fresh_adapter_changes_nothing_yet_and_is_as_the_recipe_says(folder, make_model):
    cfg = schema.Policy(name=str(folder), lora=schema.Lora(r=3, alpha=6, targets=["q_proj", "down_proj"]))
    policy = load_policy(cfg, with_value=True)
    with torch.no_grad():
        assert torch.equal(policy.causal_lm(IDS).logits, make_model("llama")(IDS).logits)
    names = [name for name, p in policy.backbone.named_parameters() if p.requires_grad]
    assert len(names) == 2 * 2 * 2 and all("q_proj" in n or "down_proj" in n for n in names)
    assert {p.shape[0] for n, p in policy.named_parameters() if "lora_A" in n} == {3}
    layer = policy.causal_lm.model.layers[0].self_attn.q_proj
    assert layer.scaling == {"default": 2.0}
    assert policy.value_head is not None and load_policy(cfg).value_head is None
    assert {p.dtype for p in policy.parameters()} == {torch.float32}
    assert policy.context_length == 128 and policy.vocabulary_size == 300


@pytest.mark.parametrize(
    ("has_instructions", "rank", "half", "is_mixed", "base"),
    [
        (True, 4, torch.bfloat16, True, torch.bfloat16),
        (True, 4, torch.bfloat16, False, torch.float32),
        (True, 4, torch.float16, True, torch.float32),
        (True, 0, torch.bfloat16, True, torch.float32),  # all of it learns
        (False, 4, torch.bfloat16, True, torch.float32),
    ],
)
def test_a_frozen_base_is_bf16_where_a_cpu_multiplies_it(
    folder, monkeypatch, has_instructions, rank, half, is_mixed, base
):
    monkeypatch.setattr(load, "multiplies_bf16", lambda device: has_instructions)
    cfg = schema.Policy(name=str(folder), lora=schema.Lora(r=rank))
    policy = load_policy(cfg, half=half, is_mixed=is_mixed)
    learnt = {p.dtype for p in policy.parameters() if p.requires_grad}
    assert policy.causal_lm.model.embed_tokens.weight.dtype == base and learnt == {torch.float32}


def test_targets_that_fit_nothing_list_what_would(folder):
    with pytest.raises(UserError, match=r"policy\.lora\.targets=\['qq'\].*all-linear.*down_proj"):
        load_policy(schema.Policy(name=str(folder), lora=schema.Lora(targets=["qq"])))


def test_end_tokens_come_from_tokenizer_and_generation_config(folder):
    # The model configuration's id is an architecture's default (2 for Llama): an ordinary token here.
    change_json(folder / "config.json", eos_token_id=2)
    (folder / "generation_config.json").unlink(missing_ok=True)
    assert load_policy(schema.Policy(name=str(folder))).eos_token_ids == [0]
    change_json(folder / "generation_config.json", eos_token_id=[7, 0, 9])
    assert load_policy(schema.Policy(name=str(folder))).eos_token_ids == [0, 7, 9]
    (folder / "generation_config.json").unlink()
    change_json(folder / "tokenizer_config.json", eos_token=None, pad_token=None)
    (folder / "special_tokens_map.json").unlink(missing_ok=True)
    policy = load_policy(schema.Policy(name=str(folder)))
    assert (policy.eos_token_ids, policy.pad_token_id) == ([2], 2)
    change_json(folder / "config.json", eos_token_id=None)
    with pytest.raises(UserError, match=r"no end-of-sequence token.*eos_token"):
        load_policy(schema.Policy(name=str(folder)))


def test_a_warning_names_generation_settings_that_are_not_followed(folder):
    change_json(folder / "generation_config.json", top_k=20, top_p=0.8, temperature=1.0, do_sample=True)
    with pytest.warns(UserWarning, match=r"top_k=20, top_p=0\.8: not followed"):
        load_policy(schema.Policy(name=str(folder)))
    change_json(folder / "generation_config.json", top_k=0, top_p=1.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_policy(schema.Policy(name=str(folder)))
    assert not [w for w in caught if "not followed" in str(w.message)]


def test_recurrent_layers_are_refused(tmp_path, byte_tokenizer):
    from transformers import MambaConfig, MambaForCausalLM

    config = MambaConfig(vocab_size=300, hidden_size=32, num_hidden_layers=1, state_size=4, eos_token_id=0)
    MambaForCausalLM(config).save_pretrained(tmp_path)
    byte_tokenizer.save_pretrained(tmp_path)
    with pytest.raises(UserError, match="recurrent layers"):
        load_policy(schema.Policy(name=str(tmp_path), lora=schema.Lora(r=0)))


def test_logits_that_a_model_changes_in_an_unknown_way_are_refused(folder, monkeypatch):
    from transformers import LlamaForCausalLM

    forward = LlamaForCausalLM.forward

    def scaled(self, *args, **kwargs):
        output = forward(self, *args, **kwargs)
        output.logits = output.logits * 1.01
        return output

    monkeypatch.setattr(LlamaForCausalLM, "forward", scaled)
    with pytest.raises(UserError, match="changes its logits"):
        load_policy(schema.Policy(name=str(folder)))


def test_load_backbone_is_the_plain_model_all_of_it_trainable(folder, make_model, make_policy, tmp_path):
    model, tokenizer = load_backbone(schema.Policy(name=str(folder)))
    assert torch.equal(model(IDS).logits, make_model("llama")(IDS).logits)
    assert all(p.requires_grad and p.dtype == torch.float32 for p in model.parameters())
    assert tokenizer.eos_token_id == 0
    make_policy().save_adapter(tmp_path)
    with pytest.raises(UserError, match=r"policy\.adapter=null"):
        load_backbone(schema.Policy(name=str(folder), adapter=str(tmp_path)))


def write_gguf(model, path: Path) -> None:
    """A Llama as a GGUF file in fp32, with the query and key rows in llama.cpp's order. No tokenizer inside."""
    gguf = pytest.importorskip("gguf")
    config = model.config
    heads, key_heads = config.num_attention_heads, config.num_key_value_heads
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(key_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_vocab_size(config.vocab_size)
    writer.add_rope_freq_base(10000.0)
    writer.add_file_type(0)

    def permuted(weight: torch.Tensor, n: int) -> torch.Tensor:
        rows, columns = weight.shape
        return weight.reshape(n, 2, rows // n // 2, columns).transpose(1, 2).reshape(rows, columns)

    names = {"q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output"}
    names |= {"gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down"}
    names |= {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
    writer.add_tensor("token_embd.weight", model.model.embed_tokens.weight.detach().numpy())
    writer.add_tensor("output_norm.weight", model.model.norm.weight.detach().numpy())
    for index, layer in enumerate(model.model.layers):
        for name, weight in layer.named_parameters():
            short = name.split(".")[-2]
            if short in ("q_proj", "k_proj"):
                weight = permuted(weight, heads if short == "q_proj" else key_heads)
            writer.add_tensor(f"blk.{index}.{names[short]}.weight", weight.detach().contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("quantize", ["none", "nf4"])
def test_a_gguf_file_gives_the_model_that_it_was_written_from(tmp_path, make_model, byte_tokenizer, quantize):
    model = make_model("llama", len(byte_tokenizer), hidden_size=64, intermediate_size=128, head_dim=16)
    write_gguf(model, tmp_path / "tiny.gguf")
    byte_tokenizer.save_pretrained(tmp_path)
    policy = load_policy(schema.Policy(name=str(tmp_path), gguf_file="tiny.gguf", quantize=quantize))
    learnable = {n for n, p in policy.named_parameters() if p.requires_grad}
    assert len(learnable) == 2 * 7 * 2
    with torch.no_grad():
        ours, theirs = policy.causal_lm(IDS).logits.float(), model(IDS).logits
    if quantize == "none":
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    else:
        assert torch.corrcoef(torch.stack([ours.flatten(), theirs.flatten()]))[0, 1] > 0.9
        assert [type(m).__name__ for m in policy.causal_lm.modules()].count("Linear4bit") == 2 * 7 * 2
    assert len(sample(policy, [[5, 6]], samples=1, max_new_tokens=3, greedy=True)[0].ids) <= 3
