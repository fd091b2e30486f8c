"""Every shipped recipe, found by glob, is loaded, built and trains a step."""

import csv
import math
from pathlib import Path

import pytest

from rlsf_lightning import fit
from rlsf_lightning.config.estimator_specs import ESTIMATORS
from rlsf_lightning.config.recipe import load_recipe
from rlsf_lightning.errors import UserError
from rlsf_lightning.evaluation.metrics import suite_for
from rlsf_lightning.symbolic.loader import find_verifier, load_verifier

RECIPES = sorted(p.stem for p in (Path(__file__).parents[2] / "recipes").glob("[!_]*.yaml"))
#: Their verifiers compile every completion, or start Java.
SLOW = {"pseudocode_cpp", "chem_naming"}
CASES = [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in RECIPES]
SMALL = (
    "rollout.batch_size=2 rollout.samples_per_prompt=2 rollout.max_new_tokens=16 trainer.limit_train_batches=1 "
    "trainer.max_epochs=1 trainer.accelerator=cpu evaluation.limit=2 evaluation.samples=1"
).split()
#: The first recipe with every estimator at once, the others by -m slow.
WITH_EVERY_ESTIMATOR = [pytest.param(name, marks=[pytest.mark.slow] * (name != "chem_iupac")) for name in RECIPES]


def success_of(name):
    """What a step's row calls success: exact match where the recipe's suite of metrics does."""
    recipe = load_recipe(name, [])
    suite = suite_for(find_verifier(recipe.verifier.name), recipe.evaluation.metrics)
    return "exact_match" if suite.success == "exact_match" else "pass_rate"


@pytest.fixture(autouse=True)
def _has_its_tool(request):
    recipe = load_recipe(request.node.callspec.params["name"], []) if hasattr(request.node, "callspec") else None
    if recipe is not None:
        try:
            load_verifier(recipe.verifier.name, recipe.verifier.options)
        except UserError as error:
            pytest.skip(str(error))


def test_there_are_recipes():
    assert {"chem_iupac", "pseudocode_cpp"} <= set(RECIPES)


@pytest.mark.parametrize("name", CASES)
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
    assert {"reward", success_of(name), "loss/policy"} <= row.keys()
    assert list((tmp_path / "run" / "adapter").glob("*.safetensors"))
