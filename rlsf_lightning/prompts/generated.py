"""Endless sources: every prompt is made from (task, split, seed, number) alone, so that a run can be entered anywhere.

A source builds a ``Generated`` from a function that makes one task from a random generator. Tasks fall into splits by a
hash of their key, as the rows of a file do, so that no task is in two of them.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.prompts.splits import assign_split, splits_meant
from rlsf_lightning.records import Prompt

#: The share of each split: ``warm`` is for supervised training only, ``rl`` (or ``train``) for reinforcement learning.
SHARES: Mapping[str, float] = {"warm": 0.40, "rl": 0.40, "validation": 0.10, "test": 0.10}
#: Prompts of a held-out split, which ends; the others do not.
HELD_OUT = 2_000
#: Draws in a row that bring nothing new before a small held-out split counts as complete, or a task as impossible.
PATIENCE = 10_000


@dataclass(frozen=True)
class Task:
    """One prompt that was made, without its id."""

    text: str
    reference: str | None = None
    #: Equal for tasks that must not stand in two splits; empty: the text and the reference.
    key: str = ""
    target: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """A task of which only the key is known: what is costly is done where the key falls into the split."""

    key: str
    #: Makes the task, with that very key, or None where nothing came of it.
    finish: Callable[[], Task | None]


class Generated:
    """The prompts of one split, in random order.

    Args:
        name: of the source; part of every id and of every seed.
        make: makes one task from a generator (and from nothing else), or a draft of one, or None where the draw came to
            nothing.
        split: ``warm``, ``rl`` or ``train``, ``validation``, ``test`` or ``all``. The two held-out splits are finite, without
            duplicates and the same in every run; the others are endless, and may repeat a task.
        held_out: prompts of a held-out split at most.

    Raises:
        UserError: an unknown split; while prompts are made, where ``make`` brings none of this split.
    """

    def __init__(
        self, name: str, make: Callable[[random.Random], Task | Draft | None], split: str, held_out: int = HELD_OUT
    ) -> None:
        self.name, self.make, self.held_out = name, make, held_out
        self.wanted = splits_meant(split, SHARES, {"train": "rl"})
        self.split = split
        self.is_endless = not self.wanted <= {"validation", "test"}

    def __iter__(self) -> Iterator[Prompt]:
        return self.since(0) if self.is_endless else self._held_out_prompts()

    def since(
        self, position: int, seed: int = 0, accepts: Callable[[Prompt], bool] = lambda prompt: True
    ) -> Iterator[Prompt]:
        """The endless sequence of a run's seed from ``position`` (>= 0) on. Entering costs the same everywhere.

        ``accepts``: another prompt is drawn in the place of one that it refuses.
        """
        for number in itertools.count(position):
            yield self._made(seed, number, accepts)

    def _made(self, seed: int, number: int, accepts: Callable[[Prompt], bool]) -> Prompt:
        """Prompt ``number`` of the sequence: the first draw that falls into the split and is accepted."""
        for attempt in range(PATIENCE):
            task = self._drawn(random.Random(f"{self.name} {self.split} {seed} {number} {attempt}"), frozenset())
            if task is not None and accepts(prompt := self._prompt(f"{seed}.{number}", task)):
                return prompt
        raise UserError(f"data.source={self.name}: {PATIENCE} draws made no task of the split {self.split}")

    def _held_out_prompts(self) -> Iterator[Prompt]:
        seen: set[str] = set()
        rng = random.Random(f"{self.name} {self.split}")
        in_vain = 0
        while len(seen) < self.held_out and in_vain < PATIENCE:
            task = self._drawn(rng, seen)
            in_vain += 1
            if task is not None:
                seen.add(_key(task))
                yield self._prompt(str(len(seen)), task)
                in_vain = 0

    def _drawn(self, rng: random.Random, seen: Set[str]) -> Task | None:
        """A task of this split whose key was not seen before; None where the draw brings none."""
        made = self.make(rng)
        if made is None:
            return None
        key = made.key if isinstance(made, Draft) else _key(made)
        if assign_split(f"{self.name} {key}", SHARES) not in self.wanted or key in seen:
            return None
        return made.finish() if isinstance(made, Draft) else made

    def _prompt(self, number: str, task: Task) -> Prompt:
        identity = f"{self.name}:{self.split}:{number}"
        return Prompt(identity, task.text, reference=task.reference, target=task.target, facts=task.facts)


def _key(task: Task) -> str:
    return task.key or f"{task.text}\n{task.reference}"
