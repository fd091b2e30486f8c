"""What a recipe's values must be, and what a user is told when they are not."""

import inspect
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from rlsf_lightning.config.recipe import load_recipe
from rlsf_lightning.config.validation import TRAINER_ARGUMENTS, check
from rlsf_lightning.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def kitchen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's working directory with one complete recipe, ``plain``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "plain.yaml").write_text("data: {source: iupac}\nverifier: {name: smiles}\n")
    return tmp_path


def complaint(overrides: Sequence[str]) -> str:
    with pytest.raises(UserError) as caught:
        load_recipe("plain", overrides)
    return str(caught.value)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("trainer.max_epoch=3", "no argument `max_epoch`; did you mean `max_epochs`"),
        ("trainer.gradient_clip_val=1", "algorithm.max_grad_norm"),
        ("trainer.precision=bf16-true", "write bf16-mixed"),
        ("trainer.gradient_clip_algorithm=norm", "algorithm.max_grad_norm"),
        ("trainer.accumulate_grad_batches=4", "algorithm.micro_batch_tokens"),
        ("trainer.max_steps=100", "`trainer.max_epochs` x `trainer.limit_train_batches`"),
        ("trainer.min_steps=100", "`trainer.max_epochs` x `trainer.limit_train_batches`"),
        ("trainer.val_check_interval=10", "evaluation.every_epochs"),
        ("trainer.check_val_every_n_epoch=2", "evaluation.every_epochs"),
        ("trainer.use_distributed_sampler=false", "remove the line"),
        ("trainer.reload_dataloaders_every_n_epochs=1", "remove the line"),
        ("trainer.enable_checkpointing=false", "remove the line"),
        ("trainer.logger=true", "set `logger`"),
        ("trainer.callbacks=[]", "set `callbacks`"),
        ("trainer.default_root_dir=x", "set `run_dir`"),
        ("trainer.enable_model_summary=true", "remove the line"),
        ("policy.quantize=nf", "policy.quantize=nf: expects one of auto, nf4, none; did you mean `nf4`?"),
        ("policy.lora.r=-1", "policy.lora.r=-1: must be >= 0"),
        ("policy.lora.alpha=0", "policy.lora.alpha=0: must be >= 1"),
        ("algorithm.credit=scaler", "did you mean `scalar`?"),
        ("algorithm.advantage=grpoo", "prefix_tree, viable_prefix, rloo, grpo"),
        ("algorithm.normalise=center", "did you mean `centre`?"),
        ("algorithm.truncated=drop", "expects one of penalize, mask"),
        ("rollout.temperature=0", "rollout.temperature=0.0: must be > 0"),
        ("rollout.temperature=.nan", "must be > 0"),
        ("rollout.temperature=.inf", "must be > 0"),
        ("seed=4294967296", "must be <= 4294967295"),
        ("rollout.samples_per_prompt=0", "must be >= 1"),
        ("rollout.samples_per_prompt=1", "rollout.samples_per_prompt=1 must be >= 2"),
        ("algorithm.minibatches=65", "a step has only 64 completions"),
        ("algorithm={advantage: etpo, kl: {form: k3}}", "would count it twice; write algorithm.kl.form=k1"),
        ("algorithm.kl.beta=-1", "algorithm.kl.beta=-1.0: must be >= 0"),
        ("algorithm.lam=1.01", "algorithm.lam=1.01: must be <= 1"),
        ("data.template=SMILES:", "must hold {prompt}"),
        ("trainer.limit_train_batches=1.0", "must be a whole number of steps"),
        ("callbacks.samples=true", "null switches it off"),
        ("callbacks.sampels={}", "callbacks.sampels=sampels: no such callback; did you mean `samples`?"),
    ],
)
def test_each_wrong_value_is_told_with_the_way_out(override: str, told: str) -> None:
    assert told in complaint([override])


@pytest.mark.parametrize(
    "override",
    [
        "algorithm.lam=1",
        "algorithm.lam=0",
        "seed=4294967295",
        "algorithm.stop_kl=null",
        "rollout.samples_per_prompt=2",
        "algorithm.minibatches=64",
        "trainer.limit_train_batches=1",
        "trainer.enable_checkpointing=true",
        "callbacks[lightning.pytorch.callbacks:EarlyStopping]={monitor: reward}",
        "policy.lora.r=0",
    ],
)
def test_values_at_the_border_are_good(override: str) -> None:
    assert load_recipe("plain", [override])


@pytest.mark.parametrize(
    "template",
    [
        "{prompt}\nPut the answer in \\boxed{answer}.",
        "{prompt} in the form \\frac{a}{b}, with x_{n} and 2^{k}",
        "{prompt}\nint main() { return }",
        '{prompt}\nAnswer as {"age": 1} or {"name": ["x"]}.',
        "{prompt} {{literal}}",
        "{prompt} {1, 2} {} { name } f{x} {x: int} {a, b}",
        "{prompt}{prompt}",
    ],
)
def test_braces_that_are_no_placeholder_are_text(template: str) -> None:
    assert load_recipe("plain", [f"data.template={json.dumps(template)}"]).data.template == template


def test_all_mistakes_of_the_values_are_told_at_once() -> None:
    told = complaint(["rollout.temperature=-1", "algorithm.credit=x", "data.template=y"])
    assert [line.partition("=")[0] for line in told.splitlines()] == [
        "algorithm.credit",
        "rollout.temperature",
        "data.template",
    ]


def test_one_sample_a_prompt_is_good_for_gae() -> None:
    recipe = load_recipe("plain", ["algorithm.advantage=gae", "rollout.samples_per_prompt=1"])
    assert recipe.rollout.samples_per_prompt == 1


def test_checks_hold_for_a_recipe_that_was_changed_in_python() -> None:
    recipe = load_recipe("plain")
    recipe.rollout.temperature = 0.0
    with pytest.raises(UserError, match=r"rollout\.temperature"):
        check(recipe)


def test_the_trainer_arguments_are_lightnings() -> None:
    import lightning

    assert set(inspect.signature(lightning.Trainer.__init__).parameters) - {"self"} == TRAINER_ARGUMENTS
