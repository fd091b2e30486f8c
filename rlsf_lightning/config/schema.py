"""Every key of a recipe, with its type, default and meaning. Torch-free.

``--help`` is printed from these classes: the comment block ``#:`` above a field is its description.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING


@dataclass
class Columns:
    #: The column of a user's file that holds the prompt.
    prompt: str = "prompt"
    #: The column that holds the known answer; null: there is none.
    reference: str | None = "reference"
    #: Columns that the verifier needs besides, such as [numbers] for game24; each goes to it as the fact of that
    #: name, in JSON lines and parquet with its type, in csv and tsv as text.
    facts: list[str] = field(default_factory=list)


@dataclass
class Data:
    #: Where prompts come from when no path is given: a file of rlsf_lightning/prompts, or "package.module".
    source: str = MISSING
    #: A user's own prompts: a tsv, csv, jsonl or parquet file, or hf://owner/name (streamed). They replace the source.
    path: str | None = None
    #: Which columns of that file to read.
    columns: Columns = field(default_factory=Columns)
    #: What the model sees; {prompt} is replaced by the prompt's text.
    template: str = "{prompt}"
    #: Processes that read prompts beside the training loop.
    workers: int = 0


@dataclass
class Lora:
    #: Rank of the adapter; 0 trains no adapter but the whole backbone (then a frozen copy is the reference).
    r: int = 16
    #: Scale: the adapter's output is multiplied by alpha / r.
    alpha: int = 32
    #: Which linear layers get an adapter: peft's target_modules.
    targets: Any = "all-linear"
    #: Modules that learn as a whole beside the adapter, by the end of their names, such as model.norm: peft's
    #: modules_to_save.
    modules_to_save: list[str] = field(default_factory=list)


@dataclass
class Policy:
    #: "embedded" (ships with the package), a Hugging Face hub name, or a local folder.
    name: str = "embedded"
    #: A GGUF file inside that folder or repository.
    gguf_file: str | None = None
    #: A folder with a saved LoRA adapter to start from (as peft's save_pretrained writes it).
    adapter: str | None = None
    #: Base weights: nf4 (4 bit), none, or auto (nf4 on CUDA, none on a CPU).
    quantize: str = "auto"
    #: The adapter on the frozen base.
    lora: Lora = field(default_factory=Lora)
    #: Recompute activations in the backward pass: less memory, a third more time.
    gradient_checkpointing: bool = False


@dataclass
class Verifier:
    #: One of rlsf_lightning/symbolic, package.module, or a Python file beside the recipe; ":Class" after the last two names
    #: another class than their VERIFIER. `verifier: NAME` means the same as `verifier: {name: NAME}`.
    name: str = MISSING
    #: Keyword arguments of that verifier; a recipe that names another verifier than its base starts from none.
    options: dict[str, Any] = field(default_factory=dict)
    #: Worker processes; 0 verifies inside the training process.
    workers: int = 0
    #: Seconds one completion may take before its worker is killed and the verdict is "abstain"; null: what the verifier
    #: asks for, else 10.
    timeout: float | None = None


@dataclass
class Rollout:
    #: Prompts a training step, on each rank.
    batch_size: int = 16
    #: Completions sampled for each prompt.
    samples_per_prompt: int = 4
    #: Longest completion, in tokens; a completion cut here never counts as right.
    max_new_tokens: int = 128
    #: Who samples: "native" (the own sampler), "hf" (transformers' generate, slower), or package.module:function.
    engine: str = "native"
    #: Most completions decoded at a time; where one ends, the next begins. Null: all. Results do not depend on it.
    decode_batch_size: int | None = None
    #: Sampling temperature, also applied to every log-probability that is scored.
    temperature: float = 1.0
    #: Which prompts are learnt from: "all", or "mixed": those of whose samples some pass and some fail.
    keep: str = "all"


@dataclass
class Kl:
    #: How moving away from the reference is penalised: "k1" inside the reward, "k2" or "k3" as a loss term.
    #: `algorithm.kl=k3` means the same as `algorithm.kl.form=k3`.
    form: str = "k1"
    #: Coefficient of that penalty; null: what the estimator needs (etpo: 0.05, the others: 0).
    beta: float | None = None
    #: Where it is 0, the reference is asked (on one sample of every prompt) every so many steps, for the metric kl, which
    #: keeps its value in between; 0: never.
    watch_every: int = 10


@dataclass
class Vine:
    #: Where completions are cut into steps: lines, arithmetic, branches (of a SMILES), or package.module:function.
    splitter: str = "lines"
    #: Most steps of a completion; more are joined.
    steps: int = 8
    #: Continuations that are sampled from the state before each step.
    rollouts: int = 4


@dataclass
class Algorithm:
    #: Certificate -> token rewards: viable_prefix, located, paper, scalar, boolean or random (symbolic/credit.py).
    credit: str = "viable_prefix"
    #: Token rewards -> advantages, by name; the list of estimators is printed below, and by recipe=list.
    advantage: str = "prefix_tree"
    #: What a completion that was cut at max_new_tokens is: "penalize" (a failure) or "mask" (left out of the loss).
    truncated: str = "penalize"
    #: Discount.
    gamma: float = 1.0
    #: GAE's lambda.
    lam: float = 0.95
    #: Lambda of what the critic learns to predict; null: the same.
    value_lam: float | None = None
    #: Steps and rollouts of advantage=vine.
    vine: Vine = field(default_factory=Vine)
    #: Advantages over the batch: "scale" (divide by their root mean square), "centre" (mean 0, variance 1) or "none".
    normalise: str = "scale"
    #: Reference penalty.
    kl: Kl = field(default_factory=Kl)
    #: The policy's loss: "clipped" (PPO), or "dual_clip" (PPO that also bounds what a bad token with a large ratio costs).
    loss: str = "clipped"
    #: What the loss is a mean over: "token", "sequence" (every completion counts the same), "constant" (a token's weight
    #: depends on no length), or null: what the estimator's paper has (grpo: sequence, dr_grpo: constant, others: token).
    loss_mean: str | None = None
    #: PPO clip range of the probability ratio.
    clip: float = 0.2
    #: Its upper side, where that is another one (DAPO's clip-higher); null: the same.
    clip_high: float | None = None
    #: What loss=dual_clip bounds a bad token's loss at, in units of its advantage; above 1.
    dual_clip: float = 3.0
    #: Weigh each token by how much likelier it is under the scored policy than it was for the sampler, at most by this
    #: (truncated importance sampling, for a sampler with other numerics); null: not at all.
    importance_cap: float | None = None
    #: Clip range of the value.
    value_clip: float = 0.2
    #: Weight of the value loss.
    value_coef: float = 0.5
    #: What the value head reads: "head" (the policy's own backbone) or "adapter" (a second adapter of its own).
    critic: str = "head"
    #: Let the value loss's gradient reach the backbone.
    value_reaches_backbone: bool = False
    #: Steps in which only the value head learns (a cold critic makes located rewards worse than scalar ones).
    value_warmup_steps: int = 0
    #: Weight of the entropy bonus.
    entropy_coef: float = 0.0
    #: Where PPO's old log-probabilities and values come from: "sampler" (they were computed when tokens were drawn),
    #: "recompute" (a pass like the update's), or "auto": the sampler where it computes in fp32 as the update does.
    old_scores: str = "auto"
    #: Passes over a step's experience.
    epochs: int = 1
    #: Optimiser steps a pass.
    minibatches: int = 1
    #: Most tokens in one forward pass; null: 1024 on a CPU (more is slower there), 8192 elsewhere. Results do not depend
    #: on it.
    micro_batch_tokens: int | None = None
    #: Peak learning rate of the adapter (and backbone).
    lr: float = 1e-4
    #: Peak learning rate of policy.lora.modules_to_save; null: the adapter's.
    modules_to_save_lr: float | None = None
    #: Learning rate of the value head.
    value_lr: float = 1e-3
    #: Optimiser steps of linear warm-up.
    warmup_steps: int = 5
    #: What the learning rate falls to at the end of the run, as a share of the peak (linear).
    final_lr_share: float = 1.0
    #: Largest gradient norm (Lightning's gradient_clip_val does not work with manual optimisation).
    max_grad_norm: float = 1.0
    #: "adamw", or "adamw_8bit": its state in 8 bit (bitsandbytes), which is slower on a CPU and not worth it for an adapter.
    optimizer: str = "adamw"
    #: AdamW's weight decay.
    weight_decay: float = 0.0
    #: Stop the inner passes when the approximate KL to the sampling policy exceeds this; null never.
    stop_kl: float | None = None


@dataclass
class Evaluation:
    #: The held-out split of the table before and after training; null skips both.
    split: str | None = "test"
    #: Prompts of it.
    limit: int = 1000
    #: Samples a prompt (temperature 1) for pass@k; 0 evaluates greedily only.
    samples: int = 8
    #: What is measured: generic, molecules, described_molecules, or null for what suits the verifier.
    metrics: str | None = None
    #: Sequences decoded at a time.
    batch_size: int = 256
    #: Evaluate on validation prompts every so many epochs during training; 0 never.
    every_epochs: int = 0
    #: Prompts of those evaluations.
    validation_limit: int = 200


@dataclass
class Sft:
    #: Splits to learn from.
    splits: list[str] = field(default_factory=lambda: ["warm"])
    #: Random weights of this Hugging Face configuration (then policy.name is not read); null fine-tunes policy.name.
    architecture: dict[str, Any] | None = None
    #: Entries of the BPE tokenizer that is trained with a new architecture.
    vocabulary: int = 1024
    #: Share of further names of a molecule that are shown beside its first one in each epoch.
    synonyms: float = 0.3
    #: Sequences a step.
    batch_size: int = 64
    #: Peak learning rate; linear warm-up, then a cosine to 2 %.
    lr: float = 1e-3
    #: Optimiser steps of warm-up.
    warmup_steps: int = 200
    #: AdamW's weight decay.
    weight_decay: float = 0.05
    #: Largest gradient norm.
    max_grad_norm: float = 1.0
    #: Passes over the items.
    epochs: int = 10
    #: Minutes after which training ends instead; the learning rate's schedule then runs against the clock.
    minutes: float | None = None
    #: torch.compile the model.
    compile: bool = False


@dataclass
class Recipe:
    #: The recipe this one starts from.
    base: str | None = None
    #: Which recipe: a name of recipes/, or the path of a .yaml file. Set on the command line.
    recipe: str = MISSING
    #: Where the run is written; null: runs/<recipe>/<time>.
    run_dir: str | None = None
    #: auto (go on from the run directory's last checkpoint if there is one), never, or a checkpoint's path.
    resume: str = "never"
    #: Seed of everything random.
    seed: int = 0
    data: Data = field(default_factory=Data)
    policy: Policy = field(default_factory=Policy)
    verifier: Verifier = field(default_factory=Verifier)
    rollout: Rollout = field(default_factory=Rollout)
    algorithm: Algorithm = field(default_factory=Algorithm)
    evaluation: Evaluation = field(default_factory=Evaluation)
    sft: Sft = field(default_factory=Sft)
    #: Straight to lightning.Trainer. A run's length is max_epochs x limit_train_batches.
    trainer: dict[str, Any] = field(default_factory=dict)
    #: Each entry: a class of lightning.pytorch.loggers (or "package.Class") and its arguments; null switches it off.
    #: metrics.csv is always written. On a command line: logger[package.Class].argument=value.
    logger: dict[str, Any] = field(default_factory=dict)
    #: Each entry: a file of callbacks/ (or "package.module:Class") and its arguments; null switches it off.
    #: They are called in this order. On a command line: callbacks[package.module:Class].argument=value.
    callbacks: dict[str, Any] = field(default_factory=dict)
