"""The adaptive KL coefficient steers what the next step is judged by, and a resumed run goes on with it."""

import pytest
from lightning.pytorch.callbacks import ModelCheckpoint
from training_cases import Keeps, LikesShort, fit

from rlsf_lightning.errors import UserError
from rlsf_lightning.training.hooks import build_callbacks


def control(**arguments):
    (built,) = build_callbacks({"kl_control": arguments})
    return built


def test_beta_falls_a_little_each_step_while_the_policy_is_near(make_recipe, tmp_path):
    kept = Keeps()
    recipe = make_recipe("algorithm.kl.beta=0.1")
    # 16 completions a step, KL far below 100 nats: each step takes 20 % x 16 / 160 off.
    module = fit(recipe, tmp_path, LikesShort(), control(target=100.0, horizon=160), kept, steps=3)
    assert [stats["kl_beta"] for stats in kept.stats] == pytest.approx([0.1, 0.1 * 0.98, 0.1 * 0.98**2])
    assert module.kl_beta == pytest.approx(0.1 * 0.98**3)
    for rollout, stats in zip(kept.rollouts, kept.stats, strict=True):
        expected = -stats["kl_beta"] * rollout.kl_BT
        assert rollout.rewards["kl"].sub(expected).abs().max() < 1e-7


def test_beta_rises_where_the_policy_is_far(make_recipe, tmp_path):
    recipe = make_recipe("algorithm.kl.beta=0.1", "algorithm.lr=1e-2", "algorithm.warmup_steps=0")
    kept = Keeps()
    module = fit(recipe, tmp_path, LikesShort(), control(target=1e-6, horizon=16), kept, steps=2)
    # The first step has no KL but rounding; the second one's is far above the target.
    assert abs(kept.stats[0]["kl"]) < 5e-7 < 2e-6 < kept.stats[1]["kl"]
    assert kept.stats[1]["kl_beta"] == pytest.approx(0.1 * 0.8)
    assert module.kl_beta == pytest.approx(0.1 * 0.8 * 1.2)


@pytest.mark.parametrize("form", ["k1", "k2", "k3"])
def test_a_resumed_run_goes_on_with_its_beta(make_recipe, tmp_path, form):
    recipe = make_recipe("algorithm.kl.beta=0.1", f"algorithm.kl.form={form}")
    kept = {name: Keeps() for name in ("straight", "stopped", "resumed")}
    numbers = {"target": 100.0, "horizon": 160}

    def checkpoints():
        return ModelCheckpoint(tmp_path / "checkpoints", save_last=True)

    straight = fit(recipe, tmp_path / "a", LikesShort(), control(**numbers), kept["straight"], epochs=2)
    fit(recipe, tmp_path / "b", LikesShort(), control(**numbers), kept["stopped"], checkpoints())
    resumed = fit(
        recipe,
        tmp_path / "b",
        LikesShort(),
        control(**numbers),
        kept["resumed"],
        epochs=2,
        ckpt_path=tmp_path / "checkpoints" / "last.ckpt",
        first_step=2,
    )
    assert resumed.kl_beta == straight.kl_beta < 0.1
    betas = {name: [stats["kl_beta"] for stats in keeps.stats] for name, keeps in kept.items()}
    assert betas["stopped"] + betas["resumed"] == betas["straight"]


def test_without_a_penalty_there_is_nothing_to_control(make_recipe):
    with pytest.raises(UserError, match=r"algorithm\.kl\.beta=0\.05"):
        control(target=1.0).check_recipe(make_recipe())
    control(target=1.0).check_recipe(make_recipe("algorithm.kl.beta=0.1"))
    control(target=1.0).check_recipe(make_recipe("algorithm.advantage=etpo"))  # which has one of its own


@pytest.mark.parametrize("arguments", [{"target": 0.0}, {"target": 1.0, "horizon": 0}])
def test_numbers_that_steer_nowhere_are_refused(arguments):
    with pytest.raises(UserError, match="must be positive"):
        control(**arguments)
