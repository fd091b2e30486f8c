"""Measure a policy on held-out prompts: greedy and sampled metrics with 95 % bootstrap intervals.

    python -m rlsf_lightning.evaluate recipe=chem_iupac
    python -m rlsf_lightning.evaluate recipe=chem_iupac policy.adapter=runs/chem_iupac/TIME/adapter format=json
    python -m rlsf_lightning.evaluate recipe=chem_iupac data.path=pairs.tsv split=all limit=200 output=answers.jsonl

The result alone goes to standard output, everything else to standard error. The same command prints the same numbers.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rlsf_lightning.config import cli
from rlsf_lightning.errors import UserError

if TYPE_CHECKING:
    from rlsf_lightning.config.schema import Recipe
    from rlsf_lightning.evaluation.policy_report import Report

FORMATS = ("table", "json")


@dataclass
class Options:
    #: Which prompts: train, warm, rl, validation, test or all.
    split: str = "test"
    #: Most prompts; null: evaluation.limit.
    limit: int | None = None
    #: Samples a prompt (temperature 1); 0 evaluates greedily only; null: evaluation.samples.
    samples: int | None = None
    #: What is printed: table or json.
    format: str = "table"
    #: A file for one JSON line per prompt: its completions, certificates and metrics.
    output: str | None = None


def run(recipe: Recipe, options: Options) -> None:
    with stdout_to_stderr():
        report = measure(recipe, options)
    if options.format == "json":
        print(json.dumps(report.to_dict()))
    else:
        from rlsf_lightning.evaluation.policy_report import table

        print(table(report))


def measure(recipe: Recipe, options: Options) -> Report:
    """Check everything that is cheap to check, then load the policy and evaluate it."""
    limit, samples = _check(recipe, options)

    from rlsf_lightning.policy.preflight import check_policy
    from rlsf_lightning.prompts import check_source, described, recipe_prompts, split_key_of
    from rlsf_lightning.symbolic.execution.pool import VerifierPool

    check_source(recipe.data, split_key_of(recipe))
    check_policy(recipe.policy)
    prompts = list(recipe_prompts(recipe, options.split, limit=limit))
    if not prompts:
        source = described(recipe.data)
        raise UserError(f"the split `{options.split}` of {source} has no prompt; write split=all")

    from rlsf_lightning.evaluation.lengths import lengths_of
    from rlsf_lightning.evaluation.metrics import suite_for
    from rlsf_lightning.evaluation.policy_report import evaluate_policy, progress_on_stderr
    from rlsf_lightning.policy.load import check_fits, load_policy
    from rlsf_lightning.prompts.lengths import fitting
    from rlsf_lightning.training.memory_estimate import limit_threads

    lengths = lengths_of(recipe)
    prompts, line = fitting(lengths, prompts, recipe.data.too_long, f"the split {options.split}")
    if line:
        print(line, file=sys.stderr)
    limit_threads()
    with VerifierPool.from_recipe(recipe) as pool:
        suite_for(pool.verifier_class, recipe.evaluation.metrics)
        pool.submit([(prompts[0], "")]).result()  # raises for a missing fact
        check_fits(recipe.policy, list(recipe.rollout.stop))
        is_mixed = str(recipe.trainer.get("precision")) in ("bf16-mixed", "bf16")
        policy = load_policy(recipe.policy, device=_device(recipe), is_mixed=is_mixed, stop=list(recipe.rollout.stop))
        report = evaluate_policy(
            policy,
            prompts,
            pool,
            encode=lengths.encode,
            max_new_tokens=recipe.rollout.max_new_tokens,
            samples=samples,
            batch_size=recipe.evaluation.batch_size,
            seed=recipe.seed,
            metrics=recipe.evaluation.metrics,
            progress=progress_on_stderr(),
        )
    if options.output is not None:
        from rlsf_lightning.training.run.writing import write_atomically

        write_atomically(Path(options.output), "".join(json.dumps(record) + "\n" for record in report.records))
    return report


def _check(recipe: Recipe, options: Options) -> tuple[int, int]:
    """The number of prompts and of samples; UserError for options that cannot be."""
    limit = recipe.evaluation.limit if options.limit is None else options.limit
    samples = recipe.evaluation.samples if options.samples is None else options.samples
    if options.format not in FORMATS:
        raise UserError(f"format={options.format}: write format=table or format=json")
    if limit < 1:
        raise UserError(f"limit={limit}: evaluate at least one prompt, limit=1 or more")
    if samples < 0:
        raise UserError(f"samples={samples}: write samples=0 for greedy completions only, or more")
    if options.output is not None:
        target = Path(options.output)
        if target.is_dir() or not target.parent.is_dir() or not os.access(target.parent, os.W_OK):
            raise UserError(f"output={target}: cannot write there; name a file in an existing folder")
    return limit, samples


def _device(recipe: Recipe) -> str:
    """Where training would put the policy: a CUDA device if there is one and the recipe does not ask for the CPU."""
    import torch

    return "cuda" if recipe.trainer.get("accelerator") != "cpu" and torch.cuda.is_available() else "cpu"


@contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Inside, whatever Python or a library writes to standard output goes to standard error."""
    sys.stdout.flush()
    saved = os.dup(1)
    try:
        os.dup2(2, 1)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)


def main(argv: Sequence[str] | None = None) -> None:
    """The command; ``argv`` defaults to the process's arguments."""
    cli.main(__doc__, run, Options, argv)


if __name__ == "__main__":
    main()
