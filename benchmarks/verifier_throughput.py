"""What does a certificate cost beside the bare tool? Both work on the same completions, in one process, in turns.

    RLSF_DATA=folder python benchmarks/verifier_throughput.py [verifiers=game24,sql] [completions=1000] [block=50] [seed=0]

Half of the ``completions`` are correct, half have one mistake in them. They come in blocks of ``block``: first one of the two
goes through a block, then the other, each first in every second block. Every completion is new to both. The aim is an
overhead of at most 30 % where the bare tool takes more than 1 ms. Counted is processor time, of this process and of all that
it started: what one core would do, however busy the machine is.
Writes benchmarks/results/verifier_throughput_<machine>_<date>.json and .md.

Leaves out: worker processes, which would use the other cores, and the cache of verdicts.
"""

from __future__ import annotations

import contextlib
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpora import Case
from verifiers_common import Bench, adopting, injections, percent, run

DEFAULTS = {"completions": 1000, "block": 50, "warm_up": 10}
#: The aim holds for tools that take longer (milliseconds), and is this much of their time.
SLOW, AIM = 1.0, 1.3
ABOUT = """
Completions a second of processor time, in one process with the programs that it starts, half of them correct. *bare
tool*: its own
work, called as its manual says. *overhead*: of the verifier over it,
from the times of all blocks (and the median over blocks);
at most 30 % is wanted where the bare tool takes more than 1 ms.
"""


def measure(bench: Bench) -> dict[str, Any]:
    """All numbers of one verifier."""
    with adopting():
        return _measure(bench)


def _measure(bench: Bench) -> dict[str, Any]:
    half = bench.settings["completions"] // 2
    correct = bench.corpus.correct(half, bench.rng("correct"))
    wrong = _wrong(bench, correct, half, "inject")
    count = getattr(bench.corpus, "WARM_UP", bench.settings["warm_up"])
    warm = bench.corpus.correct(count, bench.rng("warm up"))
    for case in [*warm, *_wrong(bench, warm, count, "warm up")]:
        bench.corpus.bare(case)
        verify(bench, case)
    parts = {"correct": blocks(bench, correct), "wrong": blocks(bench, wrong)}
    parts["all"] = [*parts["correct"], *parts["wrong"]]
    numbers = {name: _numbers(times) for name, times in parts.items()}
    missed = numbers["all"]["bare_ms"] > SLOW and numbers["all"]["ratio"] > AIM
    return {**numbers, "aim_missed": missed, "why": bench.why(*(["throughput"] if missed else []))}


def _wrong(bench: Bench, cases: list[Case], count: int, purpose: str) -> list[Case]:
    made = injections(bench, cases, count, bench.rng(purpose))
    return [Case(case.prompt, injected.completion) for case, injected in made]


def verify(bench: Bench, case: Case) -> None:
    bench.verifier.verify(case.prompt, case.completion)


def blocks(bench: Bench, cases: list[Case]) -> list[tuple[float, float, int]]:
    """(seconds of the bare tool, seconds of the verifier, completions) of every block."""
    size = bench.settings["block"]
    times = []
    for number, start in enumerate(range(0, len(cases), size)):
        block = cases[start : start + size]
        if number % 2:
            ours = _timed(lambda case: verify(bench, case), block)
            bare = _timed(bench.corpus.bare, block)
        else:
            bare = _timed(bench.corpus.bare, block)
            ours = _timed(lambda case: verify(bench, case), block)
        times.append((bare, ours, len(block)))
    return times


def _timed(work: Callable[[Case], None], cases: list[Case]) -> float:
    start = processor_seconds()
    for case in cases:
        work(case)
        reap()
    return processor_seconds() - start


def reap() -> None:
    """Wait for processes that ended and were left by those that started them: the time of a sandbox's counts only then."""
    with contextlib.suppress(ChildProcessError):
        while os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG):
            pass


def processor_seconds() -> float:
    """Of this process, of those that it started and that have ended, and of those that run."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    running, waiting = 0, [os.getpid()]
    while waiting:
        folder = Path(f"/proc/{waiting.pop()}")
        with contextlib.suppress(OSError):
            if folder.name != str(os.getpid()):
                running += sum(map(int, (folder / "stat").read_text().rpartition(")")[2].split()[11:15]))
            for children in folder.glob("task/*/children"):
                waiting += map(int, children.read_text().split())
    return time.process_time() + ended.ru_utime + ended.ru_stime + running / os.sysconf("SC_CLK_TCK")


def _numbers(times: list[tuple[float, float, int]]) -> dict[str, float]:
    bare, ours, count = (max(sum(part), 1e-9) for part in zip(*times, strict=True))
    return {
        "completions": count,
        "bare_per_second": round(count / bare, 1),
        "per_second": round(count / ours, 1),
        "bare_ms": round(1000 * bare / count, 4),
        "ms": round(1000 * ours / count, 4),
        "ratio": round(ours / bare, 3),
        "median_ratio": round(statistics.median(b / max(a, 1e-9) for a, b, _ in times), 3),
    }


def _overhead(m: dict[str, Any]) -> str:
    found = m["all"]
    text = f"{percent(round(found['ratio'] - 1, 3))} (median {percent(round(found['median_ratio'] - 1, 3))})"
    return text if found["bare_ms"] > SLOW else f"{text}, tool below 1 ms"


COLUMNS = {
    "bare tool, a second": lambda m: f"{m['all']['bare_per_second']:,.1f}",
    "verifier, a second": lambda m: f"{m['all']['per_second']:,.1f}",
    "bare ms": lambda m: f"{m['all']['bare_ms']:.3f}",
    "verifier ms": lambda m: f"{m['all']['ms']:.3f}",
    "of correct / wrong ones": lambda m: f"{m['correct']['ms']:.3f} / {m['wrong']['ms']:.3f}",
    "overhead": _overhead,
}


if __name__ == "__main__":
    run("verifier_throughput", sys.argv[1:], DEFAULTS, measure, COLUMNS, ABOUT)
