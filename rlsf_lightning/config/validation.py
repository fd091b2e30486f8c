"""What a recipe's values must be beyond their types, as far as the values themselves can tell.

Files, models and data are for those who read them to check. No value is changed. No torch, so that a
mistake shows at once.
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import OmegaConf

from rlsf_lightning.config.estimator_specs import ADVANTAGES
from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.config.schema_fields import as_yaml
from rlsf_lightning.config.search_path import callback_paths
from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import did_you_mean

#: The arguments of lightning.Trainer, written out because importing Lightning takes seconds; a test compares them.
TRAINER_ARGUMENTS = frozenset(
    """accelerator strategy devices num_nodes precision logger callbacks fast_dev_run max_epochs min_epochs max_steps
    min_steps max_time limit_train_batches limit_val_batches limit_test_batches limit_predict_batches overfit_batches
    val_check_interval check_val_every_n_epoch num_sanity_val_steps log_every_n_steps enable_checkpointing
    enable_progress_bar enable_model_summary accumulate_grad_batches gradient_clip_val gradient_clip_algorithm
    deterministic benchmark inference_mode use_distributed_sampler profiler detect_anomaly barebones plugins
    sync_batchnorm reload_dataloaders_every_n_epochs default_root_dir enable_autolog_hparams model_registry""".split()
)

_RUN_LENGTH = "a run's length is `trainer.max_epochs` x `trainer.limit_train_batches`"
_CLIPPING = "Lightning cannot clip when PPO steps the optimiser: set `algorithm.max_grad_norm` (`sft.max_grad_norm`)"
_VALIDATION = "validation runs between epochs: set `evaluation.every_epochs`"
#: Arguments that Lightning would refuse, or worse, quietly misread in this framework -> the key to set instead.
_TRAINER_TRAPS: Mapping[str, str] = {
    "gradient_clip_val": _CLIPPING,
    "gradient_clip_algorithm": _CLIPPING,
    "accumulate_grad_batches": "set `rollout.batch_size` (prompts a step) and `algorithm.micro_batch_tokens`",
    "max_steps": f"it would count optimiser steps; {_RUN_LENGTH}",
    "min_steps": f"it would count optimiser steps; {_RUN_LENGTH}",
    "val_check_interval": _VALIDATION,
    "check_val_every_n_epoch": _VALIDATION,
    "use_distributed_sampler": "prompts are sharded by rank already: remove the line",
    "reload_dataloaders_every_n_epochs": "prompts never end and resume where they stopped: remove the line",
    "logger": "set `logger`: {the logger's class: {its arguments}}",
    "callbacks": "set `callbacks`: {name: {arguments}}",
    "default_root_dir": "set `run_dir`",
    "enable_model_summary": "it is off: remove the line",
}

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "policy.quantize": ("auto", "nf4", "none"),
    "algorithm.credit": ("viable_prefix", "located", "paper", "scalar", "boolean", "random"),
    "algorithm.advantage": tuple(ADVANTAGES),
    "algorithm.kl.form": ("k1", "k2", "k3"),
    "algorithm.loss": ("clipped", "dual_clip"),
    "algorithm.loss_mean": ("token", "sequence", "constant"),
    "algorithm.critic": ("head", "adapter"),
    "rollout.keep": ("all", "mixed"),
    "algorithm.truncated": ("penalize", "mask"),
    "algorithm.old_scores": ("auto", "sampler", "recompute"),
    "algorithm.optimizer": ("adamw", "adamw_8bit"),
    "algorithm.normalise": ("scale", "centre", "none"),
}

#: Where null is a choice too.
_OPTIONAL_CHOICES = frozenset(["algorithm.loss_mean"])

_COMPARE = {">": operator.gt, ">=": operator.ge, "<=": operator.le}
_RANGES: tuple[tuple[str, str, float], ...] = (
    ("seed", ">=", 0),
    ("seed", "<=", 2**32 - 1),
    ("data.workers", ">=", 0),
    ("policy.lora.r", ">=", 0),
    ("policy.lora.alpha", ">=", 1),
    ("verifier.workers", ">=", 0),
    ("verifier.timeout", ">", 0),
    ("rollout.batch_size", ">=", 1),
    ("rollout.samples_per_prompt", ">=", 1),
    ("rollout.max_new_tokens", ">=", 1),
    ("rollout.decode_batch_size", ">=", 1),
    ("rollout.temperature", ">", 0),
    ("algorithm.gamma", ">=", 0),
    ("algorithm.gamma", "<=", 1),
    ("algorithm.lam", ">=", 0),
    ("algorithm.lam", "<=", 1),
    ("algorithm.value_lam", ">=", 0),
    ("algorithm.value_lam", "<=", 1),
    ("algorithm.vine.steps", ">=", 1),
    ("algorithm.vine.rollouts", ">=", 1),
    ("algorithm.kl.beta", ">=", 0),
    ("algorithm.kl.watch_every", ">=", 0),
    ("algorithm.clip", ">", 0),
    ("algorithm.clip_high", ">", 0),
    ("algorithm.dual_clip", ">", 1),
    ("algorithm.importance_cap", ">=", 1),
    ("algorithm.value_clip", ">", 0),
    ("algorithm.value_coef", ">=", 0),
    ("algorithm.value_warmup_steps", ">=", 0),
    ("algorithm.epochs", ">=", 1),
    ("algorithm.minibatches", ">=", 1),
    ("algorithm.micro_batch_tokens", ">=", 1),
    ("algorithm.lr", ">=", 0),
    ("algorithm.modules_to_save_lr", ">=", 0),
    ("algorithm.value_lr", ">=", 0),
    ("algorithm.warmup_steps", ">=", 0),
    ("algorithm.final_lr_share", ">=", 0),
    ("algorithm.final_lr_share", "<=", 1),
    ("algorithm.max_grad_norm", ">", 0),
    ("algorithm.weight_decay", ">=", 0),
    ("algorithm.stop_kl", ">", 0),
    ("evaluation.limit", ">=", 1),
    ("evaluation.samples", ">=", 0),
    ("evaluation.batch_size", ">=", 1),
    ("evaluation.every_epochs", ">=", 0),
    ("evaluation.validation_limit", ">=", 1),
    ("sft.vocabulary", ">=", 1),
    ("sft.synonyms", ">=", 0),
    ("sft.synonyms", "<=", 1),
    ("sft.batch_size", ">=", 1),
    ("sft.lr", ">=", 0),
    ("sft.warmup_steps", ">=", 0),
    ("sft.weight_decay", ">=", 0),
    ("sft.max_grad_norm", ">", 0),
    ("sft.epochs", ">=", 1),
    ("sft.minutes", ">", 0),
)

#: Shipped callbacks that only watch or steer: with these alone there is nothing to learn from.
_WRITE_NO_REWARD = frozenset(["heldout", "kl_control", "machine", "progress", "samples"])


def check(recipe: Recipe) -> None:
    """Raise one ``UserError`` that lists everything wrong with the recipe's values."""
    mistakes = [*_choices(recipe), *_ranges(recipe), *_relations(recipe), *_plugins(recipe)]
    if mistakes:
        raise UserError("\n".join(mistakes))


