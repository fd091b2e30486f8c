"""The estimators that recipes name, against literals worked out by hand."""

import pytest
import torch

from rlsf_lightning.rl.estimators import ESTIMATORS, NEEDS_VALUES, Evidence, Settings, normalise

T, F = True, False


def evidence(verifier, is_credited, passed, penalties=None, values=None, group_size=2, ids=None):
    verifier_BT = torch.tensor(verifier)
    return Evidence(
        verifier_BT=verifier_BT,
        penalties_BT=torch.zeros_like(verifier_BT) if penalties is None else torch.tensor(penalties),
        value_BT=torch.zeros_like(verifier_BT) if values is None else torch.tensor(values),
        ids_BT=torch.zeros(verifier_BT.shape, dtype=torch.long) if ids is None else torch.tensor(ids),
        is_credited_BT=torch.tensor(is_credited),
        passed_B=torch.tensor(passed),
        group_size=group_size,
    )


def test_viable_prefix_blames_the_dead_token_and_praises_what_passed():
    # One prompt, two samples: the first passes (2 tokens), the second dies at its second token.
    found, _ = ESTIMATORS["viable_prefix"](
        evidence([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]], [[T, T, F], [T, T, F]], [T, F]), Settings()
    )
    # Leave-one-out success: 0 for the first sample, 1 for the second.
    assert found.tolist() == [[1.0, 1.0, 0.0], [0.0, -1.0, 0.0]]


def test_prefix_tree_praises_and_blames_where_samples_part():
    # As above; the samples share their first token, so the second token's state has two visitors, the third's one.
    found, _ = ESTIMATORS["prefix_tree"](
        evidence([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]], [[T, T, T], [T, T, T]], [T, F], ids=[[5, 6, 7], [5, 8, 7]]),
        Settings(),
    )
    assert found.tolist() == [[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]]
    found, _ = ESTIMATORS["prefix_tree"](
        evidence([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]], [[T, T, T], [T, T, T]], [T, F], ids=[[5, 6, 7], [9, 8, 7]]),
        Settings(),
    )
    assert found.tolist() == [[1.0, 1.0, 1.0], [-1.0, 0.0, -1.0]]


def test_viable_prefix_takes_penalties_as_reward_to_go_less_the_others_total():
    found, _ = ESTIMATORS["viable_prefix"](
        evidence([[0.0, -1.0], [0.0, -1.0]], [[T, T], [T, T]], [F, F], penalties=[[-1.0, -2.0], [0.0, -1.0]]),
        Settings(),
    )
    # Nobody passes: no verdict. Totals -3 and -1; to go [-3, -2] and [-1, -1].
    assert found.tolist() == [[-2.0, -1.0], [2.0, 2.0]]


def test_gae_ends_at_the_first_token_that_is_not_credited():
    found, returns = ESTIMATORS["gae"](
        evidence([[0.0, -1.0, 9.0]], [[T, T, F]], [F], values=[[0.5, 0.25, 99.0]], group_size=1), Settings(1.0, 1.0)
    )
    assert found.tolist() == [[-1.5, -1.25, 0.0]]
    assert returns.tolist() == [[-1.0, -1.0, 0.0]]


def test_a_zero_value_head_makes_the_first_advantage_the_reward_to_go():
    found, _ = ESTIMATORS["gae"](evidence([[0.5, 0.0, 1.0]], [[T, T, T]], [T], group_size=1), Settings(1.0, 1.0))
    assert found.tolist() == [[1.5, 1.0, 1.0]]


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_what_is_not_credited_is_zero(name):
    found, _ = ESTIMATORS[name](
        evidence([[3.0, -1.0], [1.0, 5.0]], [[F, F], [T, F]], [F, T], penalties=[[7.0, 7.0], [7.0, 7.0]]), Settings()
    )
    assert found[0].tolist() == [0.0, 0.0]
    assert found[1, 1] == 0.0


def test_only_gae_needs_a_value_head():
    assert NEEDS_VALUES == {"gae"}


def test_normalise():
    x_BT, mask_BT = torch.tensor([[3.0, -4.0, 100.0]]), torch.tensor([[T, T, F]])
    assert normalise("none", x_BT, mask_BT, None) is x_BT
    rms = (25 / 2) ** 0.5
    assert normalise("scale", x_BT, mask_BT, None)[0].tolist() == pytest.approx([3 / rms, -4 / rms, 0.0])
    assert normalise("centre", x_BT, mask_BT, None)[0].tolist() == pytest.approx([1.0, -1.0, 0.0])


@pytest.mark.parametrize("name", ["viable_prefix", "prefix_tree"])
def test_a_failure_of_which_nothing_is_known_is_blamed_at_its_end(name):
    found, _ = ESTIMATORS[name](
        evidence([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]], [[T, T, F], [T, T, F]], [T, F], ids=[[5, 6, 0], [5, 7, 0]]),
        Settings(),
    )
    assert found[1, 1] == -1.0
