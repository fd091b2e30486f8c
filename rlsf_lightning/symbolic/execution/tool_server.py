"""What a Python tool's own process does between its start and its end; see ``child``, which asks it."""

from __future__ import annotations

import json
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rlsf_lightning.symbolic.execution.tool_process import PATIENCE


def limit_memory(megabytes: int) -> None:
    """Of address space, from now on."""
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))


def answering(seconds: float, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Says that it is ready, answers every question that comes, and yields each after its answer was sent.

    While it computes an answer, the kernel counts: after ``seconds`` of computing this process is ended, whatever it is at.
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
