"""Builders of certificates, shared by all verifiers: the three verdicts, bounded findings, offsets, the first dead prefix.

A verifier works on the object that it found in a completion; certificates speak of the completion. The step from one to
the other is the ``offset`` that the builders take.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Certificate, Finding, Span, Verdict

#: More findings than these are summed up in a last one.
MAX_FINDINGS = 50
#: Characters of a tool's own words that are kept.
MAX_REASON = 500


def issued(tool: str, version: str, judge: Callable[[], Certificate]) -> Certificate:
    """What ``judge`` returns, with the tool's name and version and the seconds that it took.

    A ``ToolFailed`` that it raises is an abstention; everything else is passed on.
    """
    start = time.perf_counter()
    try:
        certificate = judge()
    except ToolFailed as failure:
        certificate = abstained(str(failure))
    return replace(certificate, tool=tool, version=version, seconds=time.perf_counter() - start)


def passed(witness: Mapping[str, Any] | None = None) -> Certificate:
    """The object is right."""
    return Certificate(Verdict.PASS, score=1.0, witness=witness or {})


def failed(
    findings: Sequence[Finding],
    *,
    score: float = 0.0,
    dead_from: int | None = None,
    witness: Mapping[str, Any] | None = None,
    offset: int = 0,
) -> Certificate:
    """The object is wrong.

    Args:
        findings: of the object, at least one; bounded here, and moved by ``offset``.
        score: graded progress in [0, 1).
        dead_from: offset in the **completion** of the first dead character; its length where only stopping was wrong.
        witness: JSON-ready; what it says of places is not moved.
        offset: of the object in the completion, in characters.
    """
    assert findings, "an object that fails has a finding"
    return Certificate(Verdict.FAIL, shifted(bounded(findings), offset), score, dead_from, witness or {})


def abstained(reason: str, witness: Mapping[str, Any] | None = None) -> Certificate:
    """The tool has no opinion, and says why: ``witness["error"]``."""
    return Certificate(Verdict.ABSTAIN, witness={**(witness or {}), "error": reason[:MAX_REASON]})


def bounded(findings: Sequence[Finding], most: int = MAX_FINDINGS) -> tuple[Finding, ...]:
    """At most ``most`` findings, and one that says how many more there are."""
    if len(findings) <= most:
        return tuple(findings)
    return (*findings[:most], Finding(findings[most].kind, f"and {len(findings) - most} more findings"))


def shifted(findings: Sequence[Finding], offset: int) -> tuple[Finding, ...]:
    """The findings of an object that begins at this offset of the completion."""
    return tuple(replace(f, spans=tuple(Span(s.start + offset, s.end + offset) for s in f.spans)) for f in findings)


def too_long(text: str, max_chars: int) -> Finding:
    """The finding on an object of more than ``max_chars`` characters; its place is what lies beyond them."""
    message = f"{len(text)} characters, more than max_chars={max_chars}"
    return Finding("too_long", message, (Span(max_chars, len(text)),))


def first_beyond(text: str, max_chars: int) -> int | None:
    """The first character that is one too many; white space may stand beyond the limit, and then nothing."""
    beyond = text[max_chars:].lstrip()
    return len(text) - len(beyond) if beyond else None


def repeats(certificate: Certificate, again: Certificate) -> bool:
    """Whether a second run gave the same certificate; seconds may differ."""
    return replace(certificate, seconds=0.0) == replace(again, seconds=0.0)


def first_dead(text: str, is_viable: Callable[[str], bool]) -> int:
    """The length of the longest viable prefix, by binary search: a prefix that is dead stays dead."""
    low, high = 0, len(text) + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_viable(text[:middle]) else (low, middle)
    return low
