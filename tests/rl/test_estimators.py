"""The estimators that recipes name, against literals worked out by hand."""

import pytest
import torch
from rl_functions import FUNCTIONS

from rlsf_lightning.config.estimator_specs import ESTIMATORS
from rlsf_lightning.rl.estimators import EstimatorInputs, Settings, normalise

T, F = True, False


def inputs_of(verifier, is_credited, passed, penalties=None, values=None, group_size=2, ids=None, **more):
    verifier_BT = torch.tensor(verifier)
    return EstimatorInputs(
        verifier_BT=verifier_BT,
        penalties_BT=torch.zeros_like(verifier_BT) if penalties is None else torch.tensor(penalties),
        value_BT=torch.zeros_like(verifier_BT) if values is None else torch.tensor(values),
        ids_BT=torch.zeros(verifier_BT.shape, dtype=torch.long) if ids is None else torch.tensor(ids),
        is_credited_BT=torch.tensor(is_credited),
        passed_B=torch.tensor(passed),
        group_size=group_size,
        **more,
    )


def test_viable_prefix_blames_the_dead_token_and_praises_what_passed():
    # One prompt, two samples: the first passes (2 tokens), the second dies at its second token.
    found, _ = FUNCTIONS["viable_prefix"](
        inputs_of([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]], [[T, T, F], [T, T, F]], [T, F]), Settings()
    )
    # Leave-one-out success: 0 for the first sample, 1 for the second.
    assert found.tolist() == [[1.0, 1.0, 0.0], [0.0, -1.0, 0.0]]


def test_prefix_tree_praises_and_blames_where_samples_part():
    # As above; the samples share their first token, so the second token's state has two visitors, the third's one.
    found, _ = FUNCTIONS["prefix_tree"](
        inputs_of([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]], [[T, T, T], [T, T, T]], [T, F], ids=[[5, 6, 7], [5, 8, 7]]),
        Settings(),
    )
    assert found.tolist() == [[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]]
    found, _ = FUNCTIONS["prefix_tree"](
        inputs_of([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]], [[T, T, T], [T, T, T]], [T, F], ids=[[5, 6, 7], [9, 8, 7]]),
        Settings(),
    )
    assert found.tolist() == [[1.0, 1.0, 1.0], [-1.0, 0.0, -1.0]]


def test_viable_prefix_takes_penalties_as_reward_to_go_less_the_others_at_the_same_token():
    found, _ = FUNCTIONS["viable_prefix"](
        inputs_of([[0.0, -1.0], [0.0, -1.0]], [[T, T], [T, T]], [F, F], penalties=[[-1.0, -2.0], [0.0, -1.0]]),
        Settings(),
    )
    # Nobody passes: no verdict. To go [-3, -2] and [-1, -1].
    assert found.tolist() == [[-2.0, -1.0], [2.0, 1.0]]


def test_gae_ends_at_the_first_token_that_is_not_credited():
    found, returns = FUNCTIONS["gae"](
        inputs_of([[0.0, -1.0, 9.0]], [[T, T, F]], [F], values=[[0.5, 0.25, 99.0]], group_size=1), Settings(1.0, 1.0)
    )
    assert found.tolist() == [[-1.5, -1.25, 0.0]]
    assert returns.tolist() == [[-1.0, -1.0, 0.0]]


def test_a_zero_value_head_makes_the_first_advantage_the_reward_to_go():
    found, _ = FUNCTIONS["gae"](inputs_of([[0.5, 0.0, 1.0]], [[T, T, T]], [T], group_size=1), Settings(1.0, 1.0))
    assert found.tolist() == [[1.5, 1.0, 1.0]]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_what_is_not_credited_is_zero(name):
    found, _ = FUNCTIONS[name](
        inputs_of(
            [[3.0, -1.0], [1.0, 5.0]],
            [[F, F], [T, F]],
            [F, T],
            penalties=[[7.0, 7.0], [7.0, 7.0]],
            logp_BT=torch.tensor([[-1.0, -9.0], [-2.0, -9.0]]),
            ref_logp_BT=torch.tensor([[-3.0, -1.0], [-1.0, -1.0]]),
            step_BT=torch.zeros(2, 2, dtype=torch.long),
            step_value_BK=torch.tensor([[5.0, 5.0], [0.5, 0.0]]),
        ),
        Settings(kl_beta=0.5),
    )
    assert found[0].tolist() == [0.0, 0.0]
    assert found[1, 1] == 0.0


