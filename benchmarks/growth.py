"""How the cost of a training step grows with batch, length, samples a prompt, model size and vocabulary.

    python benchmarks/growth.py [axes=batch,length,samples,layers,vocabulary] [batch=8] [samples=4] [prompt=24] [length=32]
        [width=256] [layers=4] [vocabulary=1024] [steps=3] [clock=seconds] [results=FOLDER]

Each axis has four points over an 8-fold range (AXES), the other sizes stay as given. Whole PPO steps with a critic and a
reference through RLSFModule and Lightning's Trainer, on policies of random weights; completions of full length, a verifier
that takes no time. One warm-up a point, then the median of ``steps``. ``clock=cpu`` reads processor time instead of the
wall's, for machines that are shared (with one thread, as in OMP_NUM_THREADS=1).

An axis counts as linear where no point is further than 15 % from the straight line through the outer two. That line's
height at zero is the cost that does not grow: given for the step and each stage, it says where the cost of a token falls.
After a point's steps one more runs under torch's profiler: where an axis is not linear, the kinds of operations whose
cost a unit changed most from end to end are named, and what part of the largest step they are.

Left out: loading, evaluation, checkpoints; memory; natural stops, which change with the policy.

Writes benchmarks/results/growth_<machine>_<date>.json, .md and, where matplotlib is installed, .svg.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from floor import ProfiledModule, kind_of
from steps_common import STAGES, Shape, load_now, machine, medians, ppo_recipe, run_steps, settings_of, write

AXES = {
    "batch": (4, 8, 16, 32),
    "length": (16, 32, 64, 128),
    "samples": (2, 4, 8, 16),
    "layers": (2, 4, 8, 16),
    "vocabulary": (18_750, 37_500, 75_000, 150_000),
}
DEFAULTS = {"axes": ",".join(AXES), "batch": 8, "samples": 4, "prompt": 24, "length": 32, "width": 256, "layers": 4,
            "vocabulary": 1024, "steps": 3, "clock": "seconds"}  # fmt: skip
#: How far an inner point may be from the line.
TOLERANCE = 0.15
PARTS = ("generate", "score", "update", "step")


def cost(sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Median times of a step of these sizes and of its stages; ``kinds``: seconds of a further, profiled step by kind."""
    overrides = [
        f"rollout.batch_size={sizes['batch']}",
        f"rollout.samples_per_prompt={sizes['samples']}",
        f"rollout.max_new_tokens={sizes['length']}",
    ]
    shape = Shape(sizes["width"], sizes["layers"], sizes["vocabulary"])
    with tempfile.TemporaryDirectory() as folder:
        module = ProfiledModule(ppo_recipe(Path(folder), shape, sizes["prompt"], overrides), last=sizes["steps"] + 1)
        steps = run_steps(module.recipe, sizes["steps"] + 2, forced=True, module=module)[1:-1]
    kinds = Counter[str]()
    for spent in module.spent.values():
        for operation, seconds in spent.items():
            kinds[kind_of(operation)] += seconds
    tokens = sizes["batch"] * sizes["samples"] * sizes["length"]
    return {**medians(steps, sizes["clock"]), "tokens": tokens, "kinds": dict(kinds)}


def line(xs: Sequence[float], ys: Sequence[float]) -> dict[str, float]:
    """The straight line through the outer points: how far off it the others are, and what of it does not grow."""
    slope = (ys[-1] - ys[0]) / (xs[-1] - xs[0])
    fixed = ys[0] - slope * xs[0]
    off = max(abs(y / (fixed + slope * x) - 1) for x, y in zip(xs, ys, strict=True))
    each = [y / x for x, y in zip(xs, ys, strict=True)]
    return {"slope": slope, "fixed": fixed, "off": off, "each_most_over_least": max(each) / min(each)}


def bend(xs: Sequence[float], points: Sequence[Mapping[str, Any]]) -> str:
    """The three kinds of operations whose cost a unit grew or fell most in seconds, from the first point to the last."""
    first, last = points[0]["kinds"], points[-1]["kinds"]
    whole, scale = sum(last.values()), xs[-1] / xs[0]
    most = sorted(last, key=lambda kind: -abs(last[kind] - scale * first.get(kind, 0.0)))[:3]
    return ", ".join(
        f"{kind} {last[kind] / max(first.get(kind, 0.0), 1e-9) / scale:.2f} times ({last[kind] / whole:.0%} of the largest)"
        for kind in most
    )


