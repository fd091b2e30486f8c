"""Hours of training with a compiler and a name reader in the pool: does anything grow, and is anything left behind?

    python benchmarks/soak.py [hours=2] [workers=2] [every=10] [settle=0.25] [folder=FOLDER] [results=FOLDER]

One run of ``fit`` on names and programs in turns (soak_parts.py), at its end by SIGTERM. Every ``every`` seconds: resident and
proportional memory of the run's process, of each kind of its descendants and of all together, and how many processes, open
files and sockets there are. The slope is that of the least-squares line after the first ``settle`` of the time, in MiB an
hour, with its 95 % interval by block bootstrap.

Afterwards: processes with the run's mark in their environment, which a daemon keeps too; files in the run's own /tmp
(where it runs as root, which alone can give it one; else in its own TMPDIR) and in /dev/shm; sockets of those processes, and
those of Unix by path.

Writes benchmarks/results/soak_<machine>_<date>.json and .md.
"""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from steps_common import load_now, machine, settings_of, write

DEFAULTS = {"hours": 2.0, "workers": 2, "every": 10.0, "settle": 0.25, "folder": ""}
PARTS = Path(__file__).with_name("soak_parts.py")
MARK = "SOAK_MARK"
RECIPE = [
    *(f"data.source={PARTS}", f"verifier.name={PARTS}", "data.template={prompt}"),
    *("evaluation.limit=20", "evaluation.samples=1"),
    *("rollout.batch_size=8", "rollout.samples_per_prompt=2", "rollout.max_new_tokens=48", "checkpoint.every_n_steps=50"),
    *("evaluation.metrics=generic", "trainer.max_epochs=100000", "trainer.limit_train_batches=50", "trainer.accelerator=cpu"),
]  # fmt: skip
#: Of the table, in MiB or a number.
SERIES = ("run", "workers", "tools", "all", "all_pss", "processes", "files", "sockets")
MIB = 1 << 20

Sample = dict[str, float]


def watched(process: subprocess.Popen, settings: Mapping[str, Any]) -> list[Sample]:
    """Samples until the time is over or the run has ended."""
    samples, begin = list[Sample](), time.monotonic()
    while (now := time.monotonic() - begin) < settings["hours"] * 3600 and process.poll() is None:
        samples.append({"seconds": now, **measured(process.pid)})
        time.sleep(settings["every"])
    return samples


def measured(pid: int) -> Sample:
    """One sample of the run's process tree. ``tools``: descendants which are not Python workers of the pool."""
    tree = descendants(pid)
    own = [memory(pid)]
    workers, tools = list[tuple[int, int]](), list[tuple[int, int]]()
    for child in tree:
        (workers if is_worker(child) else tools).append(memory(child))
    everyone = own + workers + tools
    links = [link for each in [pid, *tree] for link in open_files(each)]
    sums = {name: sum(rss for rss, _ in group) / MIB for name, group in
            [("run", own), ("workers", workers), ("tools", tools), ("all", everyone)]}  # fmt: skip
    return {
        **sums,
        "all_pss": sum(pss for _, pss in everyone) / MIB,
        "processes": len(everyone),
        "files": len(links),
        "sockets": sum(link.startswith("socket:") for link in links),
    }


def descendants(pid: int) -> list[int]:
    found = list[int]()
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []
    for child in children:
        found += [child, *descendants(child)]
    return found


def is_worker(pid: int) -> bool:
    program = words_of(pid).partition(" ")[0]
    return Path(program).name.startswith("python")  # a tool's words may name this package, too: Java's class path does


