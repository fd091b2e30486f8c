"""Spans of one finding."""

from __future__ import annotations

from collections.abc import Iterable

from rlsf_lightning.records import Span


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sorted, and one where they touch."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)
