"""What the tests of sources share: some prompts, their digest, and gold that is verified."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any

from rlsf_lightning.prompts.generated import Generated
from rlsf_lightning.records import Prompt, Verdict


def take(prompts: Iterable[Prompt], count: int) -> list[Prompt]:
    return list(itertools.islice(prompts, count))


def digest(prompts: Iterable[Prompt]) -> str:
    """Of all that a prompt holds. A literal of it stands in a test: the source has not changed by accident, on any Python."""
    whole = [[p.id, p.text, p.reference, p.target, p.facts] for p in prompts]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:16]


def failing(verifier: Any, prompts: Iterable[Prompt]) -> list[Prompt]:
    """Those whose gold does not pass."""
    return [p for p in prompts if verifier.verify(p, p.target or p.reference).verdict is not Verdict.PASS]


def shared(source: Callable[[str], Generated], count: int, what: Callable[[Prompt], object]) -> int:
    """How much of ``what`` (the answer, say) two splits have in common."""
    of = {split: {what(p) for p in take(source(split), count)} for split in ("warm", "rl", "validation", "test")}
    return sum(len(of[one] & of[other]) for one, other in itertools.combinations(of, 2))
