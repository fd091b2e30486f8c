"""Rollout engines: the native sampler, transformers' ``generate``, or a user's function.

An engine samples from ``softmax(logits / temperature)`` of the current policy, adapters included; no top-k, no top-p. With an
engine of other weights or other rounding, set ``algorithm.importance_cap`` (truncated importance sampling).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import torch
from transformers import GenerationConfig

from rlsf_lightning.policy.policy import Policy
from rlsf_lightning.policy.sampling.generate import Sampled


class Engine(Protocol):
    """``samples`` completions of every prompt, prompt-major; see ``generate.sample`` for arguments and errors.

    ``with_values`` is passed to the native sampler alone.
    """

    def __call__(
        self,
        policy: Policy,
        prompts_ids: Sequence[Sequence[int]],
        *,
        samples: int,
        max_new_tokens: int,
        temperature: float,
        batch_size: int | None,
        generator: torch.Generator,
    ) -> list[Sampled]: ...


@torch.no_grad()
def sample_with_transformers(
    policy: Policy,
    prompts_ids: Sequence[Sequence[int]],
    *,
    samples: int,
    max_new_tokens: int,
    temperature: float,
    batch_size: int | None,
    generator: torch.Generator,
) -> list[Sampled]:
    """``model.generate`` on left-padded batches: for comparison, and for models whose KV cache the native sampler does not
    support. Arguments and result as of :class:`Engine`."""
    config = GenerationConfig(
        do_sample=True,
        temperature=temperature,
        top_k=0,
        top_p=1.0,
        max_new_tokens=max_new_tokens,
        eos_token_id=policy.end_token_ids,
        pad_token_id=policy.pad_token_id,
        output_logits=True,
        return_dict_in_generate=True,
    )
    jobs = [list(prompt) for prompt in prompts_ids for _ in range(samples)]
    device = policy.device
    found: list[Sampled] = []
    for start in range(0, len(jobs), batch_size or len(jobs)):
        batch = jobs[start : start + (batch_size or len(jobs))]
        width = max(map(len, batch))
        ids_BS = torch.tensor([[policy.pad_token_id] * (width - len(ids)) + ids for ids in batch], device=device)
        is_real_BS = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in batch], device=device)
        seed = int(torch.randint(2**62, (1,), generator=generator, device=generator.device))
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            out = policy.causal_lm.generate(  # type: ignore[operator]
                input_ids=ids_BS,
                attention_mask=is_real_BS,
                generation_config=config,
                stopping_criteria=[partial(_stopped_B, policy, width)] if policy.stops.texts else None,
            )
        ids_BT = out.sequences[:, width:]
        logp_BT = torch.stack(
            [
                torch.log_softmax(logits_BV.float() / temperature, -1).gather(1, ids_BT[:, t, None]).squeeze(1)
                for t, logits_BV in enumerate(out.logits)
            ],
            1,
        )
        found += [_until_end(ids, logp, policy) for ids, logp in zip(ids_BT.tolist(), logp_BT.tolist(), strict=True)]
    return found


def _stopped_B(policy: Policy, width: int, ids_BS: torch.Tensor, _scores: object, **_: object) -> torch.Tensor:
    """[B]: the rows in which a stop text ends with the newest token; the prompts are ``width`` wide."""
    newest_B = torch.full_like(ids_BS[:, -1], ids_BS.shape[1] - width - 1)
    return policy.stops.rows_that_end(ids_BS[:, -1], newest_B, ids_BS[:, width:])


def _until_end(ids: list[int], logp: list[float], policy: Policy) -> Sampled:
    """Up to the first end token or stop sequence, which is included."""
    texts = policy.stops.texts
    ends = (
        n
        for n, token in enumerate(ids, start=1)
        if token in policy.end_token_ids or (texts and policy.stops.ended(ids[:n]))
    )
    length = next(ends, None)
    return Sampled(ids[:length], length is not None, logp[:length])
