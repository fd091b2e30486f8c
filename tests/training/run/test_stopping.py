"""Ctrl-C and SIGTERM of a whole command: what it says, what it keeps, that nothing is left running, and that it goes on."""

from __future__ import annotations

import os
import re
import shlex
import signal
import time

import pytest
from launches import SMALL, Launch, alone, finished, only_run, outcome

pytestmark = pytest.mark.slow

WORKERS = [*SMALL, "verifier.workers=2"]
SECOND_STEP = "runs/chem_iupac/*/checkpoints/step-000002.ckpt"


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    folder = tmp_path_factory.mktemp("straight")
    finished(alone, folder, *WORKERS)
    return outcome(only_run(folder))


def interrupt(launch):
    """As a terminal does: every process of the group in its foreground."""
    os.killpg(launch.processes[0].pid, signal.SIGINT)


def interrupt_twice(launch):
    interrupt(launch)
    time.sleep(0.05)
    try:
        interrupt(launch)
    except ProcessLookupError:
        pass


def terminate(launch):
    launch.signal(signal.SIGTERM)


@pytest.mark.parametrize(
    ("hit", "status", "name"),
    [(interrupt, 130, "SIGINT"), (interrupt_twice, 130, "SIGINT"), (terminate, 143, "SIGTERM")],
)
def test_a_run_with_workers_ends_with_the_line_that_goes_on(tmp_path, straight, hit, status, name):
    with Launch(alone, tmp_path, *WORKERS) as launch:
        launch.wait_for(SECOND_STEP)
        assert len(launch.living()) == 3
        hit(launch)
        assert launch.statuses(30) == [status], launch.said()
        said = launch.said()
    assert "Traceback" not in said
    ((stopped, line),) = re.findall(rf"^(stopped by {name} with .*); go on by\n  python -m (.*)$", said, re.MULTILINE)
    run = only_run(tmp_path)
    newest = max((run / "checkpoints").iterdir())
    assert stopped == f"stopped by {name} with {newest.relative_to(tmp_path)} written"
    assert {file.name for file in (run / "adapter").iterdir()} >= {"adapter_model.safetensors", "adapter_config.json"}
    module, *words = shlex.split(line)
    assert module == "rlsf_lightning.fit" and "goes on from" in finished(alone, tmp_path, *words)
    assert outcome(run) == straight


@pytest.mark.parametrize("seconds", [0.5, 1, 2, 4])
def test_ctrl_c_while_it_loads_leaves_nothing(tmp_path, seconds):
    with Launch(alone, tmp_path, *WORKERS) as launch:
        time.sleep(seconds)
        interrupt(launch)
        assert launch.statuses(30) == [130], launch.said()
        assert launch.said().strip() in ("stopped by SIGINT", "")
    assert not (tmp_path / "runs").exists()
