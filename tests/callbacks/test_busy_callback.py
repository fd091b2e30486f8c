"""Giving way to other programs: when, on which threads, for how long."""

import os
import threading
import time
from types import SimpleNamespace

import pytest
import torch

from callbacks import busy
from callbacks.busy import Busy, Times

CPU = SimpleNamespace(device=torch.device("cpu"))
GPU = SimpleNamespace(device=torch.device("cuda"))
linux_only = pytest.mark.skipif(not busy.COUNTS.exists(), reason="Linux counts how long threads wait for a core")


class Machine:
    """Stands for the kernel: what it counts, and on which cores the threads may run."""

    def __init__(self, monkeypatch, cores):
        self.cores, self.counted = set(cores), Times()
        monkeypatch.setattr(busy.os, "sched_getaffinity", lambda thread: set(cores), raising=False)
        monkeypatch.setattr(busy, "COUNTS", SimpleNamespace(exists=lambda: True))
        monkeypatch.setattr(busy, "times", lambda: self.counted)
        monkeypatch.setattr(busy, "keep_to", self.keep_to)
        monkeypatch.setattr(busy.torch, "get_num_threads", lambda: 2)

    def keep_to(self, cores):
        self.cores = cores

    def steps(self, callback, shares):
        """The cores at the end of each step, in which threads wait for so much of their time."""
        for share in shares:
            callback.on_train_batch_start(None, CPU, None, 0)
            self.counted = Times(
                self.counted.running + round(100 * (1 - share)), self.counted.waiting + round(100 * share)
            )
            callback.on_train_batch_end(None, CPU, None, None, 0)
            yield self.cores


def started(module=CPU, **arguments):
    callback = Busy(**arguments)
    callback.on_train_start(None, module)
    return callback


@pytest.mark.parametrize(
    ("earlier", "later", "share"),
    [
        (Times(0, 0), Times(75, 25), 0.25),
        (Times(100, 40), Times(150, 90), 0.5),
        (Times(5, 5), Times(5, 5), 0.0),
        (Times(5, 5), Times(9, 5), 0.0),
        (Times(50, 50), Times(20, 10), 0.0),  # a thread has ended with what it had
    ],
)
def test_the_share_of_waiting(earlier, later, share):
    assert later.share_since(earlier) == share


def test_steps_after_a_busy_one_have_half_of_the_cores_and_then_all_are_tried(monkeypatch):
    machine = Machine(monkeypatch, range(4))
    found = list(machine.steps(started(steps=2), [0.05, 0.3, 0.5, 0.5, 0.3, 0.5, 0.5, 0.0, 0.0]))
    everything, half = {0, 1, 2, 3}, {2, 3}
    assert found == [everything, half, half, everything, half, half, everything, everything, everything]


def test_a_quiet_machine_and_one_core_are_left_alone(monkeypatch):
    machine = Machine(monkeypatch, range(2))
    assert list(machine.steps(started(), [0.01] * 5)) == [{0, 1}] * 5
    machine = Machine(monkeypatch, [3])
    assert list(machine.steps(started(), [0.6] * 3)) == [{3}] * 3


def test_without_threads_of_its_own_nothing_is_done(monkeypatch):
    machine = Machine(monkeypatch, range(2))
    assert list(machine.steps(started(GPU), [0.6] * 3)) == [{0, 1}] * 3
    monkeypatch.setattr(busy.torch, "get_num_threads", lambda: 1)
    assert list(machine.steps(started(), [0.6] * 3)) == [{0, 1}] * 3


@pytest.mark.parametrize("end", ["on_train_end", "on_exception"])
def test_all_cores_are_given_back_at_the_end(monkeypatch, end):
    machine = Machine(monkeypatch, range(2))
    callback = started()
    assert list(machine.steps(callback, [0.6])) == [{1}]
    getattr(callback, end)(*([None] * (2 if end == "on_train_end" else 3)))
    assert machine.cores == {0, 1}


@linux_only
def test_threads_of_python_keep_their_cores_as_workers_are_started_by_them():
    own, done, seen = os.sched_getaffinity(0), threading.Event(), {}
    thread = threading.Thread(target=lambda: (done.wait(), seen.update(cores=os.sched_getaffinity(0))))
    thread.start()
    assert thread.native_id not in busy.computing_threads()
    assert threading.main_thread().native_id in busy.computing_threads()
    try:
        busy.keep_to({min(own)})
        assert os.sched_getaffinity(0) == {min(own)}
    finally:
        busy.keep_to(own)
        done.set()
        thread.join()
    assert seen["cores"] == own == os.sched_getaffinity(0)


@linux_only
def test_the_kernel_counts_the_computing_threads():
    before, begin = busy.times(), time.thread_time()
    while time.thread_time() < begin + 0.1:  # longer than a tick of the kernel's clock
        torch.ones(100, 100).matmul(torch.ones(100, 100))
    assert busy.times().running - before.running > 0.05e9


@pytest.mark.parametrize("arguments", [{"share": 0.0}, {"share": 1.0}, {"steps": 0}])
def test_impossible_arguments(arguments):
    with pytest.raises(TypeError, match="must be"):
        Busy(**arguments)
