"""Does a reward that blames one token reach that token? A figure of every estimator, with located and with scalar credit.

    python benchmarks/credit_check.py

The toy is that of tests/rl/test_credit_check.py. Writes docs/credit_check.svg and benchmarks/results/credit_check_<date>.json.
"""

from __future__ import annotations

import json
import statistics
import sys
from datetime import date
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "rl"))

from test_credit_check import credit_gap  # noqa: E402

from rlsf_lightning.config.estimator_specs import ESTIMATORS  # noqa: E402

SEEDS = range(3)
CREDITS = ("located", "scalar")


def main() -> None:
    gaps = {
        name: {credit: [credit_gap(name, credit, seed) for seed in SEEDS] for credit in CREDITS} for name in ESTIMATORS
    }
    matplotlib.rcParams["svg.hashsalt"] = "credit_check"
    figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for number, (credit, colour) in enumerate(zip(CREDITS, ("#1f77b4", "#bbbbbb"), strict=True)):
        heights = [statistics.mean(gaps[name][credit]) for name in gaps]
        places = [place + 0.4 * number - 0.2 for place in range(len(gaps))]
        axes.bar(places, heights, width=0.38, label=credit, color=colour)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(gaps)), list(gaps), rotation=30, ha="right")
    axes.set_ylabel("blamed token's change of probability\nless that of the others")
    axes.legend(title="credit")
    figure.savefig(ROOT / "docs" / "credit_check.svg", metadata={"Date": None})
    path = ROOT / "benchmarks" / "results" / f"credit_check_{date.today()}.json"
    path.write_text(json.dumps({"seeds": list(SEEDS), "gaps": gaps}, indent=2) + "\n")
    print(
        "\n".join(
            f"{name:14} " + "  ".join(f"{c} {statistics.mean(g[c]):+.3f}" for c in CREDITS) for name, g in gaps.items()
        )
    )
    print(f"written to {path} and docs/credit_check.svg")


if __name__ == "__main__":
    main()
