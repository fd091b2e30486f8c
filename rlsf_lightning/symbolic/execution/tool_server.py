"""The request loop inside a Python tool's process; ``tool_process`` is its client."""

from __future__ import annotations

import json
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rlsf_lightning.symbolic.execution.tool_process import PATIENCE


def limit_memory(megabytes: int) -> None:
    """Limit this process's address space, in MiB, from now on."""
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))


def serve(seconds: float, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Report ready, answer every request (one line of JSON), and yield each after its answer was sent.

    A kernel timer ends this process after ``seconds`` of processor time on one answer, even inside native code.
    """
    print("ready", flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, seconds * PATIENCE)
        answered = answer(question)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps(answered), flush=True)
        yield question
