"""The same 64 completions teach the same, into however many pieces and onto however many ranks they are cut.

In float64, so that the order of the sums is all that may differ. Policy and critic are no longer what they were at first,
and take two optimiser steps, of which the second has ratios that are not 1.
"""

import dataclasses
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
import torch
from lightning import Trainer
from omegaconf import OmegaConf
from training_cases import LikesEvenLength

import rlsf_lightning.training.module
from rlsf_lightning.config.estimator_specs import ESTIMATORS
from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.records import Prompt
from rlsf_lightning.training.datamodule import PromptDataModule
from rlsf_lightning.training.module import RLSFModule
from rlsf_lightning.training.rollout import StepValues

PROMPTS = [Prompt(str(n), "meth" * (n % 5 + 1)) for n in range(16)]
SETTINGS = [
    "rollout.samples_per_prompt=4",
    "algorithm.epochs=2",
    "algorithm.lr=1e-2",
    "algorithm.warmup_steps=0",
    "algorithm.kl.beta=0.1",
    "algorithm.entropy_coef=0.01",
    "algorithm.value_lam=1",
]
#: Largest relative difference. Where the order of sums alone differs it is 1e-14; Llama's norms compute in fp32 whatever
#: the weights' precision, and there a difference in the last bit may turn into one of 1e-10.
SAME = 1e-8
#: The longest prompt has 20 tokens, a completion at most 8.
LONGEST = 28


class SameRows(RLSFModule):
    """Completions of the same prompts, drawn alike, of which each rank takes its share."""

    def step_seed(self, purpose):
        return zlib.crc32(f"{self.steps_done} {purpose}".encode())

    def share(self, items):
        n = len(items) // self.trainer.world_size
        return items[self.global_rank * n : (self.global_rank + 1) * n]

    def generate(self, batch):
        self.whole = super().generate(PROMPTS)
        values = {field.name: getattr(self.whole, field.name) for field in dataclasses.fields(self.whole) if field.init}
        mine = {k: self.share(v) for k, v in values.items() if isinstance(v, list | torch.Tensor) and len(v)}
        return dataclasses.replace(self.whole, **mine)

    def value_steps(self, rollout):
        steps = super().value_steps(self.whole)
        return StepValues(*(self.share(getattr(steps, field.name)) for field in dataclasses.fields(steps)))


def learnt(recipe, advantage, tokens=100_000, **trainer):
    """What has changed of all that learns, as one vector."""
    recipe.algorithm.advantage, recipe.algorithm.micro_batch_tokens = advantage, tokens
    module = SameRows(recipe)
    before = []

    class Before(LikesEvenLength):
        def on_train_start(self, trainer, module):
            super().on_train_start(trainer, module)
            generator = torch.Generator().manual_seed(0)
            for parameter in module.parameters():
                if parameter.requires_grad and not parameter.any():  # what begins as 0: adapters' B, and the critic
                    torch.nn.init.normal_(parameter, std=0.1, generator=generator)
            before.append(vector(module))

    made = Trainer(
        max_epochs=1,
        limit_train_batches=1,
        accelerator="cpu",
        precision="64-true",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[Before()],
        **trainer,
    )
    made.fit(module, PromptDataModule(recipe))
    return vector(module) - before[0]


def vector(module):
    return torch.cat([p.detach().flatten().clone() for p in module.parameters() if p.requires_grad])


def close(found, expected):
    return float((found - expected).norm() / expected.norm())


def rows_of_pieces(monkeypatch):
    """The sizes of the pieces that losses are computed on, as they come."""
    sizes, losses_of = [], rlsf_lightning.training.module.losses_of

    def counted(settings, rollout, part, weight_BT, scores, **more):
        sizes.append(len(part.rows))
        return losses_of(settings, rollout, part, weight_BT, scores, **more)

    monkeypatch.setattr(rlsf_lightning.training.module, "losses_of", counted)
    return sizes


@pytest.mark.parametrize(
    "advantage",
    [name if name in ("gae", "grpo") else pytest.param(name, marks=pytest.mark.slow) for name in ESTIMATORS],
)
def test_1_x_64_and_4_x_16_and_64_x_1_completions_are_one_step(make_recipe, monkeypatch, advantage):
    recipe, sizes, found = make_recipe(*SETTINGS), rows_of_pieces(monkeypatch), {}
    for pieces, tokens in ((1, 64 * LONGEST), (4, 16 * LONGEST), (64, 1)):
        found[pieces] = learnt(recipe, advantage, tokens)
        assert sizes == [64 // pieces] * pieces * 2
        sizes.clear()
    assert found[1].dtype == torch.float64 and found[1].norm() > 1e-2
    assert close(found[4], found[1]) < SAME and close(found[64], found[1]) < SAME


@pytest.mark.slow
def test_one_rank_and_two_are_one_step(make_recipe, tmp_path):
    recipe = make_recipe(*SETTINGS)
    OmegaConf.save(recipe, tmp_path / "recipe.yaml")
    two = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", __file__, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(two, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    for advantage in ESTIMATORS:
        one = learnt(recipe, advantage, 16 * LONGEST)
        ranks = [torch.load(tmp_path / f"{advantage}{rank}.pt") for rank in (0, 1)]
        assert torch.equal(*ranks)
        assert close(ranks[0], one) < SAME, advantage


def a_rank(folder):
    """What one of two processes does: every estimator, and what it has learnt into a file."""
    recipe = OmegaConf.merge(OmegaConf.structured(Recipe), OmegaConf.load(folder / "recipe.yaml"))
    for advantage in ESTIMATORS:
        found = learnt(recipe, advantage, 16 * LONGEST, devices=2, strategy="ddp")
        torch.save(found, folder / f"{advantage}{torch.distributed.get_rank()}.pt")


if __name__ == "__main__":
    a_rank(Path(sys.argv[1]))
