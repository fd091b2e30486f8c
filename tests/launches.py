"""What tests of whole runs share: the ranks of one run by each launcher, found again by a mark in their environment."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

#: A run of two epochs of four steps that a test has time to hit; a checkpoint after each step.
SMALL = [
    *("recipe=chem_iupac", "rollout.batch_size=2", "rollout.samples_per_prompt=2", "rollout.max_new_tokens=16"),
    *("algorithm.advantage=gae", "evaluation.limit=4", "evaluation.samples=1", "checkpoint.every_n_steps=1"),
    *("algorithm.kl.beta=0.05", "callbacks.kl_control={target: 0.5, horizon: 20}"),
    *("trainer.max_epochs=2", "trainer.limit_train_batches=4", "trainer.accelerator=cpu"),
]
#: Seconds until a run must have ended by itself, on a machine that is busy with other tests.
LIMIT = 240
_MARK = "RLSF_TEST_MARK"
_OF_LAUNCHERS = ("RLSF_RUN_DIR", "RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def alone(words: Sequence[str]) -> list[tuple[list[str], dict[str, str]]]:
    return [([sys.executable, "-m", "rlsf_lightning.fit", *words], {})]


def lightning(words: Sequence[str]) -> list[tuple[list[str], dict[str, str]]]:
    return alone([*words, "trainer.devices=2", "trainer.strategy=ddp"])


def torchrun(words: Sequence[str], *options: str) -> list[tuple[list[str], dict[str, str]]]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", *options]
    fit = ["-m", "rlsf_lightning.fit", *words, "trainer.devices=2", "trainer.strategy=ddp"]
    return [([*launcher, *fit], {})]


def torchrun_that_restarts(words: Sequence[str]) -> list[tuple[list[str], dict[str, str]]]:
    return torchrun(words, "--max-restarts=1")


def two_hosts(words: Sequence[str]) -> list[tuple[list[str], dict[str, str]]]:
    """An agent for each of two hosts, both of which are this one."""
    where = ["--nnodes=2", "--nproc_per_node=1", "--master_addr=127.0.0.1", f"--master_port={free_port()}"]
    fit = ["-m", "rlsf_lightning.fit", *words, "trainer.devices=1", "trainer.num_nodes=2", "trainer.strategy=ddp"]
    return [
        ([sys.executable, "-m", "torch.distributed.run", *where, f"--node_rank={node}", *fit], {}) for node in (0, 1)
    ]


def slurm(words: Sequence[str]) -> list[tuple[list[str], dict[str, str]]]:
    """What ``srun`` tells two tasks on one host."""
    job = {"SLURM_JOB_ID": "4242", "SLURM_STEP_ID": "0", "SLURM_JOB_NAME": "fit", "SLURM_NODELIST": "127.0.0.1"}
    job |= {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2", "SLURM_NNODES": "1", "SLURM_NODEID": "0"}
    job |= {"MASTER_PORT": str(free_port())}
    command = alone([*words, "trainer.devices=2", "trainer.strategy=ddp"])[0][0]
    return [(command, {**job, "SLURM_PROCID": rank, "SLURM_LOCALID": rank}) for rank in ("0", "1")]


Launcher = Callable[[Sequence[str]], list[tuple[list[str], dict[str, str]]]]


class Launch:
    """One start of a run. To be left by ``with``, which ends whatever is still there."""

    def __init__(self, launcher: Launcher, folder: Path, *words: str, **environment: str) -> None:
        self.mark, self.folder = uuid.uuid4().hex, folder
        clean = {name: value for name, value in os.environ.items() if name not in _OF_LAUNCHERS}
        self.logs: list[Path] = []
        self.processes: list[subprocess.Popen] = []
        for number, (command, own) in enumerate(launcher(words)):
            self.logs.append(folder / f"log-{self.mark}-{number}")
            with self.logs[-1].open("w") as log:
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env={**clean, **own, **environment, _MARK: self.mark},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self.processes.append(process)

    def __enter__(self) -> Launch:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.living():
            _kill(pid, signal.SIGKILL)
        for process in self.processes:
            process.wait()

    def living(self) -> dict[int, dict[str, str]]:
        """The environment of each process of this launch that runs, workers included."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                told = (folder / "environ").read_text(errors="replace")
            except OSError:
                continue
            if f"{_MARK}={self.mark}" in told:  # a zombie has no environment
                found[int(folder.name)] = dict(e.partition("=")[::2] for e in told.split("\0") if e)
        return found

    def rank(self, number: int) -> int:
        """The process of a rank."""
        for pid, environment in self.living().items():
            words = _words(pid)
            if "torch.distributed.run" in words or not any("fit" in word for word in words):
                continue  # an agent, or a worker
            names = [name for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK") if name in environment]
            if int(environment[names[0]] if names else 0) == number:
                return pid
        raise AssertionError(f"rank {number} does not run:\n{self.said()}")

    def wait_for(self, path: str) -> None:
        """Until the folder has a file of that pattern, and no process has ended."""
        end = time.monotonic() + LIMIT
        while not any(self.folder.glob(path)):
            assert all(process.poll() is None for process in self.processes), self.said()
            assert time.monotonic() < end, f"no {path}:\n{self.said()}"
            time.sleep(0.02)

    def wait_for_line(self, text: str) -> None:
        end = time.monotonic() + LIMIT
        while text not in self.said():
            assert any(process.poll() is None for process in self.processes), self.said()
            assert time.monotonic() < end, f"no {text!r}:\n{self.said()}"
            time.sleep(0.02)

    def signal(self, signum: int, *pids: int) -> None:
        """To some processes, or to those that the launch was started with."""
        for pid in pids or [process.pid for process in self.processes]:
            _kill(pid, signum)

    def statuses(self, limit: float = LIMIT) -> list[int]:
        """The exit statuses, as a shell gives them, once everything has ended; nothing may hang or be left."""
        end = time.monotonic() + limit
        try:
            found = [process.wait(max(0.1, end - time.monotonic())) for process in self.processes]
        except subprocess.TimeoutExpired:
            raise AssertionError(f"does not end:\n{self.said()}") from None
        while left := self.living():
            assert time.monotonic() < end, f"left over: {[_words(pid) for pid in left]}\n{self.said()}"
            time.sleep(0.05)
        return [128 - status if status < 0 else status for status in found]

    def said(self) -> str:
        return "\n".join(log.read_text(errors="replace") for log in self.logs)


def finished(launcher: Launcher, folder: Path, *words: str, **environment: str) -> str:
    """Run to the end, and what was said."""
    with Launch(launcher, folder, *words, **environment) as launch:
        assert set(launch.statuses()) == {0}, launch.said()
        return launch.said()


def only_run(folder: Path) -> Path:
    """The one run below a working directory."""
    (run,) = (folder / "runs" / "chem_iupac").iterdir()
    return run


def outcome(run: Path) -> dict[str, Any]:
    """What a run leaves, without what a clock measured."""
    with (run / "metrics.csv").open(newline="") as file:
        rows = [{k: v for k, v in row.items() if v and not _is_time(k)} for row in csv.DictReader(file)]
    samples = [json.loads(line) for line in (run / "samples.jsonl").open(encoding="utf-8")]
    for sample in samples:
        sample["certificate"].pop("seconds")
    summary = json.loads((run / "summary.json").read_text())
    summary.pop("seconds")
    partial = sorted(path.name for path in run.rglob("*.partial"))
    adapter = (run / "adapter" / "adapter_model.safetensors").read_bytes()
    return {"metrics": rows, "samples": samples, "summary": summary, "adapter": adapter, "partial": partial}


def _is_time(metric: str) -> bool:
    return metric.startswith("seconds/") or metric == "verify_wait"


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return []


def _kill(pid: int, signum: int) -> None:
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        pass
