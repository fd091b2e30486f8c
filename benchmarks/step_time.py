"""Where the time of a training step goes: generate, verify, score, update.

    python benchmarks/step_time.py [recipe=chem_iupac] [key=value ...]

Runs 12 steps, leaves out the first two, and prints medians; writes the same with the whole configuration to
benchmarks/results/step_time_<machine>_<date>.json. Leaves out: loading, evaluation and checkpoints.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import statistics
import sys
import tempfile
from datetime import date
from pathlib import Path

import torch
from omegaconf import OmegaConf

from rlsf_lightning import fit
from rlsf_lightning.config.recipe import load_recipe

STAGES = ("generate", "score", "verify", "update")
WARM_UP, STEPS = 2, 12


def main(arguments: list[str]) -> None:
    names = [a.partition("=")[2] for a in arguments if a.startswith("recipe=")] or ["chem_iupac"]
    overrides = [a for a in arguments if not a.startswith("recipe=")]
    with tempfile.TemporaryDirectory() as folder:
        own = [
            f"run_dir={folder}/run",
            "evaluation.split=null",
            "trainer.max_epochs=1",
            f"trainer.limit_train_batches={STEPS}",
        ]
        recipe = load_recipe(names[0], [*overrides, *own])
        fit.run(recipe)
        with open(f"{folder}/run/metrics.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["reward"]][WARM_UP:]
    result = measure(rows, recipe)
    print(table(result))
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    path = results / f"step_time_{platform.machine()}_{os.cpu_count()}cores_{date.today()}.json"
    path.write_text(json.dumps(result | {"recipe": OmegaConf.to_container(recipe)}, indent=2) + "\n")
    print(f"written to {path}")


def measure(rows: list[dict[str, str]], recipe) -> dict:
    """Medians over steps: seconds of each stage, completions and their tokens a second."""
    seconds = {stage: statistics.median(float(row[f"seconds/{stage}"]) for row in rows) for stage in STAGES}
    total = sum(seconds.values())
    completions = recipe.rollout.batch_size * recipe.rollout.samples_per_prompt
    tokens = completions * statistics.median(float(row["length"]) for row in rows)
    return {
        "seconds": seconds,
        "share": {stage: spent / total for stage, spent in seconds.items()},
        "verify_wait": statistics.median(float(row["verify_wait"]) for row in rows),
        "completions_per_second": completions / total,
        "response_tokens_per_second": tokens / total,
        "torch_threads": torch.get_num_threads(),
        "verifier_workers": recipe.verifier.workers,
        "cores": os.cpu_count(),
        "torch": torch.__version__,
        "steps": len(rows),
    }


def table(result: dict) -> str:
    """For a terminal."""
    lines = [f"{stage:10} {result['seconds'][stage]:7.3f} s  {result['share'][stage]:6.1%}" for stage in STAGES]
    threads = f"{result['torch_threads']} torch threads, {result['verifier_workers']} verifier workers"
    return "\n".join(
        [
            *lines,
            f"{'step':10} {sum(result['seconds'].values()):7.3f} s",
            f"{result['completions_per_second']:.0f} completions/s, {result['response_tokens_per_second']:.0f} response "
            f"tokens/s; {threads}, {result['cores']} cores; median of {result['steps']} steps",
        ]
    )


if __name__ == "__main__":
    main(sys.argv[1:])
