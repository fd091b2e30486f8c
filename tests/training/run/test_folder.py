"""Run folders: one a run, shared by the processes of one run."""

import os
import subprocess
import sys

from omegaconf import OmegaConf

from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.training.run.folder import find_run, open_run

SCRIPT = """
import sys
from omegaconf import OmegaConf
from rlsf_lightning.training.run.folder import find_run, open_run
from rlsf_lightning.config.schema import Recipe
recipe = OmegaConf.structured(Recipe)
recipe.recipe, recipe.run_dir = "test", sys.argv[1]
run = find_run(recipe)
open_run(recipe, run)
print(run.folder)
"""


def recipe(run_dir):
    made = OmegaConf.structured(Recipe)
    made.recipe, made.run_dir = "test", str(run_dir)
    return made


def opened(run_dir):
    """The folder of a run, made."""
    mine = recipe(run_dir)
    run = find_run(mine)
    assert not run.folder.exists()
    open_run(mine, run)
    return run.folder


def test_two_runs_of_one_process_have_two_folders(tmp_path, monkeypatch):
    monkeypatch.delenv("RLSF_RUN_DIR", raising=False)
    folders = [opened(tmp_path / name) for name in ("one", "two")]
    assert folders == [tmp_path / "one", tmp_path / "two"]
    assert all((folder / "recipe.yaml").exists() for folder in folders)


def test_a_process_that_the_run_starts_shares_its_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("RLSF_RUN_DIR", raising=False)
    opened(tmp_path / "a folder")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "another")]
    started = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=True)
    assert started.stdout.strip() == str(tmp_path / "a folder")
    assert not (tmp_path / "another").exists()
