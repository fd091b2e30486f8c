"""Second opinions: for each verifier another way to judge the same text, in a module of its own, ``opinions/NAME.py``, with

    TOOLS: tuple[str, ...]                  distributions whose versions matter; those not of the verifiers: the extra `bench`
    HOW: str                                how it judges, in a few words
    opinion(case) -> Opinion                whether the completion is right, judged without the verifier's own code
    EXPLAINED: dict[str, str]               classes of differences that are known, each with its reason
    explain(case, certificate, said)        -> the class of a difference, or None: it has no explanation
    texts(count, rng) -> Iterator[Case]     perhaps: further texts, in notations that the corpus does not have
    OPTIONS: dict[str, Any]                 perhaps: the verifier's, where the corpus's cost more than verdicts need
    BASES: int                              perhaps: correct texts that others are made of, where each costs time
    absent() -> str | None                  perhaps: a program that is not there, in one line

A module reads the pages of docs/verifiers as a specification. Where a page leaves open what is right, its opinion is None.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import NamedTuple


class Opinion(NamedTuple):
    """Whether a completion is right, None where the other tool cannot tell, and why."""

    passes: bool | None
    reason: str


def names() -> list[str]:
    """The verifiers that have a second opinion."""
    return sorted(found.name for found in pkgutil.iter_modules(__path__))


def opinions_of(name: str) -> ModuleType:
    """The module of a verifier."""
    return importlib.import_module(f"opinions.{name}")
