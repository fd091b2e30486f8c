"""How rows are cut into minibatches and micro-batches: every row once, whole prompts where they fit, little to compute."""

from itertools import chain

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.records import Prompt
from rlsf_lightning.rollout import Rollout, micro_batches, minibatches


def rollout_of(prompt_lengths: list[int], lengths: list[list[int]]) -> Rollout:
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
        ended_B=torch.ones(len(length_B), dtype=torch.bool),
        sampled_logp_BT=torch.zeros(len(length_B), width),
        sampled_value_BT=torch.zeros(len(length_B), width),
        group_size=group_size,
    )


def rows_of(rollout: Rollout, tokens: int, **kwargs: object) -> list[list[int]]:
    everyone = torch.arange(len(rollout.prompts))
    return [part.rows.tolist() for part in micro_batches(rollout, rollout.is_action_BT, everyone, tokens, **kwargs)]


def test_completions_of_like_length_go_together_where_that_leaves_less_padding() -> None:
    assert rows_of(rollout_of([2, 2], [[30, 3], [29, 4]]), 64) == [[1, 3], [2, 0]]


def test_completions_of_a_prompt_go_together_where_it_is_long() -> None:
    rollout = rollout_of([30, 29, 31], [[5, 4, 5, 4], [5, 5, 4, 3], [5, 5, 5, 4]])
    assert [set(part) for part in rows_of(rollout, 144)] == [{4, 5, 6, 7}, {0, 1, 2, 3}, {8, 9, 10, 11}]


def test_ranks_agree_on_the_number_of_parts() -> None:
    rollout = rollout_of([2, 2], [[30, 3], [29, 4]])
    assert len(rows_of(rollout, 64, agree=lambda n: n + 1)) == 3
    assert len(rows_of(rollout, 64, agree=lambda n: 100)) == 4


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 200), st.data())
def test_every_row_is_in_one_part_which_keeps_the_budget(
    prompts: int, group: int, tokens: int, data: st.DataObject
) -> None:
    prompt_lengths = data.draw(st.lists(st.integers(1, 9), min_size=prompts, max_size=prompts))
    row = st.lists(st.integers(1, 9), min_size=group, max_size=group)
    rollout = rollout_of(prompt_lengths, data.draw(st.lists(row, min_size=prompts, max_size=prompts)))
    parts = rows_of(rollout, tokens)
    assert sorted(chain(*parts)) == list(range(prompts * group))
    longest = int(rollout.is_real_BS.sum(1).max())
    assert all(len(part) == 1 or len(part) * longest <= max(tokens, longest) for part in parts)


def test_minibatches_are_of_whole_prompts_where_these_can_be_shared_out() -> None:
    rollout = rollout_of([1] * 6, [[1, 1]] * 6)
    drawn = torch.Generator().manual_seed(0)
    parts = [part.tolist() for part in minibatches(rollout, 3, drawn)]
    assert sorted(chain(*parts)) == list(range(12)) and parts != [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert all({row ^ 1 for row in part} == set(part) and len(part) == 4 for part in parts)
    cut = [part.tolist() for part in minibatches(rollout, 4, drawn)]
    assert sorted(chain(*cut)) == list(range(12)) and {len(part) for part in cut} == {3}
