"""The logged metrics as charts: which of them share one, and how they are called."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from rlsf_lightning.report.read import Curves, RunFolder
from rlsf_lightning.report.text import line

#: Points of a curve; of a longer one every n-th is drawn.
MOST_POINTS = 1500
#: Curves in one chart.
MOST_CURVES = 12

#: Title -> the metrics in it. What none of them names stands in the table alone.
CHARTS = {
    "Reward by channel": ("reward", "reward/*"),
    "Share of completions that are right and valid": (
        "pass_rate",
        "exact_match",
        "validity",
        "score",
        "mixed_prompts",
    ),
    "Held out, during training": ("validation/*",),
    "KL to the reference": ("kl", "approx_kl", "kl_beta"),
    "Entropy": ("entropy",),
    "Length in tokens": ("length",),
    "Shares: cut off, learnt from, abstained": ("truncated", "credited", "abstained"),
    "Gradient norms": ("grad_norm/*",),
    "Losses": ("loss/*",),
    "Seconds by stage": ("seconds/*", "verify_wait"),
    "Clipping": ("clip_fraction", "ratio_deviation", "sampler_deviation"),
    "Learning rate": ("lr",),
}


def charts_of(run: RunFolder) -> list[dict[str, Any]]:
    """``{"title", "traces": [{"name", "x", "y"}]}``; charts without a curve are left out."""
    charts = []
    for title, patterns in CHARTS.items():
        traces = [{"name": line(name), **_drawn(points)} for name, points in _named(run.curves, patterns)]
        if traces:
            charts.append({"title": title, "traces": traces[:MOST_CURVES]})
    return charts


def is_shortened(run: RunFolder) -> bool:
    """Whether some curve has more points than are drawn."""
    return any(len(points) > MOST_POINTS for points in run.curves.values())


def _named(curves: Curves, patterns: tuple[str, ...]) -> Iterator[tuple[str, list[tuple[int, float]]]]:
    for name, points in sorted(curves.items()):
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            yield name, points


def _drawn(points: list[tuple[int, float]]) -> dict[str, list[float]]:
    stride = -(-len(points) // MOST_POINTS)
    # The last point is always there: it is the one that is read off.
    shown = points[::-1][:: max(1, stride)][::-1]
    return {"x": [step for step, _ in shown], "y": [float(f"{value:.5g}") for _, value in shown]}
