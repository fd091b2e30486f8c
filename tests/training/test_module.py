"""The training step as a whole, on a tiny random policy and rewards that need no tool."""

import csv
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from training_cases import Keeps, LikesShort, fit, parameters

from rlsf_lightning.errors import UserError
from rlsf_lightning.training.hooks import RLSFCallback
from rlsf_lightning.training.module import RLSFModule


def test_a_stage_lasts_until_the_gpu_is_done(monkeypatch):
    seen = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: seen.append(f"waited for {device}"))
    for device in ("cuda", "cpu"):
        module = SimpleNamespace(device=torch.device(device), log_step=lambda stats: seen.append(list(stats)))
        with RLSFModule.timed(module, "update"):
            seen.append("computed")
    logged = ["seconds/update"]
    assert seen == ["computed", "waited for cuda", logged, "computed", logged]


class LikesEven(RLSFCallback):
    """+1 on every token with an even id, -1 on the others."""

    def on_rewards_due(self, trainer, module, rollout):
        ids_BT = rollout.ids_BS[:, -rollout.is_action_BT.shape[1] :]
        rollout.add_reward("even", (1.0 - 2.0 * (ids_BT % 2)) * rollout.is_action_BT)


def test_it_learns_what_is_rewarded(make_recipe, tmp_path):
    kept = Keeps()
    overrides = [
        "policy.lora.r=0",
        "algorithm.lr=1e-2",
        "algorithm.value_lr=1e-2",
        "algorithm.kl.beta=0",
        "algorithm.lam=0",
    ]
    fit(make_recipe("rollout.batch_size=16", *overrides), tmp_path, LikesEven(), kept, steps=15)
    rewards = [stats["reward"] / stats["length"] for stats in kept.stats]
    assert sum(rewards[-3:]) / 3 > sum(rewards[:3]) / 3 + 0.3


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("advantage", ["gae", "viable_prefix"])
def test_the_first_minibatch_has_ratio_one(make_recipe, tmp_path, advantage, precision):
    kept = Keeps()
    fit(make_recipe(f"algorithm.advantage={advantage}"), tmp_path, LikesShort(), kept, precision=precision)
    for stats in kept.stats:
        assert stats["ratio_deviation_first_minibatch"] < 1e-5
        assert stats["clip_fraction"] == 0.0
        assert stats["sampler_deviation"] < (1e-5 if precision == "32-true" else 0.05)


class ScoresAgain(RLSFCallback):
    """Old scores as a pass computes them, beside those that the step uses."""

    def __init__(self):
        self.pairs = []

    def on_advantages_ready(self, trainer, module, rollout):
        logp_BT, value_BT = torch.zeros_like(rollout.value_BT), torch.zeros_like(rollout.value_BT)
        with torch.no_grad():
            for part, scores in module.forward_passes(rollout, torch.arange(len(rollout.prompts))):
                logp_BT[part.rows, : part.width] = scores.logp_BT
                if scores.value_BT is not None:
                    value_BT[part.rows, : part.width] = scores.value_BT
        self.pairs.append(((rollout.logp_BT, logp_BT), (rollout.value_BT, value_BT)))


@pytest.mark.parametrize("source", ["auto", "sampler", "recompute"])
@pytest.mark.parametrize("advantage", ["gae", "prefix_tree"])
def test_old_scores_from_the_sampler_are_those_of_a_pass(make_recipe, tmp_path, advantage, source):
    kept, again = Keeps(), ScoresAgain()
    overrides = [f"algorithm.advantage={advantage}", "algorithm.minibatches=2", "algorithm.kl.beta=0.1"]
    recipe = make_recipe(*overrides, f"algorithm.old_scores={source}", "algorithm.lr=1e-2", "algorithm.value_lr=1e-2")
    fit(recipe, tmp_path, LikesShort(), kept, again)
    for rollout, pairs, stats in zip(kept.rollouts, again.pairs, kept.stats, strict=True):
        assert torch.equal(rollout.logp_BT, rollout.sampled_logp_BT) == (source != "recompute")
        for used, recomputed in pairs:
            torch.testing.assert_close(used, recomputed, rtol=0, atol=1e-5)
        assert stats["ratio_deviation_first_minibatch"] < 1e-5
    assert (again.pairs[1][1][1].abs().max() > 1e-3) == (advantage == "gae")


