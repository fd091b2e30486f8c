"""pass@k against literals and against every subset of the samples."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlsf_lightning.evaluation.metrics.pass_at_k import PassAtK, pass_at_k


@pytest.mark.parametrize(
    ("tried", "passed", "k", "value"),
    [
        (8, 0, 8, 0.0),
        (8, 1, 8, 1.0),
        (8, 1, 1, 0.125),
        (4, 2, 1, 0.5),
        (4, 2, 2, 5 / 6),  # 6 pairs, one of them without a right sample
        (5, 2, 3, 9 / 10),  # 10 triples, one without
        (3, 3, 2, 1.0),
    ],
)
def test_literals(tried, passed, k, value):
    assert pass_at_k(tried, passed, k) == pytest.approx(value, abs=1e-15)


@given(st.data())
def test_equals_the_share_of_subsets_that_hold_a_right_sample(data):
    n = data.draw(st.integers(1, 7))
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    subsets = list(combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


def test_large_numbers_do_not_overflow():
    assert pass_at_k(100_000, 1, 1) == pytest.approx(1e-5)


@pytest.mark.parametrize(("tried", "passed", "k"), [(4, 1, 5), (4, 1, 0), (4, 5, 1), (4, -1, 1)])
def test_impossible_numbers_are_refused(tried, passed, k):
    with pytest.raises(ValueError):
        pass_at_k(tried, passed, k)


def test_metric_leaves_out_prompts_with_too_few_judged_samples():
    metric = PassAtK(k=2)
    metric.update(tried=[4, 1, 4], passed=[2, 1, 0])
    assert metric.compute().item() == pytest.approx((5 / 6 + 0) / 2)
    np.testing.assert_allclose(metric.item_values(), [5 / 6, np.nan, 0.0])


def test_k_below_one_is_refused():
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        PassAtK(k=0)
