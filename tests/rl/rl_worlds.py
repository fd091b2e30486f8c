"""Two worlds whose optimum is known, for tabular softmax policies, and a training loop of a few lines.

The chain: at step t one of three tokens is right; a wrong one is blamed with -1 and ends the episode, the last right one
brings 1. The bandit: a single step with four arms. Where a policy chooses the right token of step t with chance p_t, the
value before step t is ``V_t = p_t * V_{t+1} - (1 - p_t)``, 1 behind the last step.
"""

from dataclasses import dataclass

import torch
from rl_functions import FUNCTIONS

from rlsf_lightning.config.estimator_specs import ESTIMATORS
from rlsf_lightning.rl.estimators import EstimatorInputs, Settings, normalise
from rlsf_lightning.rl.loss_weights import loss_weights
from rlsf_lightning.rl.ppo import ClipRange, clipped_surrogate
from rlsf_lightning.rl.ratio import probability_ratio
from rlsf_lightning.rl.vine import mean_of_rollouts


@dataclass(frozen=True)
class World:
    """Rewards of each token at each step, [T, V]; a token with a negative one ends the episode."""

    rewards_TV: torch.Tensor
    passes_TV: torch.Tensor  # the episode goes on, or passes at its end

    def play(self, ids_BT):
        """``(rewards_BT, is_credited_BT, passed_B)``."""
        steps = torch.arange(ids_BT.shape[1])
        passes_BT = self.passes_TV[steps, ids_BT]
        alive_BT = torch.cat([torch.ones_like(passes_BT[:, :1]), passes_BT[:, :-1].cumprod(1).bool()], 1)
        return self.rewards_TV[steps, ids_BT] * alive_BT, alive_BT, passes_BT.all(1)


RIGHT = torch.tensor([1, 0, 2, 1])
_ONE_HOT = torch.nn.functional.one_hot(RIGHT, 3).bool()
CHAIN = World(
    torch.where(_ONE_HOT, torch.tensor([0.0, 0.0, 0.0, 1.0])[:, None], -1.0).double(),
    _ONE_HOT,
)
BANDIT = World(torch.tensor([[-1.0, 0.0, 1.0, -0.5]], dtype=torch.float64), torch.tensor([[False, False, True, False]]))


def chain_values(right_T):
    """V_t before each step and behind the last, for chances of the right token."""
    values = [1.0]
    for p in reversed(right_T):
        values.insert(0, p * values[0] - (1 - p))
    return values


def sample(probs_TV, rows, generator):
    columns = [torch.multinomial(p, rows, replacement=True, generator=generator) for p in probs_TV]
    return torch.stack(columns, dim=1)


def rolled_values(world, probs_TV, is_credited_BT, passed_B, rollouts, generator):
    """Value of each sample's state before each step by rollouts of its own, and 0 behind the end: [B, T + 1]."""
    rows, steps = is_credited_BT.shape
    value_BK = torch.zeros(rows, steps + 1, dtype=torch.float64)
    for t in range(steps):
        rest = World(world.rewards_TV[t:], world.passes_TV[t:])
        rewards, _, _ = rest.play(sample(probs_TV[t:], rows * rollouts, generator))
        returns = rewards.sum(1).view(rows, rollouts)
        value_BK[:, t] = mean_of_rollouts(returns, torch.ones_like(returns, dtype=torch.bool))[0] * is_credited_BT[:, t]
    return value_BK


def train(
    name, world, *, updates=120, prompts=8, group_size=8, lr=0.15, kl_beta=0.0, ref_TV=None, seed=0, scale="scale"
):
    """The policy that an estimator finds: ``(mean of its probabilities over the second half, last, critic's values)``."""
    generator = torch.Generator().manual_seed(seed)
    steps, tokens = world.rewards_TV.shape
    logits_TV = torch.zeros(steps, tokens, dtype=torch.float64, requires_grad=True)
    ref_TV = torch.zeros_like(logits_TV) if ref_TV is None else ref_TV
    value_T = torch.zeros(steps, dtype=torch.float64)
    optimizer = torch.optim.Adam([logits_TV], lr)
    estimator, traits, at = FUNCTIONS[name], ESTIMATORS[name], torch.arange(steps)
    mean_TV = torch.zeros(steps, tokens, dtype=torch.float64)
    for update in range(updates):
        logp_TV = logits_TV.log_softmax(-1)
        probs_TV = logp_TV.detach().exp()
        ids_BT = sample(probs_TV, prompts * group_size, generator)
        rewards_BT, is_credited_BT, passed_B = world.play(ids_BT)
        logp_BT = logp_TV[at, ids_BT]
        inputs = EstimatorInputs(
            verifier_BT=rewards_BT,
            penalties_BT=torch.zeros_like(rewards_BT),
            value_BT=value_T.expand_as(rewards_BT),
            ids_BT=ids_BT,
            is_credited_BT=is_credited_BT,
            passed_B=passed_B,
            group_size=group_size,
            logp_BT=logp_BT.detach(),
            ref_logp_BT=ref_TV.log_softmax(-1)[at, ids_BT],
            step_BT=at.expand_as(ids_BT),
            step_value_BK=rolled_values(world, probs_TV, is_credited_BT, passed_B, 4, generator)
            if traits.needs_rollouts
            else None,
        )
        advantage_BT, return_BT = estimator(inputs, Settings(kl_beta=kl_beta))
        advantage_BT = normalise(scale, advantage_BT, is_credited_BT, None)
        if traits.needs_values:
            count_T = is_credited_BT.sum(0)
            value_T = value_T + 0.2 * torch.where(count_T > 0, return_BT.sum(0) / count_T.clamp(min=1) - value_T, 0.0)
        ratio_BT = probability_ratio(logp_BT, logp_BT.detach(), is_credited_BT)
        loss_BT = clipped_surrogate(ratio_BT, advantage_BT, is_credited_BT, ClipRange(0.2))
        weights_BT = loss_weights(is_credited_BT, traits.loss_mean, max_length=steps)
        optimizer.zero_grad()
        (loss_BT * weights_BT).sum().backward()
        optimizer.step()
        if update >= updates // 2:
            mean_TV += probs_TV / (updates - updates // 2)
    return mean_TV, logits_TV.detach().softmax(-1), value_T
