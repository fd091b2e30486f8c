"""Every shipped recipe, found by glob, is loaded, built and trains a step."""

import csv
import math
from pathlib import Path

import pytest

from rlsf_lightning import fit
from rlsf_lightning.config.estimator_specs import ESTIMATORS
from rlsf_lightning.config.recipe import load_recipe

RECIPES = sorted(p.stem for p in (Path(__file__).parents[2] / "recipes").glob("[!_]*.yaml"))
SMALL = (
    "rollout.batch_size=2 rollout.samples_per_prompt=2 rollout.max_new_tokens=16 trainer.limit_train_batches=1 "
    "trainer.max_epochs=1 trainer.accelerator=cpu evaluation.limit=2 evaluation.samples=1"
).split()
#: What success is called where it is more than to equal the reference.
SUCCESS = {"chem_molgen": "pass_rate", "chem_retro": "pass_rate"}
#: The first recipe with every estimator at once, the others by -m slow.
WITH_EVERY_ESTIMATOR = [pytest.param(name, marks=[pytest.mark.slow] * (name != "chem_iupac")) for name in RECIPES]


def test_there_are_recipes():
    assert "chem_iupac" in RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_a_shipped_recipe_trains(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit.run(load_recipe(name, [*SMALL, f"run_dir={tmp_path}/run"]))
    (row,) = csv.DictReader((tmp_path / "run" / "metrics.csv").open())
    assert 0 <= float(row["validity"]) <= 1
    assert (tmp_path / "run" / "summary.json").exists() and (tmp_path / "run" / "adapter").is_dir()


@pytest.mark.parametrize("advantage", ESTIMATORS)
@pytest.mark.parametrize("name", WITH_EVERY_ESTIMATOR)
def test_one_override_chooses_the_estimator(name, advantage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = [f"algorithm.advantage={advantage}", "evaluation.split=null", f"run_dir={tmp_path}/run"]
    fit.run(load_recipe(name, [*SMALL, *own]))
    (row,) = csv.DictReader((tmp_path / "run" / "metrics.csv").open())
    assert all(math.isfinite(float(value)) for value in row.values())
    success = SUCCESS.get(name, "exact_match")
    assert {"reward", success, "loss/policy"} <= row.keys()
    assert list((tmp_path / "run" / "adapter").glob("*.safetensors"))
