"""Stop sequences: completions end where a slow search over the unstopped ones says."""

import pytest
import torch

from rlsf_lightning.config import schema
from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.load import load_policy
from rlsf_lightning.policy.sampling.engines import sample_with_transformers
from rlsf_lightning.policy.sampling.generate import sample


def loaded(folder, stop=()):
    return load_policy(schema.Policy(name=str(folder), lora=schema.Lora(r=2)), stop=stop)


def drawn(engine, policy, batch_size=None):
    prompts = [policy.encode_prompt(text) for text in ("ethanol\nSMILES:", "Cl")]
    generator = torch.Generator().manual_seed(5)
    return engine(
        policy, prompts, samples=24, max_new_tokens=20, temperature=1.5, batch_size=batch_size, generator=generator
    )


def cut(policy, ids, texts, stop_ids):
    """Token by token, each time with the whole text."""
    for n in range(1, len(ids) + 1):
        text = policy.tokenizer.decode(ids[:n], skip_special_tokens=True)
        if ids[n - 1] in [*policy.eos_token_ids, *stop_ids] or any(t in text for t in texts):
            return ids[:n], True
    return ids, False


@pytest.mark.parametrize("batch_size", [None, 5])
@pytest.mark.parametrize("stop", [["C"], ["SM", "e", "\n"], ["é"], [7, 11], [30, "1c"], ["no such text in it"]])
def test_a_completion_ends_with_the_token_that_completes_a_stop(tiny_policy_dir, stop, batch_size):
    policy = loaded(tiny_policy_dir, stop)
    texts, ids = [s for s in stop if isinstance(s, str)], [s for s in stop if isinstance(s, int)]
    free = drawn(sample, loaded(tiny_policy_dir))
    expected = [cut(policy, one.ids, texts, ids) for one in free]
    found = drawn(sample, policy, batch_size)
    assert [(one.ids, one.is_finished) for one in found] == expected
    assert all(len(one.logp) == len(one.ids) for one in found)


def test_transformers_stops_at_the_same_places(tiny_policy_dir):
    stop = ["C", "e", 11]
    policy = loaded(tiny_policy_dir, stop)
    for one in drawn(sample_with_transformers, policy):
        assert cut(policy, one.ids, ["C", "e"], [11]) == (one.ids, one.is_finished)


def test_a_token_that_is_none(tiny_policy_dir):
    with pytest.raises(UserError, match=r"rollout\.stop: no token 99999"):
        loaded(tiny_policy_dir, [99999])


def test_a_character_of_several_tokens_completes_a_stop(tiny_policy_dir):
    policy = loaded(tiny_policy_dir, ["né"])
    ids = policy.tokenizer("une née", add_special_tokens=False)["input_ids"]
    ends = [n for n in range(1, len(ids) + 1) if policy.stops.ended(ids[:n]) and policy.stops.may_end_V[ids[n - 1]]]
    assert policy.tokenizer.decode(ids[: ends[0]]) == "une né"
