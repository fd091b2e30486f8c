"""Checks of a recipe's values beyond their types: bounds, names, and relations between keys.

Files, models and data are checked by the code that reads them. No value is changed. No torch, so that a mistake shows at
once.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from omegaconf import OmegaConf

from rlsf_lightning.config.answer_checks import answer_mistakes, listed, stop_mistakes
from rlsf_lightning.config.estimator_specs import ESTIMATORS, EstimatorSpec
from rlsf_lightning.config.plugins import Kind
from rlsf_lightning.config.plugins import check as check_reference
from rlsf_lightning.config.schema import Data, Recipe
from rlsf_lightning.config.schema_fields import as_yaml, keys_of
from rlsf_lightning.config.template import names_in
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

_SWITCHES = ("enable_progress_bar", "detect_anomaly", "benchmark", "sync_batchnorm", "inference_mode")
#: Arguments of which Lightning takes any value at first -> the kind that it must be, what passes, and a value to write.
_TRAINER_TYPES: Mapping[str, tuple[str, Callable[[Any], bool], str]] = {
    "max_epochs": (
        "a whole number of epochs >= 1, -1 for no end",
        lambda v: v is None or v == -1 or _is_whole(v, 1),
        "3",
    ),
    "min_epochs": ("a whole number of epochs", lambda v: v is None or _is_whole(v, 0), "1"),
    "log_every_n_steps": ("a whole number of steps >= 1", lambda v: v is None or _is_whole(v, 1), "1"),
    "num_nodes": ("a whole number of machines >= 1", lambda v: _is_whole(v, 1), "1"),
    "num_sanity_val_steps": ("a whole number", lambda v: v is None or _is_whole(v, -1), "0"),
    "deterministic": ("true, false or warn", lambda v: v in (None, True, False, "warn"), "true"),
} | {name: ("true or false", lambda v: v is None or isinstance(v, bool), "true") for name in _SWITCHES}

#: ``trainer.precision`` as Lightning spells it, and its short spellings.
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "64-true")
_SHORT_PRECISIONS = ("32", "16", "64", "bf16")
_OTHER_PRECISIONS = {"fp16": "16-mixed", "float16": "16-mixed", "half": "16-mixed", "mixed": "16-mixed"}
_OTHER_PRECISIONS |= {"fp32": "32-true", "float32": "32-true", "full": "32-true", "bfloat16": "bf16-mixed"}
#: Those in which every weight is 16 bits wide.
_ALL_IN_16_BIT = {"bf16-true": "bf16-mixed", "16-true": "16-mixed"}
_ALL_IN_16_BIT |= {"transformer-engine": "bf16-mixed", "transformer-engine-float16": "16-mixed"}

#: Strategies in which every rank has all the weights; ``ddp_spawn`` and its like as far as Lightning names them.
STRATEGIES = ("auto", "single_device", "ddp", "ddp_spawn", "ddp_fork", "ddp_notebook")
#: Strategies that share the weights out over the ranks, by the beginning of their names.
_SHARDED = ("fsdp", "deepspeed", "model_parallel")

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
    "barebones": "it logs nothing and keeps no checkpoint: remove the line",
}

_COMPARE = {">": operator.gt, ">=": operator.ge, "<=": operator.le}


def check(recipe: Recipe, spec: EstimatorSpec | None = None) -> None:
    """Raise one ``UserError`` that lists everything wrong with the recipe's values.

    Args:
        spec: of the estimator; None: known only if it ships, as one of the user's own would have to be imported for it.
    """
    spec = spec or ESTIMATORS.get(recipe.algorithm.advantage)
    mistakes = [*_names(recipe), *_ranges(recipe), *_relations(recipe, spec)]
    if mistakes:
        raise UserError("\n".join(mistakes))


def has_files(data: Data) -> bool:
    """Whether prompts come from files, and not from ``data.source``."""
    return bool(data.path or data.paths.train or data.paths.validation or data.paths.test)


def trainer_mistake(argument: str, value: Any) -> str | None:
    """What is wrong with ``trainer.ARGUMENT: value``, and the key to set instead; None where nothing is."""
    if argument not in TRAINER_ARGUMENTS:
        hint = did_you_mean(argument, sorted(TRAINER_ARGUMENTS - _TRAINER_TRAPS.keys()))
        return f"no key `trainer.{argument}`: lightning.Trainer has no argument `{argument}`{hint}"
    if argument == "enable_checkpointing" and value is False:
        return "trainer.enable_checkpointing: false would leave nothing to resume or export: remove the line"
    if argument in _TRAINER_TRAPS:
        return f"do not set trainer.{argument}: {_TRAINER_TRAPS[argument]}"
    if argument == "precision":
        return _precision_mistake(value)
    if argument == "strategy":
        return _strategy_mistake(value)
    expected, is_right, example = _TRAINER_TYPES.get(argument, ("", lambda _: True, ""))
    if not (is_right(value) or _is_reference(value)):
        return f"trainer.{argument}={as_yaml(value)}: expects {expected}, such as trainer.{argument}={example}"
    return None


def _is_whole(value: Any, least: int) -> bool:
    return type(value) is int and value >= least


def _is_reference(value: Any) -> bool:
    """Whether the value is written ``${...}`` and not known before the recipe is whole."""
    return isinstance(value, str) and "${" in value


def _precision_mistake(value: Any) -> str | None:
    if value is None or str(value) in (*PRECISIONS, *_SHORT_PRECISIONS) or _is_reference(value):
        return None
    if mixed := _ALL_IN_16_BIT.get(str(value)):
        return (
            f"trainer.precision: {value} would round the adapter's small steps away: write {mixed}; "
            "on CUDA the frozen base is in 4 or 16 bit whatever stands here"
        )
    known = _OTHER_PRECISIONS.get(str(value).lower())
    hint = f"; write {known}" if known else did_you_mean(str(value), PRECISIONS)
    return f"trainer.precision={as_yaml(value)}: expects one of {', '.join(PRECISIONS)}{hint}"


def _strategy_mistake(value: Any) -> str | None:
    said = f"trainer.strategy={as_yaml(value)}"
    name = str(value).lower()
    if name.startswith(_SHARDED):
        return (
            f"{said} shares the weights out over the ranks, and sampling needs all of them on each: write ddp, and "
            "policy.quantize=nf4 or policy.gradient_checkpointing=true where memory is short"
        )
    if name in STRATEGIES or (name.startswith("ddp_") and "find_unused_parameters" in name) or _is_reference(value):
        return None
    return f"{said}: expects one of {', '.join(STRATEGIES)}{did_you_mean(name, STRATEGIES)}"


def _value(recipe: Recipe, name: str) -> Any:
    return OmegaConf.select(recipe, name)  # type: ignore[arg-type]


def _names(recipe: Recipe) -> Iterator[str]:
    """What is named at an extension point is there, as far as that shows without importing it."""
    for key in keys_of(Recipe).values():
        kind, value = key.metadata.get("kind"), _value(recipe, key.name)
        if kind is None or value is None or (key.name == "data.source" and has_files(recipe.data)):
            continue
        if not OmegaConf.is_dict(value):
            for name in listed(value):
                yield from _complaint(kind, name, key.name) if isinstance(name, str) else ()
            continue
        for name, arguments in value.items():
            if not (arguments is None or OmegaConf.is_dict(arguments)):
                told = f"{key.name}.{name}={as_yaml(arguments)}"
                yield f"{told}: expects its arguments, {{}} for none; null switches it off"
            elif arguments is not None:
                yield from _complaint(kind, name, f"{key.name}.{name}")


def _complaint(kind: Kind, reference: str, key: str) -> Iterator[str]:
    try:
        check_reference(kind, reference, key)
    except UserError as error:
        yield str(error)


def _ranges(recipe: Recipe) -> Iterator[str]:
    for key in keys_of(Recipe).values():
        value = _value(recipe, key.name) if "bounds" in key.metadata else None
        for relation, bound in key.metadata.get("bounds", {}).items():
            if value is not None and not (_COMPARE[relation](value, bound) and math.isfinite(value)):
                yield f"{key.name}={value}: must be {relation} {bound}"


def _relations(recipe: Recipe, spec: EstimatorSpec | None) -> Iterator[str]:
    rollout, algorithm, trainer = recipe.rollout, recipe.algorithm, recipe.trainer
    if rollout.samples_per_prompt == 1 and (rollout.keep == "mixed" or (spec and spec.needs_group)):
        what = "rollout.keep=mixed" if rollout.keep == "mixed" else f"algorithm.advantage={algorithm.advantage}"
        yield (
            f"{what} compares a prompt's samples: rollout.samples_per_prompt=1 must be >= 2 "
            "(or rollout.keep=all with algorithm.advantage=gae)"
        )
    if algorithm.old_scores == "sampler" and rollout.engine != "native":
        yield f"algorithm.old_scores=sampler: rollout.engine={rollout.engine} computes no values; write auto"
    if algorithm.critic == "adapter":
        if spec and not spec.needs_values:
            with_critic = ", ".join(name for name, other in ESTIMATORS.items() if other.needs_values)
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
    if spec and spec.folds_kl and algorithm.kl.form in ("k2", "k3") and algorithm.kl.beta != 0:
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
    yield from answer_mistakes(recipe)
    yield from stop_mistakes(recipe)
    yield from _template_mistakes(recipe.data.template)
    batches = trainer.get("limit_train_batches")
    if batches is not None and (type(batches) is not int or batches < 1):
        yield f"trainer.limit_train_batches={batches}: must be a whole number of steps >= 1, as prompts never end"


def _template_mistakes(template: str) -> Iterator[str]:
    """What can be seen of a template without its prompts: that it asks for something."""
    if not names_in(template):
        told = f"data.template={json.dumps(template, ensure_ascii=False)}"
        yield f'{told}: must hold {{prompt}} or {{a column}}, such as "{{prompt}}\\nSMILES:"'
