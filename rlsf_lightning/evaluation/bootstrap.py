"""Bootstrap intervals over prompts, for metrics that are functions of sums. NumPy alone; the same numbers each time.

Two reports of the same prompts are resampled with the same draws: a paired bootstrap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
LEVEL = 0.95
_CHUNK = 2_000_000  # drawn indices held at a time


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its 95 % interval; NaN where the value is not defined."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """JSON-ready: undefined is None, and numbers have 9 decimals (what lies below depends on the machine)."""
        return {
            key: round(number, 9) if np.isfinite(number) else None
            for key, number in (("value", self.value), ("low", self.low), ("high", self.high))
        }


def resampled_sums(statistics_NK: np.ndarray, *, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Column sums of ``resamples`` draws of N rows with replacement: shape (resamples, K).

    The draws depend on N, ``resamples`` and ``seed`` alone, so that two tables over the same rows are resampled alike.
    """
    n = len(statistics_NK)
    assert statistics_NK.ndim == 2 and n > 0, f"need rows of statistics, got shape {statistics_NK.shape}"
    generator = np.random.default_rng(seed)
    rows = max(1, _CHUNK // n)
    sums = []
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        drawn = generator.integers(0, n, size=(count, n)) + n * np.arange(count)[:, None]
        times_drawn = np.bincount(drawn.ravel(), minlength=count * n).reshape(count, n)
        sums.append(times_drawn.astype(float) @ statistics_NK)
    return np.concatenate(sums)


def interval(value: float, resampled_R: np.ndarray) -> Interval:
    """The percentile interval of a value from its resamples; resamples in which it is undefined are left out."""
    defined_R = resampled_R[np.isfinite(resampled_R)]
    if not np.isfinite(value) or len(defined_R) == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(defined_R, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(value), float(low), float(high))


#: Sums of statistics, shape (..., K), -> values, shape (...).
FromSums = Callable[[np.ndarray], np.ndarray]