class AsksTheReference(RLSFCallback):
    """Notes in which steps the reference was asked."""

    def __init__(self):
        self.is_asked = []

    def on_advantages_ready(self, trainer, module, rollout):
        self.is_asked.append(bool(rollout.ref_logp_BT.any()))


@pytest.mark.parametrize(("every", "asked"), [(2, [True, False, True]), (0, [False] * 3), (1, [True] * 3)])
def test_without_a_penalty_the_reference_is_asked_now_and_then(make_recipe, tmp_path, every, asked):
    kept, asks = Keeps(), AsksTheReference()
    recipe = make_recipe(f"algorithm.kl.watch_every={every}", "algorithm.lr=1e-2", "algorithm.warmup_steps=0")
    fit(recipe, tmp_path / "none", LikesShort(), kept, asks, steps=3)
    assert asks.is_asked == asked and ["kl" in stats for stats in kept.stats] == [every > 0] * 3
    if every:
        assert (kept.stats[1]["kl"] == kept.stats[0]["kl"]) == (not asked[1])
    asks = AsksTheReference()
    fit(make_recipe(f"algorithm.kl.watch_every={every}", "algorithm.kl.beta=0.1"), tmp_path / "b", LikesShort(), asks)
    assert asks.is_asked == [True, True]


def test_the_8_bit_optimiser_learns_and_is_resumed(make_recipe, tmp_path):
    recipe, kept = make_recipe("algorithm.optimizer=adamw_8bit"), Keeps()
    checkpoints = ModelCheckpoint(tmp_path / "checkpoints", save_last=True)
    first = fit(recipe, tmp_path, LikesShort(), kept, checkpoints)
    assert type(first.trainer.optimizers[0]).__name__ == "AdamW8bit"
    last = tmp_path / "checkpoints" / "last.ckpt"
    second = fit(recipe, tmp_path, LikesShort(), epochs=2, ckpt_path=last, first_step=2)
    assert second.steps_done == 4 and not torch.equal(parameters(first), parameters(second))


def test_another_engine_samples_and_its_scores_are_computed_again(make_recipe, tmp_path):
    kept = Keeps()
    fit(make_recipe("rollout.engine=hf", "algorithm.minibatches=2"), tmp_path, LikesShort(), kept)
    for rollout, stats in zip(kept.rollouts, kept.stats, strict=True):
        assert not torch.equal(rollout.logp_BT, rollout.sampled_logp_BT)
        assert stats["sampler_deviation"] < 1e-5 and stats["ratio_deviation_first_minibatch"] < 1e-5


def test_old_scores_are_computed_again_where_sampling_rounds_otherwise(make_recipe, tmp_path):
    kept = Keeps()
    recipe = make_recipe("algorithm.minibatches=2")
    fit(recipe, tmp_path, LikesShort(), kept, precision="bf16-mixed")
    assert not torch.equal(kept.rollouts[0].logp_BT, kept.rollouts[0].sampled_logp_BT)


def test_a_zero_value_head_gives_the_reward_to_go(make_recipe, tmp_path):
    kept = Keeps()
    recipe = make_recipe("algorithm.lam=1", "algorithm.normalise=none")
    fit(recipe, tmp_path, LikesShort(), kept, steps=1)
    rollout = kept.rollouts[0]
    to_go_BT = rollout.total_reward_BT().flip(1).cumsum(1).flip(1) * rollout.is_action_BT
    torch.testing.assert_close(rollout.advantage_BT, to_go_BT)


