"""Prompts and groups that stand in two splits, and prompts that one split repeats."""

from __future__ import annotations

import hashlib
from itertools import combinations
from typing import Any

#: Examples of each pair of splits that are kept.
SHOWN = 3


class Seen:
    """What the splits hold, of one sort: by the hash of its text, and the prompt that had it first."""

    def __init__(self, by: str) -> None:
        self.by = by
        self._first: dict[str, dict[bytes, str]] = {}

    def add(self, split: str, text: str, identity: str) -> bool:
        """Whether it is new in this split."""
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return self._first.setdefault(split, {}).setdefault(key, identity) == identity

    def shared(self) -> list[dict[str, Any]]:
        """JSON-ready: of each pair of splits that share something, how much, and the first of it."""
        found = []
        for (name, first), (other, second) in combinations(self._first.items(), 2):
            both = [key for key in first if key in second]
            examples = [[first[key], second[key]] for key in both[:SHOWN]]
            if both:
                found.append({"by": self.by, "splits": [name, other], "count": len(both), "examples": examples})
        return found
