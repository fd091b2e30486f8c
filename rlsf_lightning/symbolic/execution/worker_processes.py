"""Worker processes in which verifiers may hang or die without harm: the backend of :class:`VerifierPool`. POSIX only.

Workers come from a fork server that has imported neither torch nor the caller's ``__main__``, and exit when the process that
started them does, even after a crash.

Never here: the meaning of a certificate, and its use.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import multiprocessing.connection
import os
import pickle
import signal
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import spawn
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

from pebble import CONSTS, ProcessExpired, ProcessPool

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.loader import load_verifier
from rlsf_lightning.symbolic.verifier import Verifier

Pair = tuple[Prompt, str]
#: Blocks until the certificates of one submission are complete; returns them in its order.
Collect = Callable[[], list[Certificate]]

#: Most completions in a task. Alone one has an overhead of about 0.15 ms, in a chunk of 16 about 0.03 ms, and the fastest
#: tools take 0.1 ms; but after a fault the whole chunk is verified again.
MAX_CHUNK = 16
#: Seconds within which a worker must have started and built its verifier.
START_SECONDS = 600.0
#: How often a completion is retried because the pool broke through no fault of its own.
BROKEN_TRIES = 3
#: Seconds for which a worker's death is kept from pebble.
GRACE_SECONDS = 0.05
#: Resident bytes that a worker may take; programs that a tool starts are not counted: the tool must limit them.
MAX_MEMORY = 4 << 30
PAGE = os.sysconf("SC_PAGE_SIZE")
#: Seconds between two measurements of the workers' memory (which needs /proc: elsewhere there is no limit).
WATCH_SECONDS = 0.05
#: Replaces the exit code 0 of a worker.
EXITED = 256
#: Characters of an error message that are kept.
MAX_REASON = 500


@dataclass
class _Task:
    """A submitted chunk: the indices of its pairs in the submission, and how often a pool broke under it."""

    indices: Sequence[int]
    pool: ProcessPool
    future: Future[list[bytes]]
    broken: int = 0


class WorkerProcesses:
    """The backend of ``VerifierPool`` that verifies in worker processes.

    Raises:
        UserError: the verifier cannot be built, or does not start in a worker.
    """

    def __init__(self, name: str, options: Mapping[str, Any], workers: int, timeout: float) -> None:
        self._name, self._options, self._workers, self._timeout = name, dict(options), workers, timeout
        CONSTS.term_timeout = 0.2  # a worker that is deep in native code does not answer SIGTERM: then SIGKILL
        CONSTS.sleep_unit = 0.05  # how often pebble looks for dead workers
        self._context = WorkerContext()
        self._context.set_forkserver_preload([__name__])
        self._closed = False
        _memory.start()
        self._pool = self._new_pool()
        atexit.register(self.close)  # before pebble's own: no worker may be started while the interpreter goes down
        try:
            self._pool.schedule(_check_worker).result(START_SECONDS)
        except UserError:
            self.close()
            raise
        except Exception as error:
            self.close()
            raise UserError(
                f"the verifier `{name}` does not start in a worker: {_reason(error)}; "
                "write verifier.workers=0 to see where it fails"
            ) from error

    def _new_pool(self) -> ProcessPool:
        arguments = (self._name, self._options, self._timeout)
        return ProcessPool(
            max_workers=self._workers, initializer=_start_worker, initargs=arguments, context=self._context
        )

    def submit(self, pairs: Sequence[Pair]) -> Collect:
        """Start to verify; does not block. The returned function does."""
        # Small enough that every worker gets several, and a slow one does not hold up the batch.
        size = max(1, min(MAX_CHUNK, len(pairs) // (4 * self._workers)))
        chunks = [range(start, min(start + size, len(pairs))) for start in range(0, len(pairs), size)]
        tasks = deque(self._task(pairs, chunk) for chunk in chunks)
        return lambda: self._collect(pairs, tasks)

    def close(self) -> None:
        """Stop all workers at once."""
        if not self._closed:
            self._closed = True
            atexit.unregister(self.close)
            self._discard_pool()

    def _discard_pool(self) -> None:
        self._pool.stop()
        self._pool.join()

    def _task(self, pairs: Sequence[Pair], indices: Sequence[int], broken: int = 0) -> _Task:
        if self._closed:
            raise RuntimeError("the verifier pool is closed")
        if not self._pool.active:
            self._discard_pool()
            self._pool = self._new_pool()
        # The worker's own alarm ends a completion that takes too long; this is for a worker that disabled it.
        limit = len(indices) * self._timeout + 1.0
        future = self._pool.schedule(_verify_chunk, args=([pairs[index] for index in indices],), timeout=limit)
        return _Task(indices, self._pool, future, broken)

    def _collect(self, pairs: Sequence[Pair], tasks: deque[_Task]) -> list[Certificate]:
        """Wait for all tasks. A chunk that failed is retried one by one; a pair that fails alone is an abstention."""
        found: dict[int, Certificate] = {}
        while tasks:
            task = tasks.popleft()
            try:
                certificates = [pickle.loads(data) for data in self._wait(task, len(pairs))]
                found.update(zip(task.indices, certificates, strict=True))
            except UserError:
                raise
            except Exception as error:
                if isinstance(error, ProcessExpired):
                    _kill_group(error.pid)
                broken = task.broken + isinstance(error, BrokenProcessPool)
                if len(task.indices) > 1 or task.broken < broken < BROKEN_TRIES:
                    tasks.extend(self._task(pairs, [index], broken) for index in task.indices)
                else:
                    found[task.indices[0]] = _abstain(self._name, self._explain(error))
        return [found[index] for index in range(len(pairs))]

    def _wait(self, task: _Task, pairs: int) -> list[bytes]:
        """The task's result. Raises BrokenProcessPool if the pool lost it, or exceeds the whole batch's time limit."""
        deadline = time.monotonic() + START_SECONDS + pairs * (self._timeout + 1.0)
        while not wait([task.future], timeout=0.1).done:
            if time.monotonic() > deadline:
                task.pool.stop()
            if task.pool is not self._pool or not task.pool.active:
                raise BrokenProcessPool("a task was lost")
        return task.future.result()

    def _explain(self, error: Exception) -> str:
        late = f"no verdict within {self._timeout:g} s; the worker was killed"
        if isinstance(error, TimeoutError):
            return late
        if isinstance(error, ProcessExpired):
            if error.exitcode == -signal.SIGALRM:
                return late
            if error.pid in _memory.killed:
                return f"the worker held more than {MAX_MEMORY >> 20} MB and was killed"
            if error.exitcode < 0:
                return f"the worker was killed by signal {-error.exitcode} ({signal.strsignal(-error.exitcode)})"
            return f"the worker died with exit code {error.exitcode % EXITED}"
        return _reason(error)


def _kill_group(worker: int | None) -> None:
    """Kill the processes that a dead worker's tool has left running."""
    if worker is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker, signal.SIGKILL)


