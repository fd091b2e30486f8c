"""Sampling completions from the very distribution that is scored: softmax(logits / temperature), no top-k, no top-p.

Every distinct prompt is prefilled once and its cache copied to its samples; finished rows leave the batch; no logits
outlive a step. It never scores for the update (logprob.py does) and keeps no gradients.

Shape suffixes: P = distinct prompts, S = columns of the padded prompts, R = rows (one completion each) still decoded,
T = new tokens, V = vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.heads import lm_head
from rlsf_lightning.policy.kvcache import GrowingCache
from rlsf_lightning.policy.policy import Policy

#: Finished rows are dropped as soon as they are this share of the batch.
DROP_SHARE = 1 / 16


@dataclass(frozen=True)
class Sampled:
    """One completion."""

    #: Its token ids, the EOS among them if there was one.
    ids: list[int]
    #: The policy stopped by itself; False: it was cut at ``max_new_tokens``.
    ended: bool
    #: Natural log-probability of each id when it was sampled. Not the old log-probability of PPO: that comes from the
    #: same forward pass as the update.
    logp: list[float]


@torch.no_grad()
def sample(
    policy: Policy,
    prompts_ids: Sequence[Sequence[int]],
    *,
    samples: int,
    max_new_tokens: int,
    temperature: float = 1.0,
    greedy: bool = False,
    batch_size: int | None = None,
    generator: torch.Generator | None = None,
) -> list[Sampled]:
    """``samples`` completions of every prompt, those of the first prompt first.

    Args:
        prompts_ids: ids as ``Policy.encode_prompt`` gives them; prompts may repeat.
        max_new_tokens: where a completion is cut.
        temperature: what the logits are divided by, > 0. Greedy decoding takes the likeliest token whatever it is.
        batch_size: completions decoded at a time; None: all. Which tokens are drawn does not depend on it.
        generator: the only source of randomness, on any device; None: one with a fresh seed. Greedy draws nothing.

    Raises:
        UserError: a prompt and ``max_new_tokens`` together exceed the model's positions.
        FloatingPointError: the logits are not finite.
    """
    assert samples > 0 and max_new_tokens > 0, f"samples={samples}, max_new_tokens={max_new_tokens}: must be > 0"
    assert temperature > 0, f"temperature must be > 0, got {temperature}"
    assert batch_size is None or batch_size > 0, f"batch_size must be > 0, got {batch_size}"
    assert all(len(ids) for ids in prompts_ids), "an empty prompt cannot be continued"
    _check_lengths(policy, prompts_ids, max_new_tokens)

    prompts = [tuple(ids) for ids in prompts_ids]
    if greedy:
        jobs = list(dict.fromkeys(prompts))  # equal prompts have equal answers
        uniform_JT = None
    else:
        jobs = [prompt for prompt in prompts for _ in range(samples)]
        uniform_JT = _uniforms(len(jobs), max_new_tokens, generator)
    order = sorted(range(len(jobs)), key=lambda job: len(jobs[job]))  # neighbours of like length need little padding
    answers: list[Sampled | None] = [None] * len(jobs)
    for start in range(0, len(order), batch_size or max(len(order), 1)):
        chosen = order[start : start + (batch_size or len(order))]
        uniform_RT = None if uniform_JT is None else uniform_JT[chosen].to(policy.device)
        with policy.merged():
            decoded = _Batch(policy, [jobs[job] for job in chosen], max_new_tokens, temperature, uniform_RT).decode()
        for job, answer in zip(chosen, decoded, strict=True):
            answers[job] = answer
    done = [answer for answer in answers if answer is not None]
    assert len(done) == len(jobs)
    if greedy:
        answer_of = dict(zip(jobs, done, strict=True))
        return [answer_of[prompt] for prompt in prompts for _ in range(samples)]
    return done


def _check_lengths(policy: Policy, prompts_ids: Sequence[Sequence[int]], max_new_tokens: int) -> None:
    longest = max(map(len, prompts_ids), default=0)
    if policy.context_length is not None and longest + max_new_tokens > policy.context_length:
        raise UserError(
            f"a prompt of {longest} tokens and rollout.max_new_tokens={max_new_tokens} together exceed the model's "
            f"{policy.context_length} positions. Write a smaller rollout.max_new_tokens, or leave such prompts out."
        )


def _uniforms(rows: int, columns: int, generator: torch.Generator | None) -> Tensor:
    """Numbers in [0, 1), one for every token that may be drawn, fixed before the batches are cut."""
    if generator is None:
        generator = torch.Generator()
        generator.seed()
    return torch.rand(rows, columns, generator=generator, dtype=torch.float64, device=generator.device)


class _Batch:
    """The completions that are decoded together. ``self.job_R`` says whose completion each row of the batch is."""

    def __init__(
        self,
        policy: Policy,
        jobs: list[tuple[int, ...]],
        max_new_tokens: int,
        temperature: float,
        uniform_RT: Tensor | None,
    ) -> None:
        self.policy, self.temperature, self.uniform_RT = policy, temperature, uniform_RT
        self.logits_of = lm_head(policy.causal_lm)
        device = policy.device
        self.eos = torch.tensor(policy.eos_token_ids, device=device)
        self.job_R = torch.arange(len(jobs), device=device)
        self.is_live_R = torch.ones(len(jobs), dtype=torch.bool, device=device)
        # By job, and never compacted:
        self.ids_JT = torch.zeros(len(jobs), max_new_tokens, dtype=torch.long, device=device)
        self.logp_JT = torch.zeros(len(jobs), max_new_tokens, device=device)
        self.length_J = torch.full((len(jobs),), max_new_tokens, device=device)
        self.ended_J = torch.zeros(len(jobs), dtype=torch.bool, device=device)
        self._prefill(jobs, max_new_tokens)

    def _prefill(self, jobs: list[tuple[int, ...]], max_new_tokens: int) -> None:
        """Run the distinct prompts, left-padded, and give every job its copy of the cache and of the first logits."""
        prompts = {prompt: row for row, prompt in enumerate(dict.fromkeys(jobs))}
        width = max(map(len, prompts))
        padding = [[self.policy.pad_token_id] * (width - len(prompt)) for prompt in prompts]
        device = self.policy.device
        ids_PS = torch.tensor([[*pad, *prompt] for pad, prompt in zip(padding, prompts, strict=True)], device=device)
        length_P = torch.tensor([len(prompt) for prompt in prompts], device=device)
        is_real_PS = torch.arange(width, device=device) >= width - length_P[:, None]
        self.cache = GrowingCache()
        # From here on every mask is as wide as the batch may get; it is cut to the columns in use.
        self.has_padding = not bool(is_real_PS.all())
        hidden_PD = self.policy.hidden_states(ids_PS, is_real_PS, cache=self.cache)[:, -1]
        prompt_R = torch.tensor([prompts[job] for job in jobs], device=device)
        self.logits_RV = self.logits_of(hidden_PD)[prompt_R]
        self.cache.expand(prompt_R)
        self.position_R = length_P[prompt_R]
        self.is_real_RK = torch.nn.functional.pad(is_real_PS, (0, max_new_tokens), value=True)[prompt_R]
        self.columns = width

    def decode(self) -> list[Sampled]:
        """One token a step for all live rows, until none is left."""
        limit = self.ids_JT.shape[1]
        for step in range(limit):
            self._draw(step)
            if step == limit - 1 or not self._drop_finished():
                break
            self._forward(self.ids_JT[self.job_R, step])
        if not bool(torch.isfinite(self.logp_JT).all()):
            raise FloatingPointError("the policy's logits are not finite: training diverged, or weights are bad")
        lengths, ended = self.length_J.tolist(), self.ended_J.tolist()
        ids, logp = self.ids_JT.tolist(), self.logp_JT.tolist()
        return [Sampled(ids[j][:n], ended[j], logp[j][:n]) for j, n in enumerate(lengths)]

    def _draw(self, step: int) -> None:
        """Draw a token for every row, and write it down for the live ones."""
        logp_RV = torch.log_softmax(self.logits_RV / self.temperature, dim=-1)
        if self.uniform_RT is None:
            token_R = self.logits_RV.argmax(-1)
        else:
            token_R = inverse_cdf(logp_RV.exp(), self.uniform_RT[self.job_R, step])
        logp_R = logp_RV.gather(-1, token_R[:, None]).squeeze(-1)
        is_end_R = torch.isin(token_R, self.eos) & self.is_live_R
        self.ids_JT[self.job_R, step] = token_R
        self.logp_JT[self.job_R, step] = logp_R.to(self.logp_JT)
        self.ended_J[self.job_R] |= is_end_R
        self.length_J[self.job_R[is_end_R]] = step + 1
        self.is_live_R &= ~is_end_R

    def _drop_finished(self) -> bool:
        """Let finished rows go once they are many; False if no row is live."""
        rows = len(self.job_R)
        live = int(self.is_live_R.sum())
        if live == 0 or rows - live < max(1.0, DROP_SHARE * rows):
            return live > 0
        # Live rows from the end of the batch move onto the finished ones before it.
        hole_n = (~self.is_live_R[:live]).nonzero().squeeze(-1)
        mover_n = live + self.is_live_R[live:].nonzero().squeeze(-1)
        self.cache.drop(hole_n, mover_n, live)
        for name in ("job_R", "is_live_R", "position_R", "is_real_RK"):
            values = getattr(self, name)
            values[hole_n] = values[mover_n]
            setattr(self, name, values[:live])
        return True

    def _forward(self, token_R: Tensor) -> None:
        """Append the tokens to the cache and compute the next logits."""
        self.columns += 1
        hidden_R1D = self.policy.hidden_states(
            token_R[:, None],
            self.is_real_RK[:, : self.columns] if self.has_padding else None,
            position_ids_BS=self.position_R[:, None],
            cache=self.cache,
        )
        self.position_R = self.position_R + 1
        self.logits_RV = self.logits_of(hidden_R1D[:, 0])


def inverse_cdf(p_RV: Tensor, uniform_R: Tensor) -> Tensor:
    """Token ids drawn from p_RV: the first whose cumulative probability exceeds the uniform number in [0, 1).

    Cumulated in fp64, so that rare tokens keep their probability, and scaled to the sum, so that one of probability 0
    is never drawn. One random number a row, whatever the vocabulary.
    """
    cumulative_RV = p_RV.cumsum(-1, dtype=torch.float64)
    threshold_R1 = uniform_R[:, None] * cumulative_RV[:, -1:]
    return torch.searchsorted(cumulative_RV, threshold_R1, right=True).squeeze(-1).clamp(max=p_RV.shape[-1] - 1)
