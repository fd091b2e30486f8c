"""z3 in a process of its own, which is started when it is first needed and again whenever it has ended."""

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
from rlsf_lightning.symbolic.smt.reader import Node, forms

SAT, UNSAT = "sat", "unsat"


class ToolFailed(Exception):
    """z3 gave no answer: the message says why."""


@cache
def version() -> str:
    """Of z3. Raises UserError where it is not installed."""
    if importlib.util.find_spec("z3") is None:
        raise UserError(
            'the verifier `smt` needs the package z3-solver, which is not installed; run pip install "rlsf-lightning[smt]"'
        )
    return importlib.metadata.version("z3-solver")


class Solver:
    """Asks the child process.

    Args:
        seconds: computing time for one question.
        megabytes: memory that z3 may use.
        effort: z3's deterministic resource limit for one check.
    """

    def __init__(self, seconds: float, megabytes: int, effort: int) -> None:
        self.limits = (seconds, megabytes, effort)
        self._lock = threading.RLock()
        self._child: subprocess.Popen[str] | None = None
        self._owner, self._is_old = 0, False
        self._pending: str | None = None
        self._left = ""

    def begin(self, text: str) -> None:
        """Later questions are asked in a fresh context that begins with this script."""
        self._pending = text
        self._left = ""

    def leave(self, text: str) -> None:
        """To be said before the next question; it has no answer."""
        self._left += text

    def ask(self, text: str) -> list[Node]:
        """The answers to more of the script that was begun last. Raises ToolFailed."""
        with self._lock:
            is_fresh = self._pending is not None
            question = json.dumps({"text": (self._pending or "") + self._left + text, "fresh": is_fresh})
            child = self._running() if is_fresh else self._child
            self._pending, self._left = None, ""
            if child is None:
                raise ToolFailed("z3 has ended")
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
                raise ToolFailed(f"z3 gave no answer within {self.limits[0]} s (it ended with {child.returncode})")
        answer = json.loads(reply)
        self._is_old = answer["last"]
        if "error" in answer:
            raise ToolFailed(f"z3: {answer['error']}")
        return forms(answer["answer"])

    def _running(self) -> subprocess.Popen[str]:
        child = self._child
        if child is not None and self._owner == os.getpid() and child.poll() is None and self._is_old:
            _stop(child, self._owner)
        if child is None or self._owner != os.getpid() or child.poll() is not None:
            child = self._child = _start(self.limits)
            self._owner, self._is_old = os.getpid(), False
            weakref.finalize(self, _stop, child, self._owner)
        return child


def _start(limits: tuple[float, int, int]) -> subprocess.Popen[str]:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    child = subprocess.Popen(
        [sys.executable, "-m", "rlsf_lightning.symbolic.smt.child", *map(str, limits)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert child.stdout is not None
    if not child.stdout.readline():
        child.wait()
        raise ToolFailed(f"z3 could not be started (the process ended with {child.returncode})")
    return child


def _stop(child: subprocess.Popen[str], owner: int) -> None:
    if owner == os.getpid() and child.poll() is None:
        child.kill()
        child.wait()