class WorkerProcess(ForkServerProcess):
    """A process of the fork server that does not import its parent's ``__main__``.

    The standard one does, and would import torch and lightning in every worker (or run a script that has no ``__main__``
    guard a second time). Nothing of ``__main__`` is needed: verifiers are imported by name.
    """

    _starting = threading.Lock()
    _dead_since: float | None = None
    _joined = False

    def join(self, timeout: float | None = None) -> None:
        super().join(timeout)
        self._joined = True

    def is_alive(self) -> bool:
        """Whether it runs, or died unexpectedly less than ``GRACE_SECONDS`` ago.

        A worker's last message says which task it took. Pebble must read that before it sees the death, or it treats the
        task as not yet taken, and loses it.
        """
        if super().is_alive():
            return True
        now = time.monotonic()
        self._dead_since = self._dead_since or now
        return not self._joined and now - self._dead_since < GRACE_SECONDS

    @property
    def exitcode(self) -> int | None:
        """Never 0: a worker has no reason to exit, and pebble treats 0 as no fault."""
        code = super().exitcode
        return EXITED if code == 0 else code

    @staticmethod
    def _Popen(process_obj: multiprocessing.process.BaseProcess) -> Any:
        with WorkerProcess._starting:
            prepare, me = spawn.get_preparation_data, threading.get_ident()

            def without_main(name: str) -> dict[str, Any]:
                data = prepare(name)
                if threading.get_ident() == me:  # another thread may be starting a process of its own
                    data.pop("init_main_from_name", None)
                    data.pop("init_main_from_path", None)
                return data

            spawn.get_preparation_data = without_main
            try:
                started = ForkServerProcess._Popen(process_obj)
            finally:
                spawn.get_preparation_data = prepare
        _memory.add(started)
        return started


