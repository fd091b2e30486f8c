"""A training step and a resumed run below fp32, in bf16 and NF4: on the CPU, and by ``-m gpu`` on a CUDA device."""

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from training_cases import Keeps, LikesShort, fit, parameters

OVERRIDES = ["algorithm.lr=1e-2", "algorithm.value_lr=1e-2", "algorithm.warmup_steps=0", "algorithm.kl.beta=0.1"]


def base_of(module):
    """Every parameter that does not learn."""
    return {name: p.detach().clone().cpu() for name, p in module.policy.named_parameters() if not p.requires_grad}


class KeepsTheStart(Keeps):
    """Also keeps the weights from before the first step."""

    def on_train_start(self, trainer, module):
        self.base, self.adapter = base_of(module), parameters(module)


@pytest.mark.parametrize("quantize", ["none", "nf4"])
@pytest.mark.parametrize("advantage", ["gae", "reward_to_go"])
def test_a_training_step(make_recipe, tmp_path, device, advantage, quantize):
    kept = KeepsTheStart()
    recipe = make_recipe(*OVERRIDES, f"algorithm.advantage={advantage}", f"policy.quantize={quantize}")
    trainer = {"accelerator": device, "devices": 1, "precision": "bf16-mixed"}
    module = fit(recipe, tmp_path, LikesShort(), kept, steps=1, **trainer)
    (stats,) = kept.stats
    assert all(torch.tensor(value).isfinite() for value in stats.values())
    assert stats["ratio_deviation_first_minibatch"] < 1e-5 and stats["clip_fraction_first_minibatch"] == 0
    assert stats["sampler_deviation"] < 0.05 and stats["grad_norm/policy"] > 0
    assert {p.device.type for p in module.policy.parameters()} == {device}
    assert not torch.equal(parameters(module), kept.adapter)
    assert all(torch.equal(kept.base[name], values) for name, values in base_of(module).items())


@pytest.mark.parametrize("quantize", ["none", "nf4"])
def test_a_resumed_run_ends_where_the_straight_one_does(make_recipe, tmp_path, device, quantize):
    recipe = make_recipe(*OVERRIDES, "algorithm.minibatches=2", f"policy.quantize={quantize}")
    trainer = {"accelerator": device, "devices": 1, "precision": "bf16-mixed"}

    def run(folder, epochs, **kwargs):
        checkpoints = ModelCheckpoint(tmp_path / folder, save_last=True)
        return fit(recipe, tmp_path / folder, LikesShort(), checkpoints, epochs=epochs, **trainer, **kwargs)

    straight, stopped = run("straight", 2), run("stopped", 1)
    assert straight.steps_done == 4 and stopped.steps_done == 2
    resumed = run("stopped", 2, ckpt_path=tmp_path / "stopped" / "last.ckpt", first_step=2)
    assert resumed.steps_done == 4 and resumed.kl_seen == pytest.approx(straight.kl_seen, rel=0.01)
    # Kernels of a GPU may add in another order each time, so that runs are equal only up to rounding.
    moved = (parameters(straight) - parameters(stopped)).norm()
    assert moved > 0 and (parameters(resumed) - parameters(straight)).norm() <= 0.01 * moved
