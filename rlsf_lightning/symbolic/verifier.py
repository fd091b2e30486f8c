"""The protocol of a verifier."""

from __future__ import annotations

from typing import Protocol

from rlsf_lightning.records import Certificate, Prompt


class Verifier(Protocol):
    """A symbolic tool behind one method. It never raises on a completion, whatever that holds.

    A verifier may also have ``invalid_kinds`` (the kinds that mean "no object at all"), ``viable(prompt, prefix) -> bool |
    None`` (whether some continuation passes; None: cannot tell) and ``recheck(certificate, prompt, completion) -> bool``.
    """

    #: The closed list of what its findings can be.
    kinds: frozenset[str]

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """What is wrong with the completion, and where; ABSTAIN where the tool itself failed."""
        ...
