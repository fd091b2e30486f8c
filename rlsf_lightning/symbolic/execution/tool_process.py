"""A tool in a long-lived process of its own: one question a line, one answer a line, with limits of time.

The process is started when it is first asked, and again after it has died or was killed. It ends with this one, however
that ends: then its standard input is closed. Python tools answer with ``serve``, which bounds them once more from
within, so that none computes on when nobody is left to end it.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from rlsf_lightning.errors import ToolFailed

#: Seconds of computing that a process may take to start.
START_SECONDS = 60.0
#: A real second is longer than a computed one where the machine is busy; so many times, at most.
PATIENCE = 5
#: Seconds after which it is looked how long the process has computed.
TICK = 0.1
#: Seconds in which a process that has closed its pipes must have left.
LEAVE_SECONDS = 1.0
#: Runs the module that the second argument names, with the path that the first one is.
_RUN = (
    "import os, runpy, sys; sys.path = sys.argv.pop(1).split(os.pathsep); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)
#: What ends a process that ``serve`` bounds.
_TIMERS = (-signal.SIGPROF, -signal.SIGALRM)


class NotStarted(ToolFailed):
    """The tool's process does not even start."""


class Ended(ToolFailed):
    """The process is gone; ``code`` is its exit code, or the negative number of the signal that ended it."""

    def __init__(self, tool: str, code: int) -> None:
        super().__init__(f"the process of {tool} ended (exit code {code})")
        self.code = code


class LineProcess:
    """A process that is written to and read from line by line, by one thread at a time; a forked process has none.

    Args:
        tool: its name in messages.
        command: what to run.
        is_group: it leads a process group of its own, all of which ends with it, and keeps this process's standard error.

    A terminal's Ctrl-C is for this process, which may have to finish something first: it does not interrupt the other one.
    """

    def __init__(self, tool: str, command: Sequence[str], *, is_group: bool = False) -> None:
        self.tool, self.command, self._is_group = tool, list(command), is_group
        self.process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._buffer = b""
        self._end: Callable[[], object] | None = None

    def is_running(self) -> bool:
        """Whether there is a process that this one may ask."""
        return self.process is not None and self._owner == os.getpid() and self.process.poll() is None

    def spawn(self) -> None:
        """Start the process, in place of one that may still be there. Raises NotStarted."""
        self.stop()
        try:
            with _interrupts_blocked():
                process = subprocess.Popen(
                    self.command,
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=None if self._is_group else subprocess.DEVNULL,
                    process_group=0 if self._is_group else None,
                )
        except OSError as error:
            raise NotStarted(f"{self.tool} cannot be started: {error}") from None
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)
        self.process, self._owner, self._buffer = process, os.getpid(), b""
        self._end = weakref.finalize(self, _stop, process, self._owner, self._is_group)

    def stop(self) -> None:
        """End the process; nothing happens where none runs."""
        if self._end is not None:
            self._end()
        self.process = self._end = None

    def send(self, line: bytes, tick: float, check: Callable[[], object]) -> None:
        """Write a line, with its end; for the rest see ``receive``."""
        assert self.process is not None and self.process.stdin is not None
        left = memoryview(line)
        try:
            while left:
                try:
                    left = left[os.write(self.process.stdin.fileno(), left) :]
                except BlockingIOError:
                    self._await(self.process.stdin, select.POLLOUT, tick, check)
        except BrokenPipeError:
            raise self._ended() from None

    def receive(self, tick: float, check: Callable[[], object]) -> bytes:
        """The next line, without its end. Every ``tick`` seconds without one ``check`` is called, to raise when it is late.

        Raises Ended: the process has.
        """
        assert self.process is not None and self.process.stdout is not None
        while b"\n" not in self._buffer:
            self._await(self.process.stdout, select.POLLIN, tick, check)
            read = os.read(self.process.stdout.fileno(), 1 << 16)
            if not read:
                raise self._ended()
            self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _await(self, stream: IO[bytes], event: int, tick: float, check: Callable[[], object]) -> None:
        assert self.process is not None
        poll = select.poll()
        poll.register(stream, event)
        while not poll.poll(1000 * tick):
            check()
            if self.process.poll() is not None:  # a process that it has left may hold its pipes open
                raise self._ended()

    def _ended(self) -> Ended:
        """With the exit code; a process that only closed its pipes is killed."""
        process = self.process
        assert process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LEAVE_SECONDS)
        self.stop()
        return Ended(self.tool, process.returncode)


