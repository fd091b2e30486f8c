"""The benchmark's side of the line to its contenders: child processes that work when told to, and may die."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rivals.environment import python_of, versions_of

HERE = Path(__file__).parent
#: How a traceback's last line begins.
ERROR = re.compile(r"[\w.]*(Error|Exception|Interrupt)\b")
#: Characters of an error that are kept.
LONGEST = 300


class Died(Exception):
    """A contender ended before it was told to; the text is the last line of its error."""


class Contender:
    """A child process that works when told to."""

    def __init__(self, script: str, task: dict[str, Any], settings: dict[str, Any]) -> None:
        self.script = script
        quantises = settings["precision"] == "nf4"
        environments = Path(settings["environments"])
        python = sys.executable if script == "ours" else python_of(environments, script, quantises=quantises)
        self.versions = versions_of(python)
        folder = Path(tempfile.mkdtemp(dir=task["folder"]))  # of its own: a run is never written over another
        task_file = folder / f"{script}.json"
        task_file.write_text(json.dumps({**task, "folder": str(folder)}))
        self.log = Path(settings["logs"] or folder) / f"{script}.log"
        self.command = [python, HERE / f"{script}.py", task_file]
        self.environment = environment(script, settings["threads"])
        self.process: subprocess.Popen[str] | None = None
        #: What stood in memory before the first iteration, and the GPU's name.
        self.loaded: dict[str, Any] = {}

    def load(self) -> None:
        """Start the process and wait until it is ready."""
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self.environment,
                cwd=self.command[-1].parent,
            )
        self.loaded = {k: v for k, v in self._read().items() if k != "ready"}

    def go(self) -> dict[str, Any]:
        """One iteration."""
        assert self.process is not None and self.process.stdin is not None
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None
        return self._read()

    def stop(self) -> None:
        if self.process is None:
            return
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
            self.process.wait(timeout=60)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()

    def _read(self) -> dict[str, Any]:
        assert self.process is not None and self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise self._death()
        return json.loads(line)

    def _death(self) -> Died:
        """It writes nothing more: let it end, and say why."""
        self.stop()
        assert self.process is not None
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        print("\n".join(lines[-30:]), file=sys.stderr)
        status = self.process.returncode
        return Died(f"killed by signal {-status}" if status < 0 else last_error(lines) or f"exit status {status}")


def last_error(lines: Sequence[str]) -> str:
    """The last line of a log that is an exception's, else the last one; empty where there is none."""
    errors = [line for line in lines if ERROR.match(line)]
    return (errors or list(lines) or [""])[-1][:LONGEST]


def environment(script: str, threads: int) -> dict[str, str]:
    """One GPU at most: TRL's trainers would split batches between all that they see."""
    own = {"PYTHONPATH": str(HERE.parents[1])} if script == "ours" else {}
    return {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TRL_EXPERIMENTAL_SILENCE": "1",
        "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0],
        **own,
    }


def race(contenders: Sequence[Contender], iterations: int) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Reports of so many iterations by turns, and the last line of each who died; the others go on without it."""
    reports: dict[str, list[dict[str, Any]]] = {c.script: [] for c in contenders}
    died: dict[str, str] = {}

    def attempt(contender: Contender, act: Callable[[Contender], None]) -> None:
        if contender.script not in died:
            try:
                act(contender)
            except Died as death:
                died[contender.script] = str(death)

    def iterate(contender: Contender) -> None:
        busy = os.getloadavg()[0]
        reports[contender.script].append(contender.go() | {"load_before": busy})

    try:
        for contender in contenders:
            attempt(contender, Contender.load)
        for iteration in range(iterations):
            for contender in contenders[:: 1 if iteration % 2 == 0 else -1]:
                attempt(contender, iterate)
    finally:
        for contender in contenders:
            contender.stop()
    return reports, died
