"""The native sampler: completions from the distribution that is scored, softmax(logits / temperature), no top-k, no top-p.

Continuous batching: finished rows are evicted and queued completions admitted. Prefix sharing: every distinct prompt
of an admission is prefilled once and its KV cache copied to its samples. Logits are not kept, and no gradients are recorded.

Shape suffixes: J = jobs (one completion each), R = rows that are decoded now, one job each, P = distinct prompts that are
prefilled, K = columns of the KV cache, T = new tokens, D = width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.policy import Policy
from rlsf_lightning.policy.sampling.kvcache import GrowingCache
from rlsf_lightning.policy.sampling.llama_step import llama_step_for
from rlsf_lightning.policy.sampling.token_sampler import TokenSampler

#: Finished rows are evicted, and queued jobs admitted, as soon as they are this share of the batch.
EVICT_SHARE = 1 / 16


@dataclass(frozen=True)
class Sampled:
    """One completion."""

    #: Its token ids, with the EOS if there was one.
    ids: list[int]
    #: It ended with an EOS or a stop sequence; False: it was truncated at ``max_new_tokens``.
    is_finished: bool
    #: Log-probability of each id when it was sampled, in nats.
    logp: list[float]
    #: Value of the state in which each id was sampled; empty without ``with_values``.
    values: list[float] = field(default_factory=list)


@torch.no_grad()
def sample(
    policy: Policy,
    prompts_ids: Sequence[Sequence[int]],
    *,
    samples: int,
    max_new_tokens: int,
    temperature: float = 1.0,
    greedy: bool = False,
    with_values: bool = False,
    batch_size: int | None = None,
    generator: torch.Generator | None = None,
) -> list[Sampled]:
    """``samples`` completions of every prompt, prompt-major.

    Args:
        prompts_ids: ids as ``Policy.encode_prompt`` gives them; prompts may repeat.
        max_new_tokens: tokens at which a completion is truncated.
        temperature: divisor of the logits, > 0; greedy decoding does not depend on it.
        greedy: take the likeliest token instead of sampling.
        with_values: also return the value head's values of the states on the way.
        batch_size: completions decoded at a time; None: all. The sampled tokens do not depend on it.
        generator: the only source of randomness, on any device; None: one with a fresh seed. Unused if greedy.

    Raises:
        UserError: a prompt and ``max_new_tokens`` together exceed the model's context window.
        FloatingPointError: the logits are not finite.
    """
    assert samples > 0 and max_new_tokens > 0, f"samples={samples}, max_new_tokens={max_new_tokens}: must be > 0"
    assert temperature > 0, f"temperature must be > 0, got {temperature}"
    assert batch_size is None or batch_size > 0, f"batch_size must be > 0, got {batch_size}"
    assert all(len(ids) for ids in prompts_ids), "an empty prompt cannot be continued"
    assert not with_values or policy.value_head is not None, "this policy has no value head"
    _check_lengths(policy, prompts_ids, max_new_tokens)

    prompts = [tuple(ids) for ids in prompts_ids]
    if greedy:
        jobs = list(dict.fromkeys(prompts))  # equal prompts have equal answers
        uniform_JT = None
    else:
        jobs = [prompt for prompt in prompts for _ in range(samples)]
        uniform_JT = _uniforms(len(jobs), max_new_tokens, generator).to(policy.device)
    with policy.merged():
        decoder = _Decoder(policy, jobs, batch_size or len(jobs), max_new_tokens, temperature, uniform_JT, with_values)
        done = decoder.decode()
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
    """Uniform numbers in [0, 1), one for every token that may be sampled, so that no batching changes them."""
    if generator is None:
        generator = torch.Generator()
        generator.seed()
    return torch.rand(rows, columns, generator=generator, dtype=torch.float64, device=generator.device)


class _Decoder:
    """Continuous batching of all jobs through at most ``capacity`` rows. ``self.job_R`` is the job of each row."""

    def __init__(
        self,
        policy: Policy,
        jobs: list[tuple[int, ...]],
        capacity: int,
        max_new_tokens: int,
        temperature: float,
        uniform_JT: Tensor | None,
        with_values: bool,
    ) -> None:
        self.policy, self.jobs, self.capacity = policy, jobs, capacity
        self.limit, self.uniform_JT = max_new_tokens, uniform_JT
        self.sampler = TokenSampler(policy, temperature, min(capacity, len(jobs)))
        self.llama_step = llama_step_for(policy, max(map(len, jobs), default=0) + max_new_tokens)
        # Popped from its end, shortest prompts first: neighbours of like length need little padding.
        self.queue = sorted(range(len(jobs)), key=lambda job: len(jobs[job]), reverse=True)
        device = policy.device
        self.eos = torch.tensor(policy.end_token_ids, device=device)
        # One column more than there are tokens: finished rows that are not evicted yet write there.
        self.ids_JT = torch.zeros(len(jobs), max_new_tokens + 1, dtype=torch.long, device=device)
        self.logp_JT = torch.zeros(len(jobs), max_new_tokens + 1, device=device)
        self.value_head = policy.value_head if with_values else None
        self.value_JT = torch.zeros(len(jobs), (max_new_tokens + 1) * with_values, device=device)
        self.length_J = torch.full((len(jobs),), max_new_tokens, device=device)
        self.is_finished_J = torch.zeros(len(jobs), dtype=torch.bool, device=device)
        self.job_R = self.step_R = self.position_R = torch.zeros(0, dtype=torch.long, device=device)
        self.hidden_RD = torch.zeros(0, 0, device=device)

    def decode(self) -> list[Sampled]:
        """Decode one token a step for all rows, until the batch and the queue are empty."""
        self._admit()
        while len(self.job_R):
            token_R = self._sample()
            token_R = self._evict(token_R)
            if len(self.job_R):
                self._forward(token_R)
            self._admit()
        logp_JT = self.logp_JT[:, : self.limit]
        if not bool(torch.isfinite(logp_JT).all()):
            raise FloatingPointError("the policy's logits are not finite: training diverged, or weights are bad")
        lengths, finished = self.length_J.tolist(), self.is_finished_J.tolist()
        ids, logp, values = self.ids_JT.tolist(), logp_JT.tolist(), self.value_JT.tolist()
        return [Sampled(ids[j][:n], finished[j], logp[j][:n], values[j][:n]) for j, n in enumerate(lengths)]

    def _admit(self) -> None:
        """Admit queued jobs once enough rows are free: prefill their prompts, copy the KV cache and first hidden state."""
        free = min(self.capacity - len(self.job_R), len(self.queue))
        if free == 0 or (len(self.job_R) and free < min(self.capacity * EVICT_SHARE, len(self.queue))):
            return
        admitted = [self.queue.pop() for _ in range(free)]
        device = self.policy.device
        prompts = {prompt: row for row, prompt in enumerate(dict.fromkeys(self.jobs[job] for job in admitted))}
        width = max(map(len, prompts))
        padding = [[self.policy.pad_token_id] * (width - len(prompt)) for prompt in prompts]
        ids_PK = torch.tensor([[*pad, *prompt] for pad, prompt in zip(padding, prompts, strict=True)], device=device)
        length_P = torch.tensor([len(prompt) for prompt in prompts], device=device)
        is_real_PK = torch.arange(width, device=device) >= width - length_P[:, None]
        cache = GrowingCache()
        hidden_PD = self.policy.hidden_states(ids_PK, is_real_PK, cache=cache)[:, -1]
        prompt_R = torch.tensor([prompts[self.jobs[job]] for job in admitted], device=device)
        cache.expand(prompt_R)
        state = {
            "job_R": torch.tensor(admitted, device=device),
            "step_R": torch.zeros(free, dtype=torch.long, device=device),
            "position_R": length_P[prompt_R],
            "hidden_RD": hidden_PD[prompt_R],
        }
        is_real_RK = is_real_PK[prompt_R]
        if not len(self.job_R):
            self.cache, self.is_real_RK, self.columns = cache, is_real_RK, width
        else:
            self._append(cache, is_real_RK)
            state = {name: torch.cat((getattr(self, name), values)) for name, values in state.items()}
        for name, values in state.items():
            setattr(self, name, values)
        self.has_padding = not bool(self.is_real_RK[:, : self.columns].all())
        # The attention mask is as wide as the batch may get; each step takes the columns in use.
        self.is_real_RK = torch.nn.functional.pad(self.is_real_RK, (0, self.limit), value=True)

    def _append(self, cache: GrowingCache, is_real_RK: Tensor) -> None:
        """Add rows below the present ones, right-aligned; drop columns that are padding in every present row."""
        old_RK = self.is_real_RK[:, : self.columns]
        unused = int(old_RK.any(0).int().argmax())
        old_RK = old_RK[:, unused:]
        self.columns = max(old_RK.shape[1], is_real_RK.shape[1])
        self.cache.append(cache, unused, self.columns)
        self.is_real_RK = torch.cat(
            [torch.nn.functional.pad(each, (self.columns - each.shape[1], 0)) for each in (old_RK, is_real_RK)]
        )

    def _sample(self) -> Tensor:
        """Sample a token for every row, record it, and mark the rows that it finishes."""
        uniform_R = None
        if self.uniform_JT is not None:
            uniform_R = self.uniform_JT[self.job_R, self.step_R.clamp(max=self.limit - 1)]
        token_R, logp_R = self.sampler(self.hidden_RD, uniform_R)
        self.ids_JT[self.job_R, self.step_R] = token_R
        self.logp_JT[self.job_R, self.step_R] = logp_R.to(self.logp_JT)
        if self.value_head is not None:
            self.value_JT[self.job_R, self.step_R] = self.value_head(self.hidden_RD).to(self.value_JT)
        is_end_R = torch.isin(token_R, self.eos)
        if self.policy.stops.texts:
            is_end_R |= self.policy.stops.rows_that_end(token_R, self.step_R, self.ids_JT[self.job_R])
        is_end_R &= self.step_R < self.limit
        self.is_finished_J[self.job_R] |= is_end_R
        self.length_J[self.job_R[is_end_R]] = self.step_R[is_end_R] + 1
        self.step_R = torch.where(is_end_R, self.limit, (self.step_R + 1).clamp(max=self.limit))
        return token_R

    def _evict(self, token_R: Tensor) -> Tensor:
        """Evict finished rows once they are many; returns the tokens of the rows that stay."""
        is_live_R = self.step_R < self.limit
        rows, live = len(self.job_R), int(is_live_R.sum())
        if live and rows - live < max(1.0, EVICT_SHARE * rows):
            return token_R
        # Compaction: unfinished rows from the end of the batch move into the slots of finished ones.
        free_n = (~is_live_R[:live]).nonzero().squeeze(-1)
        moved_n = live + is_live_R[live:].nonzero().squeeze(-1)
        self.cache.compact(free_n, moved_n, live)
        for name in ("job_R", "step_R", "position_R", "is_real_RK"):
            values = getattr(self, name)
            values[free_n] = values[moved_n]
            setattr(self, name, values[:live])
        token_R[free_n] = token_R[moved_n]
        return token_R[:live]

    def _forward(self, token_R: Tensor) -> None:
        """Append the tokens to the KV cache and compute the next hidden states."""
        self.columns += 1
        is_real_RK = self.is_real_RK[:, : self.columns] if self.has_padding else None
        if self.llama_step is not None:
            self.hidden_RD = self.llama_step(token_R, self.position_R, is_real_RK, self.cache)
        else:
            positions_R1 = self.position_R[:, None]
            hidden_R1D = self.policy.hidden_states(
                token_R[:, None], is_real_RK, position_ids_BS=positions_R1, cache=self.cache
            )
            self.hidden_RD = hidden_R1D[:, 0]
        self.position_R = self.position_R + 1
