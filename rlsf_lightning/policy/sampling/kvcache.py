"""KV cache for continuous batching: a step writes one column in place, and eviction copies no row that stays in its slot.

transformers' dynamic cache is copied as a whole at every step. This one holds tensors and knows nothing of tokens.

Shape suffixes: R = rows, H = key-value heads, C = allocated columns, K = columns in use, E = head width.
"""

from __future__ import annotations

from torch import Tensor
from transformers import Cache
from transformers.cache_utils import DynamicLayer

#: Columns that are allocated at a time.
SPARE_COLUMNS = 64


class GrowingLayer(DynamicLayer):
    """One layer's keys and values, in buffers with spare columns; ``keys`` and ``values`` are views of those in use."""

    keys: Tensor
    values: Tensor
    keys_RHCE: Tensor
    values_RHCE: Tensor

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        super().lazy_initialization(key_states, value_states)
        self.keys_RHCE = key_states.new_empty(*key_states.shape[:2], 0, key_states.shape[3])
        self.values_RHCE = value_states.new_empty(*value_states.shape[:2], 0, value_states.shape[3])

    def update(self, key_states: Tensor, value_states: Tensor, *_: object, **__: object) -> tuple[Tensor, Tensor]:
        """Append keys and values of n columns, (R, H, n, E) each, and return those in use, (R, H, K, E)."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[2]
        if end > self.keys_RHCE.shape[2]:
            self.keys_RHCE = _reallocated(self.keys_RHCE, start, end + SPARE_COLUMNS)
            self.values_RHCE = _reallocated(self.values_RHCE, start, end + SPARE_COLUMNS)
        self.keys_RHCE[:, :, start:end] = key_states
        self.values_RHCE[:, :, start:end] = value_states
        self._use(end)
        return self.keys, self.values

    def expand(self, row_R: Tensor) -> None:
        """Row i becomes a copy of the old row ``row_R[i]``."""
        used = self.get_seq_length()
        self.keys_RHCE = _reallocated(self.keys, used, used + SPARE_COLUMNS, row_R)
        self.values_RHCE = _reallocated(self.values, used, used + SPARE_COLUMNS, row_R)
        self._use(used)

    def compact(self, free_n: Tensor, moved_n: Tensor, kept: int) -> None:
        """Copy rows ``moved_n`` over the evicted rows ``free_n`` and keep the first ``kept`` rows."""
        used = self.get_seq_length()
        for buffer_RHCE in (self.keys_RHCE, self.values_RHCE):
            buffer_RHCE[free_n, :, :used] = buffer_RHCE[moved_n, :, :used]
        self.keys_RHCE, self.values_RHCE = self.keys_RHCE[:kept], self.values_RHCE[:kept]
        self._use(used)

    def append(self, other: GrowingLayer, unused: int, columns: int) -> None:
        """Add the rows of ``other`` below these, right-aligned in ``columns`` columns; these lose their first ``unused``."""
        for name in ("keys", "values"):
            old_RHKE, new_RHKE = getattr(self, name)[:, :, unused:], getattr(other, name)
            rows, heads, _, size = old_RHKE.shape
            # Zeros: padding is masked out of the attention, but NaN would pass the mask.
            both_RHCE = old_RHKE.new_zeros(rows + len(new_RHKE), heads, columns + SPARE_COLUMNS, size)
            both_RHCE[:rows, :, columns - old_RHKE.shape[2] : columns] = old_RHKE
            both_RHCE[rows:, :, columns - new_RHKE.shape[2] : columns] = new_RHKE
            setattr(self, f"{name}_RHCE", both_RHCE)
        self._use(columns)

    def _use(self, columns: int) -> None:
        self.keys, self.values = self.keys_RHCE[:, :, :columns], self.values_RHCE[:, :, :columns]


def _reallocated(old_RHCE: Tensor, used: int, columns: int, row_R: Tensor | None = None) -> Tensor:
    """A buffer of ``columns`` columns that begins with the used ones of ``old_RHCE`` (of its rows ``row_R``)."""
    old_RHKE = old_RHCE[:, :, :used]
    rows = old_RHKE.shape[0] if row_R is None else len(row_R)
    new_RHCE = old_RHCE.new_empty(rows, old_RHCE.shape[1], columns, old_RHCE.shape[3])
    new_RHCE[:, :, :used] = old_RHKE if row_R is None else old_RHKE.index_select(0, row_R)
    return new_RHCE


class GrowingCache(Cache):
    """A GrowingLayer for every layer of the model, made on first use."""

    def __init__(self) -> None:
        super().__init__(layer_class_to_replicate=GrowingLayer)

    def expand(self, row_R: Tensor) -> None:
        """See ``GrowingLayer.expand``."""
        for layer in self._used():
            layer.expand(row_R)

    def compact(self, free_n: Tensor, moved_n: Tensor, kept: int) -> None:
        """See ``GrowingLayer.compact``."""
        for layer in self._used():
            layer.compact(free_n, moved_n, kept)

    def append(self, other: GrowingCache, unused: int, columns: int) -> None:
        """See ``GrowingLayer.append``."""
        for layer, new in zip(self._used(), other._used(), strict=True):
            layer.append(new, unused, columns)

    def _used(self) -> list[GrowingLayer]:
        # Models whose layers share keys and values leave some layers of the cache unused.
        return [layer for layer in self.layers if isinstance(layer, GrowingLayer) and layer.is_initialized]
