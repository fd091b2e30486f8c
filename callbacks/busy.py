"""Gives way where other programs need cores: torch's threads meet on half of them, as long as they had to wait for a core.

Threads divide a computation evenly, so that all wait for the one that another program puts off. Beside one busy program two
threads that share the core which it leaves free are faster than two on two cores. How the work is divided stays as it is,
and so does every number. ``callbacks.busy=null`` switches it off. Where Linux does not count the waiting, nothing is done.
"""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from rlsf_lightning.training.hooks import RLSFCallback

TASKS = Path("/proc/self/task")
#: Linux only, and not of every container.
COUNTS = Path("/proc/thread-self/schedstat")


@dataclass(frozen=True)
class Times:
    """Nanoseconds that threads have spent on a core, and ready to run without one."""

    running: int = 0
    waiting: int = 0

    def share_since(self, earlier: "Times") -> float:
        """What part of the time in which they could have run they waited, in [0, 1]."""
        running, waiting = self.running - earlier.running, self.waiting - earlier.waiting
        return waiting / (running + waiting) if waiting > 0 and running >= 0 else 0.0


class Busy(RLSFCallback):
    """Looks at every step that has all cores.

    Args:
        share: of waiting for a core, from which on the next steps have half of the cores.
        steps: so many; then one has all of them again, to look whether the others are still there.
    """

    writes_rewards = False

    def __init__(self, share: float = 0.1, steps: int = 10) -> None:
        if not 0 < share < 1:
            raise TypeError(f"share must be in (0, 1), got {share}")
        if steps < 1:
            raise TypeError(f"steps must be positive, got {steps}")
        self.share, self.steps = share, steps
        self.cores: set[int] = set()
        self.before = Times()
        #: Steps on half of the cores that are still to come.
        self.left = 0

    def logged_metrics(self, recipe) -> tuple[str, ...]:
        return ()

    def on_train_start(self, trainer, module) -> None:
        is_shared = module.device.type == "cpu" and torch.get_num_threads() > 1 and COUNTS.exists()
        self.cores = os.sched_getaffinity(0) if is_shared else set()

    def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
        if len(self.cores) > 1:
            self.before = times()

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        if len(self.cores) < 2:
            return
        if self.left:
            self.left -= 1
            if not self.left:
                keep_to(self.cores)
        elif times().share_since(self.before) >= self.share:
            self.left = self.steps
            keep_to(set(sorted(self.cores)[len(self.cores) // 2 :]))

    def on_train_end(self, trainer, module) -> None:
        self.give_back()

    def on_exception(self, trainer, module, exception) -> None:
        self.give_back()

    def give_back(self) -> None:
        if self.left:
            self.left = 0
            keep_to(self.cores)


def computing_threads() -> Iterator[int]:
    """The main thread and those of libraries. Those of Python wait for the verifier and start its workers, which inherit."""
    others = {thread.native_id for thread in threading.enumerate() if thread is not threading.main_thread()}
    for task in TASKS.iterdir():
        if int(task.name) not in others:
            yield int(task.name)


def times() -> Times:
    """Of the computing threads up to now."""
    running = waiting = 0
    for thread in computing_threads():
        try:
            ran, waited, _ = (TASKS / str(thread) / "schedstat").read_text().split()
        except (OSError, ValueError):  # it has just ended
            continue
        running, waiting = running + int(ran), waiting + int(waited)
    return Times(running, waiting)


def keep_to(cores: set[int]) -> None:
    """Let the computing threads run on these cores only."""
    for thread in computing_threads():
        try:
            os.sched_setaffinity(thread, cores)
        except OSError:  # it has just ended, or the container does not let us
            continue
