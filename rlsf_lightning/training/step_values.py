"""Values of the states inside completions: Monte Carlo rollouts from each, judged by the verifier (VinePPO).

The states are those before the first token of every reasoning step of a completion (``symbolic/step_splitters.py``). Equal
states of equal prompts are valued once. Shapes: B completions, T tokens, K the most steps of one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rlsf_lightning.policy.policy import Policy
from rlsf_lightning.policy.sampling.generate import sample
from rlsf_lightning.policy.token_spans import decode_with_spans
from rlsf_lightning.records import Certificate, Prompt, Span
from rlsf_lightning.rl.masks import zero_outside
from rlsf_lightning.rl.vine import mean_of_rollouts
from rlsf_lightning.symbolic.execution.pool import VerifierPool
from rlsf_lightning.symbolic.step_splitters import Splitter, steps_of
from rlsf_lightning.training.rollout import Rollout, StepValues

#: States that are continued in one batch of the sampler.
AT_A_TIME = 64

#: ``token_credit`` of the recipe: certificates, spans and is_finished_B to ``(reward_BT, is_credited_BT)``.
TokenCredit = Callable[[Sequence[Certificate], Sequence[Sequence[Span]], Tensor], tuple[Tensor, Tensor]]


def steps_of_tokens(rollout: Rollout, splitter: Splitter, most: int) -> Tensor:
    """[B, T]: the step of every token. A token belongs to the step in which its first character lies.

    A step in which no token begins is no step: numbers are consecutive.
    """
    step_BT = torch.zeros(rollout.is_action_BT.shape, dtype=torch.long)
    for row, (text, spans) in enumerate(zip(rollout.completions, rollout.spans, strict=True)):
        starts = torch.tensor(steps_of(text, splitter, most))
        begins = torch.tensor([span.start for span in spans])
        if len(spans):
            found = torch.searchsorted(starts, begins, right=True) - 1
            step_BT[row, : len(spans)] = torch.unique_consecutive(found, return_inverse=True)[1]
    return step_BT


@dataclass(frozen=True)
class State:
    """A prompt with the beginning of a completion."""

    prompt: Prompt
    prompt_ids: tuple[int, ...]
    read_ids: tuple[int, ...]


def value_steps(
    policy: Policy,
    rollout: Rollout,
    pool: VerifierPool,
    credit: TokenCredit,
    *,
    splitter: Splitter,
    most_steps: int,
    samples: int,
    max_new_tokens: int,
    temperature: float,
    generator: torch.Generator,
) -> StepValues:
    """Sample ``samples`` continuations from the state before every step, and have them judged.

    A state's value is the mean of the rewards that come after it, by the credit scheme that the completions themselves
    are judged by. A continuation is cut where a whole completion would be, at ``max_new_tokens``.
    """
    step_BT = steps_of_tokens(rollout, splitter, most_steps)
    places: dict[tuple[str, tuple[int, ...]], tuple[int, State]] = {}
    place_BK = torch.full((len(step_BT), int(step_BT.max()) + 2), -1)  # one more: the state after the last step
    for row, step_T in enumerate(step_BT):
        length = int(rollout.length_B[row])
        ids = rollout.ids_BS[row][rollout.is_real_BS[row]].tolist()
        prompt_ids, completion_ids = tuple(ids[: len(ids) - length]), ids[len(ids) - length :]
        firsts = [t for t in range(length) if t == 0 or step_T[t] != step_T[t - 1]]
        for step, first in enumerate(firsts):
            state = State(rollout.prompts[row], prompt_ids, tuple(completion_ids[:first]))
            place_BK[row, step] = places.setdefault((state.prompt.id, state.read_ids), (len(places), state))[0]
    states = [state for _, state in places.values()]
    returns_NK, is_valid_NK = returns_of(policy, states, pool, credit, samples, max_new_tokens, temperature, generator)
    value_N, _, is_known_N = mean_of_rollouts(returns_NK, is_valid_NK)
    is_state_BK = place_BK >= 0
    value_BK = zero_outside(value_N[place_BK.clamp(min=0)], is_state_BK)
    is_known_BK = is_known_N[place_BK.clamp(min=0)] | ~is_state_BK
    device = rollout.ids_BS.device
    return StepValues(step_BT.to(device), value_BK.to(device), is_known_BK.to(device))


def returns_of(
    policy: Policy,
    states: Sequence[State],
    pool: VerifierPool,
    credit: TokenCredit,
    samples: int,
    max_new_tokens: int,
    temperature: float,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """[N, K] the rewards after each state in ``samples`` continuations of it, and where the tool had an opinion.

    All samples of a state share its cache. States that are about equally far are continued together.
    """
    returns_NK = torch.zeros(len(states), samples)
    is_valid_NK = torch.zeros(len(states), samples, dtype=torch.bool)
    order = sorted(range(len(states)), key=lambda number: len(states[number].read_ids))
    for start in range(0, len(order), AT_A_TIME):
        numbers = order[start : start + AT_A_TIME]
        sampled = sample(
            policy,
            [states[n].prompt_ids + states[n].read_ids for n in numbers],
            samples=samples,
            max_new_tokens=max_new_tokens - len(states[numbers[0]].read_ids),
            temperature=temperature,
            generator=generator,
        )
        owners = [states[n] for n in numbers for _ in range(samples)]
        wholes = [[*state.read_ids, *one.ids] for state, one in zip(owners, sampled, strict=True)]
        decoded = [decode_with_spans(policy.tokenizer, ids[:max_new_tokens]) for ids in wholes]
        pairs = [(state.prompt, text) for state, (text, _) in zip(owners, decoded, strict=True)]
        is_finished_B = torch.tensor(
            [one.is_finished and len(ids) <= max_new_tokens for one, ids in zip(sampled, wholes, strict=True)]
        )
        reward_BT, is_credited_BT = credit(pool.submit(pairs).result(), [spans for _, spans in decoded], is_finished_B)
        after = [
            float(reward_T[len(state.read_ids) :].sum()) for state, reward_T in zip(owners, reward_BT, strict=True)
        ]
        returns_NK[numbers] = torch.tensor(after).view(-1, samples)
        is_valid_NK[numbers] = is_credited_BT.any(1).view(-1, samples)
    return returns_NK, is_valid_NK
