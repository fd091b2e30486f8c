import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rlsf_lightning.rl.prefix_credit import (
    leave_one_out,
    prefix_tree_advantages,
    shared_prefix,
    viable_prefix_advantages,
)


def test_leave_one_out_literal():
    # Prompt 1: samples 3, 0, 6, the second abstained. Prompt 2: one valid sample. Prompt 3: all valid.
    x_B = torch.tensor([3.0, 100.0, 6.0, 5.0, 1.0, 1.0, 1.0, 0.0, -1.0])
    is_valid_B = torch.tensor([True, False, True, True, False, False, True, True, True])
    assert leave_one_out(x_B, 3, is_valid_B).tolist() == [6.0, 0.0, 3.0, 5.0, 0.0, 0.0, -0.5, 0.0, 0.5]


def test_an_abstained_sample_may_hold_anything():
    x_B = torch.tensor([1.0, float("nan"), 0.0])
    assert leave_one_out(x_B, 3, torch.tensor([True, False, True])).tolist() == [0.0, 0.0, 1.0]


@given(st.integers(1, 4), st.integers(1, 5), st.data())
def test_leave_one_out_against_a_loop(prompts, group_size, data):
    n = prompts * group_size
    x = data.draw(st.lists(st.sampled_from([-1.0, 0.0, 0.25, 1.0]), min_size=n, max_size=n))
    valid = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    result = leave_one_out(torch.tensor(x, dtype=torch.float64), group_size, torch.tensor(valid)).tolist()
    for i in range(n):
        first = i // group_size * group_size
        others = [x[j] for j in range(first, first + group_size) if j != i and valid[j]]
        if valid[i] and others:
            assert result[i] == pytest.approx(sum(others) / len(others), abs=1e-12)
        else:
            assert result[i] == (x[i] if valid[i] else 0.0)


def test_viable_prefix_literal():
    # One prompt, four samples: pass, fail at token 1, pass, abstained. Lengths 2, 3, 1, 2.
    is_action_BT = torch.tensor([[1, 1, 0], [1, 1, 1], [1, 0, 0], [1, 1, 0]], dtype=torch.bool)
    nan = float("nan")
    blame_BT = torch.tensor([[0.0, 0.0, nan], [0.0, -1.0, 0.0], [0.0, nan, nan], [nan, -1.0, 0.0]])
    passed_B = torch.tensor([True, False, True, False])
    is_valid_B = torch.tensor([True, True, True, False])
    # p of the passing samples: (0 + 1) / 2; of the failing one: 1.
    expected = [[0.5, 0.5, 0.0], [0.0, -1.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]]
    assert viable_prefix_advantages(blame_BT, passed_B, is_action_BT, is_valid_B, 4).tolist() == expected


@pytest.mark.parametrize("passed", [True, False])
def test_all_pass_and_all_fail_teach_nothing(passed):
    blame_BT = torch.tensor([[0.0, -1.0], [-1.0, 0.0], [0.0, -1.0]])
    ones_BT = torch.ones(3, 2, dtype=torch.bool)
    valid_B = torch.ones(3, dtype=torch.bool)
    advantages_BT = viable_prefix_advantages(blame_BT, torch.full((3,), passed), ones_BT, valid_B, 3)
    assert (advantages_BT == 0).all()


@pytest.mark.parametrize("passed", [True, False])
def test_a_lone_valid_sample_teaches_nothing(passed):
    blame_BT = torch.tensor([[0.0, -1.0], [0.0, -1.0]])
    advantages_BT = viable_prefix_advantages(
        blame_BT,
        torch.tensor([passed, not passed]),
        torch.ones(2, 2, dtype=torch.bool),
        torch.tensor([True, False]),
        group_size=2,
    )
    assert (advantages_BT == 0).all()


@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 4), st.data())
def test_viable_prefix_against_a_loop(prompts, group_size, steps, data):
    n = prompts * group_size

    def flags(size):
        return data.draw(st.lists(st.booleans(), min_size=size, max_size=size))

    passed, valid = flags(n), flags(n)
    action = [flags(steps) for _ in range(n)]
    blame = [data.draw(st.lists(st.sampled_from([0.0, -1.0, -0.5]), min_size=steps, max_size=steps)) for _ in range(n)]
    result_BT = viable_prefix_advantages(
        torch.tensor(blame, dtype=torch.float64).reshape(n, steps),
        torch.tensor(passed),
        torch.tensor(action, dtype=torch.bool).reshape(n, steps),
        torch.tensor(valid),
        group_size,
    )
    for i in range(n):
        first = i // group_size * group_size
        others = [passed[j] for j in range(first, first + group_size) if j != i and valid[j]]
        for t in range(steps):
            expected = 0.0
            if action[i][t] and valid[i] and others:
                p = sum(others) / len(others)
                expected = 1 - p if passed[i] else p * blame[i][t]
            assert float(result_BT[i, t]) == pytest.approx(expected, abs=1e-12)


def test_a_reward_is_no_blame():
    ones_BT = torch.ones(1, 1, dtype=torch.bool)
    no_B, yes_B = torch.tensor([False]), torch.tensor([True])
    with pytest.raises(AssertionError):
        viable_prefix_advantages(torch.ones(1, 1), no_B, ones_BT, yes_B, 1)
    # A passing sample's positive terminal reward is not read.
    assert viable_prefix_advantages(torch.ones(1, 1), yes_B, ones_BT, yes_B, 1).tolist() == [[0.0]]


