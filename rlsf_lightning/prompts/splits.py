"""Splits by a stable hash of an item's key, so that no item is ever in two of them."""

import hashlib
from collections.abc import Mapping

from rlsf_lightning.errors import UserError
from rlsf_lightning.suggest import did_you_mean

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


def splits_meant(split: str, shares: Mapping[str, float], aliases: Mapping[str, str]) -> frozenset[str]:
    """The splits of ``shares`` that a name stands for: itself, what it is an alias of, or every one for ``all``.

    >>> splits_meant("train", FOUR_WAY, {"train": "rl"})
    frozenset({'rl'})
    """
    if split == "all":
        return frozenset(shares)
    if split in shares or split in aliases:
        return frozenset({aliases.get(split, split)})
    known = [*shares, *aliases, "all"]
    raise UserError(f"no split `{split}`{did_you_mean(split, known)}\nsplits: {', '.join(known)}")
