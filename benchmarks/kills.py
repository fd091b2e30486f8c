"""Runs that are hit while they train, and go on: is anything lost but the steps since the last whole checkpoint?

    python benchmarks/kills.py [killed=100] [stopped=20] [full=10] [damaged=10] [seed=0] [folder=FOLDER] [results=FOLDER]

One run goes straight to its end. Every other one has the same recipe, is hit once and is started again by ``resume=auto``:
its metrics, samples, table and adapter must then equal the straight run's to the bit.

- ``killed``: SIGKILL at a moment drawn over the straight run's length; every fifth one as soon as a checkpoint is being
  written, every tenth one in a process of its own from its first import on.
- ``stopped``: SIGTERM, which must end with status 143, and a line that says how to go on.
- ``full``: on a small disk (a tmpfs, which only root can mount; left out for others) that a file fills at that moment; the
  run must end with one line. The file is then removed.
- ``damaged``: SIGKILL, and the newest checkpoint is cut to a random length.

Processes are forked from one that has imported the libraries. Each tells in a file in which stage it is; the table counts where
they were hit. Writes benchmarks/results/kills_<machine>_<date>.json and .md.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kills_child import STAGE_FILE, run_fit
from steps_common import load_now, machine, settings_of, write

DEFAULTS = {"killed": 100, "stopped": 20, "full": 10, "damaged": 10, "seed": 0, "folder": ""}
RECIPE = [
    *("recipe=chem_iupac", "rollout.batch_size=4", "rollout.samples_per_prompt=2", "rollout.max_new_tokens=24"),
    *("evaluation.limit=6", "evaluation.samples=1", "trainer.max_epochs=3", "trainer.limit_train_batches=11"),
    *("checkpoint.every_n_steps=4", "algorithm.advantage=gae", "algorithm.epochs=2", "trainer.accelerator=cpu"),
]
PRELOADED = [
    "rlsf_lightning.training.module",
    "rlsf_lightning.training.datamodule",
    "transformers",
    "peft",
    "rdkit.Chem",
]
#: Bytes of the small disk, and those that are left on it when it is full.
DISK, LEFT = 48 << 20, 100 << 10
LIMIT = 600  # seconds for a run


@dataclass
class Hit:
    """One run that was hit."""

    kind: str
    stage: str
    status: int
    #: Steps that the checkpoint had behind it from which the run went on.
    goes_on_from: int
    #: What differs from the straight run; empty: nothing.
    difference: str
    seconds: float


class Runs:
    """Processes that train in folders of their own, and the straight run that they are compared with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["kills_child", *PRELOADED])
        assert self.finished(self.start("first")) == 0, self.log("first")  # imports everything
        start = time.monotonic()
        assert self.finished(self.start("straight")) == 0, self.log("straight")
        self.seconds = time.monotonic() - start
        self.straight = outcome(folder / "straight" / "run")

    def start(self, name: str, *more: str) -> Any:
        process = self.context.Process(target=run_fit, args=(self.words(name, *more), str(self.folder / name)))
        process.start()
        return process

    def start_alone(self, name: str, *more: str) -> subprocess.Popen:
        command = [sys.executable, str(Path(__file__).with_name("kills_child.py")), str(self.folder / name)]
        return subprocess.Popen([*command, *self.words(name, *more)])

    def words(self, name: str, *more: str) -> list[str]:
        return [*RECIPE, f"callbacks[{STAGE_CALLBACK}]={{}}", f"run_dir={self.folder / name / 'run'}", *more]

    def finished(self, process: Any) -> int:
        """The exit status, as a shell gives it."""
        if isinstance(process, subprocess.Popen):
            status = process.wait(LIMIT)
        else:
            process.join(LIMIT)
            status = process.exitcode
        assert status is not None, "a run did not end"
        return 128 - status if status < 0 else status

    def log(self, name: str) -> str:
        return (self.folder / name / "log").read_text(encoding="utf-8", errors="replace")


STAGE_CALLBACK = "kills_child:Stages"


def hit(runs: Runs, kind: str, number: int, rng: random.Random) -> Hit:
    """Start a run, hit it, let it go on, compare."""
    began, name = time.monotonic(), f"{kind}{number}"
    place = runs.folder / name
    place.mkdir()
    with small_disk(place) if kind == "full" else nullcontext():
        alone = kind == "killed" and number % 10 == 9
        process = runs.start_alone(name) if alone else runs.start(name)
        wait_for_moment(
            place, runs.seconds * rng.random(), process, waits_for_writing=kind == "killed" and number % 5 == 4
        )
        stage = (place / STAGE_FILE).read_text() if (place / STAGE_FILE).exists() else "starting"
        filler = strike(kind, process, place)
        status = runs.finished(process)
        told = runs.log(name) if (place / "log").exists() else ""
        if filler is not None:
            filler.unlink()
        if kind == "damaged":
            damage(place / "run", rng)
        again = runs.finished(runs.start(name, "resume=auto"))
        difference = compared(runs, place, kind, status, told, again)
        first = runs.log(name)[len(told) :]
        found = Hit(kind, stage, status, steps_said(first), difference, time.monotonic() - began)
    if not difference:
        shutil.rmtree(place, ignore_errors=True)
    return found


