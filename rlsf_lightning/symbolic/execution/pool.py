"""The worker pool: verification beside the training loop; batches go in, certificates come out, verdicts are cached (LRU).

A tool that crashes, hangs or raises *abstains* on the completion that made it do so: a tool's failure never becomes a FAIL,
and never affects another completion's verdict. With 0 workers the verifier runs in the calling process, where nothing can
be interrupted: for tools that bound their own time.
"""

from __future__ import annotations

import hashlib
import pickle
import time
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol

from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.answers.answered import NO_ANSWER, Answered
from rlsf_lightning.symbolic.answers.find import AnswerFinder
from rlsf_lightning.symbolic.answers.settings import AnswerSettings, HasAnswers
from rlsf_lightning.symbolic.execution.worker_processes import Collect, WorkerProcesses
from rlsf_lightning.symbolic.execution.worker_server import Pair, verify
from rlsf_lightning.symbolic.loader import find_verifier, load_verifier, plain
from rlsf_lightning.symbolic.verifier import Verifier

#: Verdicts in the cache; the least recently used is evicted first.
CACHE_SIZE = 20_000
#: Bytes of a cache key.
KEY_SIZE = 16
#: Seconds that one completion may take if neither recipe nor verifier sets a limit.
TIMEOUT = 10.0


class VerifierBlock(Protocol):
    """The arguments of ``VerifierPool`` under their names in a recipe."""

    name: str
    options: dict[str, Any]
    workers: int
    timeout: float | None


class VerifiedRecipe(HasAnswers, Protocol):
    """A recipe, as far as it says how completions are judged."""

    verifier: Any


class VerifierPool:
    """Verifies batches of completions, in worker processes or in this one.

    Args:
        name: of the verifier, as ``verifier.name`` in a recipe.
        options: its keyword arguments.
        workers: worker processes; 0 verifies in this one, without protection against crashes and hangs.
        timeout: seconds that one completion may take in a worker; None: the verifier's ``timeout``, else 10.
        answer: where a completion's answer stands; None: the completion is the answer.
        repair: look for the edits with which completions that fail would pass (``Certificate.repair``).

    Raises:
        UserError: the verifier cannot be built from this name and these options; when a batch is submitted or fetched,
            a prompt lacks facts that the verifier needs.
    """

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        *,
        workers: int,
        timeout: float | None = None,
        answer: AnswerSettings | None = None,
        repair: bool = False,
    ) -> None:
        cls = find_verifier(name)
        timeout = getattr(cls, "timeout", TIMEOUT) if timeout is None else timeout
        assert workers >= 0 and timeout > 0, f"workers {workers}, timeout {timeout}"
        options = plain(options)
        if workers == 0:
            self._start(_InProcess(load_verifier(name, options, answer, repair=repair), name), cls, answer)
        else:
            self._start(WorkerProcesses(name, options, workers, timeout, answer, repair=repair), cls, answer)

    @classmethod
    def from_block(cls, block: VerifierBlock, answer: AnswerSettings | None = None) -> VerifierPool:
        """The pool that a recipe's ``verifier`` block describes."""
        return cls(block.name, block.options, workers=block.workers, timeout=block.timeout, answer=answer)

    @classmethod
    def from_recipe(cls, recipe: VerifiedRecipe) -> VerifierPool:
        """The pool of a recipe: its ``verifier``, asked about what its ``answer`` block finds."""
        return cls.from_block(recipe.verifier, AnswerSettings.of(recipe))

    @classmethod
    def of(cls, verifier: Verifier, name: str = "") -> VerifierPool:
        """A pool without workers around a verifier that is already built; ``name`` stands in its abstentions."""
        pool = cls.__new__(cls)
        asked = verifier.verifier if isinstance(verifier, Answered) else verifier
        answer = verifier.settings if isinstance(verifier, Answered) else None
        pool._start(_InProcess(verifier, name or type(verifier).__name__), type(asked), answer)
        return pool

    def _start(
        self, backend: _InProcess | WorkerProcesses, verifier_class: type, answer: AnswerSettings | None
    ) -> None:
        self._backend = backend
        #: The class of the verifier.
        self.verifier_class = verifier_class
        #: The kinds of findings that mean "no object at all".
        self.invalid_kinds = frozenset(getattr(verifier_class, "invalid_kinds", ())) | {NO_ANSWER}
        self._finder = AnswerFinder(answer or AnswerSettings())
        #: Packed certificates, most recently used last. Empty: verified before the run was resumed, and not kept in the
        #: checkpoint.
        self._verdicts: OrderedDict[bytes, bytes] = OrderedDict()

    def submit(self, pairs: Sequence[Pair]) -> Pending:
        """Start to verify a batch of prompts and completions; does not block. A prompt's facts must be picklable."""
        keys = [_key(prompt, completion) for prompt, completion in pairs]
        new = {key for key in keys if key not in self._verdicts}
        certificates = {key: self._recall(key) for key in keys}
        fresh = {key: pair for key, pair in zip(keys, pairs, strict=True) if certificates[key] is None}
        return Pending(
            self, keys, certificates, list(fresh), self._backend.submit(list(fresh.values())), len(keys) - len(new)
        )

    def answer_of(self, completion: str) -> str:
        """What the verifier is asked about; empty where the completion holds no answer."""
        return self._finder.text_of(completion)

    def known(self) -> str:
        """The keys of the cache, for the pool of a resumed run: see ``expect``."""
        return b"".join(self._verdicts).hex()

    def expect(self, known: str) -> None:
        """Count these pairs as cache hits from now on, though each is verified once more."""
        keys = bytes.fromhex(known)
        self._verdicts = OrderedDict.fromkeys((keys[i : i + KEY_SIZE] for i in range(0, len(keys), KEY_SIZE)), b"")

    def close(self) -> None:
        """Stop all workers at once. Certificates that were not fetched are lost."""
        self._backend.close()

    def __enter__(self) -> VerifierPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _recall(self, key: bytes) -> Certificate | None:
        packed = self._verdicts.get(key)
        if packed is not None:
            self._verdicts.move_to_end(key)
        return _unpacked(packed) if packed else None

    def _keep(self, fresh: Mapping[bytes, Certificate]) -> None:
        """Abstentions are not cached: the tool's failure may be transient."""
        for key, certificate in fresh.items():
            if certificate.verdict is not Verdict.ABSTAIN and (packed := _packed(certificate)):
                self._verdicts[key] = packed
        while len(self._verdicts) > CACHE_SIZE:
            self._verdicts.popitem(last=False)


