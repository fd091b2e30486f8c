"""The report of an evaluation: values with intervals, the numbers of each prompt behind them, comparison and table.

Knows no policy and no verifier. All intervals are 95 % percentile bootstrap intervals over prompts: they say how much
the choice of prompts matters, not how much another training seed would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rlsf_lightning.evaluation.bootstrap import Interval, interval, resampled_sums
from rlsf_lightning.evaluation.metrics.base import ItemMetric


@dataclass(frozen=True)
class Column:
    """One metric's numbers: a row of statistics per prompt, and the class that turns sums of rows into a value."""

    metric: type[ItemMetric]
    statistics_NK: np.ndarray

    @property
    def is_better_higher(self) -> bool | None:
        """True or False; None where neither direction is better."""
        return self.metric.higher_is_better

    def value(self) -> float:
        """The metric over all prompts."""
        return float(self.metric.from_sums(self.statistics_NK.sum(axis=0)))

    def per_prompt(self) -> np.ndarray:
        """The metric of each prompt alone: shape (N,), NaN where the prompt does not count."""
        return self.metric.from_sums(self.statistics_NK)


@dataclass(frozen=True)
class Report:
    """The result of one evaluation. ``records`` holds a JSON-ready account of each prompt, in order."""

    prompt_ids: tuple[str, ...]
    columns: Mapping[str, Column]
    records: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            if column.statistics_NK.shape != (self.n, column.metric.width) or self.n == 0:
                raise ValueError(f"{name}: statistics {column.statistics_NK.shape} for {self.n} prompts")

    @property
    def n(self) -> int:
        """Number of prompts."""
        return len(self.prompt_ids)

    @cached_property
    def metrics(self) -> dict[str, Interval]:
        """Each metric with its interval."""
        return {name: interval(column.value(), self.resampled[name]) for name, column in self.columns.items()}

    @cached_property
    def resampled(self) -> dict[str, np.ndarray]:
        """Each metric on the bootstrap resamples: shape (resamples,). Every report of n prompts has the same draws."""
        statistics = [column.statistics_NK for column in self.columns.values()]
        sums_RK = resampled_sums(np.concatenate(statistics, axis=1))
        ends = np.cumsum([s.shape[1] for s in statistics])[:-1]
        parts = np.split(sums_RK, ends, axis=1)
        return {
            name: column.metric.from_sums(part)
            for (name, column), part in zip(self.columns.items(), parts, strict=True)
        }

    def to_dict(self) -> dict[str, Any]:
        """``{"n": ..., "metrics": {name: {"value", "low", "high"}}}``, JSON-ready; undefined numbers are None."""
        return {"n": self.n, "metrics": {name: found.to_dict() for name, found in self.metrics.items()}}

    def to_saved(self) -> dict[str, Any]:
        """All that ``compare`` needs, JSON-ready: the prompts and each one's statistics, without the records."""
        statistics = {name: column.statistics_NK.tolist() for name, column in self.columns.items()}
        return {"prompt_ids": list(self.prompt_ids), "statistics": statistics}

    @classmethod
    def from_saved(cls, saved: Mapping[str, Any], like: Report) -> Report:
        """What ``to_saved`` wrote, of the metrics that ``like`` has too."""
        columns = {
            name: Column(column.metric, np.array(saved["statistics"][name]))
            for name, column in like.columns.items()
            if name in saved["statistics"]
        }
        return cls(tuple(saved["prompt_ids"]), columns)

    @classmethod
    def joined(cls, reports: Sequence[Report], prompt_ids: Sequence[str]) -> Report:
        """One report of the shares that several ranks measured, in the order of ``prompt_ids``.

        ValueError unless the shares hold each of these prompts exactly once.
        """
        place = {identity: row for row, identity in enumerate(i for report in reports for i in report.prompt_ids)}
        if sorted(place) != sorted(prompt_ids) or len(place) != sum(report.n for report in reports):
            raise ValueError("the shares do not hold each of the prompts exactly once")
        order = [place[identity] for identity in prompt_ids]
        columns = {
            name: Column(column.metric, np.concatenate([r.columns[name].statistics_NK for r in reports])[order])
            for name, column in reports[0].columns.items()
        }
        records = [record for report in reports for record in report.records]
        return cls(tuple(prompt_ids), columns, [records[row] for row in order] if records else ())


@dataclass(frozen=True)
class Difference:
    """After minus before, with its 95 % interval, and a word for it."""

    delta: float
    low: float
    high: float
    #: "better", "worse" or "no clear change"; "higher" or "lower" where neither is better.
    word: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, as for ``Interval``, and the word."""
        numbers = Interval(self.delta, self.low, self.high).to_dict()
        return {"delta": numbers["value"], "low": numbers["low"], "high": numbers["high"], "word": self.word}


def compare(before: Report, after: Report) -> dict[str, Difference]:
    """Paired bootstrap: both reports are resampled with the same draws of prompts, so what prompts share cancels out.

    Metrics that only one of them has are left out. ValueError unless both are of the same prompts in the same order.
    """
    if before.prompt_ids != after.prompt_ids:
        raise ValueError("a paired comparison needs two reports of the same prompts in the same order")
    differences = {}
    for name, column in after.columns.items():
        if name in before.columns:
            delta = column.value() - before.columns[name].value()
            found = interval(delta, after.resampled[name] - before.resampled[name])
            word = _word(found, column.is_better_higher)
            differences[name] = Difference(found.value, found.low, found.high, word)
    return differences


def _word(difference: Interval, is_better_higher: bool | None) -> str:
    """A change is clear when its interval leaves zero out."""
    is_higher = difference.low > 0
    if not (is_higher or difference.high < 0):
        return "no clear change"
    if is_better_higher is None:
        return "higher" if is_higher else "lower"
    return "better" if is_higher == is_better_higher else "worse"


def table(before: Report, after: Report | None = None) -> str:
    """A table for a terminal, one row a metric: before, after and their difference, each with its interval.

    With one report, its values alone. All are shares, but ``levenshtein`` and ``length`` are characters.
    """
    if after is None:
        rows = [["", "value [95 % interval]"]]
        rows += [[name, _cell(found)] for name, found in before.metrics.items()]
    else:
        rows = [["", "before [95 % interval]", "after [95 % interval]", "difference [95 % interval]", ""]]
        for name, change in compare(before, after).items():
            difference = _cell(Interval(change.delta, change.low, change.high), sign="+")
            rows.append([name, _cell(before.metrics[name]), _cell(after.metrics[name]), difference, change.word])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    note = f"{before.n} prompts; intervals: bootstrap over prompts"
    return "\n".join([*lines, note + ("" if after is None else ", the difference paired")])


def _cell(found: Interval, sign: str = "") -> str:
    if not np.isfinite(found.value):
        return "-"
    digits = 3 if abs(found.value) < 10 else 1
    # Adding zero turns what rounds to -0.0 into 0.0.
    value, low, high = (f"{round(n, digits) + 0.0:{sign}.{digits}f}" for n in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]"
