"""Hypothesis strategies for masked [B, T] tensors: gaps, empty rows, single actions, rewards of exactly -1 and 0."""

import itertools
import random

import torch
from hypothesis import strategies as st

from rlsf_lightning.rl.estimators import EstimatorInputs

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


@st.composite
def group_cases(draw):
    """Inputs of a few prompts' samples, float64: gaps, lengths 0 and 1, abstained rows, rewards of exactly -1 and 0.

    Masks are drawn; numbers come from a drawn seed. What is not credited holds NaN, or nonsense where it is an integer.
    """
    prompts, group_size, steps = draw(st.integers(1, 2)), draw(st.integers(1, 4)), draw(st.integers(0, 6))
    rows = prompts * group_size
    kind = st.sampled_from(["any", "prefix", "empty", "single", "full"])
    mask = [draw(kind.flatmap(lambda k: _row(k, steps))) for _ in range(rows)]
    rng = random.Random(draw(st.integers(0, 2**20)))
    is_credited_BT = torch.tensor(mask, dtype=torch.bool).reshape(rows, steps)

    def numbers(choices):
        cells = [[rng.choice([*choices, rng.uniform(-2, 2)]) if m else float("nan") for m in row] for row in mask]
        return torch.tensor(cells, dtype=torch.float64).reshape(rows, steps)

    step = [list(itertools.accumulate(rng.choice([0, 0, 1, 2]) for _ in row)) for row in mask]
    nonsense = [[s if m else 99 for s, m in zip(*pair, strict=True)] for pair in zip(step, mask, strict=True)]
    # Whatever lies behind the state after a row's last step is not read.
    ends = [max([s + 1 for s, m in zip(*pair, strict=True) if m], default=-1) for pair in zip(step, mask, strict=True)]
    columns = 2 * steps + 2
    value = [[rng.uniform(-1, 1) if k <= end else float("nan") for k in range(columns)] for end in ends]
    return EstimatorInputs(
        verifier_BT=numbers([-1.0, -1.0, 0.0, 0.0, 1.0]),
        penalties_BT=numbers([0.0, -0.1]),
        value_BT=numbers([0.0]),
        ids_BT=torch.tensor([[rng.randint(1, 2) for _ in row] for row in mask], dtype=torch.long).reshape(rows, steps),
        is_credited_BT=is_credited_BT,
        passed_B=torch.tensor([rng.random() < 0.5 for _ in mask]),
        group_size=group_size,
        logp_BT=numbers([-1.0]),
        ref_logp_BT=numbers([-1.0]),
        step_BT=torch.tensor(nonsense, dtype=torch.long).reshape(rows, steps),
        step_value_BK=torch.tensor(value, dtype=torch.float64),
        is_step_value_known_BK=torch.tensor([[rng.random() < 0.8 for _ in row] for row in value]),
    )
