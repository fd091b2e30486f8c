"""Worker processes that verify and may hang or die without harm: what stands behind :class:`VerifierPool`.

A worker is a Python of its own, with neither torch nor the caller's ``__main__`` in it, and ends when the process that
started it does, however that one ended. POSIX only.

Never here: what a certificate means, and what is done with it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from rlsf_lightning.errors import ToolFailed, UserError
from rlsf_lightning.records import Certificate
from rlsf_lightning.symbolic.answers.settings import AnswerSettings
from rlsf_lightning.symbolic.execution.tool_process import (
    Ended,
    LineProcess,
    NotStarted,
    kill_group,
    python_module,
)
from rlsf_lightning.symbolic.execution.worker_server import Pair, abstain, decode, encode, reason_of

#: Blocks until the certificates of one submission are there, in its order.
Collect = Callable[[], list[Certificate]]

#: Most completions that go to a worker at once: between two lots it waits for this process.
MAX_CHUNK = 16
#: Seconds in which a worker must have started and built its verifier.
START_SECONDS = 600.0
#: How often in a row a worker is started before what it should have verified is given up.
START_TRIES = 3
#: Bytes that a worker may hold in memory; programs that a tool starts are not counted, as they are to be bounded by it.
MAX_MEMORY = 4 << 30
PAGE = os.sysconf("SC_PAGE_SIZE")
#: Seconds between two looks at the memory of a worker that works, and of one that does not (which need /proc: elsewhere
#: there is no limit).
WATCH_SECONDS = 0.05
IDLE_SECONDS = 1.0


class _Closed(RuntimeError):
    def __init__(self) -> None:
        super().__init__("the verifier pool is closed")


class _Died(ToolFailed):
    """A worker did; ``is_final`` where it would be no use to ask another one."""

    def __init__(self, reason: str, is_final: bool) -> None:
        super().__init__(reason)
        self.is_final = is_final


@dataclass
class _Chunk:
    """Pairs on their way. After ``deadline`` no worker is started for them."""

    pairs: Sequence[Pair]
    deadline: float
    future: Future[list[Certificate]] = field(default_factory=Future)


class WorkerProcesses:
    """Verifies in worker processes, each of which has a thread here."""

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        workers: int,
        timeout: float,
        answer: AnswerSettings | None = None,
        *,
        repair: bool = False,
    ) -> None:
        self._name, self._timeout, self._is_closed = name, timeout, False
        self._queue: queue.SimpleQueue[_Chunk | None] = queue.SimpleQueue()
        self._workers = [_Worker(name, dict(options), timeout, answer, repair) for _ in range(workers)]
        self._threads: list[threading.Thread] = []
        atexit.register(self.close)  # no worker may be started while the interpreter goes down
        try:
            for worker in self._workers:
                worker.spawn()
            self._workers[0].start()  # the others meanwhile
        except UserError:
            self.close()
            raise
        except Exception as error:
            self.close()
            raise UserError(
                f"the verifier `{name}` does not start in a worker: {reason_of(error)}; "
                "write verifier.workers=0 to see where it fails"
            ) from error
        self._threads = [threading.Thread(target=self._serve, args=(w,), daemon=True) for w in self._workers]
        for thread in self._threads:
            thread.start()

    def submit(self, pairs: Sequence[Pair]) -> Collect:
        if self._is_closed:
            raise _Closed
        # Small enough that every worker gets several and a slow one does not keep the batch waiting.
        size = max(1, min(MAX_CHUNK, len(pairs) // (4 * len(self._workers))))
        deadline = time.monotonic() + START_SECONDS + len(pairs) * (self._timeout + 1.0)
        chunks = [_Chunk(pairs[start : start + size], deadline) for start in range(0, len(pairs), size)]
        for chunk in chunks:
            self._queue.put(chunk)
        return lambda: [certificate for chunk in chunks for certificate in chunk.future.result()]

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        atexit.unregister(self.close)
        for worker in self._workers:
            worker.close()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        for worker in self._workers:
            worker.stop()
        while not self._queue.empty():
            if (chunk := self._queue.get()) is not None:
                chunk.future.set_exception(_Closed())

    def _serve(self, worker: _Worker) -> None:
        while not self._is_closed:
            try:
                chunk = self._queue.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                with contextlib.suppress(_Died):
                    worker.bound_memory()
                continue
            if chunk is not None:
                try:
                    chunk.future.set_result(self._verify(worker, chunk))
                except BaseException as error:
                    worker.stop()  # it may still be answering what nobody asks any more
                    chunk.future.set_exception(error)

    def _verify(self, worker: _Worker, chunk: _Chunk) -> list[Certificate]:
        """A completion of which a worker died is an abstention. But one that had verified others may have died of what they
        left behind: then the completion goes to a new worker, unless it was late or took most of the memory itself."""
        found: list[Certificate] = []
        while left := chunk.pairs[len(found) :]:
            try:
                self._start(worker, chunk.deadline)
                for certificate in worker.verify(left):
                    found.append(certificate)
            except _Died as death:
                if death.is_final:
                    found.append(abstain(self._name, str(death)))
            except NotStarted as error:
                found += [abstain(self._name, f"lost, as no worker starts: {error}")] * len(left)
        return found

    def _start(self, worker: _Worker, deadline: float) -> None:
        for left in reversed(range(START_TRIES)):
            try:
                return worker.start()
            except NotStarted:
                if not left or time.monotonic() > deadline:
                    raise


class _Worker(LineProcess):
    """A process of ``worker_server``, asked by one thread; ``close`` is for another."""

    def __init__(
        self, name: str, options: Mapping[str, Any], timeout: float, answer: AnswerSettings | None, repair: bool
    ) -> None:
        command = python_module("rlsf_lightning.symbolic.execution.worker_server")
        super().__init__("a worker", command, is_group=True)
        self._task, self._timeout = (name, options, timeout, answer, repair), timeout
        self._is_ready = self._is_closed = False
        #: Completions since the process was started.
        self._verified = 0
        #: What it held when it had last answered and its memory was looked at, and when that was.
        self._held, self._looked = 0, 0.0

    def spawn(self) -> None:
        super().spawn()
        self._is_ready, self._verified, self._held = False, 0, 0

    def start(self) -> None:
        """Until there is a process with a verifier. Raises NotStarted, and UserError if the verifier does."""
        if not self.is_running():
            self.spawn()
        if self._is_ready:
            return
        late = f"no verifier within {START_SECONDS:g} s"
        try:
            problem = self._ask(encode(self._task), START_SECONDS, late)
        except _Died as death:
            raise NotStarted(str(death)) from None
        if isinstance(problem, UserError):
            raise problem
        if problem is not None:
            raise NotStarted(problem)
        self._is_ready = True

    def verify(self, pairs: Sequence[Pair]) -> Iterator[Certificate]:
        """One certificate after the other. Raises _Died, and UserError if the verifier does."""
        question = encode(list(pairs))
        # The worker's own alarm ends a completion that takes too long; this is for a worker that disabled it.
        limit, late = self._timeout + 1.0, f"no verdict within {self._timeout:g} s; the worker was killed"
        for _ in pairs:
            answer = self._ask(question, limit, late)
            question = b""
            self._verified += 1
            if isinstance(answer, UserError):
                raise answer
            yield answer

    def close(self) -> None:
        """Kill the process for good."""
        self._is_closed = True
        process = self.process  # which the other thread may be replacing
        if process is not None and self._owner == os.getpid():
            kill_group(process.pid)

    def bound_memory(self) -> int:
        """Bytes that it holds. Raises _Died: too much, and it was killed.

        It cannot be left to a worker, where native code may hold the interpreter lock; a limit of the kernel's would be
        inherited by the programs that a tool starts, of which some reserve far more than they use.
        """
        held = _resident(self.process.pid) if self.is_running() and self.process is not None else 0
        if held > MAX_MEMORY:
            self.stop()
            took_most = held - self._held > MAX_MEMORY // 2
            raise self._death(f"the worker held more than {MAX_MEMORY >> 20} MB and was killed", is_final=took_most)
        return held

    def _ask(self, question: bytes, seconds: float, late: str) -> Any:
        """The next answer; an empty question only waits for it. Raises _Died."""
        end = time.monotonic() + seconds

        def check() -> None:
            if self._is_closed:
                raise _Closed
            self.bound_memory()
            if time.monotonic() > end:
                self.stop()
                raise _Died(late, is_final=True)

        try:
            self.send(question, WATCH_SECONDS, check)
            line = self.receive(WATCH_SECONDS, check)
        except Ended as ended:
            if self._is_closed:
                raise _Closed from None
            if ended.code == -signal.SIGALRM:
                raise _Died(late, is_final=True) from None
            raise self._death(_explain(ended.code)) from None
        if time.monotonic() > self._looked + WATCH_SECONDS:  # nobody has to wait where answers come fast
            self._held, self._looked = self.bound_memory(), time.monotonic()
        return decode(line)

    def _death(self, reason: str, is_final: bool = False) -> _Died:
        return _Died(reason, is_final or self._verified == 0)


def _explain(code: int) -> str:
    if code < 0:
        return f"the worker was killed by signal {-code} ({signal.strsignal(-code)})"
    return f"the worker died with exit code {code}"


def _resident(pid: int) -> int:
    """Bytes in memory; 0 where there is no such process, or no /proc."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:
            return int(statm.read().split()[1]) * PAGE
    except OSError:
        return 0
