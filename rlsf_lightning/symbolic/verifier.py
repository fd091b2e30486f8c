"""The protocol of a verifier."""

from __future__ import annotations

from typing import Protocol

from rlsf_lightning.records import Certificate, Prompt


class Verifier(Protocol):
    """A symbolic tool behind one method. It never raises on a completion, whatever that holds.

    A verifier may also have these class attributes:
        invalid_kinds: the kinds that mean "no object at all".
        metrics: the suite of metrics that it is reported with; ``generic`` (pass rate, score, length) if there is none.

    And these methods:
        viable(prompt, prefix) -> bool | None: whether some continuation passes; None: cannot tell.
        recheck(certificate, prompt, completion) -> bool: whether a second opinion bears the certificate out.
        split_key(reference) -> str: static; one key for references that mean the same, by which the rows of a file fall into
            splits. The reference's text if there is none.
    """

    #: The closed list of what its findings can be.
    kinds: frozenset[str]

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """What is wrong with the completion, and where; ABSTAIN where the tool itself failed."""
        ...
