"""The cells of containers.py: what surrounds a command in each, and the table."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import containers

PYTHON = Path(sys.executable)


def around(cell: str, folder: Path) -> containers.Surroundings:
    with containers.surroundings(cell.split("+"), PYTHON, folder, folder) as found:
        return found


def test_a_cell_says_what_the_command_sees(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("HOME", "/home/somebody")
    plain, homeless, core = (around(cell, tmp_path) for cell in ("plain", "homeless", "core+lost"))
    assert plain.wrapper == [] and plain.environment["HOME"] == "/home/somebody"
    assert "OMP_NUM_THREADS" not in plain.environment and "HOME" not in homeless.environment
    assert len(core.cores) == 1 and core.environment["HOME"] == "/nonexistent"
    user = around("user+readonly", tmp_path)
    assert user.wrapper[0] == "bwrap" and "--reuid=65534" in user.wrapper
    assert user.wrapper[user.wrapper.index(str(tmp_path)) - 1] == "--ro-bind"
    with pytest.raises(SystemExit, match="no such cell: moon"):
        around("moon", tmp_path)


def test_a_quota_that_cannot_be_set_is_pretended_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "GROUPS", tmp_path / "none")
    found = around("quota", tmp_path)
    assert found.quota == "pretended" and found.tasks is None
    assert (tmp_path / "cgroup" / "cpu.max").read_text() == "150000 100000\n"
    assert str(tmp_path / "cgroup") in found.wrapper


def test_the_table_has_a_row_a_job_and_the_tale_of_what_failed():
    passed = containers.Outcome("3.12", "quota", "steps", 0, 20.4, "cores: 1", "control group")
    failed = containers.Outcome("3.13", "user", "tests", 1, 99.0, "2 failed", tale="E  KeyError: 'HOME'")
    assert containers.told("x\ncores: 2, of which 1 for torch\n", "steps") == "cores: 2, of which 1 for torch"
    assert containers.told("F\n1 failed, 2 passed in 3s\n", "tests") == "1 failed, 2 passed in 3s"
    lines = containers.table([passed, failed]).splitlines()
    assert lines[2] == "| 3.12 | quota (control group) | steps | passes | 20 | cores: 1 |"
    assert lines[3] == "| 3.13 | user | tests | status 1 | 99 | 2 failed |"
    assert "E  KeyError: 'HOME'" in lines
