"""What a slow verifier costs a training step: the wait that scoring does not hide, against seconds a completion.

    python benchmarks/verify_wait.py [ms=0,5,20,50,100,200] [workers=4] [batch=8] [samples=4] [prompt=24] [length=64]
        [width=256] [layers=6] [vocabulary=1024] [steps=5] [results=FOLDER]

Whole PPO steps through RLSFModule and Lightning's Trainer, on a policy of random weights and completions of full length,
with the drop-in verifier of sleeper.py, which sleeps ``ms`` for each completion and needs no core meanwhile. Verification
starts when the rollout is decoded and is waited for when the rewards are due; between the two the policy and the
reference score. So what ought to be left is max(0, completions x ms / workers - scoring), the line in the picture. One
warm-up a point, then medians of ``steps``.

Left out: verifiers that compute, which take their cores from scoring; the cache, as no completion comes twice here.

Writes benchmarks/results/verify_wait_<machine>_<date>.json, .md and, where matplotlib is installed, .svg.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from steps_common import Shape, load_now, machine, medians, ppo_recipe, run_steps, settings_of, write

DEFAULTS = {"ms": "0,5,20,50,100,200", "workers": 4, "batch": 8, "samples": 4, "prompt": 24, "length": 64,
            "width": 256, "layers": 6, "vocabulary": 1024, "steps": 5}  # fmt: skip
#: The share of a step that a hidden verifier may cost at most.
HIDDEN = 0.1

Point = dict[str, float]


def measure(settings: Mapping[str, Any], ms: float, folder: Path) -> Point:
    """One verifier cost: medians over the steps."""
    shape = Shape(settings["width"], settings["layers"], settings["vocabulary"])
    overrides = [
        f"rollout.batch_size={settings['batch']}",
        f"rollout.samples_per_prompt={settings['samples']}",
        f"rollout.max_new_tokens={settings['length']}",
        f"verifier.workers={settings['workers']}",
        f"verifier.options={{ms: {ms}}}",
        "verifier.timeout=600",
    ]
    steps = run_steps(ppo_recipe(folder, shape, settings["prompt"], overrides), settings["steps"] + 1, forced=True)[1:]
    work = settings["batch"] * settings["samples"] * ms / 1000 / settings["workers"]
    return point(ms, work, medians(steps, "seconds"), statistics.median(s["verify_wait"] for s in steps))


def point(ms: float, work: float, seconds: Mapping[str, float], wait: float) -> Point:
    """``work``: seconds that the workers need for a step; ``left``: what of it scoring cannot hide."""
    return {
        "ms": ms,
        "work": work,
        "score": seconds["score"],
        "left": max(0.0, work - seconds["score"]),
        "verify": seconds["verify"],
        "wait": wait,
        "step": seconds["step"],
        "share": seconds["verify"] / seconds["step"],
    }


def verdict(points: Sequence[Point]) -> str:
    """Whether each verifier that scoring takes longer than costs less than a tenth of the step."""
    hidden = [p for p in points if p["work"] < p["score"]]
    if not hidden:
        return "No verifier here is faster than scoring: nothing is shown."
    worst = max(hidden, key=lambda p: p["share"])
    answer = "costs less" if worst["share"] < HIDDEN else "DOES NOT COST less"
    costs = ", ".join(f"{p['ms']:g}" for p in hidden)
    return (
        f"Where scoring takes longer than the workers do ({costs} ms a completion), verification {answer} than "
        f"{HIDDEN:.0%} of the step: {worst['share']:.1%} at most, at {worst['ms']:g} ms."
    )


def table(result: Mapping[str, Any]) -> str:
    """In Markdown."""
    where, settings = result["configuration"], result["configuration"]["settings"]
    lines = [
        f"# What a slow verifier costs a step, {where['date']}",
        "",
        "| ms a completion | all of it / workers | scoring | verify | of it waiting | not hideable | step | verify's share |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for p in result["points"]:
        numbers = (p["work"], p["score"], p["verify"], p["wait"], p["left"], p["step"])
        lines.append(f"| {p['ms']:g} | {' | '.join(f'{n:.3f} s' for n in numbers)} | {p['share']:.1%} |")
    given = ", ".join(f"{key}={value}" for key, value in settings.items() if key != "results")
    lines += ["", result["verdict"], "", f"{where['torch_threads']} torch threads, {where['cores']} cores; load of the "
              f"machine before: {where['load_before']}; {given}."]  # fmt: skip
    return "\n".join(lines)


def draw(points: Sequence[Point], path: Path) -> None:
    """The wait, what it must be at least, and the scoring that hides the rest, against the verifier's cost."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    ms = [p["ms"] for p in points]
    axes.plot(ms, [p["verify"] for p in points], marker="o", label="wait for the verifier")
    axes.plot(ms, [p["left"] for p in points], linestyle="--", label="all of its work / workers - scoring")
    axes.plot(ms, [p["work"] for p in points], linestyle=":", label="all of its work / workers")
    axes.plot(ms, [p["score"] for p in points], marker=".", label="scoring")
    axes.set(xlabel="verifier, ms a completion", ylabel="seconds a step", title=path.stem)
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path)


def main(arguments: Sequence[str]) -> None:
    settings = settings_of(arguments, DEFAULTS)
    load, points = load_now(), []
    for ms in map(float, settings["ms"].split(",")):
        with tempfile.TemporaryDirectory() as folder:
            points.append(measure(settings, ms, Path(folder)))
        print(points[-1], file=sys.stderr)
    result = {"configuration": {"settings": settings, **machine(load)}, "points": points, "verdict": verdict(points)}
    path = write("verify_wait", result, table(result), settings["results"])
    try:
        draw(points, path.with_suffix(".svg"))
    except ImportError:
        print("no picture: pip install matplotlib", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
