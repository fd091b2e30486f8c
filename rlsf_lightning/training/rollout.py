"""The rollout of one training step: sampled completions as tensors, with loss mask, certificates and reward channels.

B = prompts x samples (prompt-major), T = the longest completion, S = prompt and completion.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.policy import Policy
from rlsf_lightning.policy.sampling.generate import Sampled
from rlsf_lightning.policy.token_spans import decode_with_spans
from rlsf_lightning.records import Certificate, Prompt, Span
from rlsf_lightning.rl.estimators import EstimatorInputs
from rlsf_lightning.symbolic.credit import Scheme, assign


@dataclass(frozen=True)
class StepValues:
    """The steps of every completion, and what the state before each is worth. K: the most steps of one, and 1."""

    step_BT: Tensor  # which step a token belongs to, from 0; 0 where there is none
    value_BK: Tensor  # 0 from a completion's end on
    is_known_BK: Tensor  # False where there is no estimate


@dataclass
class Rollout:
    """Completions of one step. The first block is written by the sampler, the second while scoring, the third by callbacks."""

    prompts: list[Prompt]  # (B) each repeated samples_per_prompt times
    completions: list[str]  # (B)
    spans: list[list[Span]]  # (B) character range of every token, the end token's is empty
    ids_BS: Tensor  # left-padded prompts, then right-padded completions: the last T columns
    is_real_BS: Tensor  # not padding
    is_action_BT: Tensor  # a token that the policy chose, its end token too
    is_finished_B: Tensor  # the policy stopped by itself
    sampled_logp_BT: Tensor  # log-probabilities as the sampler computed them
    sampled_value_BT: Tensor  # values as the sampler computed them; 0 where it was not asked for them
    group_size: int  # samples a prompt

    logp_BT: Tensor | None = None  # as the update computes them; None where a single step makes them by itself
    ref_logp_BT: Tensor = field(init=False)  # the same under the reference, where it is watched
    kl_BT: Tensor = field(init=False)  # k1 against the reference
    value_BT: Tensor = field(init=False)
    steps: StepValues | None = None  # what the states inside completions are worth, for estimators that ask
    advantage_BT: Tensor = field(init=False)
    return_BT: Tensor = field(init=False)

    certificates: list[Certificate] = field(default_factory=list)  # (B)
    is_credited_BT: Tensor = field(init=False)  # actions from which something is learnt
    rewards: dict[str, Tensor] = field(default_factory=dict)  # name -> (B, T)

    def __post_init__(self) -> None:
        self.is_credited_BT = self.is_action_BT.clone()

    @property
    def length_B(self) -> Tensor:
        """Tokens of each completion, its end token included."""
        return self.is_action_BT.sum(1)

    @property
    def passed_B(self) -> Tensor:
        """The verdict is PASS and the policy stopped by itself; nowhere without certificates."""
        if not self.certificates:
            return torch.zeros_like(self.is_finished_B)
        passed = [c.verdict.value == "pass" for c in self.certificates]
        return torch.tensor(passed, device=self.ids_BS.device) & self.is_finished_B

    def add_reward(self, name: str, reward_BT: Tensor) -> None:
        """Write a channel, once. ``reward_BT``: (B, T), finite, zero where there is no action.

        It is kept in the precision of the log-probabilities, on their device.
        """
        if name in self.rewards:
            raise UserError(f"the reward channel `{name}` is written twice; give the second one another name")
        if reward_BT.shape != self.is_action_BT.shape:
            raise UserError(
                f"the reward channel `{name}` has shape {tuple(reward_BT.shape)}; "
                f"expected (B, T) = {tuple(self.is_action_BT.shape)}"
            )
        reward_BT = reward_BT.to(self.sampled_logp_BT)
        if not torch.isfinite(reward_BT).all():
            raise UserError(f"the reward channel `{name}` holds values that are not finite")
        if (reward_BT * ~self.is_action_BT).any():
            raise UserError(f"the reward channel `{name}` is not zero on padding; multiply it by rollout.is_action_BT")
        self.rewards[name] = reward_BT

    def total_reward_BT(self) -> Tensor:
        """The sum of all channels."""
        if not self.rewards:
            raise UserError("no callback wrote a reward; add the line `callbacks.verifier: {}` to the recipe")
        return torch.stack(list(self.rewards.values())).sum(0)

    @property
    def judged_B(self) -> Tensor:
        """The tool did not abstain; everywhere without certificates."""
        if not self.certificates:
            return torch.ones_like(self.is_finished_B)
        judged = [c.verdict.value != "abstain" for c in self.certificates]
        return torch.tensor(judged, device=self.ids_BS.device)

    def mean_over_judged(self, reward_BT: Tensor) -> float:
        """What a completion got, on average over those of which the tool has an opinion; 0 if there are none."""
        judged_B = self.judged_B
        return float(reward_BT.sum(1)[judged_B].mean()) if judged_B.any() else 0.0

    def estimator_inputs(self) -> EstimatorInputs:
        """The rewards as an advantage estimator reads them."""
        total_BT = self.total_reward_BT()
        verifier_BT = self.rewards.get("verifier", torch.zeros_like(total_BT))
        return EstimatorInputs(
            verifier_BT=verifier_BT,
            penalties_BT=total_BT - verifier_BT,
            value_BT=self.value_BT,
            ids_BT=self.ids_BS[:, -self.is_action_BT.shape[1] :],
            is_credited_BT=self.is_credited_BT,
            passed_B=self.passed_B,
            group_size=self.group_size,
            logp_BT=self.logp_BT,
            ref_logp_BT=self.ref_logp_BT,
            step_BT=None if self.steps is None else self.steps.step_BT,
            step_value_BK=None if self.steps is None else self.steps.value_BK,
            is_step_value_known_BK=None if self.steps is None else self.steps.is_known_BK,
        )

    def part(self, rows: Tensor, is_used_BT: Tensor) -> Part:
        """These rows without the columns that none of them needs: padding, and what follows the last used token."""
        prompt_columns = self.ids_BS.shape[1] - self.is_action_BT.shape[1]
        first = int(self.is_real_BS[rows, :prompt_columns].any(0).int().argmax())
        is_used_bT = is_used_BT[rows]
        width = int(is_used_bT.any(0).nonzero().max()) + 1 if is_used_bT.any() else 1
        columns = slice(first, prompt_columns + width)
        return Part(rows, width, self.ids_BS[rows, columns], self.is_real_BS[rows, columns], is_used_bT[:, :width])


@dataclass(frozen=True)
class Part:
    """Some rows of a rollout, cut to their own width: what one forward pass works on."""

    rows: Tensor
    width: int
    ids_BS: Tensor
    is_real_BS: Tensor
    is_used_BT: Tensor

    def of(self, x_BT: Tensor) -> Tensor:
        """These rows and columns of a (B, T) tensor of the whole rollout."""
        return x_BT[self.rows, : self.width]


def collect(
    policy: Policy,
    prompts: Sequence[Prompt],
    prompt_ids: Sequence[Sequence[int]],
    sampled: Sequence[Sampled],
    group_size: int,
) -> Rollout:
    """Lay sampled token ids out as tensors, and read text and character spans off the ids."""
    prompt_width = max(len(ids) for ids in prompt_ids)
    width = max(len(s.ids) for s in sampled)
    ids_BS = torch.full((len(sampled), prompt_width + width), policy.pad_token_id)
    is_real_BS = torch.zeros_like(ids_BS, dtype=torch.bool)
    for row, completion in enumerate(sampled):
        prompt = prompt_ids[row // group_size]
        start, end = prompt_width - len(prompt), prompt_width + len(completion.ids)
        ids_BS[row, start:end] = torch.tensor([*prompt, *completion.ids])
        is_real_BS[row, start:end] = True

    def padded(rows: list[list[float]]) -> Tensor:
        return torch.tensor([row + [0.0] * (width - len(row)) for row in rows], device=policy.device)

    decoded = [decode_with_spans(policy.tokenizer, s.ids) for s in sampled]
    return Rollout(
        prompts=[prompt for prompt in prompts for _ in range(group_size)],
        completions=[text for text, _ in decoded],
        spans=[spans for _, spans in decoded],
        ids_BS=ids_BS.to(policy.device),
        is_real_BS=is_real_BS.to(policy.device),
        is_action_BT=is_real_BS[:, prompt_width:].to(policy.device),
        is_finished_B=torch.tensor([s.is_finished for s in sampled], device=policy.device),
        sampled_logp_BT=padded([s.logp for s in sampled]),
        sampled_value_BT=padded([s.values for s in sampled]),
        group_size=group_size,
    )


def token_credit(
    certificates: Sequence[Certificate],
    spans: Sequence[Sequence[Span]],
    is_finished_B: Tensor,
    *,
    scheme: Scheme,
    truncated: str,
    rng: random.Random,
    outside: str = "outcome",
) -> tuple[Tensor, Tensor]:
    """Certificates to token rewards: ``(reward_BT, is_credited_BT)``, in float64 on the CPU.

    Args:
        spans: the character range of every token of each completion.
        is_finished_B: the completion ended by itself.
        scheme: the credit scheme.
        truncated: ``penalize``: a truncated completion is a failure; ``mask``: nothing is learnt from it.
        rng: where schemes draw from, in the completions' order.
        outside: what is learnt from tokens outside the answer: ``outcome`` or ``none``.
    """
    width = max(map(len, spans), default=0)
    reward_BT = torch.zeros(len(certificates), width, dtype=torch.float64)
    is_credited_BT = torch.zeros(len(certificates), width, dtype=torch.bool)
    for row, (certificate, tokens) in enumerate(zip(certificates, spans, strict=True)):
        is_finished = bool(is_finished_B[row])
        credit = assign(certificate, tokens, scheme=scheme, is_finished=is_finished, rng=rng, outside=outside)
        reward_BT[row, : len(tokens)] = torch.tensor(credit.rewards, dtype=torch.float64)
        if is_finished or truncated == "penalize":
            is_credited_BT[row, : len(tokens)] = torch.tensor(credit.is_credited)
    return reward_BT, is_credited_BT