def check_rewards(recipe: Recipe) -> None:
    """Raise ``UserError`` if no callback can write a reward: there must be the verifier, or one of the user's own."""
    active = {name for name, arguments in recipe.callbacks.items() if arguments is not None}
    if active <= _WRITE_NO_REWARD:
        raise UserError(
            "nothing would reward the model: the recipe has no verifier callback; "
            "add `callbacks: {verifier: {}}` to it, or callbacks.verifier={} to the command line"
        )


def trainer_mistake(argument: str, value: Any) -> str | None:
    """What is wrong with ``trainer.ARGUMENT: value``, and the key to set instead; None where nothing is."""
    if argument not in TRAINER_ARGUMENTS:
        hint = did_you_mean(argument, sorted(TRAINER_ARGUMENTS - _TRAINER_TRAPS.keys()))
        return f"no key `trainer.{argument}`: lightning.Trainer has no argument `{argument}`{hint}"
    if argument == "enable_checkpointing" and value is False:
        return "trainer.enable_checkpointing: false would leave nothing to resume or export: remove the line"
    if argument == "precision" and value in ("bf16-true", "16-true"):
        return (
            f"trainer.precision: {value} would round the adapter's small steps away: write {value.removesuffix('true')}"
            "mixed; on CUDA the frozen base is in 4 bit or bf16 whatever stands here"
        )
    if argument in _TRAINER_TRAPS:
        return f"do not set trainer.{argument}: {_TRAINER_TRAPS[argument]}"
    return None


