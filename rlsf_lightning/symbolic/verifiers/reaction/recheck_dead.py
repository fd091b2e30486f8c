"""A second opinion on a first dead character: what stands before it is tried out, and what stands there."""

from __future__ import annotations

from collections.abc import Callable

from rlsf_lightning.records import Certificate, Finding, Prompt, Span
from rlsf_lightning.symbolic.verifiers.smiles.recheck import dies


def dead_stands(
    certificate: Certificate, prompt: Prompt, completion: str, viable: Callable[[Prompt, str], bool | None]
) -> bool:
    """Whether nothing is found against ``dead_from``."""
    dead = certificate.dead_from
    return dead is None or dies(dead, completion, lambda prefix: viable(prompt, prefix))


def dead_end_stands(certificate: Certificate, finding: Finding, text: str, offset: int) -> bool:
    """Whether the finding is at the first dead character and the one before it."""
    if certificate.dead_from is None:
        return False
    dead = certificate.dead_from - offset
    start, end = (max(0, dead - 1), dead + 1) if dead < len(text) else (dead, dead)
    return finding.spans == (Span(start + offset, end + offset),)