def test_groups_must_be_complete():
    with pytest.raises(AssertionError):
        leave_one_out(torch.zeros(5), 2, torch.ones(5, dtype=torch.bool))


def test_shared_prefix_literal():
    ids_BT = torch.tensor([[1, 2, 3], [1, 2, 4], [5, 2, 3], [1, 2, 3]])
    first, last = shared_prefix(ids_BT, 4)[0][0], shared_prefix(ids_BT, 2)[1]
    assert first.tolist() == [[True] * 3, [True] * 3, [True, False, False], [True] * 3]
    assert last[0].tolist() == [[True] * 3, [True, False, False]]  # the third and fourth sample are the second prompt's


def test_prefix_tree_literal():
    # Four samples: "ab" passes; "ab", the same text cut short, fails at b; "ac" fails at c; "xy" fails at y.
    ids_BT = torch.tensor([[1, 2], [1, 2], [1, 3], [9, 8]])
    blame_BT = torch.tensor([[0.0, 0.0], [0.0, -1.0], [0.0, -1.0], [0.0, -1.0]])
    ones_BT = torch.ones(4, 2, dtype=torch.bool)
    passed_B, valid_B = torch.tensor([True, False, False, False]), torch.ones(4, dtype=torch.bool)
    found = prefix_tree_advantages(blame_BT, passed_B, ones_BT, valid_B, ids_BT, 4)
    third = 1 / 3
    expected = [[1.0, 1.0], [-third, -0.5], [-third, -0.5], [-third, -third]]  # y stands alone: p = 1/3 of all others
    torch.testing.assert_close(found, torch.tensor(expected))
    # With gamma 1/2 the first token's blame is half: G = 0, -1/2, -1/2, -1/2.
    found = prefix_tree_advantages(blame_BT, passed_B, ones_BT, valid_B, ids_BT, 4, gamma=0.5)
    expected = [[0.5, 1.0], [-third / 2, -0.5], [-third / 2, -0.5], [-third / 2, -third]]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_prefix_tree_learns_to_stay_alive_where_nobody_passes():
    # Both fail, the first at once, the second two tokens later.
    ids_BT = torch.tensor([[1, 0, 0], [2, 3, 4]])
    is_action_BT = torch.tensor([[True, False, False], [True, True, True]])
    blame_BT = torch.tensor([[-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    no_B, valid_B = torch.tensor([False, False]), torch.tensor([True, True])
    found = prefix_tree_advantages(blame_BT, no_B, is_action_BT, valid_B, ids_BT, 2, gamma=0.5)
    assert found.tolist() == [[-0.75, 0.0, 0.0], [0.75, 0.0, 0.0]]
    assert not prefix_tree_advantages(blame_BT, no_B, is_action_BT, valid_B, ids_BT, 2).any()


@given(st.integers(1, 2), st.integers(1, 4), st.integers(0, 4), st.sampled_from([1.0, 0.5, 0.0]), st.data())
def test_prefix_tree_against_a_loop(prompts, group_size, steps, gamma, data):
    n = prompts * group_size

    def rows(values):
        return [data.draw(st.lists(st.sampled_from(values), min_size=steps, max_size=steps)) for _ in range(n)]

    def flags():
        return data.draw(st.lists(st.booleans(), min_size=n, max_size=n))

    passed, valid, ids, blame, action = flags(), flags(), rows([1, 2]), rows([0.0, -1.0]), rows([True, False])
    blame_BT = torch.tensor(blame, dtype=torch.float64).reshape(n, steps)
    is_action_BT = torch.tensor(action, dtype=torch.bool).reshape(n, steps)
    passed_B, valid_B = torch.tensor(passed), torch.tensor(valid)
    ids_BT = torch.tensor(ids, dtype=torch.long).reshape(n, steps)
    result_BT = prefix_tree_advantages(blame_BT, passed_B, is_action_BT, valid_B, ids_BT, group_size, gamma)
    alone_BT = viable_prefix_advantages(blame_BT, passed_B, is_action_BT, valid_B, group_size)

    def to_go(j, t):
        later = [k for k in range(t, steps) if action[j][k]]
        return 0.0 if passed[j] else sum(gamma**number * blame[j][k] for number, k in enumerate(later))

    for i in range(n):
        first = i // group_size * group_size
        for t in range(steps):
            siblings = [
                to_go(j, t)
                for j in range(first, first + group_size)
                if j != i and valid[j] and action[j][t] and ids[j][:t] == ids[i][:t]
            ]
            expected = 0.0
            if action[i][t] and valid[i]:
                expected = to_go(i, t) - sum(siblings) / len(siblings) if siblings else float(alone_BT[i, t])
            assert float(result_BT[i, t]) == pytest.approx(expected, abs=1e-12)


@given(st.integers(2, 5), st.data())
def test_where_all_go_on_together_praise_and_blame_cancel(group_size, data):
    passed_B = torch.tensor(data.draw(st.lists(st.booleans(), min_size=group_size, max_size=group_size)))
    ids_BT = torch.tensor([[7, 7, n] for n in range(group_size)])
    ones_BT, valid_B = torch.ones(group_size, 3, dtype=torch.bool), torch.ones(group_size, dtype=torch.bool)
    blame_BT = torch.tensor([[0.0, 0.0, -1.0]] * group_size, dtype=torch.float64)
    found_BT = prefix_tree_advantages(blame_BT, passed_B, ones_BT, valid_B, ids_BT, group_size)
    assert found_BT[:, :2].sum(0).abs().max() < 1e-12
    if passed_B.any() and not passed_B.all():
        assert (found_BT[:, 2] != 0).all()
