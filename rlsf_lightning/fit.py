"""Reinforcement learning with token rewards made from a symbolic tool's certificates.

    python -m rlsf_lightning.fit recipe=chem_iupac
    python -m rlsf_lightning.fit recipe=chem_iupac data.path=pairs.tsv data.columns.prompt=iupac data.columns.reference=smiles
    python -m rlsf_lightning.fit recipe=chem_iupac run_dir=runs/mine resume=auto

Written to runs/<recipe>/<time>: the resolved recipe, metrics.csv, samples.jsonl, checkpoints, adapter/ and summary.json.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlsf_lightning.config import cli

if TYPE_CHECKING:
    from lightning import Callback

    from rlsf_lightning.config.schema import Recipe
    from rlsf_lightning.symbolic.execution.pool import VerifierPool
    from rlsf_lightning.training.datamodule import Buffered, Made, Permuted


def run(recipe: Recipe, options: None = None) -> None:
    prepared = prepare(recipe)

    from lightning import seed_everything

    from rlsf_lightning.training.datamodule import PromptDataModule
    from rlsf_lightning.training.loggers import build_loggers
    from rlsf_lightning.training.module import RLSFModule
    from rlsf_lightning.training.run.checkpoints import RunCheckpoints
    from rlsf_lightning.training.run.endings import told_in_a_line
    from rlsf_lightning.training.run.ranks import join_run, start_run
    from rlsf_lightning.training.trainer import build_trainer

    seed_everything(recipe.seed, verbose=False)
    trainer = build_trainer(
        recipe.trainer,
        callbacks=[*prepared.callbacks, RunCheckpoints(recipe.checkpoint)],
        use_distributed_sampler=False,
    )
    found = join_run(trainer, recipe)
    trainer.loggers = build_loggers(recipe.logger, found.folder, found.first_step)
    start_run(trainer, recipe, found)
    module = RLSFModule(recipe, run_dir=str(found.folder), verifier_pool=prepared.pool)
    with told_in_a_line(trainer, found):
        trainer.fit(module, PromptDataModule(recipe, prepared.prompts), ckpt_path=found.checkpoint, weights_only=True)


@dataclass(frozen=True)
class Prepared:
    """What a run is made of, and was built to see whether it can be."""

    pool: VerifierPool
    callbacks: list[Callback]
    prompts: Permuted | Buffered | Made


def prepare(recipe: Recipe) -> Prepared:
    """Everything that can be wrong and seen before a model is loaded. Raises UserError."""
    from rlsf_lightning.prompts import check_source, recipe_prompts, split_key_of
    from rlsf_lightning.prompts.checks.gold import check_gold
    from rlsf_lightning.symbolic.answers.settings import AnswerSettings
    from rlsf_lightning.symbolic.execution.pool import VerifierPool
    from rlsf_lightning.symbolic.execution.worker_server import verify
    from rlsf_lightning.symbolic.loader import load_verifier

    check_source(recipe.data, split_key_of(recipe))
    verifier = load_verifier(recipe.verifier.name, recipe.verifier.options, AnswerSettings.of(recipe))
    sample = list(recipe_prompts(recipe, "train", limit=max(1, recipe.data.gold_check)))
    for prompt in sample[:1]:
        verify(verifier, recipe.verifier.name, (prompt, ""))  # raises for a missing fact; a tool that fails abstains
    told = check_gold(recipe, verifier, sample if recipe.data.gold_check else ())

    from rlsf_lightning.config.estimator_specs import find_estimator
    from rlsf_lightning.config.validation import check
    from rlsf_lightning.evaluation.lengths import lengths_of
    from rlsf_lightning.policy.load import check_fits
    from rlsf_lightning.policy.preflight import check_policy
    from rlsf_lightning.prompts.lengths import fitting
    from rlsf_lightning.training.datamodule import endless_prompts, say_once
    from rlsf_lightning.training.hooks import build_callbacks, check_callbacks, check_rewards

    check_policy(recipe.policy)
    check(recipe, find_estimator(recipe.algorithm.advantage)[1])
    callbacks = build_callbacks(recipe.callbacks)
    check_rewards(callbacks)
    check_callbacks(callbacks, recipe)
    check_fits(recipe.policy, list(recipe.rollout.stop))
    lengths = lengths_of(recipe)
    prompts = endless_prompts(recipe, lengths)
    if recipe.data.too_long == "refuse":
        for split, limit in held_out(recipe):
            fitting(lengths, recipe_prompts(recipe, split, limit=limit), "refuse", split)
    say_once(told)
    inside = recipe.verifier.workers == 0
    pool = VerifierPool.of(verifier, recipe.verifier.name) if inside else VerifierPool.from_recipe(recipe)
    return Prepared(pool, callbacks, prompts)


def held_out(recipe: Recipe) -> Iterator[tuple[str, int]]:
    """The splits that are measured in a run, and of how many prompts."""
    settings = recipe.evaluation
    if settings.split is not None:
        yield settings.split, settings.limit
    if settings.every_epochs:
        yield "validation", settings.validation_limit


def main(argv: Sequence[str] | None = None) -> None:
    """The command; ``argv`` defaults to the process's arguments."""
    cli.main(__doc__, run, argv=argv)


if __name__ == "__main__":
    main()
