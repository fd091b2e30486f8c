"""The page of extension points, run as it stands: a file of one's own at every one of them, and a wrong name at each."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extension_points.md").read_text()
WRONG = [
    ("data.source=mine:promts", "`prompts`"),
    ("data.source=iupak", "`iupac`"),
    ("verifier.name=mine:Repeat", "`Repeats`"),
    ("verifier=smile", "`smiles`"),
    ("rollout.engine=mine:carefull", "`careful`"),
    ("rollout.engine=nativ", "`native`"),
    ("answer.extract=mine:quotes", "`quoted`"),
    ("answer.extract=[fense,whole]", "`fence`"),
    ("algorithm.credit=mine:halve", "`halved`"),
    ("algorithm.credit=scaler", "`scalar`"),
    ("algorithm.advantage=mine:centered", "`centred`"),
    ("algorithm.advantage=rlo", "`rloo`"),
    ("algorithm.vine.splitter=mine:halfs", "`halves`"),
    ("algorithm.vine.splitter=linse", "`lines`"),
    ("evaluation.metrics=mine:SUITES", "`SUITE`"),
    ("evaluation.metrics=moleculs", "`molecules`"),
    ("callbacks[mine:Length]={}", "`Lengths`"),
    ("callbacks.sampels={}", "`samples`"),
    ("callbacks[lightning.pytorch.callbacks:EarlyStoping]={}", "`EarlyStopping`"),
    ("logger[mine:Quite]={}", "`Quiet`"),
    ("logger.TensorbordLogger={}", "`TensorBoardLogger`"),
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder with the page's file and recipe in it."""
    place = tmp_path_factory.mktemp("own")
    (place / "mine.py").write_text("\n\n".join(blocks("python")))
    (recipe,) = blocks("yaml")
    (place / "mine.yaml").write_text(recipe)
    return place


def run(
    folder: Path, *words: str, seconds: float = 300, python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"PYTHONPATH": str(ROOT)} if python == sys.executable else {})
    command = [python, "-m", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds)


def trains_and_evaluates(folder: Path, python: str = sys.executable) -> None:
    done = run(folder, "rlsf_lightning.fit", "recipe=mine.yaml", "run_dir=run", python=python)
    assert done.returncode == 0, done.stderr
    with (folder / "run" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 and all(float(row["reward/lengths"]) < 0 for row in rows)
    assert all(-0.5 <= float(row["reward/verifier"]) <= 0.5 for row in rows)
    assert "first_letter" in done.stdout and list((folder / "run").rglob("lightning_logs/*/metrics.csv"))
    measured = run(folder, "rlsf_lightning.evaluate", "recipe=mine.yaml", "format=json", python=python)
    assert measured.returncode == 0, measured.stderr
    assert {"pass_rate", "first_letter", "sampled_pass_rate"} <= json.loads(measured.stdout)["metrics"].keys()


@pytest.mark.slow
def test_a_file_of_ones_own_at_every_extension_point_trains_and_evaluates(folder: Path) -> None:
    trains_and_evaluates(folder)


@pytest.mark.parametrize(("wrong", "right"), WRONG)
def test_a_wrong_name_is_told_at_once_with_the_nearest_right_one(folder: Path, wrong: str, right: str) -> None:
    start = os.times()
    done = run(folder, "rlsf_lightning.fit", "recipe=mine.yaml", wrong)
    end = os.times()
    assert done.returncode == 2 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
    assert right in done.stderr
    used = end.children_user + end.children_system - start.children_user - start.children_system
    assert used < 3, f"{used} s of processor time: torch was imported"
    assert not (folder / "runs").exists()