def test_what_each_needs():
    assert {name for name, e in ESTIMATORS.items() if e.needs_values} == {"gae", "etpo"}
    assert {name for name, e in ESTIMATORS.items() if e.needs_rollouts} == {"vine"}
    assert {name for name, e in ESTIMATORS.items() if e.folds_kl} == {"etpo"}
    groups = {"prefix_tree", "viable_prefix", "rloo", "grpo", "dr_grpo"}
    assert {name for name, e in ESTIMATORS.items() if e.needs_group} == groups
    assert {name: e.loss_mean for name, e in ESTIMATORS.items() if e.loss_mean != "token"} == {
        "grpo": "sequence",
        "dr_grpo": "constant",
    }


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_line_for_people(name):
    summary = ESTIMATORS[name].summary
    assert 20 < len(summary) <= 110 and "\n" not in summary and not summary.endswith(".")


@pytest.mark.parametrize("name", ["etpo", "vine"])
def test_what_is_missing_is_named(name):
    with pytest.raises(AssertionError, match=name):
        FUNCTIONS[name](inputs_of([[0.0]], [[T]], [F], group_size=1), Settings())


def test_reinforce_pp_normalises_over_all_ranks():
    # This rank's rewards-to-go are 1 and 3; the other rank has two tokens of 0 and 4.
    seen = []

    def with_other_rank(stats):
        seen.append(stats.tolist())
        return stats + torch.tensor([2.0, 4.0, 16.0], dtype=torch.float64)

    found, _ = FUNCTIONS["reinforce_pp"](
        inputs_of([[1.0], [3.0]], [[T], [T]], [F, T]), Settings(stats_reduce=with_other_rank)
    )
    assert seen == [[2.0, 4.0, 10.0]]
    root = 2.5**0.5  # of 0, 1, 3, 4: mean 2, variance 10 / 4
    assert found.flatten().tolist() == pytest.approx([-1 / root, 1 / root])


def test_decoupled_lambdas_reach_the_critic():
    case = inputs_of([[0.0, 1.0]], [[T, T]], [T], values=[[0.25, 0.5]], group_size=1)
    advantage, returns = FUNCTIONS["gae"](case, Settings(1.0, 0.0, value_lam=1.0))
    assert advantage.tolist() == [[0.25, 0.5]]
    assert returns.tolist() == [[1.0, 1.0]]


def test_normalise():
    x_BT, mask_BT = torch.tensor([[3.0, -4.0, 100.0]]), torch.tensor([[T, T, F]])
    assert normalise("none", x_BT, mask_BT, None) is x_BT
    rms = (25 / 2) ** 0.5
    assert normalise("scale", x_BT, mask_BT, None)[0].tolist() == pytest.approx([3 / rms, -4 / rms, 0.0])
    assert normalise("centre", x_BT, mask_BT, None)[0].tolist() == pytest.approx([1.0, -1.0, 0.0])


@pytest.mark.parametrize("name", ["viable_prefix", "prefix_tree"])
def test_a_failure_of_which_nothing_is_known_is_blamed_at_its_end(name):
    found, _ = FUNCTIONS[name](
        inputs_of([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]], [[T, T, F], [T, T, F]], [T, F], ids=[[5, 6, 0], [5, 7, 0]]),
        Settings(),
    )
    assert found[1, 1] == -1.0
