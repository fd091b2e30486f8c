"""Verification beside the training loop: batches go in, certificates come out, each verdict is worked out once.

A tool that crashes, hangs or raises *abstains* on the completion that made it do so: this room never turns a tool's
failure into a wrong answer, and never lets it reach another completion's verdict. With 0 workers the verifier runs
inside the calling process, where nothing can be interrupted: for tools that bound their own time.
"""

from __future__ import annotations

import hashlib
import pickle
import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.processes import Collect, Pair, Processes, verify
from rlsf_lightning.symbolic.verifier import Verifier, find_verifier, load_verifier

if TYPE_CHECKING:
    from rlsf_lightning.schema import Recipe

#: Verdicts kept; the one that was asked for longest ago goes first.
CACHE_SIZE = 20_000
#: Seconds that one completion may take where neither recipe nor verifier says.
TIMEOUT = 10.0


@dataclass
class Statistics:
    """Counts of completions."""

    #: Answered without asking the tool: from the cache, or as another copy within the batch.
    hits: int = 0
    #: Given to the tool.
    misses: int = 0
    #: Came back with the verdict ABSTAIN.
    abstained: int = 0
    #: Seconds spent blocked in ``Pending.result()``.
    wait_seconds: float = 0.0


class VerifierPool:
    """Verifies batches of completions, in worker processes or in this one.

    Args:
        name: of the verifier, as ``verifier.name`` in a recipe.
        options: its keyword arguments.
        workers: processes; 0 verifies inside this one, without protection against crashes and hangs.
        timeout: seconds one completion may take in a worker; None: what the verifier asks for (its ``timeout``), else 10.

    Raises:
        UserError: the verifier cannot be built from this name and these options; when a batch is submitted or fetched,
            a prompt lacks what the verifier needs.
    """

    def __init__(self, name: str, options: Mapping[str, Any], *, workers: int, timeout: float | None = None) -> None:
        cls = find_verifier(name)
        timeout = getattr(cls, "timeout", TIMEOUT) if timeout is None else timeout
        assert workers >= 0 and timeout > 0, f"workers {workers}, timeout {timeout}"
        if workers == 0:
            self._start(_InProcess(load_verifier(name, options), name), cls)
        else:
            self._start(Processes(name, options, workers, timeout), cls)

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> VerifierPool:
        """The pool of a recipe's ``verifier`` block."""
        block = recipe.verifier
        return cls(block.name, dict(block.options), workers=block.workers, timeout=block.timeout)

    @classmethod
    def of(cls, verifier: Verifier) -> VerifierPool:
        """A pool without workers around a verifier that is already built."""
        pool = cls.__new__(cls)
        pool._start(_InProcess(verifier, type(verifier).__name__), type(verifier))
        return pool

    def _start(self, backend: _InProcess | Processes, verifier_class: type) -> None:
        self._backend = backend
        #: The class of the verifier.
        self.verifier_class = verifier_class
        self._verdicts: OrderedDict[Hashable, Certificate] = OrderedDict()
        self._statistics = Statistics()

    def submit(self, pairs: Sequence[Pair]) -> Pending:
        """Start on a batch of prompts and completions; does not block. A prompt's facts must be picklable."""
        keys = [_key(prompt, completion) for prompt, completion in pairs]
        certificates = {key: self._recall(key) for key in keys}
        fresh = {key: pair for key, pair in zip(keys, pairs, strict=True) if certificates[key] is None}
        self._statistics.misses += len(fresh)
        self._statistics.hits += len(keys) - len(fresh)
        return Pending(self, keys, certificates, list(fresh), self._backend.submit(list(fresh.values())))

    def take_statistics(self) -> Statistics:
        """Counts since the last call of this method."""
        taken, self._statistics = self._statistics, Statistics()
        return taken

    def close(self) -> None:
        """Stop all workers at once. Certificates that were not fetched are lost."""
        self._backend.close()

    def __enter__(self) -> VerifierPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _recall(self, key: Hashable) -> Certificate | None:
        if key in self._verdicts:
            self._verdicts.move_to_end(key)
        return self._verdicts.get(key)

    def _finish(
        self, certificates: Sequence[Certificate], fresh: Mapping[Hashable, Certificate], seconds: float
    ) -> None:
        """Book what came back. An abstention is no verdict and is not kept: the tool may have had a bad moment."""
        for key, certificate in fresh.items():
            if certificate.verdict is not Verdict.ABSTAIN:
                self._verdicts[key] = certificate
        while len(self._verdicts) > CACHE_SIZE:
            self._verdicts.popitem(last=False)
        self._statistics.abstained += sum(c.verdict is Verdict.ABSTAIN for c in certificates)
        self._statistics.wait_seconds += seconds


class Pending:
    """A batch that is being verified."""

    def __init__(
        self,
        pool: VerifierPool,
        keys: list[Hashable],
        known: dict[Hashable, Certificate | None],
        fresh: list[Hashable],
        collect: Collect,
    ) -> None:
        self._pool, self._keys, self._known, self._fresh, self._collect = pool, keys, known, fresh, collect
        self._certificates: list[Certificate] | None = None
        #: Seconds that ``result`` blocked.
        self.seconds = 0.0

    def result(self) -> list[Certificate]:
        """One certificate for each pair, in their order. Blocks; a second call returns the same."""
        if self._certificates is None:
            start = time.perf_counter()
            fresh = dict(zip(self._fresh, self._collect(), strict=True))
            self.seconds = time.perf_counter() - start
            self._certificates = [self._known[key] or fresh[key] for key in self._keys]
            self._pool._finish(self._certificates, fresh, self.seconds)
        return self._certificates


class _InProcess:
    """Verifies in the calling process, when the result is asked for."""

    def __init__(self, verifier: Verifier, name: str) -> None:
        self._verifier, self._name = verifier, name

    def submit(self, pairs: Sequence[Pair]) -> Collect:
        return lambda: [verify(self._verifier, self._name, pair) for pair in pairs]

    def close(self) -> None:
        """Nothing to stop."""


def _key(prompt: Prompt, completion: str) -> Hashable:
    """Equal only for pairs that a verifier cannot tell apart."""
    facts = hashlib.blake2b(pickle.dumps(dict(prompt.facts))).digest() if prompt.facts else b""
    return prompt.id, prompt.text, prompt.reference, prompt.target, facts, completion
