"""An unmarked test over its budget of processor time fails, and nothing else does."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import subprocess, sys, time
import pytest

SPIN = "import time\\nwhile time.process_time() < 0.25: pass"

def spin():
    end = time.process_time() + 0.25
    while time.process_time() < end:
        pass

@pytest.fixture
def costly():
    spin()
    yield
    spin()

def test_computes():
    spin()

def test_has_a_child_compute():
    subprocess.run([sys.executable, "-c", SPIN], check=True)

def test_waits():
    time.sleep(0.5)

def test_has_a_costly_fixture(costly):
    pass

@pytest.mark.slow
def test_slow():
    spin()

@pytest.mark.gpu
def test_gpu():
    spin()

def test_fails_by_itself():
    spin()
    assert 1 == 2
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("CI", raising=False)
    pytester.makeconftest((Path(__file__).parent / "conftest.py").read_text())
    pytester.makeini("[pytest]\nmarkers =\n    slow\n    gpu")
    pytester.makepyfile(TESTS)
    return pytester


def test_only_unmarked_tests_that_compute_for_long_fail(inner: pytest.Pytester) -> None:
    result = inner.runpytest("--time-budget=0.2")
    result.assert_outcomes(passed=4, failed=3)
    over = "*took 0.? s of processor time, over 0.2 s: mark it slow or make it smaller"
    failures = [("computes", over), ("has_a_child_compute", over), ("fails_by_itself", "*assert 1 == 2")]
    for name, reason in failures:
        result.stdout.fnmatch_lines([f"*___ test_{name} ___*", reason])


def test_without_a_budget_none_fails_for_its_time(inner: pytest.Pytester) -> None:
    inner.runpytest("-k", "test_computes").assert_outcomes(passed=1, deselected=6)


def test_ci_has_a_budget(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    config = inner.parseconfigure()
    assert config.getoption("--time-budget") == 5.0
