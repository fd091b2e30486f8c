"""The table before and after: measured once at the end, and never lost."""

import json

import numpy as np
import pytest
from lightning import Trainer
from omegaconf import OmegaConf

from rlsf_lightning.config.schema import Checkpoint, Recipe
from rlsf_lightning.evaluation.metrics.certificates import ExactMatch
from rlsf_lightning.evaluation.report import Column, Report
from rlsf_lightning.training.datamodule import PromptDataModule
from rlsf_lightning.training.hooks import build_callbacks
from rlsf_lightning.training.module import RLSFModule
from rlsf_lightning.training.run.checkpoints import RunCheckpoints, newest_first


@pytest.fixture
def recipe(tiny_policy_dir, tmp_path):
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("prompt\treference\n" + "".join(f"{'meth' * n}\t{'C' * n}\n" for n in range(1, 60)))
    overrides = {
        "recipe": "test",
        "data": {"source": "files", "path": str(pairs)},
        "policy": {"name": str(tiny_policy_dir)},
        "verifier": {"name": "smiles"},
        "rollout": {"batch_size": 2, "samples_per_prompt": 2, "max_new_tokens": 8},
        "evaluation": {"limit": 4, "samples": 2},
    }
    return OmegaConf.merge(OmegaConf.structured(Recipe), OmegaConf.create(overrides))


def fit(recipe, run_dir, heldout, epochs=2, checkpoint=None, **trainer):
    run_dir.mkdir(exist_ok=True)
    made = Trainer(
        max_epochs=epochs,
        limit_train_batches=1,
        accelerator="cpu",
        logger=False,
        callbacks=[
            *build_callbacks({"verifier": {}}),
            heldout,
            RunCheckpoints(Checkpoint()),
        ],
        enable_progress_bar=False,
        enable_model_summary=False,
        **trainer,
    )
    made.fit(RLSFModule(recipe, run_dir=str(run_dir)), PromptDataModule(recipe), ckpt_path=checkpoint)


def summary(run_dir):
    found = json.loads((run_dir / "summary.json").read_text())
    del found["seconds"]
    return found


def test_a_run_that_dies_while_it_is_measured_is_measured_when_it_goes_on(recipe, tmp_path):
    straight, died = tmp_path / "straight", tmp_path / "died"
    (heldout,) = build_callbacks({"heldout": {}})
    fit(recipe, straight, heldout)

    class Dies(type(heldout)):
        def measure(self, trainer, module, prompts, samples, label):
            if label == "after: ":
                raise OSError("no space left on device")
            return super().measure(trainer, module, prompts, samples, label)

    with pytest.raises(OSError, match="no space left"):
        fit(recipe, died, Dies())
    assert not (died / "summary.json").exists()
    fit(recipe, died, *build_callbacks({"heldout": {}}), checkpoint=next(newest_first(died / "checkpoints")))
    assert summary(died) == summary(straight)
    assert (died / "adapter").is_dir()


def test_a_run_that_stops_early_is_measured_once(recipe, tmp_path):
    (heldout,) = build_callbacks({"heldout": {}})
    labels = []

    class Stops(type(heldout)):
        def measure(self, trainer, module, prompts, samples, label):
            labels.append(label)
            return super().measure(trainer, module, prompts, samples, label)

        def on_update_end(self, trainer, module, stats):
            trainer.should_stop = True

    fit(recipe, tmp_path, Stops(), epochs=5)
    assert labels == ["before: ", "after: "]
    assert summary(tmp_path)["steps"] == 1


VERIFIER = """
from rlsf_lightning.records import Certificate, Verdict
from rlsf_lightning.symbolic.certificates import abstained

class Fixed:
    kinds = frozenset()
    def __init__(self, verdict): self.verdict = verdict
    def verify(self, prompt, completion):
        return {"pass": Certificate(Verdict.PASS, score=1.0), "fail": Certificate(Verdict.FAIL)}.get(
            self.verdict, abstained("no idea")
        )

VERIFIER = Fixed
"""


@pytest.mark.parametrize(("verdict", "samples", "is_told"), [("fail", 2, True), ("fail", 0, True), ("none", 2, False)])
def test_a_policy_that_was_never_taught_the_task_is_told_once(recipe, tmp_path, capfd, verdict, samples, is_told):
    (tmp_path / "fixed.py").write_text(VERIFIER)
    recipe.verifier.name, recipe.verifier.options = str(tmp_path / "fixed.py"), {"verdict": verdict}
    recipe.evaluation.samples = samples
    (heldout,) = build_callbacks({"heldout": {}})
    fit(recipe, tmp_path, heldout, epochs=1)
    told = capfd.readouterr().err
    assert told.count("was it ever taught this task?") == is_told
    if is_told:
        assert "no right answer to any of 4 prompts" in told and "rlsf_lightning.sft recipe=test" in told
        assert ("in 2 samples each" in told) == (samples == 2)
    fit(recipe, tmp_path, *build_callbacks({"heldout": {}}), checkpoint=next(newest_first(tmp_path / "checkpoints")))
    assert "was it ever taught" not in capfd.readouterr().err


def test_a_policy_that_has_right_answers_hears_nothing(recipe, tmp_path, capfd):
    (heldout,) = build_callbacks({"heldout": {}})

    class Ends(type(heldout)):
        def measure(self, trainer, module, prompts, samples, label):
            module.policy.eos_token_ids = list(range(module.policy.vocabulary_size))  # the first token ends the answer
            return super().measure(trainer, module, prompts, samples, label)

    (tmp_path / "fixed.py").write_text(VERIFIER)
    recipe.verifier.name, recipe.verifier.options = str(tmp_path / "fixed.py"), {"verdict": "pass"}
    fit(recipe, tmp_path, Ends(), epochs=1)
    assert "was it ever taught" not in capfd.readouterr().err


def test_the_embedded_policy_says_what_it_was_taught(recipe, capfd):
    (heldout,) = build_callbacks({"heldout": {}})
    recipe.policy.name = "embedded"
    wrong = Column(ExactMatch, np.array([[0.0, 1.0], [0.0, 1.0]]))
    heldout.warn_if_untaught(recipe, Report(("a", "b"), {"exact_match": wrong, "sampled_exact_match": wrong}))
    assert "policy.name=embedded; it was taught IUPAC name -> SMILES alone" in capfd.readouterr().err
