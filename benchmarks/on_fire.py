"""A verifier whose tool fails as prompts tell it to: for pool_under_fire.py. Workers import it as ``on_fire:OnFire``."""

from __future__ import annotations

import ctypes
import itertools
import os
import time
from collections.abc import Callable

from rlsf_lightning.records import Certificate, Prompt
from rlsf_lightning.symbolic.verifiers.game24 import Game24Verifier

#: What one hog asks for at once, in bytes; together far more than a machine has.
BITE = 16 << 20
MANY = 100_000


def spin() -> None:
    """Native code that never ends and holds the interpreter's lock."""
    sum(itertools.repeat(0))


def sleep() -> None:
    time.sleep(3600)


def segfault() -> None:
    ctypes.string_at(0)


def leave() -> None:
    """A quiet death: the exit code says that all is well."""
    os._exit(0)


def leave_loudly() -> None:
    os._exit(3)


def hog() -> None:
    """Pages that are touched, until nothing is left."""
    kept = [b"\x01" * BITE for _ in range(MANY)]
    raise AssertionError(f"{len(kept)} pieces of memory were to be had")


def hog_natively() -> None:
    """The same past Python's own allocator, which would raise a MemoryError: what is not there is written to."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    for _ in range(MANY):
        ctypes.memset(libc.malloc(BITE), 1, BITE)


FAULTS: dict[str, list[Callable[[], None]]] = {
    "hang": [spin, sleep],
    "crash": [segfault, leave, leave_loudly],
    "hog": [hog, hog_natively],
}


class OnFire(Game24Verifier):
    """The game of 24, but for prompts with the fact ``fault``: its kind and a number."""

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        if "fault" in prompt.facts:
            kind, number = prompt.facts["fault"]
            FAULTS[kind][number % len(FAULTS[kind])]()
        return super().verify(prompt, completion)
