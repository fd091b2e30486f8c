"""What the benchmarks of the verifiers try them on. Each verifier has a module of its own here, ``corpora/NAME.py``, with

    OPTIONS: dict[str, Any]                       the verifier's options in the benchmarks ({} if its defaults)
    correct(count, rng) -> list[Case]             objects that pass, from real data where there are any
    spellings(case, rng) -> Iterator[str]         other completions that pass the same prompt, endless or not
    inject(case, rng) -> Injected | None          one known mistake; None: this draw made nothing that is certainly wrong
    hostile() -> list[Case]                       what has made the tool crash, hang, grow or lie
    bare(case) -> None                            the tool's own work on a completion, called as its manual says
    exhaustive(verifier, rng) -> tuple[int, int]  only where there is ``viable``: (prefixes compared with exhaustive search,
                                                  prefixes on which the two differ)
    exhaustive_by_atoms(verifier, rng)            of molecules: number of atoms -> Compared (see ``small_graphs``)

``inject`` decides that the object is wrong by other means than the verifier: by construction, or with the bare tool.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType

from rlsf_lightning.records import Prompt, Span


@dataclass(frozen=True)
class Case:
    """A prompt and a completion. ``name`` says what it is for, where that is not plain."""

    prompt: Prompt
    completion: str
    name: str = ""


@dataclass(frozen=True)
class Injected:
    """A completion with one mistake in it."""

    completion: str
    #: The characters of ``completion`` that were changed; where something was left out, its two neighbours.
    place: Span
    #: The sort of mistake ("dropped ring digit", say), for the table.
    edit: str


def names() -> list[str]:
    """The verifiers that have a corpus."""
    return sorted(found.name for found in pkgutil.iter_modules(__path__))


def corpus(name: str) -> ModuleType:
    """The module of a verifier."""
    return importlib.import_module(f"corpora.{name}")
