"""Environment variables that libraries read once, when they are imported. What the user has set is left alone."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping

#: How OpenMP's threads wait: of any implementation, of GNU's, of Intel's and LLVM's.
WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


def prepare_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """To be called before torch, transformers or tqdm are imported.

    OpenMP's threads spin on their core while they wait for each other. Where another process needs that core, all wait for
    the thread that was put off, and a step takes many times as long. Threads that sleep at once (OMP_WAIT_POLICY=PASSIVE) make
    a step half as long again where nothing else runs. So they spin for a moment and then sleep, which is as fast as
    spinning on a quiet machine, and much faster than it on a busy one (``benchmarks/busy.py``). The three variables are
    one choice: whoever sets one of them has made it.
    """
    if not any(environment.get(name) for name in WAITING):
        environment["GOMP_SPINCOUNT"] = "1000"  # turns of a loop: microseconds
        environment["KMP_BLOCKTIME"] = "1"  # milliseconds
    if not sys.stderr.isatty():
        # Progress bars of libraries: in a file they are carriage returns. Our own say it in lines.
        environment.setdefault("TQDM_DISABLE", "1")
