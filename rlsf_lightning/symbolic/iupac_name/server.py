"""One long-lived Java process that reads names (``java/.../NameServer.java``), with limits of time and memory.

It is started when it is first needed and again after it was killed or has died. It ends with this process, however that
one ends: then its standard input is closed, which it notices even in the middle of a name.

The program is shipped compiled, for Java 11 and later, since a Java without compiler is enough to run OPSIN.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import threading
import time
import weakref
from pathlib import Path
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.symbolic.iupac_name.opsin import Opsin

_CLASSES = Path(__file__).with_name("java")
_MAIN = "uk.ac.cam.ch.wwmm.opsin.NameServer"
#: Megabytes of its heap.
HEAP = 512
#: Seconds of computing that it may take to start.
START_SECONDS = 60.0
#: A real second is longer than a computed one where the machine is busy; so many times, at most.
PATIENCE = 3
#: Seconds after which it is looked how long the process has computed.
TICK = 0.1


class ToolFailed(Exception):
    """OPSIN gave no answer: the message says why."""


class NameServer:
    """Asks OPSIN, one question after the other.

    Args:
        opsin: what to run.
        seconds: of computing, for one answer. A name that takes longer costs the process; the next one gets a new one.
    """

    def __init__(self, opsin: Opsin, seconds: float) -> None:
        self.opsin, self.seconds = opsin, seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._buffer = b""

    def ask(self, *fields: str) -> dict[str, Any]:
        """The answer to a question; see ``NameServer.java``. The fields must be free of tabs and ends of lines.

        Raises ToolFailed on a crash, a hang, or an error within OPSIN.
        """
        line = "\t".join(fields)
        assert not {"\n", "\r"} & set(line), "one line a question"
        with self._lock:
            child = self._running()
            assert child.stdin is not None
            try:
                child.stdin.write(line.encode() + b"\n")
                child.stdin.flush()
                answer = self._line(child, self.seconds)
            except (OSError, ToolFailed) as error:
                self._end(child)
                raise ToolFailed(str(error)) from None
        found: dict[str, Any] = json.loads(answer)
        if "error" in found:
            raise ToolFailed(f"OPSIN failed: {found['error'][:200]}")
        return found

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None or self._owner != os.getpid():
            self._start()
        assert self._child is not None
        return self._child

    def _start(self) -> None:
        classes = os.pathsep.join((str(self.opsin.jar), str(_CLASSES)))
        command = [*self.opsin.command(HEAP), "-cp", classes, _MAIN]
        pipe = subprocess.PIPE
        try:
            child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        except OSError as error:
            raise UserError(f"Java cannot be started: {error}; run `{self.opsin.java} -version` to see why") from None
        self._child, self._owner, self._buffer = child, os.getpid(), b""
        weakref.finalize(self, _stop, child, self._owner)
        try:
            self._line(child, START_SECONDS)
        except ToolFailed as error:
            self._end(child)
            raise UserError(
                f"OPSIN {self.opsin.version} does not start: {error}; Java 11 or later is needed "
                f"(see `{self.opsin.java} -version`), and OPSIN 2.9: "
                'pip install --upgrade "rlsf-lightning[naming]"'
            ) from None

    def _line(self, child: subprocess.Popen[bytes], seconds: float) -> bytes:
        """The next line that the child writes. Raises ToolFailed where none comes in time."""
        assert child.stdout is not None
        begin, used = time.monotonic(), _computed(child.pid)
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(min(TICK, seconds)):
                    waited = time.monotonic() - begin
                    if _computed(child.pid) - used > seconds or waited > PATIENCE * seconds:
                        raise ToolFailed(f"no answer within {seconds:g} s of computing")
                    continue
                read = os.read(child.stdout.fileno(), 1 << 16)
                if not read:
                    raise ToolFailed(f"the Java process ended (exit code {child.wait()})")
                self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        _stop(child, self._owner)
        self._child = None


def _computed(pid: int) -> float:
    """Seconds that a process has computed, all of its threads together; those of the clock where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return time.monotonic()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stop(child: subprocess.Popen[bytes], owner: int) -> None:
    if owner == os.getpid():
        if child.poll() is None:
            child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # what was not yet written has nowhere to go
                    pass