class _MemoryWatch:
    """A thread that kills every worker of too much resident memory.

    A thread in the worker would not do, as native code may hold the GIL; a resource limit (RLIMIT_AS) would be inherited by
    the programs that a tool starts, some of which reserve far more than they use.
    """

    def __init__(self) -> None:
        #: Process ids of workers that were killed here.
        self.killed: set[int] = set()
        self._workers: weakref.WeakSet[Any] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._owner = 0

    def start(self) -> None:
        """Start the thread, once per process."""
        with self._lock:
            if self._owner != os.getpid():
                self._owner = os.getpid()
                threading.Thread(target=self._watch, daemon=True).start()

    def add(self, worker: Any) -> None:
        """Watch a worker from now on: multiprocessing's object with ``pid`` and ``sentinel``."""
        with self._lock:
            self.killed.discard(worker.pid)
            self._workers.add(worker)

    def _watch(self) -> None:
        while True:
            with self._lock:
                workers = list(self._workers)
            for worker in workers:
                with contextlib.suppress(OSError, ValueError):  # it has just ended
                    if _resident(worker.pid) > MAX_MEMORY and not multiprocessing.connection.wait([worker.sentinel], 0):
                        self.killed.add(worker.pid)
                        os.kill(worker.pid, signal.SIGKILL)
            del workers
            time.sleep(WATCH_SECONDS)


_memory = _MemoryWatch()


def _resident(pid: int) -> int:
    """Resident memory in bytes. Raises OSError if there is no such process, or no /proc."""
    with open(f"/proc/{pid}/statm", "rb") as statm:
        return int(statm.read().split()[1]) * PAGE


class WorkerContext(ForkServerContext):
    """A multiprocessing context whose processes are :class:`WorkerProcess`."""

    Process = WorkerProcess


@dataclass
class _WorkerState:
    """The state of a worker process; ``problem`` is set if the verifier could not be built."""

    name: str
    timeout: float
    verifier: Verifier | None = None
    problem: Exception | None = None

    def require(self) -> Verifier:
        """The verifier; raises the error with which it could not be built."""
        if self.verifier is None:
            assert self.problem is not None
            raise self.problem
        return self.verifier


_state: _WorkerState


def _start_worker(name: str, options: Mapping[str, Any], timeout: float) -> None:
    """Runs once in each worker, before any completion's timer starts."""
    global _state
    _state = _WorkerState(name, timeout)
    os.setpgid(0, 0)  # a process group of its own, so that the tool's processes can be killed with it
    signal.signal(signal.SIGTERM, _end_group)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _state.verifier = load_verifier(name, options)
    except UserError as error:
        _state.problem = UserError(str(error))
    except Exception as error:  # as text: it must be picklable
        _state.problem = RuntimeError(_reason(error))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _end_with_parent() -> None:
    """Exit with the parent, whose death a busy worker would not notice."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    _end_group()


def _end_group(*_: object) -> None:
    os.killpg(0, signal.SIGKILL)


def _check_worker() -> None:
    _state.require()


def _verify_chunk(pairs: Sequence[Pair]) -> list[bytes]:
    """Pickled certificates: pickled here, so that one that cannot be is an abstention and does not kill the worker."""
    verifier, certificates = _state.require(), []
    for pair in pairs:
        # The alarm's default action kills the process at once, native code or not: Python could not interrupt that.
        signal.setitimer(signal.ITIMER_REAL, _state.timeout)
        certificate = verify(verifier, _state.name, pair)
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            certificates.append(pickle.dumps(certificate))
        except Exception as error:
            reason = f"the certificate is not picklable: {_reason(error)}"
            certificates.append(pickle.dumps(_abstain(_state.name, reason)))
    return certificates


def verify(verifier: Verifier, name: str, pair: Pair) -> Certificate:
    """The verifier's certificate, or an abstention if it raises or returns something else.

    Raises:
        UserError: the prompt lacks facts that the verifier needs, which is no fault of the completion or the tool.
    """
    start = time.perf_counter()
    try:
        certificate: object = verifier.verify(*pair)
        if isinstance(certificate, Certificate):
            return certificate
        reason = f"verify returned {type(certificate).__name__}, not a Certificate"
    except UserError as error:
        place = f"prompt {pair[0].id}: "
        raise UserError(place + str(error).removeprefix(place)) from None
    except (Exception, SystemExit) as error:
        reason = _reason(error)
    return _abstain(name, reason, time.perf_counter() - start)


def _abstain(name: str, reason: str, seconds: float = 0.0) -> Certificate:
    return Certificate(Verdict.ABSTAIN, witness={"error": reason}, tool=name, seconds=seconds)


def _reason(error: BaseException) -> str:
    """Type and message, truncated, with lone surrogates escaped, which a hostile completion may have put there."""
    text = f"{type(error).__name__}: {error}"[:MAX_REASON]
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
