"""A precision changes rounding and nothing else, in every combination that a recipe may ask for.

The completions are the same in all of them, drawn by an engine that does not ask the policy, so that updates can be compared.
"""

import itertools
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from lightning import Callback, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins import MixedPrecision
from omegaconf import OmegaConf
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader
from training_cases import Keeps, fit

from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.policy import load
from rlsf_lightning.policy.quantize import nf4_dtype
from rlsf_lightning.policy.sampling.generate import Sampled
from rlsf_lightning.training.hooks import RLSFCallback
from rlsf_lightning.training.module import UNMOVED
from rlsf_lightning.training.supervised import SupervisedModule

#: Largest relative difference from fp32 of the first gradient, as the optimiser gets it, and of the first update. AdamW's first
#: one is the gradient's sign, so that small entries turn round.
ROUNDING = {"32-true": (1e-5, 1e-3), "16-mixed": (8 * 2**-11, 0.1), "bf16-mixed": (8 * 2**-8, 0.3)}
#: 4-bit layers compute in bf16 where the processor can.
if nf4_dtype(torch.device("cpu")) == torch.bfloat16:
    ROUNDING["32-true", "nf4"] = ROUNDING["bf16-mixed"]
PRECISIONS = ("32-true", "16-mixed", "bf16-mixed")
CRITICS = {
    "none": ["algorithm.advantage=reward_to_go"],
    "head": ["algorithm.advantage=gae"],
    "adapter": ["algorithm.advantage=gae", "algorithm.critic=adapter"],
}
SETTINGS = [
    f"rollout.engine={__name__ if __name__ != '__main__' else Path(__file__).stem}:drawn",
    "algorithm.kl.beta=0.1",
    "algorithm.entropy_coef=1e-4",
    "algorithm.lr=1e-3",
    "algorithm.warmup_steps=0",
    "algorithm.max_grad_norm=0.1",
]


class Case(NamedTuple):
    precision: str
    quantize: str
    checkpointing: bool
    critic: str

    def __str__(self):
        return "-".join([self.precision, self.quantize, "checkpointed" if self.checkpointing else "kept", self.critic])


#: Gradient checkpointing does not go with a critic's adapter, which is told before anything is loaded.
CASES = [
    case
    for case in itertools.starmap(Case, itertools.product(PRECISIONS, ("none", "nf4"), (False, True), CRITICS))
    if not (case.checkpointing and case.critic == "adapter")
]


def drawn(policy, prompts_ids, *, samples, max_new_tokens, temperature, batch_size, generator):
    """Completions that depend on the prompt alone."""
    found = []
    for ids in prompts_ids:
        rng = random.Random(str(ids))
        for _ in range(samples):
            length = rng.randint(2, max_new_tokens)
            found.append(Sampled([rng.randrange(100) for _ in range(length)], length < max_new_tokens, [-5.0] * length))
    return found


class LikesEven(RLSFCallback):
    """+1 on every token with an even id, -1 on the others; and a policy that has moved away from its reference."""

    def on_train_start(self, trainer, module):
        if module.steps_done:
            return
        generator = torch.Generator().manual_seed(0)
        for parameter in learning(module):
            if not parameter.any():  # what begins as 0: the B of every adapter, and the critic
                torch.nn.init.normal_(parameter, std=0.05, generator=generator)

    def on_rewards_due(self, trainer, module, rollout):
        ids_BT = rollout.ids_BS[:, -rollout.is_action_BT.shape[1] :]
        rollout.add_reward("even", (1.0 - 2.0 * (ids_BT % 2)) * rollout.is_action_BT)


class KeepsUpdates(Keeps):
    """Keeps the gradient that the optimiser got last in every training step, and how far each step moved."""

    def __init__(self):
        super().__init__()
        self.gradients, self.updates = [], []

    def on_train_batch_start(self, trainer, module, *_):
        self.before = vector(learning(module))

    def on_update_end(self, trainer, module, stats):
        super().on_update_end(trainer, module, stats)
        self.gradients.append(vector([p.grad for p in learning(module)]))
        self.updates.append(vector(learning(module)) - self.before)


def learning(module):
    return [p for p in module.parameters() if p.requires_grad]


def vector(tensors):
    return torch.cat([tensor.detach().flatten().clone() for tensor in tensors])


def relative(found, expected):
    return float((found - expected).norm() / expected.norm())


def precision_of(name, **scaler):
    """The trainer's arguments. Lightning scales losses on a CPU only when it is handed a scaler for it."""
    if name != "16-mixed":
        return {"precision": name}
    scaler = {"init_scale": 2.0**12, "growth_interval": 2} | scaler
    return {"plugins": [MixedPrecision(name, "cpu", scaler=torch.amp.GradScaler("cpu", **scaler))]}


