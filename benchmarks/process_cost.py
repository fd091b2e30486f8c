"""What it costs to verify in other processes: to start them, to ask them, and to replace one that died.

    python benchmarks/process_cost.py [against=CHECKOUT] [rounds=7] [workers=2] [count=200] [results=FOLDER]

The verifier takes no time (instant.py), so that what is left is the way there and back. ``alone``: one completion is submitted
and waited for; ``in a batch``: ten times ``count`` are. A crash is an exit, a hang a sleep, and the time limit 0.5 s. A tool's
own process answers at once.

With ``against`` another checkout of this project does the same: each round is a process of each, in turns. Medians over
the rounds, and medians of the ratios within a round.

Left out: tools of which a start takes seconds, as they take them in any process; memory.
Writes benchmarks/results/process_cost_<machine>_<date>.json and .md.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from verifiers_common import RESULTS, settings_of

HERE = Path(__file__).parent
DEFAULTS = {"against": "", "rounds": 7, "workers": 2, "count": 200, "results": str(RESULTS)}
Costs = dict[str, float]


def measure(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Rounds of each checkout in turns; all that they took."""
    checkouts = {"this": HERE.parent}
    if settings["against"]:
        checkouts["other"] = Path(settings["against"]).expanduser().resolve()
    rounds: dict[str, list[Costs]] = {name: [] for name in checkouts}
    load = [round(value, 2) for value in os.getloadavg()]
    for number in range(settings["rounds"]):
        names = list(checkouts) if number % 2 else list(checkouts)[::-1]
        for name in names:
            rounds[name].append(costs(checkouts[name], settings))
    return {
        "rounds": rounds,
        "summary": summary(rounds),
        "configuration": {
            "settings": {key: settings[key] for key in ("rounds", "workers", "count")},
            "versions": {name: version(folder) for name, folder in checkouts.items()},
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "load": load,
            "python": platform.python_version(),
        },
    }


def costs(checkout: Path, settings: Mapping[str, Any]) -> Costs:
    """One process of this checkout."""
    command = [sys.executable, str(HERE / "process_cost_child.py"), str(settings["workers"]), str(settings["count"])]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(command, env=environment, cwd=checkout, stdout=subprocess.PIPE, check=True, text=True)
    found: Costs = json.loads(done.stdout)
    return found


def summary(rounds: Mapping[str, Sequence[Costs]]) -> dict[str, Costs]:
    """Of each cost the median of every checkout, and of this one's share in the other's."""
    found = {}
    for cost in rounds["this"][0]:
        found[cost] = {name: median(of[cost] for of in all_of) for name, all_of in rounds.items()}
        if "other" in rounds:
            pairs = zip(rounds["this"], rounds["other"], strict=True)
            found[cost]["ratio"] = median(this[cost] / other[cost] for this, other in pairs)
    return found


def version(checkout: Path) -> str:
    """The commit, if it is one."""
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def table(result: Mapping[str, Any]) -> str:
    """In Markdown, milliseconds."""
    versions, rows = result["configuration"]["versions"], []
    rows = [["ms", *(f"{name} ({commit})" for name, commit in versions.items())]]
    rows[0] += ["ratio"] if "other" in versions else []
    rows += [["---"] * len(rows[0])]
    for cost, found in result["summary"].items():
        ratio = [f"{found['ratio']:.2f}"] if "ratio" in found else []
        rows.append([cost, *(f"{1000 * found[name]:.3g}" for name in versions), *ratio])
    settings = ", ".join(f"{key}={value}" for key, value in result["configuration"]["settings"].items())
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", f"{settings}; load of the machine before: {result['configuration']['load']}."])


def main(arguments: Sequence[str]) -> None:
    settings, _ = settings_of(arguments, DEFAULTS)
    result = measure(settings)
    folder = Path(settings["results"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"process_cost_{platform.machine()}_{os.cpu_count()}cores_{date.today()}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    path.with_suffix(".md").write_text(f"# What other processes cost, {date.today()}\n\n{table(result)}\n")
    print(f"{table(result)}\nwritten to {path} and .md")


if __name__ == "__main__":
    main(sys.argv[1:])
