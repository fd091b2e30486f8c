"""Every advantage estimator in the shipped recipe, on 32 names that the policy gets right now and then: does it learn them?

    python benchmarks/estimators.py [steps=12] [NAME ...]

Each is a process of its own, ``python -m rlsf_lightning.fit recipe=chem_iupac algorithm.advantage=NAME`` with the keys in
``KEYS``, which are the same for all. Writes benchmarks/results/estimators_<machine>_<date>.json and prints the table of
docs/algorithms.md, and a column more: the share of right samples and the mean reward over the first and the last three
steps, and seconds a step, of the processor (which other work on the machine hardly changes) and by the clock (medians).
"""

from __future__ import annotations

import csv
import itertools
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from test_learning import names_that_teach  # noqa: E402

from rlsf_lightning.config.estimator_specs import ESTIMATORS  # noqa: E402

KEYS = (
    "data.path=names.tsv algorithm.lr=1e-3 algorithm.final_lr_share=1 trainer.max_epochs=1 evaluation.split=null "
    "callbacks.progress=null callbacks.clock={}"
).split()

#: Steps over which the table averages.
FIRST, LAST = slice(3), slice(-3, None)

CLOCK = '''
import time
from rlsf_lightning import RLSFCallback

class Clock(RLSFCallback):
    """Logs the processor's time so far."""

    def on_rollout_end(self, trainer, module, rollout):
        module.log_step({"processor": time.process_time()})
'''


def main(arguments: list[str]) -> None:
    steps = next((int(a.partition("=")[2]) for a in arguments if a.startswith("steps=")), 12)
    chosen = [a for a in arguments if "=" not in a] or list(ESTIMATORS)
    result: dict = {"keys": KEYS, "steps": steps, "estimators": {}}
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        for name in chosen:
            result["estimators"][name] = found = run(name, steps, Path(folder))
            print(row(name, found), flush=True)
    path = (
        ROOT / "benchmarks" / "results" / f"estimators_{platform.machine()}_{os.cpu_count()}cores_{date.today()}.json"
    )
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"written to {path}")


def prepare(folder: Path) -> None:
    """What a user has in the working directory: a file of names, and a callback."""
    rows = [f"{p.text}\t{p.reference}\n" for p in names_that_teach(32)]
    (folder / "names.tsv").write_text("prompt\treference\n" + "".join(rows))
    (folder / "callbacks").mkdir()
    (folder / "callbacks" / "clock.py").write_text(CLOCK)


def run(name: str, steps: int, folder: Path) -> dict:
    """One estimator's metrics, step by step; an error if any is not finite or no adapter was written."""
    own = [f"algorithm.advantage={name}", f"trainer.limit_train_batches={steps}", f"run_dir={name}"]
    command = [sys.executable, "-m", "rlsf_lightning.fit", "recipe=chem_iupac", *own, *KEYS]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    with (folder / name / "metrics.csv").open() as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    assert len(rows) == steps and all(math.isfinite(x) for row in rows for x in row.values()), f"{name}: not finite"
    assert list((folder / name / "adapter").glob("*.safetensors")), f"{name}: no adapter"
    wall = [sum(v for k, v in row.items() if k.startswith("seconds/")) for row in rows]
    processor = [b["processor"] - a["processor"] for a, b in itertools.pairwise(rows)]
    kept = (
        "exact_match",
        "reward",
        "loss/policy",
        "grad_norm/policy",
        "ratio_deviation_first_minibatch",
        "mixed_prompts",
    )
    return {
        "seconds_by_the_clock": round(statistics.median(wall), 2),
        "seconds_of_the_processor": round(statistics.median(processor), 2),
        **{metric: [round(row[metric], 4) for row in rows] for metric in kept},
    }


def row(name: str, found: dict) -> str:
    """A row of the table."""
    ends = [statistics.mean(found[metric][part]) for metric in ("exact_match", "reward") for part in (FIRST, LAST)]
    seconds = f"{found['seconds_of_the_processor']:.1f} | {found['seconds_by_the_clock']:.1f}"
    return f"| `{name}` | {ends[0]:.2f} | {ends[1]:.2f} | {ends[2]:+.2f} | {ends[3]:+.2f} | {seconds} |"


if __name__ == "__main__":
    main(sys.argv[1:])
