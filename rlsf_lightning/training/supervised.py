"""The supervised warm start: next-token prediction of the answer given the prompt. Its command is ``sft``.

It makes a policy that reinforcement learning can improve, from random weights or from ``policy.name``. It never sees a
verifier.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from lightning import LightningModule
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.utils.data import IterableDataset
from transformers import (
    CONFIG_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from rlsf_lightning.config.schema import Recipe, Sft
from rlsf_lightning.config.schema_fields import as_yaml
from rlsf_lightning.config.template import pieces
from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.prompt_ids import encode_text
from rlsf_lightning.prompts import PromptEncoder
from rlsf_lightning.records import Prompt
from rlsf_lightning.suggest import did_you_mean
from rlsf_lightning.training.optimizer import has_loss_scale

END = "<|end|>"
IGNORED = -100  # a label that cross-entropy leaves out
#: Batches whose sequences are sorted by length together: enough for little padding, few enough to stay shuffled.
BUCKET = 100

Pair = tuple[list[int], list[int]]  # ids of the prompt, ids of the answer with its end


def train_tokenizer(texts: Iterator[str], template: str, vocabulary: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer in which every digit stands alone and the template's tail is one token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - 1, special_tokens=[END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    *_, tail = pieces(template)
    if tail.text:
        tokenizer.add_tokens([AddedToken(tail.text, normalized=False)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=END)


def model_and_tokenizer(
    recipe: Recipe, items: Sequence[Sequence[Prompt]]
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """New ones of ``sft.architecture``, else those of ``policy.name``, every weight trainable in fp32."""
    if recipe.sft.architecture is None:
        from rlsf_lightning.policy.load import load_backbone

        return load_backbone(recipe.policy)
    texts = (text for phrasings in items for p in phrasings[:2] for text in (p.text, p.target or p.reference or ""))
    tokenizer = train_tokenizer(texts, recipe.data.template, recipe.sft.vocabulary)
    return new_model(dict(recipe.sft.architecture), len(tokenizer), tokenizer.eos_token_id), tokenizer


def new_model(architecture: dict[str, Any], vocabulary: int, end_id: int) -> PreTrainedModel:
    """Random weights of ``architecture``: the keys of a Hugging Face configuration, ``model_type`` among them."""
    keys = dict(architecture)
    config = AutoConfig.for_model(
        keys.pop("model_type"),
        vocab_size=vocabulary,
        eos_token_id=end_id,
        pad_token_id=end_id,
        bos_token_id=None,
        **keys,
    )
    # On a CPU and at a width of a few hundred, plain attention in bf16 is a quarter faster than the fused kernel.
    return AutoModelForCausalLM.from_config(config, attn_implementation="eager")


def check_architecture(settings: Sft) -> None:
    """Build the model of ``sft.architecture`` without memory for its weights. UserError: there is none of this shape."""
    keys = dict(settings.architecture or {})
    kind = str(keys.get("model_type"))
    if kind not in CONFIG_MAPPING:
        hint = did_you_mean(kind, list(CONFIG_MAPPING))
        raise UserError(
            f"sft.architecture.model_type={kind}: transformers has none such{hint}; write llama, for example"
        )
    known = AutoConfig.for_model(kind).to_dict()
    if unknown := [key for key in keys if key not in known]:
        raise UserError(f"sft.architecture.{unknown[0]}: {kind} has no such key{did_you_mean(unknown[0], list(known))}")
    try:
        with torch.device("meta"):
            new_model(keys, settings.vocabulary, 0)
    except Exception as error:  # of any kind: whatever stumbles over the shape
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"sft.architecture={as_yaml(keys)}: no model of this shape: {reason[:500]}") from error


def encode(recipe: Recipe, tokenizer: PreTrainedTokenizerBase, items: Sequence[Sequence[Prompt]]) -> list[list[Pair]]:
    """The ids of every prompt, and of its answer with the end token."""
    encoder = PromptEncoder(recipe, tokenizer, partial(encode_text, tokenizer))
    end = [tokenizer.eos_token_id]
    return [[(encoder(prompt), encoder.answer_ids(prompt) + end) for prompt in phrasings] for phrasings in items]


class Pairs(IterableDataset):
    """Batches of one epoch: every item's first phrasing, and for a share of the items one further phrasing.

    Each item is the list of the pairs of one answer. Batches hold sequences of similar length; their order is
    random. The epoch number alone decides the content, so that a resumed run goes on as the straight one.
    """

    def __init__(self, items: Sequence[Sequence[Pair]], batch_size: int, synonyms: float, seed: int) -> None:
        self.items, self.batch_size, self.synonyms, self.seed = items, batch_size, synonyms, seed
        self.epoch = 0

    def batches_an_epoch(self) -> int:
        """About how many batches an epoch holds: exact but for the chance in which further phrasings are drawn."""
        with_more = sum(len(phrasings) > 1 for phrasings in self.items)
        return math.ceil((len(self.items) + self.synonyms * with_more) / self.batch_size)

    def __iter__(self) -> Iterator[list[Pair]]:
        rng = random.Random(f"{self.seed}-{self.epoch}")
        self.epoch += 1
        chosen: list[Pair] = []
        for phrasings in self.items:
            chosen.append(phrasings[0])
            if len(phrasings) > 1 and rng.random() < self.synonyms:
                chosen.append(rng.choice(phrasings[1:]))
        rng.shuffle(chosen)
        stride = self.batch_size * BUCKET
        for start in range(0, len(chosen), stride):
            bucket = sorted(chosen[start : start + stride], key=lambda pair: len(pair[0]) + len(pair[1]))
            batches = [bucket[i : i + self.batch_size] for i in range(0, len(bucket), self.batch_size)]
            rng.shuffle(batches)
            yield from batches


def collate(pairs: Sequence[Pair]) -> dict[str, torch.Tensor]:
    """Right-padded ids and labels, each (B, S); only the answer's tokens have labels.

    There is no mask: attention is causal, so no token sees the padding behind it, and the padding has no labels.
    """
    width = max(len(prompt) + len(answer) for prompt, answer in pairs)
    ids_BS = torch.zeros(len(pairs), width, dtype=torch.long)
    labels_BS = torch.full_like(ids_BS, IGNORED)
    for row, (prompt, answer) in enumerate(pairs):
        end = len(prompt) + len(answer)
        ids_BS[row, :end] = torch.tensor(prompt + answer)
        labels_BS[row, len(prompt) : end] = torch.tensor(answer)
    return {"input_ids": ids_BS, "labels": labels_BS}


def group_by_answer(prompts: Iterator[Prompt]) -> list[list[Prompt]]:
    """Consecutive prompts with one reference as one item: the phrasings of one task."""
    items: list[list[Prompt]] = []
    for prompt in prompts:
        if items and prompt.reference is not None and items[-1][0].reference == prompt.reference:
            items[-1].append(prompt)
        else:
            items.append([prompt])
    return items


class SupervisedModule(LightningModule):
    """Cross-entropy of the answer, AdamW, linear warm-up, then a cosine to 2 % against the clock or the steps."""

    def __init__(self, model: PreTrainedModel, settings: Sft, total_steps: int, run_dir: str | None = None) -> None:
        super().__init__()
        self.model, self.settings, self.total_steps, self.run_dir = model, settings, total_steps, run_dir
        self.run = torch.compile(model.forward, dynamic=True) if settings.compile else model.forward
        self.elapsed = 0.0
        self._clock = time.monotonic()

    @property
    def steps_done(self) -> int:
        return self.global_step

    def progress(self) -> float:
        """Share of the run that is over, in [0, 1]: of its minutes where they are set, else of its steps."""
        if self.settings.minutes is not None:
            return min(1.0, self.elapsed / (60 * self.settings.minutes))
        return min(1.0, self.global_step / self.total_steps)

    def training_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
        now = time.monotonic()
        self.elapsed, self._clock = self.elapsed + now - self._clock, now
        share = min(1.0, (self.global_step + 1) / max(1, self.settings.warmup_steps))
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self.settings.lr * share * (0.02 + 0.98 * (1 + math.cos(math.pi * self.progress())) / 2)
        loss = self.run(**batch, use_cache=False).loss
        self.log("loss", loss, prog_bar=True)
        if self.progress() >= 1.0:
            self.trainer.should_stop = True
        return loss

    def on_train_start(self) -> None:
        self._clock = time.monotonic()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["elapsed"], checkpoint["steps_done"] = self.elapsed, self.steps_done

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.elapsed = checkpoint["elapsed"]

    def configure_gradient_clipping(self, optimizer: torch.optim.Optimizer, *_: Any, **__: Any) -> None:
        # Lightning does not clip for a fused optimiser in mixed precision, though in bf16 nothing forbids it.
        torch.nn.utils.clip_grad_norm_(self.parameters(), self.settings.max_grad_norm)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        trained = [p for p in self.parameters() if p.requires_grad]
        return torch.optim.AdamW(
            trained,
            lr=self.settings.lr,
            betas=(0.9, 0.98),
            weight_decay=self.settings.weight_decay,
            fused=not has_loss_scale(self.trainer),  # a fused step divides by the scale after the clipping
        )
