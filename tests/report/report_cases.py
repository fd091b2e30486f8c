"""Run folders for tests of the report."""

import csv
import json
from pathlib import Path
from typing import Any

import yaml

RECIPE = {
    "recipe": "chem_iupac",
    "policy": {"name": "embedded"},
    "verifier": {"name": "smiles"},
    "algorithm": {"advantage": "prefix_tree", "credit": "viable_prefix"},
}
METRICS = [{"step": str(i), "epoch": "0", "reward": f"{i / 10}", "grad_norm/policy": "1.5"} for i in range(10)]


def certificate(verdict: str = "fail", *findings: tuple, dead: int | None = None, **more: Any) -> dict[str, Any]:
    """``findings``: (kind, message, spans)."""
    listed = [{"kind": kind, "message": told, "spans": spans, "weight": 1.0} for kind, told, spans in findings]
    score = 1.0 if verdict == "pass" else 0.0
    return {"verdict": verdict, "score": score, "dead_from": dead, "findings": listed, "witness": {}, **more}


def record(completion: str, judged: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A line of samples.jsonl, with a token for each character and an end token."""
    tokens = [[i, i + 1] for i in range(len(completion))] + [[len(completion)] * 2]
    return {
        "step": 0,
        "id": "1",
        "prompt": "a prompt",
        "reference": "CCO",
        "completion": completion,
        "ended": True,
        "certificate": judged,
        "tokens": tokens,
        "rewards": {"verifier": [0.0] * (len(tokens) - 1) + [1.0]},
        "advantages": [0.0] * (len(tokens) - 1) + [0.5],
        "logp": [-0.25] * len(tokens),
        **more,
    }


def run_folder(
    folder: Path,
    records: list[Any] = (),  # type: ignore[assignment]
    summary: dict[str, Any] | None = None,
    metrics: list[dict[str, str]] = METRICS,
    recipe: dict[str, Any] = RECIPE,
) -> Path:
    """A folder as ``fit`` leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    with (folder / "metrics.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, sorted({key for row in metrics for key in row}))
        writer.writeheader()
        writer.writerows(metrics)
    lines = [line if isinstance(line, str) else json.dumps(line) for line in records]
    (folder / "samples.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    if summary is not None:
        (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def measured(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def summary(greedy: str = "no clear change", sampled: str = "better") -> dict[str, Any]:
    """A summary.json of 200 prompts."""
    return {
        "recipe": "chem_iupac",
        "steps": 10,
        "seconds": 90.0,
        "split": "test",
        "n": 200,
        "before": {"exact_match": measured(0.45), "sampled_exact_match": measured(0.4)},
        "after": {"exact_match": measured(0.46), "sampled_exact_match": measured(0.6)},
        "difference": {
            "exact_match": {"delta": 0.01, "low": -0.02, "high": 0.04, "word": greedy},
            "sampled_exact_match": {"delta": 0.2, "low": 0.1, "high": 0.3, "word": sampled},
        },
    }
