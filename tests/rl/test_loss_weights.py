import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rl_cases import FLOATS, actions, masked

from rlsf_lightning.rl.loss_weights import has_mixed_outcomes, loss_weights

T, F = True, False
MEANS = ["token", "sequence", "constant"]


def test_weights_literals():
    # Lengths 3, 1 and 0 (abstained).
    is_action_BT = torch.tensor([[T, T, T], [F, T, F], [F, F, F]])
    quarter, sixth = 1 / 4, 1 / 6
    expected = {
        "token": [[quarter] * 3, [0, quarter, 0], [0] * 3],
        "sequence": [[sixth] * 3, [0, 0.5, 0], [0] * 3],
        "constant": [[0.05] * 3, [0, 0.05, 0], [0] * 3],
    }
    for mean, weights in expected.items():
        found_BT = loss_weights(is_action_BT, mean, max_length=10)
        torch.testing.assert_close(found_BT, torch.tensor(weights, dtype=torch.float32))


@given(masked(FLOATS), st.sampled_from(MEANS))
def test_against_a_loop(case, mean):
    is_action_BT, loss_BT = case
    rows = [[float(loss_BT[i, t]) for t in actions(is_action_BT, i)] for i in range(len(is_action_BT))]
    rows = [row for row in rows if row]
    if mean == "token":
        expected = sum(map(sum, rows)) / max(1, sum(map(len, rows)))
    else:
        expected = sum(sum(row) / (len(row) if mean == "sequence" else 7) for row in rows) / max(1, len(rows))
    weights_BT = loss_weights(is_action_BT, mean, max_length=7)
    assert (weights_BT[~is_action_BT] == 0).all()
    assert float((weights_BT * loss_BT).nansum()) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("mean", MEANS)
def test_neither_ranks_nor_micro_batches_change_the_step(mean):
    g = torch.Generator().manual_seed(0)
    is_action_BT = torch.rand(8, 5, generator=g) < 0.6
    is_action_BT[6] = False
    whole_BT = loss_weights(is_action_BT, mean, max_length=5)
    ranks = (slice(0, 3), slice(3, 8))
    seen = []
    for rows in ranks:
        loss_weights(is_action_BT[rows], mean, max_length=5, stats_reduce=lambda s: seen.append(s) or s)
    parts = [loss_weights(is_action_BT[rows], mean, max_length=5, stats_reduce=lambda _: sum(seen)) for rows in ranks]
    assert torch.equal(torch.cat(parts), whole_BT)


def test_nothing_to_average_is_no_division_by_zero():
    for mean in MEANS:
        assert not loss_weights(torch.zeros(2, 3, dtype=torch.bool), mean, max_length=3).any()


def test_wrong_means_are_refused():
    with pytest.raises(AssertionError, match="max_length"):
        loss_weights(torch.ones(1, 1, dtype=torch.bool), "constant")
    with pytest.raises(AssertionError, match="no mean"):
        loss_weights(torch.ones(1, 1, dtype=torch.bool), "median")


def test_mixed_outcomes_literal():
    # Mixed; all pass; all fail; mixed only by an abstained sample; mixed besides an abstained one; all abstained.
    passed_B = torch.tensor([T, F, F, T, T, T, F, F, F, T, T, F, F, T, T, T, F, T])
    valid_B = torch.tensor([T, T, T, T, T, T, T, T, T, T, T, F, T, T, F, F, F, F])
    expected = [T, T, T, F, F, F, F, F, F, F, F, F, T, T, F, F, F, F]
    assert has_mixed_outcomes(passed_B, valid_B, 3).tolist() == expected


@given(st.integers(1, 3), st.integers(1, 4), st.data())
def test_mixed_outcomes_against_a_loop(prompts, group_size, data):
    n = prompts * group_size
    passed, valid = (data.draw(st.lists(st.booleans(), min_size=n, max_size=n)) for _ in range(2))
    found = has_mixed_outcomes(torch.tensor(passed), torch.tensor(valid), group_size).tolist()
    for i in range(n):
        first = i // group_size * group_size
        verdicts = {passed[j] for j in range(first, first + group_size) if valid[j]}
        assert found[i] == (valid[i] and len(verdicts) == 2)
