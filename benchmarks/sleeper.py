"""A verifier that takes a given time and needs no core for it, as a tool behind a socket does: for speed benchmarks."""

from __future__ import annotations

import time
import zlib

from rlsf_lightning.records import Certificate, Finding, Prompt, Verdict


class Sleeper:
    """Sleeps ``ms`` milliseconds a completion. The verdict is a coin that falls by the completion: half of them pass."""

    kinds = frozenset({"tails"})

    def __init__(self, ms: float = 0.0) -> None:
        self.ms = ms

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        if self.ms:
            time.sleep(self.ms / 1000)
        if zlib.crc32(completion.encode()) % 2:
            return Certificate(Verdict.PASS, score=1.0)
        return Certificate(Verdict.FAIL, (Finding("tails", ""),))


VERIFIER = Sleeper
