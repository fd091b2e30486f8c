"""The script that runs every recipe of the wheel."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import recipes_smoke
from recipes_smoke import Ran


def test_the_table_shows_seconds_and_what_failed():
    rows = [
        Ran("one", "validate", 2.4, True, "this data can be trained on"),
        Ran("one", "fit", 61.0, False, "error: no disk"),
        Ran("two", "validate", 0.6, True, ""),
        Ran("two", "fit", 3.0, True, ""),
    ]
    assert list(recipes_smoke.table(rows)) == [
        "| recipe | validate | fit |",
        "|---|---|---|",
        "| one | 2 s | **error: no disk** |",
        "| two | 1 s | 3 s |",
    ]


@pytest.mark.slow
def test_a_recipe_of_the_wheel_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    words = ["recipes=game24", "limit=4", "evaluated=2", f"folder={tmp_path}/made", f"results={tmp_path}"]
    status = recipes_smoke.main(words)
    assert status == 0, capsys.readouterr().out
    (written,) = tmp_path.glob("recipes_smoke_*.json")
    rows = json.loads(written.read_text())["rows"]
    assert [row["command"] for row in rows] == ["validate", "fit", "evaluate", "certify right", "certify wrong"]
    assert [row["said"] for row in rows[-2:]] == ["pass", "fail"]
