"""The base class of all metrics: numbers per item whose sums decide the value. Never parses, verifies or prints anything.

A metric here is a function of *sums* of a few numbers per item (a mean: the sum of the values and the number of items;
corpus BLEU: ten counts). So it reduces over ranks by concatenation, and bootstrap resamples of it are a matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
import torchmetrics
from torchmetrics.utilities import dim_zero_cat


class ItemMetric(torchmetrics.Metric):
    """Base of all metrics: keeps ``width`` numbers per item as list state, concatenated over ranks.

    Subclasses write ``update``, which calls ``add``, and may override ``from_sums``. The parameters of ``update`` are
    named for what they hold (``predictions``, ``references``, ``targets``, ``facts``, ``certificates``, ``is_finished``;
    ``samples`` where all answers to a prompt are one item), so that a ``MetricCollection`` hands each metric its own share
    of one keyword call. The value is NaN where no item counts.
    """

    is_differentiable = False
    full_state_update = False
    #: Numbers per item.
    width: ClassVar[int] = 2
    statistics: list[torch.Tensor]

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        # Flat, because a rank that saw no item joins the gathering with an empty 1-D tensor.
        self.add_state("statistics", default=[], dist_reduce_fx="cat")
        self.set_dtype(torch.float64)

    def add(self, rows: Sequence[Sequence[float]]) -> None:
        """Append one row of ``width`` numbers per item."""
        flat = torch.tensor([number for row in rows for number in row], dtype=self.dtype, device=self.device)
        assert flat.numel() == len(rows) * self.width, f"{type(self).__name__} keeps {self.width} numbers per item"
        self.statistics.append(flat)

    def compute(self) -> torch.Tensor:
        """The value over the items of all ranks: a scalar tensor."""
        sums_K = self.item_statistics().sum(axis=0)
        return torch.tensor(float(self.from_sums(sums_K)), dtype=self.dtype, device=self.device)

    def item_statistics(self) -> np.ndarray:
        """This rank's items in order of arrival (all ranks' where synchronised): float64, shape (N, width)."""
        if len(self.statistics) == 0:
            return np.zeros((0, self.width))
        return dim_zero_cat(self.statistics).double().cpu().numpy().reshape(-1, self.width)

    def item_values(self) -> np.ndarray:
        """The metric of each item alone: shape (N,), NaN where the item does not count."""
        return self.from_sums(self.item_statistics())

    @classmethod
    def from_sums(cls, sums_RK: np.ndarray) -> np.ndarray:
        """Sums of item statistics, shape (..., width), -> values, shape (...). Here: numerator over denominator."""
        numerator_R, denominator_R = sums_RK[..., 0], sums_RK[..., 1]
        return np.divide(
            numerator_R, denominator_R, out=np.full_like(numerator_R, np.nan, dtype=float), where=denominator_R > 0
        )


#: What an item adds to a mean that it does not count in.
LEFT_OUT = (0.0, 0.0)


def same_length(**columns: Sequence[object]) -> int:
    """The common number of items of the arguments of an update; ValueError where they differ."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"an update needs equally many of each, got {lengths}")
    return next(iter(lengths.values()))
