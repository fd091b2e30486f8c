"""pass@k: how likely at least one of k samples is right, estimated from n samples of each prompt without bias."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rlsf_lightning.evaluation.metrics.base import LEFT_OUT, ItemMetric, same_length


def pass_at_k(tried: int, passed: int, k: int) -> float:
    """1 - C(n - c, k) / C(n, k) for n = ``tried`` samples of which c = ``passed`` are right (arXiv 2107.03374, eq. 1).

    Exact integers up to the one division. ValueError unless 1 <= k <= n and 0 <= c <= n.
    """
    if not 1 <= k <= tried:
        raise ValueError(f"pass@k needs 1 <= k <= tried samples, got k = {k} of {tried}")
    if not 0 <= passed <= tried:
        raise ValueError(f"passed samples must be 0 to {tried}, got {passed}")
    return 1.0 - math.comb(tried - passed, k) / math.comb(tried, k)


class PassAtK(ItemMetric):
    """Mean over prompts of pass@k; a prompt with fewer than k judged samples is left out."""

    higher_is_better = True

    def __init__(self, k: int = 1, **kwargs: object) -> None:
        super().__init__(**kwargs)
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        self.k = k

    def update(self, tried: Sequence[int], passed: Sequence[int]) -> None:
        """For each prompt: samples that the tool judged, and how many of them are right."""
        same_length(tried=tried, passed=passed)
        pairs = zip(tried, passed, strict=True)
        self.add([(pass_at_k(n, c, self.k), 1.0) if n >= self.k else LEFT_OUT for n, c in pairs])
