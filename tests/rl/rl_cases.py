"""Hypothesis strategies for masked [B, T] tensors: gaps, empty rows, single actions, rewards of exactly -1 and 0."""

import torch
from hypothesis import strategies as st

FLOATS = st.one_of(st.sampled_from([-1.0, 0.0, 1.0]), st.floats(-3, 3, allow_nan=False, width=32))


@st.composite
def masked(draw, *elements, min_rows=1, max_rows=4, max_steps=7):
    """``(is_action_BT, x_BT, ...)``, one float64 tensor for each of ``elements``; NaN wherever no action is."""
    rows, steps = draw(st.integers(min_rows, max_rows)), draw(st.integers(0, max_steps))
    kind = st.sampled_from(["any", "prefix", "empty", "single", "full"])
    mask = [draw(kind.flatmap(lambda k: _row(k, steps))) for _ in range(rows)]
    is_action_BT = torch.tensor(mask, dtype=torch.bool).reshape(rows, steps)
    tensors = []
    for element in elements:
        cells = [[draw(element) if m else float("nan") for m in row] for row in mask]
        tensors.append(torch.tensor(cells, dtype=torch.float64).reshape(rows, steps))
    return (is_action_BT, *tensors)


def _row(kind, steps):
    if kind == "prefix":
        return st.integers(0, steps).map(lambda n: [t < n for t in range(steps)])
    if kind == "empty" or steps == 0:
        return st.just([False] * steps)
    if kind == "single":
        return st.integers(0, steps - 1).map(lambda n: [t == n for t in range(steps)])
    if kind == "full":
        return st.just([True] * steps)
    return st.lists(st.booleans(), min_size=steps, max_size=steps)


def actions(is_action_BT, row):
    """The positions of a row's actions."""
    return [t for t, flag in enumerate(is_action_BT[row].tolist()) if flag]
