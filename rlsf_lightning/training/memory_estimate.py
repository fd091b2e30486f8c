"""Estimates of a run's peak memory, and the cores and memory that this machine has for it.

Estimates are for a plain decoder (Llama and its relatives) and mean to be right within a factor of two: they are there
so that a run that cannot fit says so before it fails, and which keys to change.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rlsf_lightning.config import schema
from rlsf_lightning.config.cores import cores
from rlsf_lightning.policy.logprob import LOGITS_AT_A_TIME
from rlsf_lightning.policy.policy import Policy
from rlsf_lightning.policy.sampling.token_sampler import MOST_LOGITS
from rlsf_lightning.training.batching import tokens_at_a_time

GIB = 2**30


def torch_threads(workers: int, ranks: int) -> int:
    """The threads of torch in one process: the cores that the ranks of this machine share, less those of the verifier's
    workers, which are busy while torch scores; at least one. OMP_NUM_THREADS, where it is set, is what the user wants.

    A tokenizer encodes one prompt at a time, in the thread that asks.
    """
    if os.environ.get("OMP_NUM_THREADS", "").isdecimal():
        return int(os.environ["OMP_NUM_THREADS"])
    return max(1, cores() // ranks - workers)


def limit_threads() -> None:
    """For commands without a training step: no more threads of torch than cores, of whose quota torch knows nothing."""
    torch.set_num_threads(min(torch.get_num_threads(), cores()))


@dataclass(frozen=True)
class Needs:
    """Expected bytes of one process on its device, at the peak of each kind."""

    weights: int  # of the policy and its reference
    learning: int  # gradients and the optimiser's state
    rollout: int  # sampling: the cache of keys and values, and merged weights
    update: int  # activations of one micro-batch, and the head's tiles

    @property
    def total(self) -> int:
        """Sampling and updating do not come at the same time."""
        return self.weights + self.learning + max(self.rollout, self.update)


def needs(policy: Policy, recipe: schema.Recipe, longest_prompt: int) -> Needs:
    """What training ``policy`` by the recipe takes. ``longest_prompt``: tokens."""
    stored = {p.data_ptr(): p.numel() * p.element_size() for p in (*policy.parameters(), *policy.buffers())}
    learning = sum(p.numel() for p in policy.parameters() if p.requires_grad)
    state = 2 if recipe.algorithm.optimizer == "adamw_8bit" else 8
    shape = _Shape.of(policy.causal_lm.config.get_text_config())
    width = _activation_bytes(policy, recipe)

    rows = recipe.rollout.batch_size * recipe.rollout.samples_per_prompt
    rows = min(rows, recipe.rollout.decode_batch_size or rows)
    sequence = longest_prompt + recipe.rollout.max_new_tokens
    rollout = rows * sequence * shape.layers * 2 * shape.kv * width + 4 * min(
        MOST_LOGITS, rows * policy.vocabulary_size
    )
    if policy.device.type == "cpu" and recipe.policy.quantize != "nf4":
        rollout += sum(stored.values()) if learning < sum(p.numel() for p in policy.parameters()) else 0  # merged

    tokens = max(tokens_at_a_time(recipe.algorithm, policy.device), sequence)
    kept = shape.layers * shape.hidden if policy.gradient_checkpointing else shape.layers * shape.a_layer
    once = shape.a_layer if policy.gradient_checkpointing else 0
    tiles = 2 * 4 * max(LOGITS_AT_A_TIME, policy.vocabulary_size)
    update = tokens * ((kept + once) * width + 4 * 2 * shape.hidden) + tiles
    return Needs(sum(stored.values()), learning * (4 + state), rollout, update)


def free_memory(device: torch.device) -> int | None:
    """Bytes that this process may still take on the device; None where the system does not tell."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
    return min([free, *_free_in_container()])


def described(needs: Needs, free: int | None) -> str:
    """The expectation in a line, and where it is more than there is, the keys to change.

    Args:
        free: what is left now that the weights are loaded.
    """
    parts = ("weights", "learning", "rollout", "update")
    listed = ", ".join(f"{name} {getattr(needs, name) / GIB:.2f}" for name in parts)
    line = f"memory: about {needs.total / GIB:.2f} GiB expected ({listed})"
    if free is None:
        return line
    there = free + needs.weights
    line += f", {there / GIB:.2f} GiB there"
    if needs.total <= there:
        return line
    rollout = "rollout.decode_batch_size (completions at a time) or rollout.max_new_tokens"
    update = "algorithm.micro_batch_tokens, or write policy.gradient_checkpointing=true"
    keys = f"Make smaller: {rollout if needs.rollout > needs.update else update}"
    if needs.weights > there / 2:
        keys = "Write policy.quantize=nf4, or another policy.name"
    return f"{line}. It will not fit. {keys}."


@dataclass(frozen=True)
class _Shape:
    """Sizes of a decoder, in elements of one token."""

    layers: int
    hidden: int
    kv: int
    #: What the backward pass of a layer reads: inputs of norms and linear layers, queries, keys, values, and the MLP's.
    a_layer: int

    @classmethod
    def of(cls, config: Any) -> _Shape:
        hidden, heads = config.hidden_size, config.num_attention_heads
        size = getattr(config, "head_dim", None) or hidden // heads
        kv = (getattr(config, "num_key_value_heads", None) or heads) * size
        inner = getattr(config, "intermediate_size", None) or getattr(config, "n_inner", None) or 4 * hidden
        return cls(config.num_hidden_layers, hidden, kv, 4 * hidden + 2 * heads * size + 2 * kv + 4 * inner)


def _activation_bytes(policy: Policy, recipe: schema.Recipe) -> int:
    """Bytes of an activation: what the layers compute in."""
    if "16" in str(recipe.trainer.get("precision", "32")):
        return 2
    return next(policy.backbone.parameters()).element_size()


def _free_in_container() -> list[int]:
    """What the limit of a control group leaves, if there is one."""
    folder = Path("/sys/fs/cgroup")
    try:
        return [int((folder / "memory.max").read_text()) - int((folder / "memory.current").read_text())]
    except (OSError, ValueError):  # no such file, or "max"
        return []
