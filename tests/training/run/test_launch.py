"""A launch keeps its name when it is started again, and shares it with no other one."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from rlsf_lightning.config.schema import Recipe
from rlsf_lightning.training.run.folder import find_run, open_run
from rlsf_lightning.training.run.launch import Launch, launch_of

SLURM = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "2", "SLURM_STEP_ID": "0"}


def test_nobody_would_start_a_plain_process_again():
    assert launch_of({}) is None
    assert launch_of({"SLURM_JOB_ID": "7"}) is None  # a shell inside an allocation


@pytest.mark.parametrize(
    ("environment", "again"),
    [(SLURM, {"SLURM_RESTART_COUNT": "1"}), ({"TORCHELASTIC_RUN_ID": "none"}, {"TORCHELASTIC_RESTART_COUNT": "2"})],
)
def test_a_restart_has_the_name_of_its_launch(environment, again):
    first, second = launch_of(environment), launch_of(environment | again)
    assert first and second and first.name == second.name
    assert (first.is_restart, second.is_restart) == (False, True)


def test_a_launch_that_is_started_again_finds_its_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RLSF_RUN_DIR", raising=False)
    recipe = OmegaConf.structured(Recipe)
    recipe.recipe = "test"
    run = find_run(recipe, launch=Launch("slurm 7.0", False))
    open_run(recipe, run, Launch("slurm 7.0", False))
    monkeypatch.delenv("RLSF_RUN_DIR")
    assert find_run(recipe, launch=Launch("slurm 7.0", True)).folder == run.folder
    assert find_run(recipe, launch=Launch("slurm 8.0", True)).folder != run.folder
