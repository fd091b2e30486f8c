"""The curve of a long run: held-out metrics against training steps, as a table and as a picture.

    python -m rlsf_lightning.fit recipe=chem_iupac run_dir=runs/long trainer.max_epochs=250 \
        algorithm.lr=1e-4 algorithm.modules_to_save_lr=2e-3 evaluation.every_epochs=10 evaluation.validation_limit=300
    python benchmarks/curve.py runs/long NAME

Reads RUN_DIR/metrics.csv, recipe.yaml and summary.json (once the run has ended), and writes to
benchmarks/results/NAME_<date>: .csv with the curve, .yaml with the recipe, .json with the summary, and .svg if
matplotlib is installed.
"""

from __future__ import annotations

import csv
import shutil
import sys
from datetime import date
from pathlib import Path

METRICS = ("exact_match", "sampled_exact_match", "validity", "sampled_validity", "pass_at_8")
RESULTS = Path(__file__).parent / "results"


def curve(run: Path) -> list[dict[str, float]]:
    """One row for each evaluation during training: steps, hours of the training steps so far, and the metrics."""
    rows, seconds = [], 0.0
    with (run / "metrics.csv").open() as file:
        for row in csv.DictReader(file):
            seconds += sum(float(value or 0) for name, value in row.items() if name.startswith("seconds/"))
            if row.get("validation/exact_match"):
                found = {name: round(float(row[f"validation/{name}"]), 4) for name in METRICS}
                rows.append({"steps": int(row["step"]) + 1, "hours": round(seconds / 3600, 3)} | found)
    return rows


def draw(rows: list[dict[str, float]], path: Path) -> None:
    """A line for each metric."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name in METRICS:
        axes.plot([row["steps"] for row in rows], [row[name] for row in rows], marker=".", label=name)
    axes.set(xlabel="training steps", ylabel="share of held-out names", title=path.stem)
    axes.legend(loc="center right")
    axes.grid(alpha=0.3)
    figure.savefig(path)


def main(run: Path, name: str) -> None:
    rows = curve(run)
    if not rows:
        sys.exit(f"{run}/metrics.csv has no validation/...: train with evaluation.every_epochs=10")
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{name}_{date.today()}"
    with target.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    for written, suffix in (("recipe.yaml", ".yaml"), ("summary.json", ".json")):
        if (run / written).exists():
            shutil.copyfile(run / written, target.with_suffix(suffix))
    print(target.with_suffix(".csv").read_text(), end="")
    try:
        draw(rows, target.with_suffix(".svg"))
    except ImportError:
        print("no picture: pip install matplotlib", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2])
