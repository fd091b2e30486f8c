"""Does the pool keep its promise where tools fail? A thousand tasks, of which many hang, crash or eat memory.

    python benchmarks/pool_under_fire.py [tasks=1000] [hangs=50] [crashes=50] [hogs=50] [workers=2] [timeout=2]
        [megabytes=512] [seed=0]

The rest are answers to the game of 24, whose certificates must be those that this process comes to by itself. Every fault must
be an abstention of its own task and of no other. A worker may hold ``megabytes`` here, less than the pool's usual limit, so
that hogs reach it on any machine before their time is over.
Writes benchmarks/results/pool_under_fire_<machine>_<date>.json and .md.

Leaves out: faults of the pool's own process, and of the machine.
"""

from __future__ import annotations

import json
import os
import platform
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import corpora
from on_fire import OnFire
from verifiers_common import RESULTS, settings_of

from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.execution import worker_processes
from rlsf_lightning.symbolic.execution.pool import VerifierPool
from rlsf_lightning.symbolic.execution.worker_server import Pair

DEFAULTS = {"tasks": 1000, "hangs": 50, "crashes": 50, "hogs": 50, "workers": 2, "timeout": 2.0, "megabytes": 512,
            "results": str(RESULTS)}  # fmt: skip
_PAGE = os.sysconf("SC_PAGE_SIZE")


def tasks(settings: dict[str, Any]) -> list[Pair]:
    """Answers, right and wrong ones, and faults among them, in random order."""
    rng = random.Random(settings["seed"])
    game = corpora.corpus("game24")
    faults = [("hang", n) for n in range(settings["hangs"])] + [("crash", n) for n in range(settings["crashes"])]
    faults += [("hog", n) for n in range(settings["hogs"])]
    pairs: list[Pair] = []
    for number, case in enumerate(game.correct(settings["tasks"] - len(faults), rng)):
        injected = game.inject(case, rng) if number % 2 else None
        pairs.append((case.prompt, injected.completion if injected else case.completion))
    for number, fault in enumerate(faults):
        pairs.append((Prompt(f"fault {number}", "", facts={"numbers": [4, 6], "fault": list(fault)}), "4*6"))
    rng.shuffle(pairs)
    return pairs


def measure(settings: dict[str, Any]) -> dict[str, Any]:
    """All numbers."""
    pairs = tasks(settings)
    alone = OnFire()
    expected = [None if "fault" in prompt.facts else alone.verify(prompt, text) for prompt, text in pairs]
    worker_processes.MAX_MEMORY = settings["megabytes"] << 20
    start = time.perf_counter()
    limits = {"workers": settings["workers"], "timeout": settings["timeout"]}
    with Peak() as peak, VerifierPool("on_fire:OnFire", {}, **limits) as pool:
        started = time.perf_counter()
        certificates = pool.submit(pairs).result()
        answered = time.perf_counter()
    seen, reasons = Counter[str](), Counter[str]()
    for (prompt, _), wanted, certificate in zip(pairs, expected, certificates, strict=True):
        abstained = certificate.verdict is Verdict.ABSTAIN
        if wanted is None:
            seen["abstentions"] += abstained
            seen["verdicts on faults"] += not abstained
            reasons[f"{prompt.facts['fault'][0]}: {certificate.witness.get('error')}"] += 1
        else:
            seen["real verdicts"] += _same(certificate, wanted)
            seen["lost"] += abstained
            seen["other verdicts"] += not abstained and not _same(certificate, wanted)
            if abstained:
                reasons[f"no fault: {certificate.witness.get('error')}"] += 1
    return {
        "certificates": len(certificates),
        "real_verdicts": seen["real verdicts"],
        "abstentions": seen["abstentions"],
        "lost": seen["lost"],
        "other_verdicts": seen["other verdicts"] + seen["verdicts on faults"],
        "seconds": round(answered - started, 2),
        "seconds_to_start": round(started - start, 2),
        "peak_megabytes_of_a_process": peak.megabytes,
        "reasons": dict(sorted(reasons.items())),
        "configuration": {
            "settings": {key: value for key, value in settings.items() if key not in ("results", "verifiers")},
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "load": [round(value, 2) for value in os.getloadavg()],
            "python": platform.python_version(),
        },
    }


class Peak:
    """The most memory that one process below this one held, looked up every few milliseconds."""

    def __init__(self) -> None:
        self.megabytes = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.02):
            waiting = [os.getpid()]
            while waiting:
                folder = Path(f"/proc/{waiting.pop()}")
                try:
                    size = int((folder / "statm").read_text().split()[1]) * _PAGE >> 20
                    waiting += [int(pid) for path in folder.glob("task/*/children") for pid in path.read_text().split()]
                except OSError:
                    continue
                if folder.name != str(os.getpid()):
                    self.megabytes = max(self.megabytes, size)


def _same(one: Certificate, other: Certificate) -> bool:
    return replace(one, seconds=0.0) == replace(other, seconds=0.0)


def table(result: dict[str, Any]) -> str:
    """In Markdown."""
    settings = result["configuration"]["settings"]
    faults = settings["hangs"] + settings["crashes"] + settings["hogs"]
    rows = [
        ("tasks", settings["tasks"]),
        (f"of them hang / crash / eat memory (workers {settings['workers']}, {settings['timeout']} s each)",
         f"{settings['hangs']} / {settings['crashes']} / {settings['hogs']}"),
        (f"real verdicts, equal to those of this process (wanted: {settings['tasks'] - faults})", result["real_verdicts"]),
        (f"abstentions on faults (wanted: {faults})", result["abstentions"]),
        ("abstentions on others", result["lost"]),
        ("other verdicts", result["other_verdicts"]),
        ("seconds in all (and to start the pool)", f"{result['seconds']} ({result['seconds_to_start']})"),
        ("most memory of one worker", f"{result['peak_megabytes_of_a_process']} MB"),
    ]  # fmt: skip
    reasons = [f"- {count} x {reason}" for reason, count in result["reasons"].items()]
    return "\n".join(["| | |", "| --- | --- |", *(f"| {a} | {b} |" for a, b in rows), "", *reasons])


def main(arguments: list[str]) -> None:
    settings, _ = settings_of(arguments, DEFAULTS)
    result = measure(settings)
    folder = Path(settings["results"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"pool_under_fire_{platform.machine()}_{os.cpu_count()}cores_{date.today()}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    path.with_suffix(".md").write_text(f"# A pool under fire, {date.today()}\n\n{table(result)}\n")
    print(f"{table(result)}\nwritten to {path} and .md")


if __name__ == "__main__":
    main(sys.argv[1:])
