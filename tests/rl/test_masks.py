import math

import pytest
import torch
from hypothesis import given
from rl_cases import FLOATS, actions, masked

from rlsf_lightning.rl.masks import masked_sum, scale_by_rms, whiten

NAN = float("nan")


def valid_numbers(x_BT, is_action_BT):
    return [float(x_BT[b, t]) for b in range(len(x_BT)) for t in actions(is_action_BT, b)]


def test_whiten_without_centring_literal():
    x_BT = torch.tensor([[1.2, 1.3, 1.4], [1.5, 1.6, 1.7], [1.8, 1.9, 2.0]])
    expected = [[0.0508, 0.4381, 0.8254], [1.2127, 1.6, 1.9873], [2.3746, 2.7619, 3.1492]]
    white_BT = whiten(x_BT, torch.ones(3, 3, dtype=torch.bool), centre=False)
    torch.testing.assert_close(white_BT, torch.tensor(expected), atol=6e-5, rtol=0)


def test_whiten_centred_literal_ignores_padding():
    x_BT = torch.tensor([[1.0, NAN, 3.0], [5.0, 7.0, 1e30]])
    is_action_BT = torch.tensor([[True, False, True], [True, True, False]])
    r5 = math.sqrt(5.0)  # mean 4, variance (9 + 1 + 1 + 9) / 4
    expected = torch.tensor([[-3 / r5, 0.0, -1 / r5], [1 / r5, 3 / r5, 0.0]])
    torch.testing.assert_close(whiten(x_BT, is_action_BT, centre=True), expected)


@given(masked(FLOATS))
def test_sums_against_a_loop(case):
    is_action_BT, x_BT = case
    numbers = valid_numbers(x_BT, is_action_BT)
    assert float(masked_sum(x_BT, is_action_BT)) == pytest.approx(sum(numbers), abs=1e-9)


@given(masked(FLOATS))
def test_scaling_against_a_loop(case):
    is_action_BT, x_BT = case
    numbers = valid_numbers(x_BT, is_action_BT)
    n = max(1, len(numbers))
    mean = sum(numbers) / n
    std = math.sqrt(sum((x - mean) ** 2 for x in numbers) / n + 1e-8)
    rms = math.sqrt(sum(x**2 for x in numbers) / n + 1e-8)
    expectations = (
        (whiten(x_BT, is_action_BT, centre=True), lambda x: (x - mean) / std),
        (whiten(x_BT, is_action_BT, centre=False), lambda x: (x - mean) / std + mean),
        (scale_by_rms(x_BT, is_action_BT), lambda x: x / rms),
    )
    for result_BT, expected in expectations:
        assert result_BT.shape == x_BT.shape
        assert (result_BT[~is_action_BT] == 0).all()
        assert valid_numbers(result_BT, is_action_BT) == pytest.approx([expected(x) for x in numbers], abs=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_spread_nothing_to_scale_by(dtype):
    x_BT = torch.full((2, 3), 0.7, dtype=dtype)
    one = torch.zeros(2, 3, dtype=torch.bool)
    one[1, 2] = True
    for mask_BT in (torch.ones(2, 3, dtype=torch.bool), one):
        kept_BT = torch.where(mask_BT, x_BT, 0.0)
        torch.testing.assert_close(whiten(x_BT, mask_BT, centre=True), torch.zeros_like(x_BT), atol=1e-6, rtol=0)
        torch.testing.assert_close(whiten(x_BT, mask_BT, centre=False), kept_BT)
    none = torch.zeros(2, 3, dtype=torch.bool)
    for result_BT in (whiten(x_BT, none, centre=True), whiten(x_BT, none, centre=False), scale_by_rms(x_BT, none)):
        assert (result_BT == 0).all()


def test_rounding_noise_is_not_blown_up():
    noise_BT = 1e-9 * torch.tensor([[1.0, -1.0, 2.0]])
    mask_BT = torch.ones(1, 3, dtype=torch.bool)
    assert whiten(noise_BT, mask_BT, centre=True).abs().max() < 1e-4
    assert scale_by_rms(noise_BT, mask_BT).abs().max() < 1e-4


def test_ranks_whiten_as_one_batch():
    generator = torch.Generator().manual_seed(0)
    x_BT = torch.randn(5, 4, generator=generator)
    is_action_BT = torch.rand(5, 4, generator=generator) < 0.7
    is_action_BT[3:] = False  # the second rank has no valid token at all
    ranks = (slice(0, 3), slice(3, 5))
    for function in (
        lambda x, m, r: whiten(x, m, centre=True, stats_reduce=r),
        lambda x, m, r: whiten(x, m, centre=False, stats_reduce=r),
        lambda x, m, r: scale_by_rms(x, m, stats_reduce=r),
    ):
        seen: list[torch.Tensor] = []
        for rows in ranks:
            function(x_BT[rows], is_action_BT[rows], lambda stats, seen=seen: seen.append(stats) or stats)
        assert all(stats.dtype == torch.float64 and stats.shape == (3,) for stats in seen)
        total = sum(seen)
        parts = [function(x_BT[rows], is_action_BT[rows], lambda _, total=total: total) for rows in ranks]
        torch.testing.assert_close(torch.cat(parts), function(x_BT, is_action_BT, None))


def test_a_mask_must_be_boolean_and_of_the_same_shape():
    with pytest.raises(AssertionError):
        masked_sum(torch.zeros(1, 2), torch.ones(1, 2))
    with pytest.raises(AssertionError):
        masked_sum(torch.zeros(2, 1), torch.ones(1, 2, dtype=torch.bool))