def words_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def memory(pid: int) -> tuple[int, int]:
    """Resident and proportional bytes; zeros for a process that has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0, 0
    sizes = {line.split(":")[0]: int(line.split()[1]) << 10 for line in lines if line.endswith("kB")}
    return sizes.get("Rss", 0), sizes.get("Pss", 0)


def open_files(pid: int) -> list[str]:
    found = list[str]()
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            found.append(os.readlink(link))
    except OSError:
        pass
    return found


def slope(samples: Sequence[Sample], name: str, settle: float, draws: int = 1000) -> dict[str, float]:
    """MiB (or pieces) an hour after the settling, and its interval from resampled blocks of residuals."""
    kept = [s for s in samples if s["seconds"] >= settle * samples[-1]["seconds"]]
    hours, values = np.array([s["seconds"] / 3600 for s in kept]), np.array([s[name] for s in kept])
    per_hour, start = np.polyfit(hours, values, 1)
    line = start + per_hour * hours
    rng, length = np.random.default_rng(0), max(1, len(kept) // 20)
    drawn = []
    for _ in range(draws):
        firsts = rng.integers(0, len(kept) - length + 1, size=-(-len(kept) // length))
        rows = np.concatenate([np.arange(first, first + length) for first in firsts])[: len(kept)]
        drawn.append(np.polyfit(hours, line + (values - line)[rows], 1)[0])
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"per_hour": float(per_hour), "low": float(low), "high": float(high),
            "first": float(values[0]), "last": float(values[-1]), "most": float(values.max())}  # fmt: skip


def left_behind(mark: str, folder: Path, memory_before: set[str]) -> dict[str, list[str]]:
    """Of a run that has ended."""
    processes = list(marked(mark))
    paths = [str(path) for path in (folder / "tmp").iterdir()]
    return {
        "processes": processes,
        "files": sorted({*paths, *(shared_memory() - memory_before)}),
        "sockets": sorted(
            {*sockets(folder), *(link for each in processes for link in open_files(int(each.split()[0])))}
        ),
    }


def shared_memory() -> set[str]:
    return {str(path) for path in Path("/dev/shm").iterdir()}


def marked(mark: str) -> Iterator[str]:
    """Processes with the run's mark in their environment."""
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                if f"{MARK}={mark}".encode() in (place / "environ").read_bytes().split(b"\0"):
                    yield f"{place.name} {words_of(int(place.name))}"
            except OSError:
                continue


def sockets(folder: Path) -> Iterator[str]:
    """Those of Unix whose path is in the run's folder."""
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        if len(words := line.split()) > 7 and words[7].startswith(str(folder)):
            yield words[7]


def train(folder: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The run, its samples, and what it left behind."""
    (folder / "tmp").mkdir(parents=True)
    mark = f"{os.getpid()}-{random.getrandbits(32)}"
    memory_before, run = shared_memory(), folder / "run"
    words = [
        "recipe=chem_naming",
        *RECIPE,
        f"verifier.workers={settings['workers']}",
        "verifier.options={}",
        f"run_dir={run}",
    ]
    environment = {**os.environ, MARK: mark, "TMPDIR": str(folder / "tmp"), "PYTHONPATH": search_path()}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*own_tmp(folder / "tmp"), sys.executable, "-m", "rlsf_lightning.fit", *words],
            env=environment,
            stdout=log,
            stderr=log,
        )
        samples = watched(process, settings)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        status = process.wait(600)
    time.sleep(1.0)
    left = left_behind(mark, folder, memory_before)
    with (run / "metrics.csv").open(newline="") as file:
        steps = [int(row["step"]) for row in csv.DictReader(file) if row.get("step")]
    return {"status": status, "steps": max(steps, default=0), "samples": samples, "left": left}


def own_tmp(place: Path) -> list[str]:
    """The beginning of a command which has this folder as its /tmp."""
    if os.geteuid() != 0:
        return []
    return ["unshare", "--mount", "sh", "-c", f'mount --bind "{place}" /tmp && exec "$@"', "sh"]


def search_path() -> str:
    """The folders of these scripts and of this package, for the run's own process."""
    here = Path(__file__).parent
    return os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])


def table(result: Mapping[str, Any]) -> str:
    """In Markdown."""
    where, settings = result["configuration"]["machine"], result["configuration"]["settings"]
    lines = [
        f"# A soak of {settings['hours']:g} hours, {where['date']}",
        "",
        "| | an hour | 95 % interval | first | last | most |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, s in result["slopes"].items():
        numbers = f"{s['first']:.1f} | {s['last']:.1f} | {s['most']:.1f}"
        lines.append(f"| {name} | {s['per_hour']:+.2f} | [{s['low']:+.2f}, {s['high']:+.2f}] | {numbers} |")
    left = "; ".join(f"{name}: {', '.join(found) or 'none'}" for name, found in result["left"].items())
    lines += [
        "",
        f"{result['steps']} steps, ended by SIGTERM with status {result['status']}. Left behind: {left}.",
        "",
        "Memory in MiB, resident (`all_pss`: proportional, where shared pages count once); the rest are numbers of them. "
        f"`first`, `last`, `most`: after the first {settings['settle']:.0%} of the time.",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    settings = settings_of(arguments, DEFAULTS)
    folder = Path(settings["folder"] or tempfile.mkdtemp(prefix="soak", dir="/var/tmp")).absolute()
    load_before = load_now()
    found = train(folder, settings)
    if len(found["samples"]) < 20:
        sys.exit(
            f"the run ended with status {found['status']} after {len(found['samples'])} samples; see {folder / 'log'}"
        )
    slopes = {name: slope(found["samples"], name, settings["settle"]) for name in SERIES}
    configuration = {"settings": settings, "machine": machine(load_before), "recipe": RECIPE}
    result = {"configuration": configuration, "slopes": slopes, **found}
    write("soak", result, table(result), settings["results"])
    return int(found["status"] != 143 or any(found["left"].values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