class Pending:
    """A batch that is being verified."""

    def __init__(
        self,
        pool: VerifierPool,
        keys: list[bytes],
        known: dict[bytes, Certificate | None],
        fresh: list[bytes],
        collect: Collect,
        hits: int,
    ) -> None:
        self._pool, self._keys, self._known, self._fresh, self._collect = pool, keys, known, fresh, collect
        self._certificates: list[Certificate] | None = None
        #: Cache hits: pairs with a verdict already, and duplicates within the batch.
        self.hits = hits
        #: Seconds that ``result`` blocked.
        self.seconds = 0.0

    def result(self) -> list[Certificate]:
        """One certificate per pair, in order. Blocks; a second call returns the same."""
        if self._certificates is None:
            start = time.perf_counter()
            fresh = dict(zip(self._fresh, self._collect(), strict=True))
            self.seconds = time.perf_counter() - start
            self._certificates = [self._known[key] or fresh[key] for key in self._keys]
            self._pool._keep(fresh)
        return self._certificates


class _InProcess:
    """Verifies in the calling process, when the result is asked for."""

    def __init__(self, verifier: Verifier, name: str) -> None:
        self._verifier, self._name = verifier, name

    def submit(self, pairs: Sequence[Pair]) -> Collect:
        return lambda: [verify(self._verifier, self._name, pair) for pair in pairs]

    def close(self) -> None:
        """A no-op: there are no workers."""


def _key(prompt: Prompt, completion: str) -> bytes:
    """A hash of all that a verifier sees of a pair."""
    seen = prompt.id, prompt.text, prompt.reference, prompt.target, dict(prompt.facts), completion
    return hashlib.blake2b(pickle.dumps(seen), digest_size=KEY_SIZE).digest()


def _packed(certificate: Certificate) -> bytes:
    """A tenth of the certificate's own memory; empty where it cannot be pickled, which only a process without workers sees."""
    try:
        return zlib.compress(pickle.dumps(certificate), level=1)
    except Exception:  # whatever the witness's own methods raise
        return b""


def _unpacked(packed: bytes) -> Certificate:
    certificate: Certificate = pickle.loads(zlib.decompress(packed))
    return certificate
