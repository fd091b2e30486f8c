"""The protocol of a verifier, and the programs and packages that one needs."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rlsf_lightning.errors import install_hint
from rlsf_lightning.records import Certificate, Prompt


@dataclass(frozen=True)
class Tool:
    """A program or package that a verifier may need beside this package, and the line that installs it."""

    name: str
    install: str
    is_there: Callable[[], bool]


def program(name: str, install: str) -> Tool:
    """A program on PATH."""
    return Tool(name, install, lambda: shutil.which(name) is not None)


def package(name: str, extra: str) -> Tool:
    """A Python package, by the name under which it is imported, of one of this package's extras."""
    return Tool(name, install_hint(extra), lambda: importlib.util.find_spec(name) is not None)


class Verifier(Protocol):
    """A symbolic tool behind one method. It never raises on a completion, whatever that holds.

    A verifier may also have these class attributes:
        invalid_kinds: the kinds that mean "no object at all".
        tools: the programs and packages (Tool) that it may need, for ``validate``.
        metrics: the suite of metrics that it is reported with; ``generic`` (pass rate, score, length) if there is none.

    And these methods:
        viable(prompt, prefix) -> bool | None: whether some continuation passes; None: cannot tell.
        repairs(certificate, prompt, completion) -> iterator of tuples of Edit: what may mend the completion, the likeliest
            first; in the certificate, ``repair.find_repair`` puts edits with which it passes.
        recheck(certificate, prompt, completion) -> bool: whether a second opinion bears the certificate out.
        split_key(reference) -> str: static; one key for references that mean the same, by which the rows of a file fall into
            splits. The reference's text if there is none.
    """

    #: The closed list of what its findings can be.
    kinds: frozenset[str]

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """What is wrong with the completion, and where; ABSTAIN where the tool itself failed."""
        ...
