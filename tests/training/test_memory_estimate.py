"""What a run expects to take: against what autograd really keeps, and the words for it."""

import pytest
import torch
from omegaconf import OmegaConf

from rlsf_lightning.config import schema
from rlsf_lightning.policy.load import load_policy
from rlsf_lightning.policy.logprob import score_actions
from rlsf_lightning.training import memory_estimate
from rlsf_lightning.training.memory_estimate import GIB, Needs, described, needs


@pytest.mark.parametrize(
    ("cores", "workers", "ranks", "variable", "threads"),
    [(8, 0, 1, "", 8), (8, 3, 1, "", 5), (8, 1, 2, "", 3), (2, 4, 1, "", 1), (2, 0, 4, "", 1), (8, 3, 1, "2", 2)],
)
def test_torch_gets_the_cores_that_are_left(monkeypatch, cores, workers, ranks, variable, threads):
    monkeypatch.setattr(memory_estimate, "cores", lambda: cores)
    monkeypatch.setenv("OMP_NUM_THREADS", variable)
    assert memory_estimate.torch_threads(workers, ranks) == threads


@pytest.mark.parametrize(("cores", "threads", "left"), [(1, 4, 1), (8, 2, 2), (3, 3, 3)])
def test_commands_that_do_not_train_keep_to_the_cores(monkeypatch, cores, threads, left):
    monkeypatch.setattr(memory_estimate, "cores", lambda: cores)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    chosen: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    memory_estimate.limit_threads()
    assert chosen == [left]


def recipe_of(*overrides: str) -> schema.Recipe:
    return OmegaConf.merge(OmegaConf.structured(schema.Recipe), OmegaConf.from_dotlist(list(overrides)))


def kept_bytes(policy, rows: int, columns: int) -> int:
    """What a forward pass keeps for the backward pass, without the weights."""
    weights = {p.untyped_storage().data_ptr() for p in policy.parameters()}
    kept = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = (tensor, storage.nbytes())
        return tensor

    ids = torch.randint(policy.vocabulary_size, (rows, columns))
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        score_actions(
            policy,
            ids,
            torch.ones_like(ids, dtype=torch.bool),
            torch.ones(rows, columns // 2, dtype=torch.bool),
            temperature=1.0,
            with_entropy=True,
            detach_entropy=True,
        )
    return sum(size for _, size in kept.values())


@pytest.mark.parametrize("checkpointing", [False, True])
def test_activations_are_what_autograd_keeps(tiny_policy_dir, checkpointing):
    recipe = recipe_of(
        f"policy.name={tiny_policy_dir}",
        "policy.lora.r=2",
        f"policy.gradient_checkpointing={checkpointing}",
        "algorithm.micro_batch_tokens=512",
        "rollout.max_new_tokens=16",
    )
    policy = load_policy(recipe.policy, device=torch.device("cpu"))
    shape = memory_estimate._Shape.of(policy.causal_lm.config.get_text_config())
    found = needs(policy, recipe, longest_prompt=16)
    tiles = 8 * memory_estimate.LOGITS_AT_A_TIME
    measured = kept_bytes(policy, rows=16, columns=32)
    # A layer that is computed again is not among the tensors that are kept.
    again = 512 * 4 * shape.a_layer if checkpointing else 0
    assert 0.6 < (found.update - tiles - again) / measured < 1.6


def test_needs_of_a_run_in_parts(tiny_policy_dir):
    recipe = recipe_of(f"policy.name={tiny_policy_dir}", "policy.lora.r=4", "rollout.max_new_tokens=32")
    policy = load_policy(recipe.policy, device=torch.device("cpu"))
    found = needs(policy, recipe, longest_prompt=10)
    learning = sum(p.numel() for p in policy.parameters() if p.requires_grad)
    stored = sum(p.numel() * p.element_size() for p in {id(p): p for p in policy.parameters()}.values())
    assert found.learning == 12 * learning and stored <= found.weights <= 1.1 * stored
    recipe.algorithm.optimizer = "adamw_8bit"
    assert needs(policy, recipe, longest_prompt=10).learning == 6 * learning
    few = recipe_of(f"policy.name={tiny_policy_dir}", "rollout.decode_batch_size=1", "rollout.max_new_tokens=32")
    assert needs(policy, few, longest_prompt=10).rollout < found.rollout
    assert found.total == found.weights + found.learning + max(found.rollout, found.update)


def test_what_is_said_of_it():
    small = Needs(GIB, GIB // 4, GIB // 2, GIB)
    line = "memory: about 2.25 GiB expected (weights 1.00, learning 0.25, rollout 0.50, update 1.00)"
    assert described(small, None) == line
    assert described(small, 3 * GIB) == line + ", 4.00 GiB there"
    assert described(small, GIB) == (
        line + ", 2.00 GiB there. It will not fit. Make smaller: algorithm.micro_batch_tokens, "
        "or write policy.gradient_checkpointing=true."
    )
    assert "rollout.decode_batch_size" in described(Needs(GIB, 0, 3 * GIB, GIB), 2 * GIB)
    assert "policy.quantize=nf4" in described(Needs(5 * GIB, 0, 3 * GIB, GIB), GIB)


def test_free_memory_is_told_or_unknown(monkeypatch):
    free = memory_estimate.free_memory(torch.device("cpu"))
    assert free is None or free > 2**20
    monkeypatch.setattr(memory_estimate.Path, "read_text", lambda path: "nothing of use")
    assert memory_estimate.free_memory(torch.device("cpu")) is None