def summary(axis: str, points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The lines of an axis, and what they say in words."""
    lines = {part: line(AXES[axis][: len(points)], [p[part] for p in points]) for part in PARTS}
    whole, first = lines["step"], points[0]["step"]
    linear = whole["off"] <= TOLERANCE
    words = [
        f"{axis}: {'linear' if linear else 'NOT linear'} within {TOLERANCE:.0%} (at most {whole['off']:.1%} off the line)"
    ]
    if whole["each_most_over_least"] > 1 + TOLERANCE:
        where = ", ".join(f"{part} {lines[part]['fixed'] / first:.0%}" for part in PARTS[:-1])
        words.append(
            f"cost a unit varies {whole['each_most_over_least']:.2f}-fold, as {whole['fixed'] / first:.0%} of the smallest "
            f"step does not grow ({where})"
        )
    if not linear:
        worst = max(PARTS[:-1], key=lambda part: lines[part]["off"] * points[-1][part])
        words.append(
            f"most of the bend is in {worst} ({lines[worst]['off']:.1%} off its line); "
            f"cost a unit from the smallest to the largest, by the profiler: {bend(AXES[axis], points)}"
        )
    return {"lines": lines, "linear": linear, "words": "; ".join(words) + "."}


def table(result: Mapping[str, Any]) -> str:
    """In Markdown."""
    where, settings = result["configuration"], result["configuration"]["settings"]
    lines = [f"# What growth costs, {where['date']}", "",
             f"| axis | size | {' | '.join((*STAGES, 'rest', 'step'))} | response tokens/s |",
             "| --- |" + " --- |" * (len(STAGES) + 4)]  # fmt: skip
    for axis, found in result["axes"].items():
        for size, p in zip(AXES[axis], found["points"], strict=False):
            times = " | ".join(f"{p[stage]:.3f}" for stage in (*STAGES, "rest", "step"))
            lines.append(f"| {axis} | {size} | {times} | {p['tokens'] / p['step']:.0f} |")
    lines += ["", *(f"- {found['words']}" for found in result["axes"].values())]
    given = ", ".join(f"{key}={value}" for key, value in settings.items() if key != "results")
    lines += ["", f"Seconds; {where['torch_threads']} torch threads, {where['cores']} cores; load of the machine before: "
              f"{where['load_before']}; where an axis does not say otherwise: {given}."]  # fmt: skip
    return "\n".join(lines)


def draw(axes: Mapping[str, Any], path: Path) -> None:
    """A plot for each axis: the stages, the step, and the line through the step's outer points."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(axes), 3.4), layout="constrained")
    plots = figure.subplots(1, len(axes), squeeze=False)[0]
    for plot, (axis, found) in zip(plots, axes.items(), strict=True):
        sizes, points = AXES[axis][: len(found["points"])], found["points"]
        for part in PARTS:
            plot.plot(sizes, [p[part] for p in points], marker=".", label=part)
        straight = found["lines"]["step"]
        plot.plot(sizes, [straight["fixed"] + straight["slope"] * x for x in sizes], linestyle=":", color="gray")
        plot.set(xlabel=axis, ylabel="seconds a step", ylim=(0, None), xlim=(0, None))
        plot.grid(alpha=0.3)
    plots[0].legend()
    figure.savefig(path)


def main(arguments: Sequence[str]) -> None:
    settings = settings_of(arguments, DEFAULTS)
    load, found = load_now(), {}
    for axis in settings["axes"].split(","):
        if axis not in AXES:
            sys.exit(f"axes={axis}: expected some of {','.join(AXES)}")
        points = []
        for size in AXES[axis]:
            points.append(cost({**settings, axis: size}))
            print(axis, size, points[-1], file=sys.stderr, flush=True)
        found[axis] = {"points": points, **summary(axis, points)}
    result = {"configuration": {"settings": settings, **machine(load)}, "axes": found}
    path = write("growth", result, table(result), settings["results"])
    try:
        draw(found, path.with_suffix(".svg"))
    except ImportError:
        print("no picture: pip install matplotlib", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
