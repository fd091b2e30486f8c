"""What all tests share: no network, one torch thread, a budget of time, and a tiny random policy."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run of the same tests; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("same", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# Before anything imports torch or transformers.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ.setdefault("OMP_NUM_THREADS", "1")

#: Seconds of processor time that a test without a mark may take in CI.
TIME_BUDGET = 5.0

_TEXTS = ["ethanol\nSMILES: CCO", "benzene\nSMILES: c1ccccc1", "propan-2-one\nSMILES: CC(=O)C", "Clc1ccccn1"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--time-budget",
        type=float,
        metavar="SECONDS",
        default=TIME_BUDGET if os.environ.get("CI") in ("1", "true") else None,
        help=f"most processor time of a test that is neither slow nor gpu (CI=true: {TIME_BUDGET:g}; default: no limit)",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Processor time, of this process and the children that it has waited for: a busy machine does not add to it."""
    budget: float | None = item.config.getoption("--time-budget")
    begin = _processor_seconds()
    yield
    used = _processor_seconds() - begin
    is_marked = any(item.get_closest_marker(mark) for mark in ("slow", "gpu"))
    if budget is not None and used > budget and not is_marked:
        pytest.fail(
            f"took {used:.1f} s of processor time, over {budget:g} s: mark it slow or make it smaller", pytrace=False
        )


def _processor_seconds() -> float:
    return sum(os.times()[:4])


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> str:
    """One test body for both kinds of device: "cpu" in every run, "cuda" in one of ``-m gpu``."""
    import torch

    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device, and there is none")
    return request.param


@pytest.fixture(scope="session")
def tiny_policy_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder: a random Llama (2 layers, width 32) and a byte-level BPE, end and padding ``<|end|>``."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=288, special_tokens=["<|end|>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(_TEXTS, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|end|>",
        pad_token="<|end|>",
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
    )
    folder = tmp_path_factory.mktemp("tiny_policy")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


@pytest.fixture
def make_recipe(tiny_policy_dir, tmp_path):
    """``make_recipe(*overrides)``: a small run on a random policy, prompts from a file of 59 rows."""
    from omegaconf import OmegaConf

    from rlsf_lightning.config.schema import Recipe

    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("name\tsmiles\n" + "".join(f"{'meth' * n}\t{'C' * n}\n" for n in range(1, 60)))

    def make(*overrides):
        base = [
            "recipe=test",
            "data.source=files",
            f"data.path={pairs}",
            "data.columns.prompt=name",
            "data.columns.reference=smiles",
            f"policy.name={tiny_policy_dir}",
            "policy.lora.r=4",
            "verifier.name=smiles",
            "rollout.batch_size=4",
            "rollout.samples_per_prompt=4",
            "rollout.max_new_tokens=8",
            "algorithm.advantage=gae",
        ]
        return OmegaConf.merge(OmegaConf.structured(Recipe), OmegaConf.from_dotlist([*base, *overrides]))

    return make
