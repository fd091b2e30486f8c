"""The script that times a training step on a busy machine."""

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import busy


def cell(waiting, processes, step):
    times = {"generate": step / 2, "update": step / 2, "fastest_step": step, "slowest_step": step}
    return {"waiting": waiting, "busy": processes, "step": step, "threads": 2, **times}


def test_ratios_are_to_the_fastest_step_alone():
    cells = [cell("commands", 0, 1.25), cell("commands", 2, 2.0), cell("default", 0, 1.0), cell("default", 2, 20.0)]
    found = busy.with_ratios(cells)
    assert [one["ratio"] for one in found] == [1.25, 2.0, 1.0, 20.0]
    assert busy.verdict(found).splitlines() == [
        "- commands: 1.25 s beside 0, 2.00 s beside 2; at worst 2.0 times.",
        "- default: 1.00 s beside 0, 20.00 s beside 2; at worst 20.0 times.",
    ]
    (alone,) = busy.with_ratios([cell("commands", 1, 3.0)])
    assert alone["ratio"] is None and busy.verdict([alone]) == "- commands: 3.00 s beside 1."


def test_the_environment_of_each_way_of_waiting():
    assert busy.variables("commands") == busy.variables("default") == {}
    assert busy.variables("passive") == {"OMP_WAIT_POLICY": "PASSIVE"}
    assert busy.variables("1000") == {"GOMP_SPINCOUNT": "1000"}


def test_a_cell_runs_on_its_cores_in_a_clean_environment_beside_others(tmp_path, monkeypatch):
    child = tmp_path / "child.py"
    child.write_text(
        "import json, os, sys\n"
        "print('a line of a library')\n"
        "kept = {k: v for k, v in os.environ.items() if k.startswith(('OMP_', 'GOMP_', 'KMP_'))}\n"
        "print(json.dumps({'argv': sys.argv[1:], 'cores': sorted(os.sched_getaffinity(0)), 'kept': kept}))\n"
    )
    monkeypatch.setattr(busy, "CHILD", child)
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    core = min(os.sched_getaffinity(0))
    found = busy.steps_beside("1000", 1, [core], 7)
    assert found == {"argv": ["1000", "7"], "cores": [core], "kept": {"OMP_NUM_THREADS": "1", "GOMP_SPINCOUNT": "1000"}}


def test_a_busy_process_ends_with_its_block():
    with busy.busy_process([min(os.sched_getaffinity(0))]):
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        commands = [Path(f"/proc/{child}/cmdline").read_text() for child in children]
        assert any("while True: pass" in command for command in commands)
    left = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    assert not any("while True: pass" in Path(f"/proc/{child}/cmdline").read_text() for child in left)


@pytest.mark.slow
def test_it_runs_from_end_to_end(tmp_path):
    busy.main(["busy=0", "waiting=commands", "threads=1", "steps=1", "rounds=1", f"results={tmp_path}"])
    (path,) = tmp_path.glob("busy_*.json")
    found = json.loads(path.read_text())
    assert found["points"][0]["step"] > 0 and found["configuration"]["torch_threads"] == 1
    assert "| commands | 0 |" in path.with_suffix(".md").read_text()
