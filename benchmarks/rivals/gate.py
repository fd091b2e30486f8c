"""A contender's side of the line to the benchmark: it works only between a ``go`` and its report.

Standard library alone: contenders live in different environments. What a library prints goes to the log, never into
the reports. Where the process uses a GPU, no clock is read before the GPU has done what it was told.
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
        held = {f"loaded_{name}": mb for name, mb in device_peak().items()}
        self._report({"ready": True, "loaded_mb": peak_mb(), "device": device_name(), **held, **facts})
        self._wait()

    def done(self, **facts: Any) -> None:
        """An iteration is over: report it and wait for the next."""
        assert self._started is not None, "an iteration that was never begun"
        wall, cpu = seconds() - self._started[0], time.process_time() - self._started[1]
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        taken = {"seconds": wall, "cpu_seconds": cpu, "peak_mb": peak_mb(), "minor_faults": faults, **device_peak()}
        self._report({**taken, **facts})
        self._wait()

    def _wait(self) -> None:
        if sys.stdin.readline().strip() != "go":
            self._reports.flush()
            os._exit(0)  # trainers would save, log or run on
        self._started = seconds(), time.process_time()

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
            start = seconds()
            try:
                return original(*args, **kwargs)
            finally:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds() - start

        setattr(owner, name, timed)

    def from_first(self, owner: Any, name: str, stage: str) -> None:
        """``stage`` begins with the first call of ``owner.name`` and lasts until ``take``."""
        original = getattr(owner, name)

        def marked(*args: Any, **kwargs: Any) -> Any:
            if stage not in self._begun:
                self._begun[stage] = seconds()
            return original(*args, **kwargs)

        setattr(owner, name, marked)

    def take(self) -> dict[str, float]:
        """The stages so far; then start anew."""
        now = seconds()
        taken = self.seconds | {stage: now - begun for stage, begun in self._begun.items()}
        self.seconds, self._begun = {}, {}
        return taken


def seconds() -> float:
    """The wall's clock."""
    if device := used_gpu():
        device.synchronize()
    return time.perf_counter()


def used_gpu() -> Any:
    """``torch.cuda`` where this process has used it already, else None."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None


def peak_mb() -> float:
    """The most memory that this process has held since ``reset_peak``, in MiB."""
    status = Path("/proc/self/status").read_text()
    return round(int(status.split("VmHWM:")[1].split()[0]) / 1024, 1)


def device_peak() -> dict[str, float]:
    """The most that torch has reserved of the GPU's memory since ``reset_peak``, in MiB; nothing without a GPU."""
    device = used_gpu()
    return {"device_peak_mb": round(device.max_memory_reserved() / 2**20, 1)} if device else {}


def device_name() -> str:
    """The GPU that this process computes on; empty where it does so on the CPU."""
    device = used_gpu()
    return device.get_device_name() if device else ""


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")
    if device := used_gpu():
        device.empty_cache()  # what loading took and gave back
        device.reset_peak_memory_stats()


def take_device(task: dict[str, Any]) -> None:
    """To be called when torch is there and nothing is loaded: see to the device that the task asks for.

    ``memory_gb`` GiB of the GPU are all that torch then reserves; what the driver keeps for a process comes on top.
    """
    if task["device"] != "cuda":
        return
    torch = sys.modules["torch"]
    if not torch.cuda.is_available():
        sys.exit(f"device=cuda: torch {torch.__version__} of {sys.executable} sees no GPU")
    total = torch.cuda.get_device_properties(0).total_memory
    if task["memory_gb"] * 2**30 > total:
        sys.exit(f"memory_gb={task['memory_gb']:g}: the GPU has {total / 2**30:.1f}")
    if task["memory_gb"]:
        torch.cuda.set_per_process_memory_fraction(task["memory_gb"] * 2**30 / total, 0)


def read_task() -> dict[str, Any]:
    """What the benchmark asks for: the JSON file that the command line names."""
    return json.loads(Path(sys.argv[1]).read_text())


def take_turns(build: Callable[[dict[str, Any], Stopwatch, Gate], Any]) -> None:
    """What a rival's process does: build its trainer for the task, and train until the benchmark has enough."""
    import torch

    task = read_task()
    gate = Gate()
    torch.set_num_threads(task["threads"])
    take_device(task)
    build(task, Stopwatch(), gate).train()
