"""Batches for a pool of verifiers: of such a size that each takes about a second, and some of them on their way at a time.

It never waits for a certificate itself, so that a pool's workers have something to do while results are used.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from rlsf_lightning.symbolic.execution.pool import Pending, VerifierPool
from rlsf_lightning.symbolic.execution.worker_server import Pair

Item = TypeVar("Item")

#: A batch is made smaller or larger until it takes about this many seconds.
BATCH_SECONDS = 1.0
LARGEST_BATCH = 2048
#: Batches that are on their way at the same time, so that no worker waits while results are used.
ON_THE_WAY = 2


def in_batches(
    pool: VerifierPool, items: Iterable[Item], pair_of: Callable[[Item], Pair]
) -> Iterator[tuple[list[Item], Pending]]:
    """The items in their order, batch by batch, each with its certificates to come. Items are read as they are needed."""
    rest = iter(items)
    waiting: deque[tuple[list[Item], Pending]] = deque()
    size, last = 16, time.perf_counter()
    while True:
        while len(waiting) < ON_THE_WAY and (batch := list(islice(rest, size))):
            waiting.append((batch, pool.submit([pair_of(item) for item in batch])))
        if not waiting:
            return
        yield waiting.popleft()
        now = time.perf_counter()
        size, last = _next_size(size, now - last), now


def _next_size(size: int, seconds: float) -> int:
    if seconds > BATCH_SECONDS:
        return max(1, size // 2)
    return min(LARGEST_BATCH, size * 2) if seconds < BATCH_SECONDS / 2 else size
