"""Bootstrap intervals: against the binomial's own, a slow loop of draws, and their paired use."""

import numpy as np
import pytest

from rlsf_lightning.evaluation import bootstrap
from rlsf_lightning.evaluation.bootstrap import Interval, interval, resampled_sums


def test_interval_of_a_share_is_the_binomials():
    # 100 ones of 400: standard error sqrt(.25 * .75 / 400) = .02165, so .25 -+ 1.96 of them.
    statistics = np.stack([np.repeat([1.0, 0.0], [100, 300]), np.ones(400)], axis=1)
    sums = resampled_sums(statistics)
    found = interval(0.25, sums[:, 0] / sums[:, 1])
    assert found.low == pytest.approx(0.25 - 1.96 * 0.02165, abs=0.003)
    assert found.high == pytest.approx(0.25 + 1.96 * 0.02165, abs=0.003)


def test_each_resample_is_a_sum_of_n_rows():
    rows = np.array([[1.0, 1.0], [100.0, 1.0], [10_000.0, 1.0]])
    sums = resampled_sums(rows, resamples=200)
    assert (sums[:, 1] == 3).all()
    for total in sums[:, 0]:  # in base 100, the digits count how often each row was drawn
        assert sum(int(total) // 100**d % 100 for d in range(3)) == 3
    assert len(np.unique(sums[:, 0])) == 10  # every multiset of three rows turns up


def test_chunks_are_no_part_of_the_result_and_draws_repeat(monkeypatch):
    rows = np.random.default_rng(1).normal(size=(7, 3))
    whole = resampled_sums(rows, resamples=50)
    np.testing.assert_array_equal(whole, resampled_sums(rows, resamples=50))
    monkeypatch.setattr(bootstrap, "_CHUNK", 21)
    np.testing.assert_allclose(whole, resampled_sums(rows, resamples=50), rtol=1e-12)
    assert not np.array_equal(whole, resampled_sums(rows, resamples=50, seed=1))


def test_two_tables_of_the_same_rows_are_resampled_alike():
    rows = np.random.default_rng(2).normal(size=(20, 1))
    shifted = resampled_sums(rows + 1.0, resamples=30) - resampled_sums(rows, resamples=30)
    np.testing.assert_allclose(shifted, 20.0)


def test_undefined_resamples_are_left_out_and_an_undefined_value_has_no_interval():
    found = interval(0.5, np.array([np.nan, 0.5, 0.5]))
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)
    assert interval(float("nan"), np.array([1.0])).to_dict() == {"value": None, "low": None, "high": None}


def test_to_dict_is_plain_json():
    assert Interval(1 / 3, 0.0, 1.0).to_dict() == {"value": 0.333333333, "low": 0.0, "high": 1.0}
