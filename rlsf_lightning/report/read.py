"""A run's folder as it lies there, read without trust: what is broken or missing is left out and counted."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rlsf_lightning.errors import UserError

RECIPE_FILE = "recipe.yaml"
METRICS_FILE = "metrics.csv"
SAMPLES_FILE = "samples.jsonl"
SUMMARY_FILE = "summary.json"
MACHINE_FILE = "machine.json"
#: Bytes of a line of samples.jsonl above which it counts as broken.
MOST_OF_A_RECORD = 4 << 20

#: Steps that a run can have.
MOST_STEPS = 1 << 50

#: Metric -> its points ``(step, value)``, in the order in which they were logged.
Curves = dict[str, list[tuple[int, float]]]


@dataclass(frozen=True)
class RunFolder:
    """What a run has written so far."""

    folder: Path
    recipe: Mapping[str, Any]
    curves: Curves
    #: Of ``heldout``, when the run has ended; empty before.
    summary: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)

    def records(self) -> Iterator[dict[str, Any] | None]:
        """The records of samples.jsonl in their order; None for a line that is none."""
        path = self.folder / SAMPLES_FILE
        if not path.is_file():
            return
        with path.open("rb") as file:
            while whole := file.readline(MOST_OF_A_RECORD):
                is_whole = whole.endswith(b"\n")
                yield _record(whole) if is_whole else None
                while not is_whole and (rest := file.readline(MOST_OF_A_RECORD)):
                    is_whole = rest.endswith(b"\n")


def read_run(folder: Path) -> RunFolder:
    """The run in a folder. UserError unless it holds a recipe.yaml."""
    try:
        recipe = yaml.safe_load((folder / RECIPE_FILE).read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"run_dir={folder}: no run's folder ({reason}); write run_dir=runs/RECIPE/TIME") from None
    if not isinstance(recipe, dict):
        raise UserError(f"run_dir={folder}: its {RECIPE_FILE} is no recipe; write run_dir=runs/RECIPE/TIME")
    return RunFolder(
        folder, recipe, _curves(folder / METRICS_FILE), _json(folder / SUMMARY_FILE), _json(folder / MACHINE_FILE)
    )


def number(value: Any) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        return None
    is_sample = isinstance(record, dict) and isinstance(record.get("completion"), str)
    return record if is_sample and type(record.get("step")) is int and 0 <= record["step"] < MOST_STEPS else None


def _json(path: Path) -> Mapping[str, Any]:
    """The object in a file; empty where there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _curves(path: Path) -> Curves:
    curves: Curves = {}
    if not path.is_file():
        return curves
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader(line.replace("\0", "") for line in file):
            step = row.get("step") or ""
            if not (step.isascii() and step.isdigit() and len(step) < 15):
                continue
            for name, cell in row.items():
                value = _float(cell) if name and name not in ("step", "epoch") else None
                if value is not None:
                    curves.setdefault(name, []).append((int(step), value))
    return curves


def _float(cell: Any) -> float | None:
    try:
        return number(float(cell))
    except (TypeError, ValueError):
        return None
