"""Findings by kind over a run: shares at its start and end, a stacked area, and examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rlsf_lightning.records import Span
from rlsf_lightning.report.gallery import Gallery, distinct
from rlsf_lightning.report.samples import Sample
from rlsf_lightning.report.text import block, visible

#: Kinds in the chart; the rarer ones are one area.
MOST_AREAS = 8
#: Kinds in the table.
MOST_KINDS = 60
#: Points of the chart: steps in a row are put together.
MOST_BINS = 60
EXAMPLES = 3
#: Characters of an example.
EXAMPLE_WIDTH = 400
REST = "other kinds"


@dataclass(frozen=True)
class Example:
    """A completion with the characters of a finding marked."""

    step: int
    message: str
    prompt: str
    #: ``(text, is marked)`` from left to right.
    parts: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Kind:
    """One kind of finding. Shares are of the logged completions that the tool judged."""

    name: str
    at_start: str
    at_end: str
    count: int
    examples: tuple[Example, ...]


def kinds_of(gallery: Gallery) -> list[Kind]:
    """The kinds, the most frequent first, with their shares in the first and the last third of the logged steps."""
    steps = sorted(gallery.verdicts)
    third = max(1, len(steps) // 3)
    start, end = steps[:third], steps[-third:]
    counted = totals(gallery)
    return [
        Kind(
            name,
            _percent(_share(gallery, start, name)),
            _percent(_share(gallery, end, name)),
            count,
            tuple(_example(sample, name) for sample in distinct(_with(gallery, name), EXAMPLES)),
        )
        for name, count in counted.most_common(MOST_KINDS)
    ]


def totals(gallery: Gallery) -> Counter[str]:
    """Completions with a finding of each kind."""
    return sum(gallery.kinds.values(), Counter())


def area_chart(gallery: Gallery) -> dict[str, Any] | None:
    """Shares of the frequent kinds over the steps, as a chart of ``curves``; None where there was no mistake."""
    names = [name for name, _ in totals(gallery).most_common(MOST_AREAS)]
    if not names:
        return None
    steps = sorted(gallery.verdicts)
    width = -(-len(steps) // MOST_BINS)
    bins = [steps[i : i + width] for i in range(0, len(steps), width)]
    traces = [
        {"name": name, "x": [b[0] for b in bins], "y": [round(_share(gallery, b, name), 4) for b in bins]}
        for name in names
    ]
    others = [name for name in totals(gallery) if name not in names]
    if others:
        shares = [round(sum(_share(gallery, b, name) for name in others), 4) for b in bins]
        traces.append({"name": REST, "x": [b[0] for b in bins], "y": shares})
    return {"title": "Findings a completion, by kind", "stacked": True, "traces": traces}


def _share(gallery: Gallery, steps: list[int], kind: str) -> float:
    judged = sum(n for step in steps for verdict, n in gallery.verdicts[step].items() if verdict in ("pass", "fail"))
    return sum(gallery.kinds[step][kind] for step in steps) / max(1, judged)


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _with(gallery: Gallery, kind: str) -> list[Sample]:
    """Samples with this kind, the newest first, those with a place of it before the others."""
    found = [sample for sample in reversed(gallery.samples) if kind in sample.kinds]
    return sorted(found, key=lambda sample: not any(f.kind == kind and f.spans for f in sample.findings))


def _example(sample: Sample, kind: str) -> Example:
    finding = next(f for f in sample.findings if f.kind == kind)
    first = min((span.start for span in finding.spans), default=0)
    begin = max(0, first - EXAMPLE_WIDTH // 2)
    end = min(len(sample.completion), begin + EXAMPLE_WIDTH)
    cuts = {begin, end} | {p for s in finding.spans for p in (s.start, s.end) if begin < p < end}
    places = sorted(cuts)
    parts = [
        (
            visible(sample.completion[a:b]),
            any(s.overlaps(Span(a, b)) for s in finding.spans),
        )
        for a, b in pairwise(places)
    ]
    left = [("… ", False)] if begin else []
    right = [(" …", False)] if end < len(sample.completion) or sample.cut else []
    return Example(sample.step, finding.message, block(sample.prompt, 200), (*left, *parts, *right))