@pytest.mark.parametrize("tokens", [24, 100])
def test_the_micro_batch_size_changes_nothing(make_recipe, tmp_path, tokens):
    whole = fit(make_recipe("algorithm.micro_batch_tokens=100000"), tmp_path / "whole", LikesShort())
    cut = fit(make_recipe(f"algorithm.micro_batch_tokens={tokens}"), tmp_path / "cut", LikesShort())
    torch.testing.assert_close(parameters(whole), parameters(cut), rtol=1e-4, atol=1e-6)


def test_two_equal_runs_are_equal_bit_for_bit(make_recipe, tmp_path):
    one = fit(make_recipe(), tmp_path / "one", LikesShort())
    two = fit(make_recipe(), tmp_path / "two", LikesShort())
    assert torch.equal(parameters(one), parameters(two))
    assert metrics(tmp_path / "one") == metrics(tmp_path / "two")


def test_a_resumed_run_equals_the_straight_one_bit_for_bit(make_recipe, tmp_path):

    def checkpoints(folder):
        return ModelCheckpoint(folder / "checkpoints", save_last=True)

    recipe = make_recipe("algorithm.epochs=2", "algorithm.kl.watch_every=3")
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    whole = fit(recipe, straight, LikesShort(), checkpoints(straight), epochs=3)
    fit(recipe, stopped, LikesShort(), checkpoints(stopped), epochs=2)
    last = stopped / "checkpoints" / "last.ckpt"
    resumed = fit(recipe, stopped, LikesShort(), checkpoints(stopped), epochs=3, ckpt_path=last, first_step=4)
    assert torch.equal(parameters(whole), parameters(resumed))
    assert metrics(straight) == metrics(stopped)


def metrics(folder):
    """The rows of metrics.csv without what a clock measured."""
    with (folder / "metrics.csv").open() as file:
        return [
            {k: v for k, v in row.items() if not k.startswith("seconds/") and k != "verify_wait"}
            for row in csv.DictReader(file)
        ]


def test_the_base_is_untouched_and_no_part_of_the_checkpoint(make_recipe, tmp_path):
    from safetensors.torch import load_file

    recipe = make_recipe()
    module = fit(recipe, tmp_path, LikesShort())
    before = load_file(f"{recipe.policy.name}/model.safetensors")
    with module.policy.reference():
        after = {k.replace(".base_layer", ""): v for k, v in module.policy.causal_lm.state_dict().items()}
    assert all(torch.equal(before[name], after[name]) for name in before)
    checkpoint = {"state_dict": module.state_dict()}
    module.on_save_checkpoint(checkpoint)
    assert checkpoint["state_dict"].keys() == {n for n, p in module.named_parameters() if p.requires_grad}


def test_no_reward_channel_is_an_error_that_names_the_line(make_recipe, tmp_path):
    with pytest.raises(UserError, match=r"callbacks.verifier: \{\}"):
        fit(make_recipe(), tmp_path)


def test_two_channels_are_added_up_and_logged(make_recipe, tmp_path):
    class Constant(RLSFCallback):
        def on_rewards_due(self, trainer, module, rollout):
            rollout.add_reward("constant", 0.5 * rollout.is_action_BT)

    fit(make_recipe(), tmp_path, LikesShort(), Constant(), steps=1)
    row = metrics(tmp_path)[0]
    assert float(row["reward"]) == pytest.approx(float(row["reward/short"]) + float(row["reward/constant"]))
    assert float(row["reward/constant"]) == pytest.approx(0.5 * float(row["length"]))


def test_critic_warm_up_leaves_the_policy_alone(make_recipe, tmp_path):
    kept = Keeps()
    module = fit(make_recipe("algorithm.value_warmup_steps=5"), tmp_path, LikesShort(), kept)
    assert [stats["grad_norm/policy"] for stats in kept.stats] == [0.0, 0.0]
    assert kept.stats[0]["grad_norm/value"] > 0
    assert float(module.policy.value_head.linear.bias) != 0.0


def test_without_gae_there_is_no_value_head(make_recipe, tmp_path):
    module = fit(make_recipe("algorithm.advantage=viable_prefix"), tmp_path, LikesShort(), steps=1)
    assert module.policy.value_head is None
