"""Checks of a recipe's values beyond their types: bounds, names, and relations between keys.

Files, models and data are checked by the code that reads them. No value is changed. No torch, so that a mistake shows at
once.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import OmegaConf

from rlsf_lightning.config.estimator_specs import ESTIMATORS, EstimatorSpec
from rlsf_lightning.config.plugins import Kind
from rlsf_lightning.config.plugins import check as check_reference
from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.config.schema_fields import as_yaml, keys_of
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

#: A name in braces by itself: not an argument of LaTeX (`\boxed{answer}`, `x_{n}`, `\frac{a}{b}`), code (`f{x}`) or `{{name}}`.
_PLACEHOLDER = re.compile(r"(?<![\w\\{}^$])\{([A-Za-z_]\w*)\}(?!\})")

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


def _names(recipe: Recipe) -> Iterator[str]:
    """What is named at an extension point is there, as far as that shows without importing it."""
    for key in keys_of(Recipe).values():
        kind, value = key.metadata.get("kind"), _value(recipe, key.name)
        if kind is None or value is None or (key.name == "data.source" and recipe.data.path is not None):
            continue
        if not OmegaConf.is_dict(value):
            yield from _complaint(kind, value, key.name)
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
    yield from _template_mistakes(recipe.data.template)
    batches = trainer.get("limit_train_batches")
    if batches is not None and (type(batches) is not int or batches < 1):
        yield f"trainer.limit_train_batches={batches}: must be a whole number of steps >= 1, as prompts never end"


def _template_mistakes(template: str) -> Iterator[str]:
    """The prompt is missing, or what looks like a placeholder is none."""
    told = f"data.template={json.dumps(template, ensure_ascii=False)}"
    rest = template.replace("{prompt}", " ")
    unknown = dict.fromkeys(_PLACEHOLDER.findall(rest))
    for name in unknown:
        yield (
            f"{told}: {{{name}}} would reach the model as it stands; did you mean {{prompt}}, which alone is filled in? "
            f"(for literal braces write {{ {name} }})"
        )
    if "{prompt}" not in template and not unknown:
        yield f'{told}: must hold {{prompt}}, such as "{{prompt}}\\nSMILES:"'
