"""From reports to figures and tables: medians, spreads and ratios. Standard library alone."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

STAGES = ("generate", "score", "verify", "update")


def summary(reports: Sequence[Mapping[str, Any]], warmups: int) -> dict[str, Any]:
    """Medians of the iterations behind the warm-ups; the memory peak is that of all of them."""
    counted = reports[warmups:]
    assert counted, f"{len(reports)} reports leave none behind {warmups} warm-ups"
    speeds = [r["tokens"] / r["seconds"] for r in counted]
    stages = sorted({stage for r in counted for stage in r["stages"]})
    return {
        "tokens_per_second": statistics.median(speeds),
        "spread": spread(speeds),
        "tokens_per_cpu_second": statistics.median(r["tokens"] / r["cpu_seconds"] for r in counted),
        "seconds": statistics.median(r["seconds"] for r in counted),
        "cpu_seconds": statistics.median(r["cpu_seconds"] for r in counted),
        "tokens": statistics.median(r["tokens"] for r in counted),
        **{peak: max(r[peak] for r in reports) for peak in ("peak_mb", "device_peak_mb") if peak in counted[0]},
        "stages": {s: statistics.median(r["stages"].get(s, 0.0) for r in counted) for s in stages},
        "iterations": len(counted),
    }


def spread(values: Sequence[float]) -> float:
    """Half the distance from the least to the largest, as a share of the median."""
    return (max(values) - min(values)) / 2 / statistics.median(values)


def stage_split(contender: Mapping[str, Any]) -> dict[str, float]:
    """The four stages of an iteration and what is outside them, in seconds, whatever the contender's seams are called."""
    stages, total = contender["stages"], contender["seconds"]
    if "score" in stages:  # ours
        split = {stage: stages.get(stage, 0.0) for stage in STAGES}
    elif "update" in stages:  # PPOTrainer: all between sampling and the first minibatch
        rest = total - stages["generate"] - stages["update"]
        split = {"generate": stages["generate"], "score": rest, "verify": 0.0, "update": stages["update"]}
    else:  # GRPOTrainer: all that is not within its sampling and scoring
        both = stages["generate and score"]
        score = both - stages["generate"]
        split = {"generate": stages["generate"], "score": score, "verify": 0.0, "update": total - both}
    return split | {"rest": total - sum(split.values())}


def compare(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, float]:
    """How many times faster and smaller ours is."""
    on_gpu = "device_peak_mb" in ours and "device_peak_mb" in theirs
    return {
        "speed": ours["tokens_per_second"] / theirs["tokens_per_second"],
        "speed_of_cpu_time": ours["tokens_per_cpu_second"] / theirs["tokens_per_cpu_second"],
        "memory": theirs["peak_mb"] / ours["peak_mb"],
        "memory_beyond_loaded": _beyond(theirs) / _beyond(ours),
        **({"device_memory": theirs["device_peak_mb"] / ours["device_peak_mb"]} if on_gpu else {}),
    }


def _beyond(contender: Mapping[str, Any]) -> float:
    return max(1.0, contender["peak_mb"] - contender["loaded_mb"])


def learns(rewards: Sequence[float], by: float) -> bool:
    """Whether the mean of the last quarter is above that of the first by at least ``by``."""
    quarter = len(rewards) // 4
    assert quarter > 0, f"{len(rewards)} rewards have no quarters"
    return statistics.mean(rewards[-quarter:]) - statistics.mean(rewards[:quarter]) >= by


def table(cells: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown: a row a cell, then a row a contender with its stages, then who died of what, then who learnt."""
    parts = [_comparisons(cells), _stages(cells), _deaths(cells), _learners(cells)]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _comparisons(cells: Mapping[str, Mapping[str, Any]]) -> list[str]:
    compared = [cell for cell in cells.values() if "model" in cell]
    on_gpu = any("device_peak_mb" in cell.get(side, {}) for cell in compared for side in ("ours", "rival"))
    return [
        "| model, lengths | rival | ours tok/s | rival tok/s | speed | by CPU time | memory, MB | ratio | beyond loaded |"
        + (" GPU memory, MB | ratio |" if on_gpu else ""),
        "|---|---|---|---|---|---|---|---|---|" + ("---|---|" if on_gpu else ""),
        *(_comparison(cell, on_gpu) for cell in compared),
    ]


def _comparison(cell: Mapping[str, Any], on_gpu: bool) -> str:
    sides, ratio = [cell.get("ours", {}), cell.get("rival", {})], cell.get("ratio", {})

    def both(key: str) -> str:
        return " / ".join(f"{side[key]:.0f}" if key in side else "-" if side else "died" for side in sides)

    def times(key: str, form: str) -> str:
        return form.format(ratio[key]) if key in ratio else "-"

    speeds = [f"{c['tokens_per_second']:.0f} ±{c['spread']:.0%}" if c else "died" for c in sides]
    columns = [f"{cell['model']}, {cell['mode']}", cell["rival_name"], *speeds]
    columns += [times("speed", "**{:.2f}x**"), times("speed_of_cpu_time", "{:.2f}x")]
    columns += [both("peak_mb"), times("memory", "1/{:.1f}"), times("memory_beyond_loaded", "1/{:.1f}")]
    if on_gpu:
        columns += [both("device_peak_mb"), times("device_memory", "1/{:.1f}")]
    return f"| {' | '.join(columns)} |"


def _stages(cells: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = [
        "Seconds of an iteration (median of each stage):",
        "",
        "| cell | contender | tokens | generate | score | verify | update | rest | iteration | CPU |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, cell in cells.items():
        for who in ("ours", "rival"):
            if c := cell.get(who):
                split = stage_split(c)
                seconds = " | ".join(f"{split[s]:.2f}" for s in (*STAGES, "rest"))
                lines.append(
                    f"| {name} | {who} | {c['tokens']:.0f} | {seconds} | {c['seconds']:.2f} | {c['cpu_seconds']:.2f} |"
                )
    return lines


def _deaths(cells: Mapping[str, Mapping[str, Any]]) -> list[str]:
    deaths = [(name, who, why) for name, cell in cells.items() for who, why in cell.get("died", {}).items()]
    if not deaths:
        return []
    rows = [f"| {name} | {who} | {why.replace('|', '/')} |" for name, who, why in deaths]
    return ["Died:", "", "| cell | contender | the last line of its error |", "|---|---|---|", *rows]


def _learners(cells: Mapping[str, Mapping[str, Any]]) -> list[str]:
    learnt = {name: cell for name, cell in cells.items() if "learns" in cell}
    if not learnt:
        return []
    lines = ["The same trivial task (share of tokens from the upper half of the vocabulary):", ""]
    lines += ["| contender | reward, first quarter | last quarter | learns |", "|---|---|---|---|"]
    for name, cell in learnt.items():
        verdict = "yes" if cell["learns"] else "NO"
        lines.append(f"| {name} | {cell['first']:.3f} | {cell['last']:.3f} | {verdict} |")
    return lines
