"""Small random models for the tests of the policy, of families that differ in what it must get right."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from rlsf_lightning.config import schema
from rlsf_lightning.policy.load import load_policy
from rlsf_lightning.policy.policy import Policy

torch.set_num_threads(1)

TEXTS = ["ethanol\nSMILES: CCO", "propan-2-one\nSMILES: CC(=O)C", "π-bond → naïve café 分子 🧪", "2-chloropyridine"]
SIZES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
}
#: What each family adds: tied or separate heads, learned positions, dropout, sliding windows, scaled or capped logits.
FAMILIES = {
    "llama": {**SIZES, "tie_word_embeddings": True, "attention_dropout": 0.5},
    "qwen2": {**SIZES, "rope_theta": 1000.0},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128},
    "mistral": {**SIZES, "sliding_window": 4},
    "gemma2": {**SIZES, "final_logit_softcapping": 0.5, "sliding_window": 4, "query_pre_attn_scalar": 8},
    "granite": {**SIZES, "logits_scaling": 8.0},
    "cohere": {**SIZES, "logit_scale": 0.0625},
    "phi": {**SIZES, "num_key_value_heads": 4},
}


@pytest.fixture(scope="session")
def byte_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE; padding is the end token, which is special and has the id 0."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>")


@pytest.fixture(scope="session")
def make_model() -> Callable[..., PreTrainedModel]:
    """A random model of a family, with weights large enough for peaked distributions."""

    def make(family: str, vocabulary: int = 300, seed: int = 0, **changes: object) -> PreTrainedModel:
        ids = {"bos_token_id": None, "eos_token_id": 0, "pad_token_id": 0}
        config = AutoConfig.for_model(family, vocab_size=vocabulary, **ids, **(FAMILIES[family] | changes))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = AutoModelForCausalLM.from_config(config)
            for parameter in model.parameters():
                torch.nn.init.normal_(parameter, std=0.25)
        return model.eval()

    return make


@pytest.fixture(scope="session")
def family_dir(
    make_model: Callable[..., PreTrainedModel],
    byte_tokenizer: PreTrainedTokenizerFast,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Path]:
    """The folder of a saved model of a family, made once."""
    made: dict[str, Path] = {}

    def folder_of(family: str) -> Path:
        if family not in made:
            made[family] = tmp_path_factory.mktemp(family)
            make_model(family, len(byte_tokenizer)).save_pretrained(made[family])
            byte_tokenizer.save_pretrained(made[family])
        return made[family]

    return folder_of


@pytest.fixture(scope="session")
def make_policy(family_dir: Callable[[str], Path]) -> Callable[..., Policy]:
    """A loaded policy whose adapter, if it has one, is far from zero."""

    def make(
        family: str = "llama",
        *,
        r: int = 4,
        with_value: bool = True,
        with_critic: bool = False,
        std: float = 0.2,
        device: str = "cpu",
        **keys: object,
    ) -> Policy:
        cfg = schema.Policy(name=str(family_dir(family)), lora=schema.Lora(r=r, alpha=8), **keys)
        policy = load_policy(cfg, with_value=with_value, with_critic=with_critic, device=device, seed=1)
        generator = torch.Generator().manual_seed(2)
        for name, parameter in policy.named_parameters():
            if "lora_B" in name:
                parameter.data = std * torch.randn(parameter.shape, generator=generator).to(parameter)
        return policy

    return make
