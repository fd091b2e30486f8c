"""Engines: transformers' sampling keeps the contract of the native one, and names that are none are told."""

import math

import pytest
import torch

from rlsf_lightning.config.extension_points import ENGINE
from rlsf_lightning.config.plugins import resolve
from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.sampling.engines import sample_with_transformers
from rlsf_lightning.policy.sampling.generate import sample

PROMPTS = [[7, 8, 9, 10], [5], [60, 61]]


def completions(engine, policy, seed=0, **kwargs):
    settings = {"samples": 4, "max_new_tokens": 12, "temperature": 0.8, "batch_size": None} | kwargs
    return engine(policy, PROMPTS, generator=torch.Generator().manual_seed(seed), **settings)


@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral"])
@pytest.mark.parametrize("engine", [sample, sample_with_transformers])
def test_what_every_engine_returns(make_policy, family, engine):
    policy = make_policy(family)
    policy.eos_token_ids = ends = list(range(1, 300, 12))
    answers = completions(engine, policy, seed=3)
    assert len(answers) == 12 and any(a.is_finished for a in answers) and len({len(a.ids) for a in answers}) > 2
    for number, answer in enumerate(answers):
        assert answer.is_finished == (answer.ids[-1] in ends) and not set(answer.ids[:-1]) & set(ends)
        assert answer.is_finished or len(answer.ids) == 12
        ids = [*PROMPTS[number // 4], *answer.ids]
        with torch.no_grad():
            logp = torch.log_softmax(policy.causal_lm(torch.tensor([ids])).logits[0] / 0.8, -1)
        for place, (token, found) in enumerate(zip(answer.ids, answer.logp, strict=True)):
            assert found == pytest.approx(float(logp[len(ids) - len(answer.ids) + place - 1, token]), abs=1e-3)


@pytest.mark.parametrize("batch_size", [None, 5])
def test_transformers_samples_what_the_seed_says_and_nothing_else_moves(make_policy, batch_size):
    policy = make_policy()
    state = torch.get_rng_state()
    one = completions(sample_with_transformers, policy, batch_size=batch_size)
    assert one == completions(sample_with_transformers, policy, batch_size=batch_size)
    assert one != completions(sample_with_transformers, policy, seed=1, batch_size=batch_size)
    assert torch.equal(torch.get_rng_state(), state)


def test_transformers_follows_the_models_distribution(make_policy):
    policy = make_policy()
    answers = sample_with_transformers(
        policy,
        [[7, 8]],
        samples=4000,
        max_new_tokens=1,
        temperature=1.0,
        batch_size=None,
        generator=torch.Generator().manual_seed(0),
    )
    with torch.no_grad():
        p = policy.causal_lm(torch.tensor([[7, 8]])).logits[0, -1].softmax(-1)
    for token in p.topk(3).indices.tolist():
        share = sum(a.ids == [token] for a in answers) / 4000
        assert abs(share - float(p[token])) < 4 * math.sqrt(float(p[token]) / 4000)


def test_names():
    assert resolve(ENGINE, "native") is sample and resolve(ENGINE, "hf") is sample_with_transformers
    assert resolve(ENGINE, "rlsf_lightning.policy.sampling.generate:sample") is sample
    for name in ("natve", "no.module:sample", "rlsf_lightning.policy.sampling.generate:nothing", "os:path"):
        with pytest.raises(UserError, match=r"rollout.engine=.*native, hf"):
            resolve(ENGINE, name)
