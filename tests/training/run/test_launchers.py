"""Two ranks by each launcher: one run, the numbers of Lightning's own launcher to the bit, however it is hit; none hangs."""

from __future__ import annotations

import os
import signal

import pytest
from launches import (
    SMALL,
    Launch,
    finished,
    lightning,
    only_run,
    outcome,
    slurm,
    torchrun,
    torchrun_that_restarts,
    two_hosts,
)

pytestmark = pytest.mark.slow

LAUNCHERS = [lightning, torchrun, two_hosts, slurm]
#: When there are steps behind it and before it.
THIRD_STEP = "runs/chem_iupac/*/checkpoints/step-000003.ckpt"

#: Fails on one rank in the fifth step.
FAILS = """
from rlsf_lightning import RLSFCallback

class Fails(RLSFCallback):
    writes_rewards = False

    def on_rollout_end(self, trainer, module, rollout):
        if trainer.global_rank == 1 and module.steps_done == 4:
            raise RuntimeError("rank one is broken")
"""

#: Notes its arguments, and the checkpoints that are there.
SCONTROL = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
ls runs/chem_iupac/*/checkpoints >> "$(dirname "$0")/kept"
"""


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """What a run of two ranks comes to that nobody hits, started by Lightning."""
    folder = tmp_path_factory.mktemp("straight")
    finished(lightning, folder, *SMALL)
    found = outcome(only_run(folder))
    assert len(found["metrics"]) == 8 and len({row["reward"] for row in found["metrics"]}) > 2
    return found


def kill_a_rank(launch):
    launch.signal(signal.SIGKILL, launch.rank(1))


def terminate(launch):
    launch.signal(signal.SIGTERM)


def kill_all(launch):
    launch.signal(signal.SIGKILL, *launch.living())


@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.parametrize("hit", [kill_a_rank, terminate, kill_all])
def test_a_run_that_is_hit_goes_on_and_equals_the_straight_one(tmp_path, straight, launcher, hit):
    with Launch(launcher, tmp_path, *SMALL) as launch:
        launch.wait_for(THIRD_STEP)
        hit(launch)
        assert 0 not in launch.statuses()
    said = finished(launcher, tmp_path, *SMALL, "resume=auto")
    assert said.count("goes on from") == 1
    assert outcome(only_run(tmp_path)) == straight


def test_torchrun_starts_the_ranks_again_by_itself(tmp_path, straight):
    with Launch(torchrun_that_restarts, tmp_path, *SMALL) as launch:
        launch.wait_for(THIRD_STEP)
        kill_a_rank(launch)
        assert launch.statuses() == [0], launch.said()
        assert launch.said().count("goes on from") == 1
    assert outcome(only_run(tmp_path)) == straight


@pytest.mark.parametrize("array", [{}, {"SLURM_ARRAY_JOB_ID": "40", "SLURM_ARRAY_TASK_ID": "2"}], ids=["job", "array"])
def test_slurm_is_asked_to_start_the_job_again(tmp_path, straight, array):
    tools = tmp_path / "tools"
    tools.mkdir()
    scontrol = tools / "scontrol"
    scontrol.write_text(SCONTROL)
    scontrol.chmod(0o755)
    path = {"PATH": f"{tools}:{os.environ['PATH']}", **array}
    with Launch(slurm, tmp_path, *SMALL, **path) as launch:
        launch.wait_for(THIRD_STEP)
        launch.signal(signal.SIGUSR1)
        assert 0 not in launch.statuses()
        assert "stopped by SIGUSR1" in launch.said()
    assert (tools / "calls").read_text() == f"requeue {'40_2' if array else '4242'}\n"
    assert "step-000003.ckpt" in (tools / "kept").read_text()
    said = finished(slurm, tmp_path, *SMALL, SLURM_RESTART_COUNT="1", **path)  # as SLURM does, with the same command
    assert said.count("goes on from") == 1
    assert outcome(only_run(tmp_path)) == straight


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_rank_that_fails_ends_all_with_its_message(tmp_path, launcher):
    (tmp_path / "fails.py").write_text(FAILS)
    with Launch(launcher, tmp_path, *SMALL, "callbacks[fails.py:Fails]={}") as launch:
        assert 0 not in launch.statuses()
        assert "RuntimeError: rank one is broken" in launch.said()
