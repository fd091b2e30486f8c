"""The figures before and after training as a table, and the one sentence that they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rlsf_lightning.report.read import Curves, RunFolder, number
from rlsf_lightning.report.text import line

#: Words of ``evaluation.report.Difference``.
WORDS = ("better", "worse", "no clear change", "higher", "lower")
#: Steps at each end of an unfinished run that are averaged.
SHARE = 10


@dataclass(frozen=True)
class Row:
    """One metric, its cells as text."""

    name: str
    before: str
    after: str
    difference: str
    word: str


def rows_of(summary: Mapping[str, Any], before: str = "before", after: str = "after") -> list[Row]:
    """A row for each metric that was measured twice."""
    differences = _mapping(summary.get("difference"))
    first, second = _mapping(summary.get(before)), _mapping(summary.get(after))
    return [
        Row(
            line(name),
            cell(_mapping(first.get(name))),
            cell(_mapping(second.get(name))),
            cell(_mapping(found), key="delta", sign="+"),
            word_of(found),
        )
        for name, found in differences.items()
    ]


def cell(found: Mapping[str, Any], key: str = "value", sign: str = "") -> str:
    """A value with its interval, as ``evaluate`` prints it."""
    value, low, high = (number(found.get(name)) for name in (key, "low", "high"))
    if value is None or low is None or high is None:
        return "-"
    digits = 3 if abs(value) < 10 else 1
    shown = [f"{round(n, digits) + 0.0:{sign}.{digits}f}" for n in (value, low, high)]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def word_of(found: Any) -> str:
    """better, worse, no clear change, higher or lower; "unchanged" where nothing differs at all."""
    found = _mapping(found)
    if all(number(found.get(key)) == 0 for key in ("delta", "low", "high")):
        return "unchanged"
    word = found.get("word")
    return word if word in WORDS and number(found.get("delta")) is not None else "-"


def sentence_of(run: RunFolder) -> str:
    """What a reader should take away of a run, from its figures alone."""
    differences = _mapping(run.summary.get("difference"))
    success = next(iter(differences), None)
    if success is None:
        return _so_far(run)
    n = run.summary.get("n")
    prompts = f" on {n} held-out prompts" if isinstance(n, int) else ""
    sampled = f"sampled_{success}"
    clauses = [_clause("the greedy answer", run.summary, success)]
    if sampled in differences:
        # What changed comes first.
        clauses.append(_clause("one sample", run.summary, sampled))
        clauses.sort(key=lambda clause: "right" not in clause)
    text = "; ".join(clauses)
    return f"{text[0].upper()}{text[1:]}{prompts}."


def _clause(subject: str, summary: Mapping[str, Any], name: str) -> str:
    word = word_of(_mapping(summary.get("difference")).get(name))
    before, after = (
        number(_mapping(_mapping(summary.get(when)).get(name)).get("value")) for when in ("before", "after")
    )
    shares = "" if before is None or after is None else f" ({before:.1%} before, {after:.1%} after)"
    said = {
        "better": "is right more often",
        "worse": "is right less often",
        "unchanged": "is unchanged",
    }.get(word, "shows no clear change")
    return f"{subject} {said}{shares}"


def _so_far(run: RunFolder) -> str:
    """Of a run that has not measured itself before and after: its reward at both ends."""
    points = run.curves.get("reward", [])
    if not points:
        return "Nothing was logged yet."
    first, last = ends(points)
    steps = f"{len(points)} logged step{'s' if len(points) > 1 else ''}"
    return f"Not measured before and after so far; in {steps} the mean reward went from {first:.3g} to {last:.3g}."


def ends(points: list[tuple[int, float]]) -> tuple[float, float]:
    """The means of the first and of the last tenth of a curve."""
    width = max(1, len(points) // SHARE)
    first, last = (sum(value for _, value in part) / width for part in (points[:width], points[-width:]))
    return first, last


def table_of(curves: Curves) -> list[tuple[str, ...]]:
    """Each curve as text: name, at the start, at the end, least, most."""
    rows = []
    for name, points in sorted(curves.items()):
        first, last = ends(points)
        values = [value for _, value in points]
        rows.append((line(name), *(f"{value:.4g}" for value in (first, last, min(values), max(values)))))
    return rows


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
