"""A tool in a long-lived process of its own: one question a line, one answer a line, with limits of time.

The process is started when it is first asked, and again after it has died or was killed. It ends with this one, however
that ends: then its standard input is closed. Python tools answer with ``answering``, which bounds them once more from
within, so that none computes on when nobody is left to end it.
"""

from __future__ import annotations

import math
import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path

from rlsf_lightning.errors import ToolFailed

#: Seconds of computing that a process may take to start.
START_SECONDS = 60.0
#: A real second is longer than a computed one where the machine is busy; so many times, at most.
PATIENCE = 5
#: Seconds after which it is looked how long the process has computed.
TICK = 0.1
#: What ends a process that ``answering`` bounds.
_TIMERS = (-signal.SIGPROF, -signal.SIGALRM)


class NotStarted(ToolFailed):
    """The tool's process does not even start."""


class Child:
    """Asks the process, one question after the other, from any thread; a forked process starts its own.

    Args:
        tool: its name in messages.
        command: what to run; it writes a line when it is ready.
        seconds: of computing, for one answer. A question that takes longer costs the process.
        longest: seconds of the clock after which a question is given up whatever happens, the start of the process
            included, which goes on meanwhile. None: a start and an answer may both take all of their time.
        environment: variables in addition to those of this process.
    """

    def __init__(
        self,
        tool: str,
        command: Sequence[str],
        seconds: float,
        *,
        longest: float | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.tool, self.command, self.seconds = tool, list(command), seconds
        self.longest, self.environment = longest, environment
        self.process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._lock = threading.Lock()
        self._owner = 0
        self._buffer = b""

    def is_running(self) -> bool:
        """Whether there is a process that this one may ask."""
        return self.process is not None and self._owner == os.getpid() and self.process.poll() is None

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
                self._start()
            assert self.process is not None and self.process.stdin is not None
            if not self._is_ready:
                self._await_start(self.process, end)
            try:
                self.process.stdin.write(line.encode(errors="replace") + b"\n")
                self.process.stdin.flush()
                return self._line(self.process, self.seconds, end).decode(errors="replace")
            except (OSError, ToolFailed) as error:
                self.stop()
                raise ToolFailed(str(error)) from None

    def stop(self) -> None:
        """End the process; the next question starts another."""
        if self.process is not None:
            _stop(self.process, self._owner)
        self.process = None

    def _start(self) -> None:
        pipe = subprocess.PIPE
        environment = None if self.environment is None else {**os.environ, **self.environment}
        try:
            process = subprocess.Popen(
                self.command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment
            )
        except OSError as error:
            raise NotStarted(f"{self.tool} cannot be started: {error}") from None
        self.process, self._owner, self._buffer, self._is_ready = process, os.getpid(), b"", False
        weakref.finalize(self, _stop, process, self._owner)

    def _await_start(self, process: subprocess.Popen[bytes], end: float) -> None:
        """Until it is ready. Raises NotStarted; ToolFailed where there is no time for it now."""
        try:
            self._line(process, START_SECONDS, end)
        except ToolFailed as error:
            if time.monotonic() >= end and process.poll() is None:
                raise ToolFailed(f"{self.tool}: still starting after {self.longest:g} s") from None
            self.stop()
            raise NotStarted(f"{self.tool} does not start: {error}") from None
        self._is_ready = True

    def _line(self, process: subprocess.Popen[bytes], seconds: float, end: float) -> bytes:
        """The next line that the process writes. Raises ToolFailed where none comes in time, or by ``end``."""
        assert process.stdout is not None
        late = ToolFailed(f"{self.tool}: no answer within {seconds:g} s of computing")
        begin = time.monotonic()
        used: float | None = None
        poll = select.poll()
        poll.register(process.stdout, select.POLLIN)
        while b"\n" not in self._buffer:
            if not poll.poll(1000 * max(0.0, min(TICK, seconds, end - time.monotonic()))):
                now, computed = time.monotonic(), _computed(process.pid)
                used = computed if used is None else used  # most answers come before anyone has to look
                if now >= end:
                    raise ToolFailed(f"{self.tool}: no answer within {self.longest:g} s")
                if computed - used > seconds or now - begin > PATIENCE * seconds:
                    raise late
                continue
            read = os.read(process.stdout.fileno(), 1 << 16)
            if not read:
                code = process.wait()
                raise late if code in _TIMERS else ToolFailed(f"the process of {self.tool} ended (exit code {code})")
            self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


class PythonChild(Child):
    """A process that runs a module, which ends in a loop over ``answering``.

    Args:
        module: its name. Its first argument is ``seconds``.
        arguments: the others.
        longest: as of ``Child``.
    """

    def __init__(
        self, tool: str, module: str, seconds: float, *arguments: object, longest: float | None = None
    ) -> None:
        command = [sys.executable, "-m", module, str(seconds), *map(str, arguments)]
        path = os.pathsep.join(entry for entry in sys.path if entry)
        super().__init__(tool, command, seconds, longest=longest, environment={"PYTHONPATH": path})


def _computed(pid: int) -> float:
    """Seconds that a process has computed, all of its threads together; those of the clock where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return time.monotonic()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stop(process: subprocess.Popen[bytes], owner: int) -> None:
    if owner == os.getpid():
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # what was not yet written has nowhere to go
                    pass
