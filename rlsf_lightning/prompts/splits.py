"""Which split an item belongs to: a stable hash of its key, so that no item is ever in two of them."""

import hashlib
from collections.abc import Mapping

#: The share of each split of the built-in pairs. ``warm`` is for supervised training only, ``rl`` for reinforcement.
FOUR_WAY: Mapping[str, float] = {"warm": 0.70, "rl": 0.20, "validation": 0.05, "test": 0.05}
#: The share of each split of a user's own file.
THREE_WAY: Mapping[str, float] = {"train": 0.80, "validation": 0.10, "test": 0.10}


def assign_split(key: str, shares: Mapping[str, float]) -> str:
    """The split of ``key``: its SHA-256 as a number in [0, 1) against the running sum of ``shares``."""
    position = int.from_bytes(hashlib.sha256(key.encode("utf-8")).digest()[:8], "big") / 2**64
    edge = 0.0
    for split, share in shares.items():
        edge += share
        if position < edge:
            return split
    return split
