"""Each estimator against a slow loop, and against changes of what it must not read."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rl_cases import group_cases
from rl_functions import FUNCTIONS
from rl_oracles import ORACLES, actions

from rlsf_lightning.config.estimator_specs import ESTIMATORS
from rlsf_lightning.rl import estimators
from rlsf_lightning.rl.estimators import Settings

NUMBERS = st.builds(
    Settings,
    gamma=st.sampled_from([1.0, 0.9, 0.5, 0.0]),
    lam=st.sampled_from([1.0, 0.95, 0.0]),
    value_lam=st.sampled_from([None, 1.0, 0.5]),
    kl_beta=st.sampled_from([0.0, 0.3]),
)


def test_every_estimator_has_an_oracle():
    """Here; one in a file of its own may have it in a test of that file."""
    elsewhere = {name for name, function in FUNCTIONS.items() if function.__module__ != estimators.__name__}
    assert ORACLES.keys() == FUNCTIONS.keys() - (elsewhere - ORACLES.keys())


@pytest.mark.parametrize("name", sorted(ORACLES))
@settings(max_examples=60)
@given(case=group_cases(), numbers=NUMBERS)
def test_against_a_slow_loop(name, case, numbers):
    advantages_BT, returns_BT = FUNCTIONS[name](case, numbers)
    for result_BT in (advantages_BT, returns_BT):
        assert result_BT.shape == case.is_credited_BT.shape and result_BT.dtype == torch.float64
        assert (result_BT[~case.is_credited_BT] == 0).all()
    for i in range(len(case.passed_B)):
        for t in actions(case, i):
            expected = ORACLES[name](case, numbers, i, t)
            advantage, target = expected if isinstance(expected, tuple) else (expected, expected)
            assert float(advantages_BT[i, t]) == pytest.approx(advantage, abs=1e-9)
            assert float(returns_BT[i, t]) == pytest.approx(target, abs=1e-9)


@pytest.mark.parametrize("name", sorted(name for name, traits in ESTIMATORS.items() if not traits.needs_group))
@settings(max_examples=40)
@given(case=group_cases(), numbers=NUMBERS)
def test_without_a_group_baseline_the_groups_change_nothing(name, case, numbers):
    if name == "vine":  # it compares the samples of a prompt in what is no verdict
        case = dataclasses.replace(case, penalties_BT=0 * case.penalties_BT)
    alone = FUNCTIONS[name](dataclasses.replace(case, group_size=1), numbers)
    for grouped_BT, alone_BT in zip(FUNCTIONS[name](case, numbers), alone, strict=True):
        assert torch.equal(grouped_BT, alone_BT)


def scrambled(case):
    """The same inputs, with other contents wherever nothing is credited."""
    hidden_BT = ~case.is_credited_BT
    is_abstained_B = ~case.is_valid_B
    steps = case.ids_BT.shape[1]
    ends = [max([*actions(case, i), -1]) for i in range(len(hidden_BT))]
    is_beyond_BT = torch.tensor([[t > end for t in range(steps)] for end in ends], dtype=torch.bool)

    def fill(x, number, where):
        return torch.where(where, torch.full_like(x, number), x)

    return dataclasses.replace(
        case,
        verifier_BT=fill(case.verifier_BT, -1e6, hidden_BT),
        penalties_BT=fill(case.penalties_BT, 1e6, hidden_BT),
        value_BT=fill(case.value_BT, float("inf"), hidden_BT),
        logp_BT=fill(case.logp_BT, -1e6, hidden_BT),
        ref_logp_BT=fill(case.ref_logp_BT, float("-inf"), hidden_BT),
        step_BT=fill(case.step_BT, -7, hidden_BT),
        # A gap's token belongs to the state, what follows the last action to nothing.
        ids_BT=fill(case.ids_BT, 1, is_beyond_BT.reshape(hidden_BT.shape)),
        passed_B=case.passed_B ^ is_abstained_B,
        step_value_BK=fill(case.step_value_BK, 1e6, case.step_value_BK.isnan()),
        is_step_value_known_BK=case.is_step_value_known_BK ^ is_abstained_B[:, None],
    )


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@settings(max_examples=40)
@given(case=group_cases(), numbers=NUMBERS)
def test_padding_and_abstained_samples_touch_nothing(name, case, numbers):
    for plain_BT, other_BT in zip(
        FUNCTIONS[name](case, numbers), FUNCTIONS[name](scrambled(case), numbers), strict=True
    ):
        assert torch.equal(plain_BT, other_BT)
