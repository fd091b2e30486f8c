"""What the scripts that time whole training steps share: policies of a given shape, steps through Lightning, results.

A policy here has random weights and a byte-level tokenizer without merges: a prompt has as many tokens as characters. Where
lengths are forced no token ends a completion, so that every one has ``rollout.max_new_tokens``.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import arguments
import torch
import transformers
from lightning import Trainer, seed_everything
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from rlsf_lightning.config.recipe import load_recipe
from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.training.datamodule import PromptDataModule
from rlsf_lightning.training.hooks import RLSFCallback, build_callbacks
from rlsf_lightning.training.module import RLSFModule

RESULTS = Path(__file__).parent / "results"
SLEEPER = Path(__file__).parent / "sleeper.py"
STAGES = ("generate", "score", "verify", "update")
PROMPTS = 512

Settings = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """A Llama's sizes."""

    width: int
    layers: int
    vocabulary: int
    head_width: int = 64

    @property
    def inner(self) -> int:
        """Width inside the feed-forward layers: 2.75 times the outer one, as the embedded policy has it."""
        return self.width * 11 // 4

    def wider(self, **sizes: int) -> Shape:
        return replace(self, **sizes)


def settings_of(words: Sequence[str], defaults: Settings) -> Settings:
    """``key=value`` arguments over defaults, each of its default's type."""
    return arguments.read(words, {**defaults, "results": str(RESULTS)})[0]


def make_policy(folder: Path, shape: Shape) -> Path:
    """A Hugging Face folder with random weights of this shape."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = ["<|end|>", *alphabet, *(f"w{n}" for n in range(shape.vocabulary))][: shape.vocabulary]
    tokenizer = Tokenizer(models.BPE(vocab={word: n for n, word in enumerate(words)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>", padding_side="left"
    ).save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.width // shape.head_width,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def ppo_recipe(folder: Path, shape: Shape | Path, prompt_tokens: int, overrides: Sequence[str] = ()) -> Recipe:
    """PPO with a value head, a reference and four minibatches, on a policy of this shape and prompts of this length.

    A path is a folder with a policy, whose tokenizer makes a token of a character. Neither scoring pass can be left out,
    and every completion takes part in the update.
    """
    pairs = folder / "prompts.tsv"
    pairs.write_text("prompt\n" + "".join(f"{n:x}".ljust(prompt_tokens, "=") + "\n" for n in range(PROMPTS)))
    own = [
        f"policy.name={shape if isinstance(shape, Path) else make_policy(folder / 'policy', shape)}",
        "policy.quantize=none",
        f"data.path={pairs}",
        "data.columns.reference=null",
        f"verifier.name={SLEEPER}",
        *ppo(),
    ]
    return load_recipe("_base", [*own, *overrides])


def ppo() -> list[str]:
    """The recipe keys of PPO as it is mostly run: a critic, a penalty for leaving the reference, four minibatches."""
    return [
        "algorithm.credit=scalar",
        "algorithm.advantage=gae",
        "algorithm.kl.beta=0.05",
        "algorithm.minibatches=4",
        "evaluation.split=null",
        "callbacks={verifier: {}, progress: null, samples: null, heldout: null}",
    ]


class TimedModule(RLSFModule):
    """The module, which also logs the processor time of each stage as ``cpu/STAGE``: it knows no other programs."""

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        start = time.process_time()
        with super().timed(stage):
            yield
        self.log_step({f"cpu/{stage}": time.process_time() - start})


class Clock(RLSFCallback):
    """Keeps the metrics of each step, and the seconds and processor time that it took as a whole."""

    def __init__(self, *, forced: bool) -> None:
        self.forced = forced
        self.steps: list[dict[str, float]] = []
        self.stats: Mapping[str, float] = {}

    def on_train_start(self, trainer, module) -> None:
        if self.forced:
            module.policy.eos_token_ids = [-1]

    def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
        self.start, self.cpu_start = time.perf_counter(), time.process_time()

    def on_update_end(self, trainer, module, stats) -> None:
        self.stats = dict(stats)

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        took = {"seconds/step": time.perf_counter() - self.start, "cpu/step": time.process_time() - self.cpu_start}
        self.steps.append({**self.stats, **took})


def run_steps(recipe: Recipe, steps: int, *, forced: bool, module: RLSFModule | None = None) -> list[dict[str, float]]:
    """The metrics of so many training steps: what the module logs, and ``seconds/step``, ``cpu/...`` of it and of stages."""
    clock = Clock(forced=forced)
    seed_everything(recipe.seed, verbose=False)
    with tempfile.TemporaryDirectory() as folder, redirect_stderr(open(os.devnull, "w")):
        trainer = Trainer(
            **{**recipe.trainer, "max_epochs": 1, "limit_train_batches": steps},
            logger=False,
            callbacks=[*build_callbacks(recipe.callbacks), clock],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            default_root_dir=folder,
        )
        trainer.fit(module or TimedModule(recipe), PromptDataModule(recipe))
    return clock.steps


def medians(steps: Sequence[Mapping[str, float]], clock: str) -> dict[str, float]:
    """Median time of each stage and of the step, by ``seconds`` (of the wall) or ``cpu``; ``rest`` is in no stage.

    Of the step the fastest and the slowest, too.
    """
    whole = [s[f"{clock}/step"] for s in steps]
    found = {stage: statistics.median(s[f"{clock}/{stage}"] for s in steps) for stage in STAGES}
    rests = [s[f"{clock}/step"] - sum(s[f"{clock}/{stage}"] for stage in STAGES) for s in steps]
    ends = {"fastest_step": min(whole), "slowest_step": max(whole)}
    return found | {"rest": statistics.median(rests), "step": statistics.median(whole)} | ends


def load_now() -> float:
    """Programs that want to run on this machine, a mean over the last minute."""
    return round(os.getloadavg()[0], 2)


def machine(load_before: float) -> dict[str, Any]:
    """What the numbers depend on beside the settings. To be asked after the steps, which set torch's threads."""
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_before": load_before,
        "torch_threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "date": str(date.today()),
    }


def write(theme: str, result: Mapping[str, Any], table: str, results: str) -> Path:
    """THEME_<machine>_<date>.json and .md; the path without its ending."""
    folder = Path(results)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{theme}_{platform.machine()}_{os.cpu_count()}cores_{date.today()}"
    result["configuration"]["settings"].pop("results", None)  # where it was written says nothing
    path.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    path.with_suffix(".md").write_text(table + "\n")
    print(f"{table}\nwritten to {path}.json and .md")
    return path