def wait_for_moment(place: Path, seconds: float, process: Any, *, waits_for_writing: bool) -> None:
    """Wait as long as drawn; or, at most twice the run's length, until a checkpoint is being written after that."""
    end = time.monotonic() + seconds
    is_alive: Callable[[], bool] = getattr(process, "is_alive", lambda: process.poll() is None)
    while time.monotonic() < end and is_alive():
        time.sleep(0.002)
    while waits_for_writing and is_alive():
        if any((place / "run" / "checkpoints").glob(".*.partial")):
            return
        time.sleep(0.0005)


def strike(kind: str, process: Any, place: Path) -> Path | None:
    """Hit the process; the file that fills its disk, if it is that."""
    if kind == "full":
        filler = place / "filler"
        with filler.open("wb") as file:
            left = shutil.disk_usage(place).free - LEFT
            file.write(b"\0" * max(0, left))
        return filler
    try:
        os.kill(process.pid, signal.SIGTERM if kind == "stopped" else signal.SIGKILL)
    except ProcessLookupError:
        pass
    return None


def damage(run: Path, rng: random.Random) -> None:
    """Cut the newest checkpoint, if there is one."""
    found = sorted((run / "checkpoints").glob("step-*.ckpt"))
    if found:
        os.truncate(found[-1], rng.randrange(found[-1].stat().st_size))


def compared(runs: Runs, place: Path, kind: str, status: int, told: str, again: int) -> str:
    """What is wrong with a run that was hit and went on; empty: nothing."""
    meant = {"killed": 137, "stopped": 143, "full": 2, "damaged": 137}[kind]
    if status not in (meant, 0):  # 0: it was over before
        return f"status {status} and not {meant}"
    if kind == "full" and status == 2 and ("Traceback" in told or told.count("error: no space is left") != 1):
        return "a full disk is not told in one line"
    has_begun = (place / STAGE_FILE).exists()  # before that nothing listens to signals, and Python just ends
    if kind == "stopped" and status == 143 and has_begun and "stopped by SIGTERM" not in told:
        return "nothing says that it was stopped"
    if again != 0:
        return f"it did not go on: status {again}"
    found = outcome(place / "run")
    return ", ".join(name for name in runs.straight if found.get(name) != runs.straight[name])


def outcome(run: Path) -> dict[str, Any]:
    """What a run leaves, without what a clock measured."""
    with (run / "metrics.csv").open(newline="") as file:
        rows = [{k: v for k, v in row.items() if v and not is_time(k)} for row in csv.DictReader(file)]
    samples = [json.loads(line) for line in (run / "samples.jsonl").open(encoding="utf-8")]
    for sample in samples:
        sample["certificate"].pop("seconds")
    summary = json.loads((run / "summary.json").read_text())
    summary.pop("seconds")
    adapter = (run / "adapter" / "adapter_model.safetensors").read_bytes()
    return {"metrics": rows, "samples": samples, "summary": summary, "adapter": adapter, "rest": leftovers(run)}


def is_time(metric: str) -> bool:
    return metric.startswith("seconds/") or metric in ("verify_wait",)


def leftovers(run: Path) -> list[str]:
    return sorted(path.name for path in run.rglob(".*.partial"))


def steps_said(log: str) -> int:
    """Of the line that says from where a run goes on."""
    _, found, rest = log.partition("goes on from ")
    return int(rest.partition("(")[2].split()[0]) if found else 0


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """A disk of DISK bytes at a place."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def table(hits: list[Hit]) -> str:
    """One row a kind, and where they were hit."""
    columns = ("kind", "runs", "equal to the straight run", "hit before the end", "went on from a checkpoint")
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for kind in dict.fromkeys(hit.kind for hit in hits):
        mine = [hit for hit in hits if hit.kind == kind]
        equal, early = sum(not hit.difference for hit in mine), sum(hit.status != 0 for hit in mine)
        lines.append(f"| {kind} | {len(mine)} | {equal} | {early} | {sum(hit.goes_on_from > 0 for hit in mine)} |")
    stages = Counter(hit.stage for hit in hits)
    lines += ["", "Hit in: " + ", ".join(f"{stage} {count}" for stage, count in stages.most_common()) + "."]
    return "\n".join(lines + [f"- {hit.kind} in {hit.stage}: {hit.difference}" for hit in hits if hit.difference])


def main() -> int:
    settings = settings_of(sys.argv[1:], DEFAULTS)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    folder = Path(settings["folder"] or tempfile.mkdtemp(prefix="kills"))
    load_before = load_now()
    runs, rng, hits = Runs(folder), random.Random(settings["seed"]), []
    for kind in ("full", "damaged", "stopped", "killed"):
        if kind == "full" and os.geteuid() != 0:
            print("full: left out, as only root can mount a small disk", file=sys.stderr)
            continue
        for number in range(settings[kind]):
            hits.append(hit(runs, kind, number, rng))
            print(kind, number, hits[-1], file=sys.stderr, flush=True)
    configuration = {"settings": settings, "machine": machine(load_before), "recipe": RECIPE}
    write(
        "kills", {"configuration": configuration, "hits": [asdict(h) for h in hits]}, table(hits), settings["results"]
    )
    return int(any(hit.difference for hit in hits))


if __name__ == "__main__":
    sys.exit(main())
