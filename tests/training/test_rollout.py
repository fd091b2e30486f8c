"""Minibatches and micro-batches: what belongs together, within a budget of tokens, and nothing lost."""

from itertools import chain

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.records import Prompt
from rlsf_lightning.training.batching import micro_batches, minibatches
from rlsf_lightning.training.rollout import Rollout

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
        is_finished_B=torch.ones(len(lengths), dtype=torch.bool),
        sampled_logp_BT=torch.zeros(len(lengths), right),
        sampled_value_BT=torch.zeros(len(lengths), right),
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


def groups_of(prompt_lengths: list[int], lengths: list[list[int]]) -> Rollout:
    """Prompts of these lengths, each with completions of those."""
    group_size, width, before = len(lengths[0]), max(map(max, lengths)), max(prompt_lengths)
    prompt_B = torch.tensor(prompt_lengths).repeat_interleave(group_size)
    length_B = torch.tensor(lengths).flatten()
    columns = torch.arange(before + width)
    is_real_BS = (columns >= before - prompt_B[:, None]) & (columns < before + length_B[:, None])
    return Rollout(
        prompts=[Prompt("", "")] * len(length_B),
        completions=[""] * len(length_B),
        spans=[[]] * len(length_B),
        ids_BS=is_real_BS.long(),
        is_real_BS=is_real_BS,
        is_action_BT=is_real_BS[:, before:],
        is_finished_B=torch.ones(len(length_B), dtype=torch.bool),
        sampled_logp_BT=torch.zeros(len(length_B), width),
        sampled_value_BT=torch.zeros(len(length_B), width),
        group_size=group_size,
    )


def rows_of(rollout: Rollout, tokens: int, **kwargs: object) -> list[list[int]]:
    everyone = torch.arange(len(rollout.prompts))
    return [part.rows.tolist() for part in micro_batches(rollout, rollout.is_action_BT, everyone, tokens, **kwargs)]


def test_completions_of_like_length_go_together_where_that_leaves_less_padding() -> None:
    assert rows_of(groups_of([2, 2], [[30, 3], [29, 4]]), 64) == [[1, 3], [2, 0]]


def test_completions_of_a_prompt_go_together_where_it_is_long() -> None:
    rollout = groups_of([30, 29, 31], [[5, 4, 5, 4], [5, 5, 4, 3], [5, 5, 5, 4]])
    assert [set(part) for part in rows_of(rollout, 144)] == [{4, 5, 6, 7}, {0, 1, 2, 3}, {8, 9, 10, 11}]


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 200), st.data())
def test_every_row_is_in_one_part_which_keeps_the_budget(
    prompts: int, group: int, tokens: int, data: st.DataObject
) -> None:
    prompt_lengths = data.draw(st.lists(st.integers(1, 9), min_size=prompts, max_size=prompts))
    row = st.lists(st.integers(1, 9), min_size=group, max_size=group)
    rollout = groups_of(prompt_lengths, data.draw(st.lists(row, min_size=prompts, max_size=prompts)))
    parts = rows_of(rollout, tokens)
    assert sorted(chain(*parts)) == list(range(prompts * group))
    longest = int(rollout.is_real_BS.sum(1).max())
    assert all(len(part) == 1 or len(part) * longest <= max(tokens, longest) for part in parts)


def test_minibatches_are_of_whole_prompts_where_these_can_be_shared_out() -> None:
    rollout = groups_of([1] * 6, [[1, 1]] * 6)
    drawn = torch.Generator().manual_seed(0)
    parts = [part.tolist() for part in minibatches(rollout, 3, drawn)]
    assert sorted(chain(*parts)) == list(range(12)) and parts != [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert all({row ^ 1 for row in part} == set(part) and len(part) == 4 for part in parts)
    cut = [part.tolist() for part in minibatches(rollout, 4, drawn)]
    assert sorted(chain(*cut)) == list(range(12)) and {len(part) for part in cut} == {3}
