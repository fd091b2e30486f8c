"""A contender's side of the line to the benchmark: it works only between a ``go`` and its report.

Standard library alone: contenders live in different environments. What a library prints goes to the log, never into
the reports.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Gate:
    """Reads ``go`` lines from stdin, one for an iteration, and writes a JSON line a report to what was stdout."""

    def __init__(self) -> None:
        self._reports = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self._started: tuple[float, float] | None = None

    def ready(self, **facts: Any) -> None:
        """Everything is loaded: say so, forget the memory peak of loading, and wait."""
        reset_peak()
        self._report({"ready": True, "loaded_mb": peak_mb(), **facts})
        self._wait()

    def done(self, **facts: Any) -> None:
        """An iteration is over: report it and wait for the next."""
        assert self._started is not None, "an iteration that was never begun"
        wall, cpu = time.perf_counter() - self._started[0], time.process_time() - self._started[1]
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        self._report({"seconds": wall, "cpu_seconds": cpu, "peak_mb": peak_mb(), "minor_faults": faults, **facts})
        self._wait()

    def _wait(self) -> None:
        if sys.stdin.readline().strip() != "go":
            self._reports.flush()
            os._exit(0)  # trainers would save, log or run on
        self._started = time.perf_counter(), time.process_time()

    def _report(self, facts: dict[str, Any]) -> None:
        self._reports.write(json.dumps(facts) + "\n")
        self._reports.flush()


class Stopwatch:
    """Seconds of an iteration's stages, read off the calls that it passes through."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._begun: dict[str, float] = {}

    def around(self, owner: Any, name: str, stage: str) -> None:
        """Time every call of ``owner.name`` as part of ``stage``."""
        original = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start

        setattr(owner, name, timed)

    def from_first(self, owner: Any, name: str, stage: str) -> None:
        """``stage`` begins with the first call of ``owner.name`` and lasts until ``take``."""
        original = getattr(owner, name)

        def marked(*args: Any, **kwargs: Any) -> Any:
            self._begun.setdefault(stage, time.perf_counter())
            return original(*args, **kwargs)

        setattr(owner, name, marked)

    def take(self) -> dict[str, float]:
        """The stages so far; then start anew."""
        now = time.perf_counter()
        taken = self.seconds | {stage: now - begun for stage, begun in self._begun.items()}
        self.seconds, self._begun = {}, {}
        return taken


def peak_mb() -> float:
    """The most memory that this process has held since ``reset_peak``, in MiB."""
    status = Path("/proc/self/status").read_text()
    return round(int(status.split("VmHWM:")[1].split()[0]) / 1024, 1)


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def read_task() -> dict[str, Any]:
    """What the benchmark asks for: the JSON file that the command line names."""
    return json.loads(Path(sys.argv[1]).read_text())


def take_turns(build: Callable[[dict[str, Any], Stopwatch, Gate], Any]) -> None:
    """What a rival's process does: build its trainer for the task, and train until the benchmark has enough."""
    import torch

    task = read_task()
    gate = Gate()
    torch.set_num_threads(task["threads"])
    build(task, Stopwatch(), gate).train()
