"""Whether two final answers are the same: numbers exactly, everything else by math-verify in a process of its own."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import threading
import weakref
from functools import cache

from rlsf_lightning.errors import UserError

#: Memory of the process, in megabytes of address space.
MEGABYTES = 2000


class ToolFailed(Exception):
    """math-verify gave no answer: the message says why."""


@cache
def version() -> str:
    """Of math-verify. Raises UserError where it is not installed."""
    if importlib.util.find_spec("math_verify") is None:
        raise UserError(
            "the verifier `math` compares answers with the package math-verify, which is not installed; run "
            'pip install "rlsf-lightning[math]", or write verifier.options.answers=numbers: then answers are compared as '
            "plain numbers alone"
        )
    return importlib.metadata.version("math-verify")


class Comparer:
    """Asks a child process, which is started when it is first needed and again whenever it has ended.

    Args:
        seconds: computing time for one comparison.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._owner = 0

    def same(self, reference: str, answer: str) -> bool | None:
        """Whether the answer is mathematically the reference; None if the reference cannot be read. Raises ToolFailed."""
        question = json.dumps({"reference": _latex(reference), "answer": _latex(answer)})
        with self._lock:
            child = self._running()
            assert child.stdin is not None and child.stdout is not None
            try:
                child.stdin.write(question + "\n")
                child.stdin.flush()
                reply = child.stdout.readline()
            except OSError:
                reply = ""
            if not reply:
                child.wait()
                self._child = None
                raise ToolFailed(
                    f"math-verify gave no answer (it ended with {child.returncode}; limit {self.seconds} s)"
                )
        equal: bool | None = json.loads(reply)["equal"]
        return equal

    def _running(self) -> subprocess.Popen[str]:
        if self._child is None or self._child.poll() is not None or self._owner != os.getpid():
            self._child, self._owner = _start(self.seconds), os.getpid()
            weakref.finalize(self, _stop, self._child, self._owner)
        return self._child


def _start(seconds: float) -> subprocess.Popen[str]:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    child = subprocess.Popen(
        [sys.executable, "-m", "rlsf_lightning.symbolic.math.child", str(seconds), str(MEGABYTES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONPATH": path},
    )
    assert child.stdout is not None
    if child.stdout.readline() != "ready\n":
        child.wait()
        raise ToolFailed(f"math-verify could not be started (the process ended with {child.returncode})")
    return child


def _stop(child: subprocess.Popen[str], owner: int) -> None:
    if owner == os.getpid() and child.poll() is None:
        child.kill()
        child.wait()


def _latex(text: str) -> str:
    """Without dollar signs, and without braces that have no partner: the text stands inside a box."""
    text = text.replace("\\$", "").replace("$", "")
    depth = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            break
    return text if depth == 0 else text.replace("{", "").replace("}", "")