def _value(recipe: Recipe, name: str) -> Any:
    return OmegaConf.select(recipe, name)  # type: ignore[arg-type]


def _choices(recipe: Recipe) -> Iterator[str]:
    for name, choices in _CHOICES.items():
        value = _value(recipe, name)
        if value not in choices and not (value is None and name in _OPTIONAL_CHOICES):
            yield f"{name}={value}: expects one of {', '.join(choices)}{did_you_mean(value, choices)}"


def _ranges(recipe: Recipe) -> Iterator[str]:
    for name, relation, bound in _RANGES:
        value = _value(recipe, name)
        if value is not None and not (_COMPARE[relation](value, bound) and math.isfinite(value)):
            yield f"{name}={value}: must be {relation} {bound}"


def _relations(recipe: Recipe) -> Iterator[str]:
    rollout, algorithm, trainer = recipe.rollout, recipe.algorithm, recipe.trainer
    advantage = ADVANTAGES.get(algorithm.advantage)
    if rollout.samples_per_prompt == 1 and (rollout.keep == "mixed" or (advantage and advantage.needs_group)):
        what = "rollout.keep=mixed" if rollout.keep == "mixed" else f"algorithm.advantage={algorithm.advantage}"
        yield (
            f"{what} compares a prompt's samples: rollout.samples_per_prompt=1 must be >= 2 "
            "(or rollout.keep=all with algorithm.advantage=gae)"
        )
    if algorithm.old_scores == "sampler" and rollout.engine != "native":
        yield f"algorithm.old_scores=sampler: rollout.engine={rollout.engine} computes no values; write auto"
    if algorithm.critic == "adapter":
        if advantage and not advantage.needs_values:
            with_critic = ", ".join(name for name, other in ADVANTAGES.items() if other.needs_values)
            yield (
                f"algorithm.critic=adapter: algorithm.advantage={algorithm.advantage} has no critic; "
                f"remove the line or choose one of {with_critic}"
            )
        if algorithm.old_scores == "sampler":
            yield "algorithm.old_scores=sampler: the sampler knows no values of algorithm.critic=adapter; write auto"
        if recipe.policy.lora.r == 0:
            yield "algorithm.critic=adapter is a second adapter, and policy.lora.r=0 has not a first one: write r >= 1"
        if recipe.policy.gradient_checkpointing:
            yield "algorithm.critic=adapter does not go with policy.gradient_checkpointing=true: switch one of them off"
    if advantage and advantage.folds_kl and algorithm.kl.form in ("k2", "k3") and algorithm.kl.beta != 0:
        yield (
            f"algorithm.kl.form={algorithm.kl.form}: algorithm.advantage={algorithm.advantage} has the KL in its values, "
            "and a loss term would count it twice; write algorithm.kl.form=k1"
        )
    sequences = rollout.batch_size * rollout.samples_per_prompt
    if algorithm.minibatches > sequences:
        yield (
            f"algorithm.minibatches={algorithm.minibatches}: a step has only {sequences} completions "
            "(rollout.batch_size x rollout.samples_per_prompt)"
        )
    if "{prompt}" not in recipe.data.template:
        yield f'data.template={as_yaml(recipe.data.template)}: must hold {{prompt}}, such as "{{prompt}}\\nSMILES:"'
    batches = trainer.get("limit_train_batches")
    if batches is not None and (type(batches) is not int or batches < 1):
        yield f"trainer.limit_train_batches={batches}: must be a whole number of steps >= 1, as prompts never end"


def _plugins(recipe: Recipe) -> Iterator[str]:
    entries = {"callbacks": recipe.callbacks, "logger": recipe.logger}
    for room, name, arguments in ((room, *entry) for room, settings in entries.items() for entry in settings.items()):
        if not (arguments is None or OmegaConf.is_dict(arguments)):
            yield f"{room}.{name}={as_yaml(arguments)}: expects its arguments, {{}} for none; null switches it off"
    for name in recipe.callbacks:
        is_file_name = ":" not in name and "." not in name
        if is_file_name and not any(os.path.isfile(folder / f"{name}.py") for folder in callback_paths()):
            known = sorted({file.stem for folder in callback_paths() for file in folder.glob("[!_]*.py")})
            places = ", ".join(map(str, callback_paths()))
            yield (
                f"callbacks.{name}: no file {name}.py in {places}{did_you_mean(name, known)} "
                '(a class elsewhere is "package.module:Class")'
            )