@pytest.fixture
def make_recipe(make_recipe, tiny_policy_dir, tmp_path):
    """Recipes for the tiny policy with weights of 8 bits: in every precision NF4 makes the same of them."""
    folder = tmp_path / "policy"
    shutil.copytree(tiny_policy_dir, folder)
    weights = folder / "model.safetensors"
    rounded = {name: tensor.bfloat16().float() for name, tensor in load_file(weights).items()}
    save_file(rounded, weights, metadata={"format": "pt"})
    return lambda *own: make_recipe(f"policy.name={folder}", *own)


def overrides(case):
    return [
        *SETTINGS,
        *CRITICS[case.critic],
        f"policy.quantize={case.quantize}",
        f"policy.gradient_checkpointing={case.checkpointing}",
    ]


def trained(recipe, folder, precision, scaler=(), callbacks=(), **trainer):
    kept = KeepsUpdates()
    trainer |= precision_of(precision, **dict(scaler))
    kept.module = fit(recipe, folder, LikesEven(), kept, *callbacks, **trainer)
    return kept


def assert_first_step(case, stats, gradient, update, expected, unmoved=0.0):
    """The first step is fp32's but for rounding, and in its first minibatch nothing had moved."""
    largest = ROUNDING.get((case.precision, case.quantize)) or ROUNDING[case.precision]
    assert relative(gradient, expected.gradients[0]) < largest[0]
    assert relative(update, expected.updates[0]) < largest[1]
    for name in ("grad_norm/policy", "grad_norm/value"):
        assert stats.get(name, 0) == pytest.approx(expected.stats[0].get(name, 0), rel=largest[0])
    assert stats["grad_norm/policy"] > 0.1
    assert stats["clip_fraction_first_minibatch"] == 0.0
    assert all(abs(stats[f"{name}_first_minibatch"]) <= unmoved for name in UNMOVED)
    assert stats.get("skipped_steps", 0) == 0


@pytest.fixture
def in_fp32(make_recipe, tmp_path, monkeypatch):
    """A step in fp32 throughout: 4-bit layers compute in it too."""

    def step(case):
        with monkeypatch.context() as patched:
            patched.setattr(load, "nf4_dtype", lambda *_: torch.float32)
            recipe = make_recipe(*overrides(case._replace(checkpointing=False)))
            return trained(recipe, tmp_path / "fp32", "32-true", steps=1)

    return step


def quick(*quantize):
    """The cases; those with another critic than a head, or another quantisation than these, are slow together."""
    return [
        pytest.param(c, id=str(c), marks=() if c.critic == "head" and c.quantize in quantize else pytest.mark.slow)
        for c in CASES
    ]


@pytest.mark.parametrize("case", quick("none", "nf4"))
def test_the_first_update_is_that_of_fp32(make_recipe, tmp_path, in_fp32, case):
    kept = trained(make_recipe(*overrides(case)), tmp_path, case.precision, steps=1)
    assert_first_step(case, kept.stats[0], kept.gradients[0], kept.updates[0], in_fp32(case))


def straight_and_resumed(recipe, folder, precision, **trainer):
    """Two epochs at once, and one after the other; and the checkpoint between them."""

    def run(name, epochs, **more):
        saves = ModelCheckpoint(folder / name, save_last=True)
        return trained(recipe, folder / name, precision, callbacks=[saves], epochs=epochs, steps=1, **trainer, **more)

    straight, last = run("straight", 2), folder / "stopped" / "last.ckpt"
    run("stopped", 1)
    saved = torch.load(last, weights_only=True)
    return straight, run("stopped", 2, ckpt_path=last, first_step=1), saved


@pytest.mark.parametrize("case", quick("none"))
def test_a_resumed_run_is_the_straight_one_bit_for_bit(make_recipe, tmp_path, case):
    recipe = make_recipe(*overrides(case), "algorithm.minibatches=2")
    straight, resumed, _ = straight_and_resumed(recipe, tmp_path, case.precision)
    assert len(straight.updates) == 2
    (again,) = resumed.updates
    assert again.any() and torch.equal(straight.updates[1], again)
    assert torch.equal(vector(learning(straight.module)), vector(learning(resumed.module)))


#: A loss scale with which gradients overflow until it has been halved a few times.
TOO_LARGE = {"init_scale": 2.0**24, "growth_interval": 1000}


