"""Does a reward that blames one token reach that token?

A policy with a softmax of its own for every prefix samples completions of which some fail, and a certificate blames one
token of each failing completion, which nothing but the certificate tells: the place is drawn at random. After one small
gradient step the blamed token must have lost more probability than the other tokens of its completion did on average.
The control has the same verdicts with everything on the last token.
"""

import pytest
import torch
from rl_functions import FUNCTIONS

from rlsf_lightning.config.estimator_specs import ESTIMATORS
from rlsf_lightning.rl.estimators import EstimatorInputs, Settings, normalise
from rlsf_lightning.rl.loss_weights import loss_weights
from rlsf_lightning.rl.ppo import ClipRange, clipped_surrogate
from rlsf_lightning.rl.ratio import probability_ratio

PROMPTS, GROUP, STEPS, TOKENS, FAILING = 60, 8, 8, 5, 0.5
#: For the scalar credit all tokens but the last are alike, so whatever is blamed lies among these.
PLACES = range(1, STEPS - 1)


def prefixes(ids_BT):
    """A number for the state of every token: its prompt and the tokens before it."""
    numbers, rows = {}, []
    for i, ids in enumerate(ids_BT.tolist()):
        rows.append([numbers.setdefault((i // GROUP, *ids[:t]), len(numbers)) for t in range(STEPS)])
    return torch.tensor(rows), len(numbers)


def expected_to_go(credit):
    """The mean reward from each step on, and 0 behind the end: what rollouts or a warm critic say of any prefix."""
    if credit == "scalar":
        return [1 - 2 * FAILING] * STEPS + [0.0]
    return [1 - FAILING - FAILING * sum(k >= t for k in PLACES) / len(PLACES) for t in range(STEPS)] + [0.0]


def credit_gap(name, credit, seed=0):
    """Mean over failing completions of: change of the blamed token's probability, less the mean of the others'.

    Relative to the largest change of any token.
    """
    g = torch.Generator().manual_seed(seed)
    rows = PROMPTS * GROUP
    ids_BT = torch.randint(0, TOKENS, (rows, STEPS), generator=g)
    states_BT, states = prefixes(ids_BT)
    fails_B = torch.rand(rows, generator=g) < FAILING
    place_B = torch.randint(PLACES.start, PLACES.stop, (rows,), generator=g)
    reward_at_B = torch.where(fails_B & (credit == "located"), place_B, STEPS - 1)
    rewards_BT = torch.zeros(rows, STEPS, dtype=torch.float64)
    rewards_BT[torch.arange(rows), reward_at_B] = torch.where(fails_B, -1.0, 1.0).double()
    values = torch.tensor(expected_to_go(credit), dtype=torch.float64).expand(rows, -1)
    mask_BT = torch.ones(rows, STEPS, dtype=torch.bool)

    logits = torch.zeros(states, TOKENS, dtype=torch.float64, requires_grad=True)

    def logp():
        return logits.log_softmax(-1)[states_BT].gather(2, ids_BT[..., None])[..., 0]

    before_BT = logp()
    inputs = EstimatorInputs(
        verifier_BT=rewards_BT,
        penalties_BT=torch.zeros_like(rewards_BT),
        value_BT=values[:, :-1],
        ids_BT=ids_BT,
        is_credited_BT=mask_BT,
        passed_B=~fails_B,
        group_size=GROUP,
        logp_BT=before_BT.detach(),
        ref_logp_BT=before_BT.detach(),
        # Steps of two tokens.
        step_BT=(torch.arange(STEPS) // 2).expand(rows, -1),
        step_value_BK=values[:, ::2],
    )
    advantage_BT, _ = FUNCTIONS[name](inputs, Settings(kl_beta=0.1))
    advantage_BT = normalise("scale", advantage_BT, mask_BT, None)
    ratio_BT = probability_ratio(before_BT, before_BT.detach(), mask_BT)
    loss_BT = clipped_surrogate(ratio_BT, advantage_BT, mask_BT, ClipRange(0.2))
    (loss_BT * loss_weights(mask_BT, ESTIMATORS[name].loss_mean, max_length=STEPS)).sum().backward()
    with torch.no_grad():
        logits -= 0.1 * logits.grad
        change_BT = logp().exp() - before_BT.exp()
    is_blamed_BT = torch.arange(STEPS) == place_B[:, None]
    blamed_B = change_BT[is_blamed_BT]
    others_B = (change_BT.sum(1) - blamed_B) / (STEPS - 1)
    return float((blamed_B - others_B)[fails_B].mean() / change_BT.abs().max())


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_located_rewards_reach_the_blamed_token_and_scalar_ones_do_not(name):
    located, scalar = credit_gap(name, "located"), credit_gap(name, "scalar")
    assert located < -0.05, f"{name}: the blamed token is not told from the others ({located:.3f})"
    assert scalar > 0.1 * located, f"{name}: a scalar cannot know the place ({scalar:.3f}, located {located:.3f})"


def test_vine_finds_a_place_that_rollouts_can_see():
    """Where a mistake cannot be mended, values of prefixes say so: then verdicts alone, on the last token, will do."""
    # Four steps; the mistake is in the third (index 2): from there on every rollout fails.
    rewards_BT = torch.tensor([[0.0, 0.0, 0.0, -1.0]])
    inputs = EstimatorInputs(
        verifier_BT=rewards_BT,
        penalties_BT=torch.zeros(1, 4),
        value_BT=torch.zeros(1, 4),
        ids_BT=torch.zeros(1, 4, dtype=torch.long),
        is_credited_BT=torch.ones(1, 4, dtype=torch.bool),
        passed_B=torch.tensor([False]),
        group_size=1,
        step_BT=torch.arange(4)[None],
        step_value_BK=torch.tensor([[0.0, 0.25, 0.5, -1.0, 0.0]]),
    )
    assert FUNCTIONS["vine"](inputs, Settings())[0].tolist() == [[0.25, 0.25, -1.5, 0.0]]
    assert FUNCTIONS["reward_to_go"](inputs, Settings())[0].tolist() == [[-1.0] * 4]
