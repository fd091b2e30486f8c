"""The script that times worker processes: medians and ratios, and a run of two checkouts from end to end."""

import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import process_cost  # noqa: E402


def test_ratios_are_taken_within_a_round() -> None:
    this = [{"start": 1.0}, {"start": 2.0}, {"start": 9.0}]
    other = [{"start": 2.0}, {"start": 8.0}, {"start": 9.0}]
    assert process_cost.summary({"this": this})["start"] == {"this": 2.0}
    assert process_cost.summary({"this": this, "other": other})["start"] == {"this": 2.0, "other": 8.0, "ratio": 0.5}


def test_it_runs_from_end_to_end(tmp_path: Path) -> None:
    process_cost.main(["rounds=1", "workers=1", "count=3", f"against={BENCHMARKS.parent}", f"results={tmp_path}"])
    (found,) = (json.loads(path.read_text()) for path in tmp_path.glob("*.json"))
    assert {name: len(rounds) for name, rounds in found["rounds"].items()} == {"this": 1, "other": 1}
    for cost, values in found["summary"].items():
        assert values["ratio"] == pytest.approx(values["this"] / values["other"]), cost
    assert found["summary"]["batch of 64 with a hang"]["this"] > 0.5  # the time limit
    (table,) = (path.read_text() for path in tmp_path.glob("*.md"))
    assert "| start of all |" in table and "ratio" in table
