"""What a training step costs beside other busy processes, by how OpenMP's threads wait for each other.

    python benchmarks/busy.py [busy=0,1,2] [waiting=commands,passive,default] [threads=2] [steps=5] [rounds=3]
        [results=FOLDER]

Each cell is a process of its own that takes ``steps`` steps of the recipe chem_iupac (256 completions) after one to warm up,
with ``threads`` torch threads on as many cores, beside ``busy`` processes that count for ever on the same cores. How
threads wait: ``commands``, as the commands of this package set it; ``passive``, OMP_WAIT_POLICY=PASSIVE; ``default``,
OpenMP's own; a number, GOMP_SPINCOUNT. Rounds go through all cells in turns; medians over them. Ratios are to the fastest
way of waiting with ``busy=0``.

Left out: what other programs of the machine do meanwhile; the load before is written down, and a ratio means little where
it is not near 0.

Writes benchmarks/results/busy_<machine>_<date>.json and .md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from steps_common import load_now, machine, settings_of, write

from rlsf_lightning.config.environment import WAITING

DEFAULTS = {"busy": "0,1,2", "waiting": "commands,passive,default", "threads": 2, "steps": 5, "rounds": 3}
CHILD = Path(__file__).parent / "busy_child.py"
#: Columns of the table, of what a cell's process prints.
COLUMNS = ("generate", "update", "step", "fastest_step", "slowest_step")

Cell = dict[str, Any]


def measure(settings: Mapping[str, Any]) -> list[Cell]:
    """The cells, each with medians over the rounds."""
    kinds = [(way, int(n)) for way in settings["waiting"].split(",") for n in settings["busy"].split(",")]
    found: dict[tuple[str, int], list[dict[str, float]]] = {kind: [] for kind in kinds}
    cores = sorted(os.sched_getaffinity(0))[: settings["threads"]]
    for _ in range(settings["rounds"]):
        for way, busy in kinds:
            found[way, busy].append(steps_beside(way, busy, cores, settings["steps"]))
            print(way, busy, found[way, busy][-1], file=sys.stderr, flush=True)
    return [
        {"waiting": way, "busy": busy, **{name: median(run[name] for run in runs) for name in runs[0]}}
        for (way, busy), runs in found.items()
    ]


def steps_beside(waiting: str, busy: int, cores: Sequence[int], steps: int) -> dict[str, float]:
    """The medians of one process on these cores, beside busy ones."""
    environment = {name: value for name, value in os.environ.items() if name not in WAITING}
    environment |= {"OMP_NUM_THREADS": str(len(cores)), "HF_HUB_OFFLINE": "1", **variables(waiting)}
    with ExitStack() as stack:
        for _ in range(busy):
            stack.enter_context(busy_process(cores))
        done = subprocess.run(
            [sys.executable, str(CHILD), waiting, str(steps)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def variables(waiting: str) -> dict[str, str]:
    """What the environment holds for a way of waiting; the commands set theirs by themselves."""
    if waiting.isdecimal():
        return {"GOMP_SPINCOUNT": waiting}
    return {"commands": {}, "default": {}, "passive": {"OMP_WAIT_POLICY": "PASSIVE"}}[waiting]


@contextmanager
def busy_process(cores: Sequence[int]) -> Iterator[None]:
    """A process that needs a core until it is left."""
    command = [sys.executable, "-c", "while True: pass"]
    process = subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    try:
        yield
    finally:
        process.kill()
        process.wait()


def with_ratios(cells: Sequence[Cell]) -> list[Cell]:
    """``ratio``: to the fastest step alone; None where none was measured."""
    alone = min((cell["step"] for cell in cells if cell["busy"] == 0), default=None)
    return [{**cell, "ratio": None if alone is None else cell["step"] / alone} for cell in cells]


def verdict(cells: Sequence[Cell]) -> str:
    """Each way of waiting in a sentence: what a step takes alone, and at worst."""
    lines = []
    for way in dict.fromkeys(cell["waiting"] for cell in cells):
        own = [cell for cell in cells if cell["waiting"] == way]
        worst = max(own, key=lambda cell: cell["step"])
        steps = ", ".join(f"{cell['step']:.2f} s beside {cell['busy']}" for cell in own)
        lines.append(
            f"{way}: {steps}" + ("" if worst["ratio"] is None else f"; at worst {worst['ratio']:.1f} times") + "."
        )
    return "\n".join(f"- {line}" for line in lines)


def table(result: Mapping[str, Any]) -> str:
    """In Markdown."""
    where, settings = result["configuration"], result["configuration"]["settings"]
    lines = [
        f"# A training step on a busy machine, {where['date']}",
        "",
        f"| threads wait | busy processes | {' | '.join(name.removesuffix('_step') for name in COLUMNS)} | ratio |",
        f"| {' | '.join(['---'] * (len(COLUMNS) + 3))} |",
    ]
    for cell in result["points"]:
        ratio = "-" if cell["ratio"] is None else f"{cell['ratio']:.2f}"
        times = " | ".join(f"{cell[name]:.2f} s" for name in COLUMNS)
        lines.append(f"| {cell['waiting']} | {cell['busy']} | {times} | {ratio} |")
    given = ", ".join(f"{key}={value}" for key, value in settings.items() if key != "results")
    lines += ["", result["verdict"], "", f"{where['torch_threads']} torch threads, {where['cores']} cores; load of the "
              f"machine before: {where['load_before']}; {given}."]  # fmt: skip
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    settings = settings_of(arguments, DEFAULTS)
    load = load_now()
    cells = with_ratios(measure(settings))
    configuration = {"settings": settings, **machine(load), "torch_threads": int(cells[0]["threads"])}
    result = {"configuration": configuration, "points": cells, "verdict": verdict(cells)}
    write("busy", result, table(result), settings["results"])


if __name__ == "__main__":
    main(sys.argv[1:])
