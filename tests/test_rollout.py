"""Micro-batches: rows of like length together, within a budget of tokens, and nothing lost."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.rollout import Rollout, micro_batches

LENGTHS = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 9)), min_size=1, max_size=12)


def rollout_of(lengths):
    """Completions of (prompt, completion) lengths; every token is its own number, padding is -1."""
    left, right = max(p for p, _ in lengths), max(c for _, c in lengths)
    ids_BS = torch.full((len(lengths), left + right), -1)
    for row, (prompt, completion) in enumerate(lengths):
        ids_BS[row, left - prompt : left + completion] = torch.arange(prompt + completion) + 100 * row
    is_real_BS = ids_BS >= 0
    return Rollout(
        prompts=[],
        completions=[],
        spans=[],
        ids_BS=ids_BS,
        is_real_BS=is_real_BS,
        is_action_BT=is_real_BS[:, left:],
        ended_B=torch.ones(len(lengths), dtype=torch.bool),
        sampled_logp_BT=torch.zeros(len(lengths), right),
        group_size=1,
    )


def test_rows_of_like_length_share_a_piece_without_padding():
    rollout = rollout_of([(2, 9), (2, 1), (2, 9), (2, 1)])
    parts = micro_batches(rollout, rollout.is_action_BT, torch.arange(4), 22)
    assert [sorted(part.rows.tolist()) for part in parts] == [[1, 3], [0, 2]]
    assert [tuple(part.ids_BS.shape) for part in parts] == [(2, 3), (2, 11)]
    assert all(part.is_real_BS.all() for part in parts)


def test_what_is_not_used_is_not_computed():
    rollout = rollout_of([(3, 9), (3, 9)])
    is_used_BT = torch.arange(9) < torch.tensor([[2], [4]])
    (part,) = micro_batches(rollout, is_used_BT, torch.arange(2), 100)
    assert part.ids_BS.shape == (2, 7) and part.width == 4


@settings(max_examples=200, deadline=None)
@given(LENGTHS, st.integers(1, 100))
def test_every_row_once_within_the_budget(lengths, budget):
    rollout = rollout_of(lengths)
    parts = micro_batches(rollout, rollout.is_action_BT, torch.arange(len(lengths)), budget)
    assert sorted(row for part in parts for row in part.rows.tolist()) == list(range(len(lengths)))
    widest = max(p for p, _ in lengths) + max(c for _, c in lengths)
    for part in parts:
        assert len(part.rows) == 1 or len(part.rows) * widest <= budget
        for row, ids, used in zip(part.rows.tolist(), part.ids_BS, part.is_used_BT, strict=True):
            assert ids[ids >= 0].tolist() == [100 * row + n for n in range(sum(lengths[row]))]
            assert int(used.sum()) == lengths[row][1]


@given(LENGTHS, st.integers(1, 100))
def test_ranks_agree_on_the_number_of_pieces(lengths, budget):
    rollout = rollout_of(lengths)
    rows = torch.arange(len(lengths))
    asked = []
    parts = micro_batches(rollout, rollout.is_action_BT, rows, budget, lambda n: asked.append(n) or len(lengths))
    assert len(asked) == 1 and asked[0] <= len(lengths)
    assert len(parts) == len(lengths)


def test_an_abstained_completion_is_in_no_mean():
    from rlsf_lightning.records import Certificate, Verdict

    rollout = rollout_of([(1, 2), (1, 2), (1, 2)])
    reward_BT = torch.tensor([[0.0, 1.0], [9.0, 9.0], [-0.5, 0.0]])
    assert abs(rollout.mean_over_judged(reward_BT) - 18.5 / 3) < 1e-6
    rollout.certificates = [
        Certificate(Verdict.PASS, score=1.0),
        Certificate(Verdict.ABSTAIN),
        Certificate(Verdict.FAIL),
    ]
    assert rollout.mean_over_judged(reward_BT) == 0.25
    rollout.certificates = [Certificate(Verdict.ABSTAIN)] * 3
    assert rollout.mean_over_judged(reward_BT) == 0.0