class ToolProcess(LineProcess):
    """Asks the process, one question after the other, from any thread; a forked process starts its own.

    Args:
        tool: its name in messages.
        command: what to run; it writes a line when it is ready.
        seconds: of computing, for one answer. A question that takes longer costs the process.
        longest: seconds of the clock after which a question is given up whatever happens, the start of the process
            included, which goes on meanwhile. None: a start and an answer may both take all of their time.
    """

    def __init__(self, tool: str, command: Sequence[str], seconds: float, *, longest: float | None = None) -> None:
        super().__init__(tool, command)
        self.seconds, self.longest = seconds, longest
        self._is_ready = False
        self._lock = threading.Lock()

    def ask(self, line: str, *, start: bool = True) -> str:
        """The answer to a question; both are one line, without its end.

        Args:
            start: start the process if none is running; otherwise that is a failure.

        Raises:
            ToolFailed: it crashed or gave no answer in time. The next question gets a new process, or the same one where
                that had no time to start.
        """
        assert not {"\n", "\r"} & set(line), "one line a question"
        with self._lock:
            end = math.inf if self.longest is None else time.monotonic() + self.longest
            if not self.is_running():
                if not start:
                    raise ToolFailed(f"{self.tool} has ended")
                self.spawn()
            if not self._is_ready:
                self._await_start(end)
            try:
                limits = self._limits(self.seconds, end)
                self.send(line.encode(errors="replace") + b"\n", *limits)
                return self.receive(*limits).decode(errors="replace")
            except Ended as ended:
                raise self._late(self.seconds) if ended.code in _TIMERS else ended from None
            except (OSError, ToolFailed) as error:
                self.stop()
                raise ToolFailed(str(error)) from None

    def spawn(self) -> None:
        super().spawn()
        self._is_ready = False

    def _await_start(self, end: float) -> None:
        """Until it is ready. Raises NotStarted; ToolFailed where there is no time for it now."""
        try:
            self.receive(*self._limits(START_SECONDS, end))
        except ToolFailed as error:
            if time.monotonic() >= end and self.is_running():
                raise ToolFailed(f"{self.tool}: still starting after {self.longest:g} s") from None
            self.stop()
            raise NotStarted(f"{self.tool} does not start: {error}") from None
        self._is_ready = True

    def _late(self, seconds: float) -> ToolFailed:
        return ToolFailed(f"{self.tool}: no answer within {seconds:g} s of computing")

    def _limits(self, seconds: float, end: float) -> tuple[float, Callable[[], None]]:
        """``tick`` and ``check`` for what may take so many seconds of computing, and last until ``end``."""
        assert self.process is not None
        begin, pid = time.monotonic(), self.process.pid
        used: float | None = None

        def check() -> None:
            nonlocal used
            now, computed = time.monotonic(), _computed(pid)
            used = computed if used is None else used  # most answers come before anyone has to look
            if now >= end:
                raise ToolFailed(f"{self.tool}: no answer within {self.longest:g} s")
            if computed - used > seconds or now - begin > PATIENCE * seconds:
                raise self._late(seconds)

        return min(TICK, seconds, max(0.0, end - begin)), check


class PythonToolProcess(ToolProcess):
    """A process that runs a module, which ends in a loop over ``serve``.

    Args:
        module: its name. Its first argument is ``seconds``.
        arguments: the others.
        longest: as of ``ToolProcess``.
    """

    def __init__(
        self, tool: str, module: str, seconds: float, *arguments: object, longest: float | None = None
    ) -> None:
        super().__init__(tool, python_module(module, seconds, *arguments), seconds, longest=longest)


def python_module(name: str, *arguments: object) -> list[str]:
    """The command that runs a module in another Python, which finds modules where this one does.

    Without PYTHONPATH, which whatever that Python starts would inherit.
    """
    return [sys.executable, "-P", "-c", _RUN, os.pathsep.join(sys.path), name, *map(str, arguments)]


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Inside, SIGINT waits; a process that is started inherits that for good."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _computed(pid: int) -> float:
    """Seconds that a process has computed, all of its threads together; those of the clock where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return time.monotonic()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stop(process: subprocess.Popen[bytes], owner: int, is_group: bool) -> None:
    if owner == os.getpid():
        if is_group:
            kill_group(process.pid)
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def kill_group(leader: int) -> None:
    """End all processes of a group that are left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
