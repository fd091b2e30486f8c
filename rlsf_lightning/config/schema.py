"""Every key of a recipe: its type, default, choices, bounds and meaning. Torch-free.

``--help`` is printed from these classes (the comment block ``#:`` above a field is its description), and a recipe's values
are checked by them: ``Literal`` lists choices, ``number`` bounds, ``named`` says which extension point a name belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from omegaconf import MISSING

from rlsf_lightning.config.estimator_specs import ADVANTAGE
from rlsf_lightning.config.extension_points import (
    CALLBACK,
    CREDIT,
    ENGINE,
    EXTRACTOR,
    LOGGER,
    METRICS,
    PROMPT_SOURCE,
    SPLITTER,
    VERIFIER,
)
from rlsf_lightning.config.plugins import Kind


def number(
    default: Any, *, above: float | None = None, at_least: float | None = None, at_most: float | None = None
) -> Any:
    """A field that holds a finite number within bounds."""
    bounds = {">": above, ">=": at_least, "<=": at_most}
    return field(default=default, metadata={"bounds": {sign: n for sign, n in bounds.items() if n is not None}})


def named(kind: Kind, default: Any) -> Any:
    """A field that names something of an extension point."""
    return field(default=default, metadata={"kind": kind})


@dataclass
class Columns:
    #: The column of a user's file that holds the prompt.
    prompt: str = "prompt"
    #: The column that holds the known answer; null: there is none.
    reference: str | None = "reference"
    #: The column that holds what `sft` learns to write, where that is not the reference; null: the reference.
    target: str | None = None
    #: Columns that the verifier needs besides, such as [numbers] for game24; each goes to it as the fact of that
    #: name, in JSON lines and parquet with its type, in csv and tsv as text. Or a mapping from facts to columns, with a
    #: conversion (type: int, float, text or json) or a constant: {numbers: {column: Puzzles, split: " ", type: int},
    #: target: {value: 24}}.
    facts: Any = None


@dataclass
class Examples:
    #: How many. They are rows of the train split, or of a file of their own.
    count: int = number(0, at_least=0)
    #: That file, with the columns of `data.path`; null: the train split.
    path: str | None = None


@dataclass
class Paths:
    #: The file of the train split.
    train: str | None = None
    #: The file of the validation split.
    validation: str | None = None
    #: The file of the test split.
    test: str | None = None


@dataclass
class Data:
    #: Where prompts come from when no path is given: a file of prompts/sources, package.module:function, or mine.py beside
    #: the recipe.
    source: str = named(PROMPT_SOURCE, MISSING)
    #: A user's own prompts: a tsv, csv, jsonl, parquet or SMILES file (.smi), or hf://owner/name (streamed). They replace the
    #: source.
    path: str | None = None
    #: The same with one file a split, in place of `path`.
    paths: Paths = field(default_factory=Paths)
    #: The column that names a row's split (train, validation or dev, test); null: a hash of its group decides.
    split_column: str | None = None
    #: The column that holds a row's group, which is never in two splits; null: the answer. Either as the verifier compares
    #: answers: all spellings of a molecule are one.
    split_by: str | None = None
    #: Shares of the splits where a hash decides, such as {train: 0.9, test: 0.1}; empty: 0.8, 0.1 and 0.1.
    fractions: dict[str, Any] = field(default_factory=dict)
    #: Where given splits share a group: "refuse", or "drop" its rows from the earlier split.
    overlap: Literal["refuse", "drop"] = "refuse"
    #: Prompts that leave no room for rollout.max_new_tokens in the context: left out and counted, or refused at the start.
    too_long: Literal["skip", "refuse"] = "skip"
    #: Known answers of the train split that `fit` judges before a model is loaded; 0: none.
    gold_check: int = number(16, at_least=0)
    #: Which rows are read: a condition on columns, such as "level in (1, 2) and len(code) < 400", package.module:function, or
    #: mine.py:function beside the recipe, of a row's columns; null: all.
    keep: str | None = None
    #: Which columns of that file to read.
    columns: Columns = field(default_factory=Columns)
    #: The prompt template: what the model sees (in a chat: what the user says), with {prompt} for the prompt's text and
    #: {name} for any column of the file or fact of that name; literal braces are doubled.
    template: str = "{prompt}"
    #: Whether the tokenizer's chat template is applied: true, false, or auto: where it has one.
    chat: Literal["auto", "true", "false"] = "auto"
    #: The system message of a chat.
    system: str | None = None
    #: Few-shot examples before every prompt, with their answers. `data.examples: 3` means the same as
    #: `data.examples: {count: 3}`.
    examples: Examples = field(default_factory=Examples)
    #: Text that every answer begins with, such as "SELECT": the model goes on from it, and the verifier sees both.
    answer_prefix: str | None = None
    #: DataLoader workers that read prompts.
    workers: int = number(0, at_least=0)


@dataclass
class Lora:
    #: LoRA rank; 0 fine-tunes the full model (then a frozen copy is the reference policy).
    r: int = number(16, at_least=0)
    #: LoRA scale: the adapter's output is multiplied by alpha / r.
    alpha: int = number(32, at_least=1)
    #: Which linear layers get an adapter: peft's target_modules.
    targets: Any = "all-linear"
    #: Modules that are trained in full beside the adapter, such as model.norm: peft's modules_to_save.
    modules_to_save: list[str] = field(default_factory=list)


@dataclass
class Policy:
    #: "embedded" (ships with the package), a Hugging Face hub name, or a local folder.
    name: str = "embedded"
    #: A GGUF file inside that folder or repository.
    gguf_file: str | None = None
    #: A saved LoRA adapter to start from: a folder (as peft's save_pretrained writes it), or a run's checkpoint (.ckpt).
    adapter: str | None = None
    #: Quantisation of the base weights: nf4 (4 bit, QLoRA), none, or auto (nf4 on CUDA, none on a CPU).
    quantize: Literal["auto", "nf4", "none"] = "auto"
    #: The LoRA adapter on the frozen base.
    lora: Lora = field(default_factory=Lora)
    #: Gradient checkpointing: recompute activations in the backward pass; less memory, a third more time.
    gradient_checkpointing: bool = False


@dataclass
class Verifier:
    #: One of symbolic/verifiers, package.module, or a Python file beside the recipe; ":Class" after the last two names
    #: another class than their VERIFIER. `verifier: NAME` means the same as `verifier: {name: NAME}`.
    name: str = named(VERIFIER, MISSING)
    #: Keyword arguments of that verifier; a recipe that names another verifier than its base starts from none.
    options: dict[str, Any] = field(default_factory=dict)
    #: Worker processes; 0 verifies inside the training process.
    workers: int = number(0, at_least=0)
    #: Seconds one completion may take before its worker is killed and the verdict is "abstain"; null: what the verifier
    #: asks for, else 10.
    timeout: float | None = number(None, above=0)


@dataclass
class Answer:
    #: Where the answer stands in a completion; of a list the first that finds one: whole, fence (the last code block), tag
    #: (the first <answer>...</answer>), after (what follows the last marker), last_line, regex, package.module:function, or
    #: mine.py:function beside the recipe. `answer: fence` means the same as `answer: {extract: fence}`.
    extract: Any = field(default="whole", metadata={"kind": EXTRACTOR})
    #: Of fence: the language that the block must name, or a list of them ("" for none); null: any block.
    language: Any = None
    #: Of tag: its name.
    tag: str = "answer"
    #: Of after: the text before the answer.
    marker: str = "Answer:"
    #: Of regex: a regular expression, of whose last match the group named answer, or the first group, is the answer.
    pattern: str | None = None
    #: Thinking, <think>...</think>: "optional" (a completion may open with it; the answer follows), "opened" (the prompt's
    #: template has opened it) or "auto": optional, but `whole` takes completions as they stand.
    thinking: Literal["auto", "optional", "opened"] = "auto"


@dataclass
class Rollout:
    #: Prompts per training step, on each rank.
    batch_size: int = number(16, at_least=1)
    #: Group size: completions sampled per prompt.
    samples_per_prompt: int = number(4, at_least=1)
    #: Longest completion, in tokens; a truncated completion never counts as right.
    max_new_tokens: int = number(128, at_least=1)
    #: What ends a completion beside the end token: texts and token ids, such as ["</answer>", "\n\n"]. They are part of it.
    stop: list[Any] = field(default_factory=list)
    #: The sampling engine: "native", "hf" (transformers' generate, slower), package.module:function, or mine.py:function
    #: beside the recipe.
    engine: str = named(ENGINE, "native")
    #: Decode batch size of continuous batching: finished completions are evicted and queued ones admitted. Null: all at
    #: once. Results do not depend on it.
    decode_batch_size: int | None = number(None, at_least=1)
    #: Sampling temperature, also applied to every log-probability that is scored.
    temperature: float = number(1.0, above=0)
    #: Which prompts are learnt from: "all", or "mixed" (dynamic sampling): those of whose samples some pass and some fail.
    keep: Literal["all", "mixed"] = "all"


@dataclass
class Kl:
    #: Estimator of the KL penalty to the reference: "k1" inside the reward, "k2" or "k3" as a loss term.
    #: `algorithm.kl=k3` means the same as `algorithm.kl.form=k3`.
    form: Literal["k1", "k2", "k3"] = "k1"
    #: KL coefficient; null: what the advantage estimator needs (etpo: 0.05, the others: 0).
    beta: float | None = number(None, at_least=0)
    #: With beta=0: measure the KL for logging every so many steps, on one sample per prompt (0 disables).
    watch_every: int = number(10, at_least=0)


@dataclass
class Vine:
    #: How completions are cut into reasoning steps: lines, arithmetic, branches (of a SMILES), package.module:function, or
    #: mine.py:function beside the recipe.
    splitter: str = named(SPLITTER, "lines")
    #: Most reasoning steps of a completion; more are joined.
    steps: int = number(8, at_least=1)
    #: Monte Carlo rollouts from the state before each step.
    rollouts: int = number(4, at_least=1)


@dataclass
class Algorithm:
    #: Certificate -> token rewards: viable_prefix, located, paper, scalar, boolean, random (symbolic/credit.py),
    #: package.module:function, or mine.py:function beside the recipe.
    credit: str = named(CREDIT, "viable_prefix")
    #: Token rewards -> advantages, by name (the list of estimators is printed below, and by recipe=list),
    #: package.module:function, or mine.py:function beside the recipe.
    advantage: str = named(ADVANTAGE, "prefix_tree")
    #: Tokens outside the answer (thinking, prose; see `answer`): "outcome" (they learn from what the answer came to), or
    #: "none" (left out by the loss mask).
    credit_thinking: Literal["none", "outcome"] = "outcome"
    #: Truncated completions (cut at max_new_tokens): "penalize" (a failure) or "mask" (left out by the loss mask).
    truncated: Literal["penalize", "mask"] = "penalize"
    #: Discount.
    gamma: float = number(1.0, at_least=0, at_most=1)
    #: GAE's lambda.
    lam: float = number(0.95, at_least=0, at_most=1)
    #: GAE's lambda for the critic's targets; null: the same.
    value_lam: float | None = number(None, at_least=0, at_most=1)
    #: VinePPO: steps and rollouts of advantage=vine.
    vine: Vine = field(default_factory=Vine)
    #: Advantage normalisation over the batch: "scale" (divide by the root mean square), "centre" (whitening: mean 0,
    #: variance 1) or "none".
    normalise: Literal["scale", "centre", "none"] = "scale"
    #: KL penalty to the reference policy.
    kl: Kl = field(default_factory=Kl)
    #: Policy loss: "clipped" (PPO's surrogate), or "dual_clip" (also bounded for negative advantages with a large ratio).
    loss: Literal["clipped", "dual_clip"] = "clipped"
    #: Loss aggregation: the mean over "token", "sequence" (every completion counts the same) or "constant" (a token's
    #: weight depends on no length); null: what the estimator's paper has (grpo: sequence, dr_grpo: constant, others: token).
    loss_mean: Literal["token", "sequence", "constant"] | None = None
    #: PPO clip range of the probability ratio.
    clip: float = number(0.2, above=0)
    #: Upper clip range (DAPO's clip-higher); null: the same.
    clip_high: float | None = number(None, above=0)
    #: Bound of loss=dual_clip for negative advantages, in units of the advantage; above 1.
    dual_clip: float = number(3.0, above=1)
    #: Truncated importance sampling: cap of each token's weight p(scored policy) / p(sampler), for a sampler with other
    #: numerics; null: no weights.
    importance_cap: float | None = number(None, at_least=1)
    #: Clip range of the value loss.
    value_clip: float = number(0.2, above=0)
    #: Weight of the value loss.
    value_coef: float = number(0.5, at_least=0)
    #: The critic's backbone: "head" (a value head on the policy's) or "adapter" (with a second LoRA adapter of its own).
    critic: Literal["head", "adapter"] = "head"
    #: Backpropagate the value loss into the backbone (else its input is detached).
    value_reaches_backbone: bool = False
    #: Warm-up steps in which only the value head learns (a cold critic makes located rewards worse than scalar ones).
    value_warmup_steps: int = number(0, at_least=0)
    #: Weight of the entropy bonus.
    entropy_coef: float = 0.0
    #: PPO's old log-probabilities and values: "sampler" (computed while sampling), "recompute" (a forward pass like the
    #: update's), or "auto": the sampler's where it computes in fp32 as the update does.
    old_scores: Literal["auto", "sampler", "recompute"] = "auto"
    #: PPO epochs: passes over the rollouts of a training step.
    epochs: int = number(1, at_least=1)
    #: Minibatches, and so optimiser steps, per epoch.
    minibatches: int = number(1, at_least=1)
    #: Micro-batch of gradient accumulation: most tokens in one forward pass; null: 1024 on a CPU (more is slower there),
    #: 8192 elsewhere. Results do not depend on it.
    micro_batch_tokens: int | None = number(None, at_least=1)
    #: Peak learning rate of the adapter (of the backbone in full fine-tuning).
    lr: float = number(1e-4, at_least=0)
    #: Peak learning rate of policy.lora.modules_to_save; null: the adapter's.
    modules_to_save_lr: float | None = number(None, at_least=0)
    #: Learning rate of the value head.
    value_lr: float = number(1e-3, at_least=0)
    #: Optimiser steps of linear learning-rate warm-up.
    warmup_steps: int = number(5, at_least=0)
    #: Linear decay: the learning rate at the end of the run, as a share of the peak.
    final_lr_share: float = number(1.0, at_least=0, at_most=1)
    #: Gradient clipping by norm (Lightning's gradient_clip_val does not work with manual optimisation).
    max_grad_norm: float = number(1.0, above=0)
    #: "adamw", or "adamw_8bit" (bitsandbytes): the state in 8 bit, slower on a CPU and not worth it for an adapter.
    optimizer: Literal["adamw", "adamw_8bit"] = "adamw"
    #: AdamW's weight decay.
    weight_decay: float = number(0.0, at_least=0)
    #: Early stopping of the PPO epochs when the approximate KL to the sampling policy exceeds this; null never.
    stop_kl: float | None = number(None, above=0)


@dataclass
class Evaluation:
    #: The held-out split of the table before and after training; null skips both.
    split: str | None = "test"
    #: Most prompts of it.
    limit: int = number(1000, at_least=1)
    #: Samples per prompt (temperature 1) for pass@k; 0 evaluates greedily only.
    samples: int = number(8, at_least=0)
    #: The suite of metrics: generic, molecules, described_molecules, names, products, reactants, package.module:SUITE,
    #: mine.py:SUITE beside the recipe, or null for what suits the verifier.
    metrics: str | None = named(METRICS, None)
    #: Decode batch size.
    batch_size: int = number(256, at_least=1)
    #: Evaluate on validation prompts every so many epochs during training; 0 never.
    every_epochs: int = number(0, at_least=0)
    #: Prompts of those evaluations.
    validation_limit: int = number(200, at_least=1)


@dataclass
class Sft:
    #: Splits to learn from.
    splits: list[str] = field(default_factory=lambda: ["warm"])
    #: Most prompts of each split; null: all, and 50,000 of a source that makes them without end.
    limit: int | None = number(None, at_least=1)
    #: Random weights of this Hugging Face configuration (then policy.name is not read); null fine-tunes policy.name.
    architecture: dict[str, Any] | None = None
    #: Entries of the BPE tokenizer that is trained with a new architecture: the 256 bytes, the end, and what is merged.
    vocabulary: int = number(1024, at_least=257)
    #: Share of the items of which a further phrasing (another name of the molecule, say) is shown in each epoch, beside the
    #: first.
    synonyms: float = number(0.3, at_least=0, at_most=1)
    #: Sequences per step.
    batch_size: int = number(64, at_least=1)
    #: Peak learning rate; linear warm-up, then a cosine to 2 %.
    lr: float = number(1e-3, at_least=0)
    #: Optimiser steps of warm-up.
    warmup_steps: int = number(200, at_least=0)
    #: AdamW's weight decay.
    weight_decay: float = number(0.05, at_least=0)
    #: Gradient clipping by norm.
    max_grad_norm: float = number(1.0, above=0)
    #: Epochs over the items.
    epochs: int = number(10, at_least=1)
    #: Minutes after which training ends instead; the learning rate's schedule then runs against the clock.
    minutes: float | None = number(None, above=0)
    #: torch.compile the model.
    compile: bool = False


@dataclass
class Checkpoint:
    #: Training steps between two checkpoints; one is written at the end of each epoch too, and when a signal ends the run.
    every_n_steps: int = number(10, at_least=1)
    #: How many are kept: the newest, and some before it in case that one is damaged.
    keep: int = number(3, at_least=1)


@dataclass
class Recipe:
    #: The recipe this one starts from.
    base: str | None = None
    #: Which recipe: a name of recipes/, or the path of a .yaml file. Set on the command line.
    recipe: str = MISSING
    #: Where the run is written; null: runs/<recipe>/<time>.
    run_dir: str | None = None
    #: auto (go on from the last checkpoint of run_dir, or of the newest unfinished run of this recipe that has one), never,
    #: or a checkpoint's path.
    resume: str = "never"
    #: Seed of everything random.
    seed: int = number(0, at_least=0, at_most=2**32 - 1)
    data: Data = field(default_factory=Data)
    policy: Policy = field(default_factory=Policy)
    verifier: Verifier = field(default_factory=Verifier)
    answer: Answer = field(default_factory=Answer)
    rollout: Rollout = field(default_factory=Rollout)
    algorithm: Algorithm = field(default_factory=Algorithm)
    evaluation: Evaluation = field(default_factory=Evaluation)
    sft: Sft = field(default_factory=Sft)
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    #: Straight to lightning.Trainer. A run's length is max_epochs x limit_train_batches.
    trainer: dict[str, Any] = field(default_factory=dict)
    #: Each entry: a logger of Lightning (or "package.module:Class") and its arguments; null switches it off.
    #: metrics.csv is always written. On a command line: logger[package.module:Class].argument=value.
    logger: dict[str, Any] = field(default_factory=dict, metadata={"kind": LOGGER})
    #: Each entry: a file of callbacks/ (or "package.module:Class") and its arguments; null switches it off.
    #: They are called in this order. On a command line: callbacks[package.module:Class].argument=value.
    callbacks: dict[str, Any] = field(default_factory=dict, metadata={"kind": CALLBACK})
