"""Any checkpoint of a run is a policy: the same weights as the adapter that the run wrote beside it."""

from __future__ import annotations

import json

import pytest
import torch
from training_cases import LikesShort, fit

from rlsf_lightning.config import schema
from rlsf_lightning.errors import UserError
from rlsf_lightning.policy.load import load_policy
from rlsf_lightning.policy.preflight import check_policy
from rlsf_lightning.training.run.checkpoints import RunCheckpoints, newest_first


def logits(cfg: schema.Policy) -> torch.Tensor:
    policy = load_policy(cfg)
    ids_BS = torch.arange(5)[None]
    with torch.no_grad():
        return policy.causal_lm(input_ids=ids_BS).logits


@pytest.mark.parametrize("overrides", [[], ["algorithm.critic=adapter"]])
def test_a_checkpoint_gives_the_policy_that_the_adapter_gives(make_recipe, tmp_path, overrides):
    recipe = make_recipe("algorithm.advantage=gae", "algorithm.lr=1e-2", "policy.lora.r=3", *overrides)
    fit(recipe, tmp_path, LikesShort(), RunCheckpoints(schema.Checkpoint()))
    checkpoint = next(newest_first(tmp_path / "checkpoints"))
    of_folder, of_file, of_base = (
        schema.Policy(name=recipe.policy.name, adapter=adapter)
        for adapter in (str(tmp_path / "adapter"), str(checkpoint), None)
    )
    check_policy(of_file)
    assert json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())["r"] == 3
    assert torch.equal(logits(of_folder), logits(of_file))
    assert not torch.equal(logits(of_file), logits(of_base))


def test_a_checkpoint_of_all_weights_needs_no_adapter(make_recipe, tmp_path):
    recipe = make_recipe("policy.lora.r=0", "algorithm.lr=1e-2", "policy.quantize=none")
    module = fit(recipe, tmp_path, LikesShort(), RunCheckpoints(schema.Checkpoint()))
    checkpoint = str(next(newest_first(tmp_path / "checkpoints")))
    whole = schema.Policy(name=recipe.policy.name, adapter=checkpoint, lora=schema.Lora(r=0))
    check_policy(whole)
    ids_BS = torch.arange(5)[None]
    with torch.no_grad():
        assert torch.equal(logits(whole), module.policy.causal_lm(input_ids=ids_BS).logits)
    with pytest.raises(UserError, match="policy.lora.r=0 too"):
        load_policy(schema.Policy(name=recipe.policy.name, adapter=checkpoint))


def test_what_is_no_checkpoint_is_told(tiny_policy_dir, tmp_path):
    (tmp_path / "x.ckpt").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(UserError, match="not a readable checkpoint"):
        load_policy(schema.Policy(name=str(tiny_policy_dir), adapter=str(tmp_path / "x.ckpt")))
    with pytest.raises(UserError, match="no such file; checkpoints there: .*x.ckpt"):
        check_policy(schema.Policy(name=str(tiny_policy_dir), adapter=str(tmp_path / "y.ckpt")))