def test_steps_that_overflow_are_counted_and_do_not_count(make_recipe, tmp_path):
    recipe = make_recipe(*overrides(CASES[0]), "algorithm.minibatches=2", "algorithm.warmup_steps=1000")
    kept = trained(recipe, tmp_path, "16-mixed", scaler=TOO_LARGE, steps=4)
    skipped = [stats["skipped_steps"] for stats in kept.stats]
    assert skipped[0] == 2 and skipped[-1] == 0
    taken = 2 * len(skipped) - sum(skipped)
    assert kept.module.trainer.precision_plugin.scaler.get_scale() == TOO_LARGE["init_scale"] / 2 ** sum(skipped)
    assert kept.module.lr_schedulers().last_epoch == taken
    assert kept.stats[-1]["lr"] == pytest.approx(1e-3 * (taken + 1) / 1000)
    for stats, update in zip(kept.stats, kept.updates, strict=True):
        assert bool(update.any()) == (stats["skipped_steps"] < 2)
        assert stats["skipped_steps"] == 1 or ("grad_norm/policy" in stats) == (stats["skipped_steps"] == 0)
    assert 0.1 < kept.stats[-1]["grad_norm/policy"] < 10


def test_a_resumed_run_goes_on_with_the_loss_scale(make_recipe, tmp_path):
    recipe = make_recipe(*overrides(CASES[0]), "algorithm.minibatches=4")
    scaler = {"init_scale": 2.0**22, "growth_interval": 3}
    straight, resumed, saved = straight_and_resumed(recipe, tmp_path, "16-mixed", scaler=scaler)
    assert saved["MixedPrecision"]["scale"] < scaler["init_scale"]
    assert straight.stats[1]["skipped_steps"] == resumed.stats[0]["skipped_steps"]
    scalers = [kept.module.trainer.precision_plugin.scaler.state_dict() for kept in (straight, resumed)]
    assert scalers[0] == scalers[1]
    assert torch.equal(vector(learning(straight.module)), vector(learning(resumed.module)))


def test_there_is_no_count_without_a_loss_scale(make_recipe, tmp_path):
    for precision in ("32-true", "bf16-mixed"):
        kept = trained(make_recipe(*overrides(CASES[0])), tmp_path / precision, precision, steps=1)
        assert "skipped_steps" not in kept.stats[0]


def test_a_loss_scale_does_not_change_supervised_learning(make_recipe, tmp_path):
    """The gradient that the optimiser gets in the warm start, clipped to a hundredth."""
    settings = make_recipe("sft.max_grad_norm=0.01").sft
    batch = {"input_ids": torch.arange(40).view(4, 10), "labels": torch.arange(40).view(4, 10)}
    found = {}
    for precision in ("32-true", "16-mixed"):
        torch.manual_seed(0)
        model, _ = load.load_backbone(make_recipe().policy)
        module = SupervisedModule(model, settings, total_steps=10)
        Trainer(
            max_steps=1,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[KeepsGradient(found, precision)],
            **precision_of(precision, init_scale=2.0**8),
        ).fit(module, DataLoader([batch], batch_size=None))
    assert float(found["32-true"].norm()) == pytest.approx(0.01, rel=1e-3)
    assert relative(found["16-mixed"], found["32-true"]) < ROUNDING["16-mixed"][0]


class KeepsGradient(Callback):
    def __init__(self, found, name):
        self.found, self.name = found, name

    def on_train_batch_end(self, trainer, module, *_):
        self.found[self.name] = vector([p.grad for p in learning(module)])


@pytest.mark.slow
def test_two_ranks_make_the_update_of_one(make_recipe, tmp_path, in_fp32):
    OmegaConf.save(make_recipe("rollout.batch_size=2"), tmp_path / "recipe.yaml")
    two = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", __file__, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    done = subprocess.run(two, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    for case in CASES:
        ranks = [torch.load(tmp_path / f"{case}{rank}.pt") for rank in (0, 1)]
        assert torch.equal(ranks[0]["update"], ranks[1]["update"])
        expected = in_fp32(case)
        for rank in ranks:
            # The rows of a rank are scored in another order than they are learnt from: a sum may round otherwise.
            unmoved = 1e-6 if case[:2] == ("32-true", "none") else 1e-3
            assert_first_step(case, rank["stats"], rank["gradient"], rank["update"], expected, unmoved)


def a_rank(folder):
    """One of two processes: the first step of every case into a file; some runs are also stopped and resumed."""
    base = OmegaConf.merge(OmegaConf.structured(Recipe), OmegaConf.load(folder / "recipe.yaml"))
    two = {"devices": 2, "strategy": "ddp"}
    for case in CASES:
        recipe = OmegaConf.merge(base, OmegaConf.from_dotlist(overrides(case)))
        kept = trained(recipe, folder / str(case), case.precision, steps=1, **two)
        rank = torch.distributed.get_rank()
        found = {"stats": kept.stats[0], "gradient": kept.gradients[0], "update": kept.updates[0]}
        torch.save(found, folder / f"{case}{rank}.pt")
        if case.critic == "head" and not case.checkpointing:
            straight, resumed, _ = straight_and_resumed(recipe, folder / f"{case}_resumed", case.precision, **two)
            assert torch.equal(vector(learning(straight.module)), vector(learning(resumed.module))), case


if __name__ == "__main__":
    a_rank(Path(sys.argv[1]))
