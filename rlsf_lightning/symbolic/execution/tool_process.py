"""A tool in a long-lived child process: one request per line, one response per line, with time limits.

The child is started on the first request, and again after it died or was killed. It exits when this process does, even after
a crash, because its stdin is closed. Python tools run the request loop of ``tool_server``, whose timers also work when no
parent is left to kill them.
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

#: Seconds of processor time that a process may take to start.
START_SECONDS = 60.0
#: Limit on wall time, as a multiple of the limit on processor time: a busy machine is slower.
PATIENCE = 5
#: Seconds between two looks at the child's processor time.
TICK = 0.1
#: Exit codes of a process that the timers of ``tool_server`` ended.
_TIMERS = (-signal.SIGPROF, -signal.SIGALRM)


class NotStarted(ToolFailed):
    """The tool's process does not start."""


class Child:
    """One request at a time, from any thread; a forked process starts a child of its own.

    Args:
        tool: its name in messages.
        command: the command line to run; it writes a line when it is ready.
        seconds: processor time for one answer. A request that takes longer costs the child, which is killed.
        longest: wall time in seconds after which a request is given up in any case, including the child's start, which
            continues meanwhile. None: a start and an answer may each take all of their time.
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
        """Whether there is a live child that this process started."""
        return self.process is not None and self._owner == os.getpid() and self.process.poll() is None

    def ask(self, line: str, *, start: bool = True) -> str:
        """The response to a request; both are one line, without its end.

        Args:
            start: start the child if none is running; False: raise ToolFailed instead.

        Raises:
            ToolFailed: it crashed or did not answer in time. The next request starts a new child, or waits for the same one
                if that was still starting.
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
        """Kill the child; the next request starts another."""
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
        """Wait until the child is ready. Raises NotStarted, or ToolFailed if ``end`` comes first."""
        try:
            self._line(process, START_SECONDS, end)
        except ToolFailed as error:
            if time.monotonic() >= end and process.poll() is None:
                raise ToolFailed(f"{self.tool}: still starting after {self.longest:g} s") from None
            self.stop()
            raise NotStarted(f"{self.tool} does not start: {error}") from None
        self._is_ready = True

    def _line(self, process: subprocess.Popen[bytes], seconds: float, end: float) -> bytes:
        """The next line that the child writes. Raises ToolFailed if none comes in time, or by ``end``."""
        assert process.stdout is not None
        late = ToolFailed(f"{self.tool}: no answer within {seconds:g} s of computing")
        begin = time.monotonic()
        used: float | None = None
        poll = select.poll()
        poll.register(process.stdout, select.POLLIN)
        while b"\n" not in self._buffer:
            if not poll.poll(1000 * max(0.0, min(TICK, seconds, end - time.monotonic()))):
                now, computed = time.monotonic(), _computed(process.pid)
                used = computed if used is None else used  # most answers come before the first look
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
    """A Python module as a tool's process, which ends in the request loop of ``tool_server``.

    Args:
        module: its name. Its first command-line argument is ``seconds``.
        arguments: the other command-line arguments.
        longest: as of ``Child``.
    """

    def __init__(
        self, tool: str, module: str, seconds: float, *arguments: object, longest: float | None = None
    ) -> None:
        command = [sys.executable, "-m", module, str(seconds), *map(str, arguments)]
        path = os.pathsep.join(entry for entry in sys.path if entry)
        super().__init__(tool, command, seconds, longest=longest, environment={"PYTHONPATH": path})


def _computed(pid: int) -> float:
    """Processor time of a process and all its threads, in seconds; wall time where there is no /proc."""
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
                except OSError:  # unwritten output has nowhere to go
                    pass
