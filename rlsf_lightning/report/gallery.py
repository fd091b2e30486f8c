"""The samples of a run that the page shows, and counts over all that were logged: one pass, bounded memory and bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from rlsf_lightning.report.read import RunFolder
from rlsf_lightning.report.samples import Sample, sample_of
from rlsf_lightning.report.text import json_for_html

#: Bytes of samples in the page. With the plotting library's 4.8 MB it stays below 10 MB.
MOST_BYTES = 3_000_000
#: Samples in memory while a file is read; above it every second of the older ones goes.
MOST_HELD = 8192


@dataclass
class Gallery:
    """``samples``, oldest first, of ``logged`` ones; ``broken`` lines were no samples."""

    samples: list[Sample] = field(default_factory=list)
    logged: int = 0
    broken: int = 0
    #: Step -> verdict -> completions.
    verdicts: dict[int, Counter[str]] = field(default_factory=dict)
    #: Step -> kind -> completions with such a finding.
    kinds: dict[int, Counter[str]] = field(default_factory=dict)

    @property
    def is_thinned(self) -> bool:
        return len(self.samples) < self.logged

    def count(self, sample: Sample) -> None:
        self.logged += 1
        self.verdicts.setdefault(sample.step, Counter())[sample.verdict] += 1
        self.kinds.setdefault(sample.step, Counter()).update(sample.kinds)


def gallery_of(run: RunFolder, most_bytes: int = MOST_BYTES) -> Gallery:
    """Read all samples of a run, and keep what fits: the newest, and of the older ones every n-th."""
    gallery = Gallery()
    held: list[tuple[Sample, int]] = []
    for record in run.records():
        if record is None:
            gallery.broken += 1
            continue
        sample = sample_of(record)
        gallery.count(sample)
        held.append((sample, len(json_for_html(sample.to_page()))))
        if len(held) > MOST_HELD:
            half = len(held) // 2
            held = held[:half:2] + held[half:]
    gallery.samples = thinned(held, most_bytes)
    return gallery


def thinned(held: list[tuple[Sample, int]], most_bytes: int) -> list[Sample]:
    """The newest samples up to half of ``most_bytes``, and of those before them every n-th, with the least n that fits."""
    first, spent = len(held), 0
    while first and spent + held[first - 1][1] <= most_bytes // 2:
        first -= 1
        spent += held[first][1]
    older, stride = held[:first], 1
    while older and sum(size for _, size in older[::stride]) > most_bytes - spent:
        stride += 1
        if stride > len(older):
            older = []
    return [sample for sample, _ in [*older[::stride], *held[first:]]]


def distinct(samples: Iterable[Sample], most: int) -> list[Sample]:
    """The first samples with different completions."""
    seen: set[str] = set()
    found: list[Sample] = []
    for sample in samples:
        if sample.completion not in seen and len(found) < most:
            seen.add(sample.completion)
            found.append(sample)
    return found
