"""What stands in the environment when torch is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rlsf_lightning.config.environment import WAITING, prepare_environment

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "own",
    [
        {"OMP_WAIT_POLICY": "ACTIVE"},
        {"GOMP_SPINCOUNT": "1000"},
        {"KMP_BLOCKTIME": "200"},
        {"OMP_WAIT_POLICY": "PASSIVE"},
    ],
)
def test_who_chose_how_threads_wait_is_left_alone(own):
    environment = dict(own, TQDM_DISABLE="0")
    prepare_environment(environment)
    assert environment == {**own, "TQDM_DISABLE": "0"}


def test_threads_spin_for_a_moment_and_then_sleep():
    environment = {"OMP_NUM_THREADS": "3", "OMP_WAIT_POLICY": ""}
    prepare_environment(environment)
    assert environment["GOMP_SPINCOUNT"] == "1000" and environment["KMP_BLOCKTIME"] == "1"
    assert environment["OMP_WAIT_POLICY"] == ""
    assert environment["OMP_NUM_THREADS"] == "3"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_bars_of_libraries_are_for_terminals(monkeypatch, is_terminal):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal, raising=False)
    environment: dict[str, str] = {}
    prepare_environment(environment)
    assert environment.get("TQDM_DISABLE") == (None if is_terminal else "1")


@pytest.mark.parametrize("name", ["fit", "sft", "evaluate", "certify", "export"])
def test_a_command_sets_it_before_torch_is_imported(name, tmp_path):
    code = f"""
import os, sys
from rlsf_lightning.__main__ import main
assert "GOMP_SPINCOUNT" not in os.environ and "tqdm" not in sys.modules
main(["{name}", "--help"])
assert os.environ["GOMP_SPINCOUNT"] == "1000" and "torch" not in sys.modules
"""
    environment = {name: value for name, value in os.environ.items() if name not in WAITING}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
