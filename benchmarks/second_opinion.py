"""Does anyone else agree with the verdicts? Every verifier's texts are judged once more by a tool that it does not use.

    RLSF_DATA=folder python benchmarks/second_opinion.py [verifiers=game24,sql] [count=5000] [workers=1] [seed=0]

``count`` different texts a verifier: correct ones in several spellings, ones with a known mistake, ones with random edits, the
answers of other prompts, and those that the second opinion brings itself (see ``opinions``). A difference is examined: it is
a fault, to be mended, or it belongs to a class that ``opinions/NAME.py`` explains, and is counted apart. The other tools are
packages of the dependency group `bench` (cpp: the program clang++); a verifier whose tools are missing is named and left out.

Writes benchmarks/results/second_opinion_<machine>_<date>.json and .md, and every difference into the .jsonl beside them.

Leaves out: places of findings (localisation.py), scores and first dead characters (viability.py).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import random
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from importlib import metadata
from itertools import islice
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NamedTuple

import corpora
import opinions
from corpora import Case
from edits import mutated
from opinions import Opinion
from verifiers_common import Bench, injections, run

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Verdict
from rlsf_lightning.symbolic.loader import load_verifier
from rlsf_lightning.symbolic.verifier import Verifier

DEFAULTS = {"count": 5000, "workers": 1}
#: Seconds that an opinion may take; after them it is none.
SECONDS = 20
#: Longer texts are left out: they are for hostile.py.
MOST_CHARS = 4000
#: Shares of the texts; what the module's own are fewer, or drawn twice, is made up for by spellings.
SHARES = {"correct": 0.15, "own": 0.25, "mistake": 0.25, "edited": 0.15, "exchanged": 0.1}
ABOUT = """
The same texts judged by the verifier and by another tool. *undecided*: texts on which the other tool has no opinion, though
the verifier has. *agree*: both say pass, or both fail. *explained*: both differ for a reason that is documented, counted by
class below the table. *differ*: both differ without a reason.
"""


class _TooLong(Exception):
    pass


class _Judged(NamedTuple):
    """``outcome``: of ``compared``, or "explained"; ``reason``: the other tool's; ``row``: of a difference."""

    sort: str
    verdict: str
    outcome: str
    reason: str
    row: dict[str, Any] | None


#: In a worker: its verifier and its second opinion.
_worker: list[tuple[Verifier, ModuleType]] = []


def measure(bench: Bench) -> dict[str, Any]:
    """All numbers of one verifier. Raises UserError where the other tool is not there."""
    module = _module(bench.name)
    if hasattr(module, "OPTIONS"):
        bench = replace(bench, verifier=load_verifier(bench.name, module.OPTIONS))
    return measured_by(bench, module)


def measured_by(bench: Bench, module: ModuleType) -> dict[str, Any]:
    """The same with the module at hand."""
    counts: Counter[str] = Counter()
    sorts: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    rows = []
    for one in _all_judged(bench, module):
        if one.row is not None:
            rows.append({"verifier": bench.name, **one.row})
            classes[one.row["class"]] += 1
        sorts[one.sort] += 1
        counts[one.verdict] += 1
        counts[one.outcome] += 1
        if one.outcome == "undecided":
            reasons[one.reason] += 1
    _keep(Path(bench.settings["results"]), bench.name, rows)
    return {
        "texts": sum(sorts.values()),
        "sorts": dict(sorted(sorts.items())),
        **{key: counts[key] for key in ("pass", "fail", "abstain", "undecided", "agree", "explained", "differ")},
        "classes": dict(sorted(classes.items())),
        "undecided_because": dict(reasons.most_common(12)),
        "tools": {tool: metadata.version(tool) for tool in module.TOOLS},
        "how": module.HOW,
        "why": "; ".join(f"{n} {name}: {module.EXPLAINED.get(name, '?')}" for name, n in sorted(classes.items())),
    }


def _all_judged(bench: Bench, module: ModuleType) -> Iterator[_Judged]:
    """Of every text, in its order; ``workers``: that many processes judge, each with a verifier of its own."""
    workers = bench.settings.get("workers", 1)
    if workers == 1:
        yield from (judged(bench.verifier, module, sort, case) for sort, case in texts(bench, module))
        return
    with multiprocessing.get_context("spawn").Pool(workers, _start_worker, (bench.name,)) as pool:
        yield from pool.imap(_judged_by_worker, texts(bench, module), chunksize=4)


def _start_worker(name: str) -> None:
    module = _module(name)
    options = getattr(module, "OPTIONS", corpora.corpus(name).OPTIONS)
    _worker.append((load_verifier(name, options), module))


def _judged_by_worker(text: tuple[str, Case]) -> _Judged:
    return judged(*_worker[0], *text)


def judged(verifier: Verifier, module: ModuleType, sort: str, case: Case) -> _Judged:
    """What both say of a text, with a row where they differ."""
    certificate = verifier.verify(case.prompt, case.completion)
    said = asked(module, case)
    outcome, row = compared(certificate, said), None
    if outcome == "differ":
        known = module.explain(case, certificate, said)
        assert known is None or known in module.EXPLAINED, f"no reason is given for {known}"
        outcome = "differ" if known is None else "explained"
        row = _row(known or "unexplained", sort, case, certificate, said)
    return _Judged(sort, certificate.verdict.value, outcome, said.reason, row)


def texts(bench: Bench, module: ModuleType) -> Iterator[tuple[str, Case]]:
    """``count`` different texts, each with the sort that it is of."""
    count = bench.settings["count"]
    seen: set[tuple[str, str]] = set()

    def fresh(sort: str, cases: Iterator[Case], most: int) -> Iterator[tuple[str, Case]]:
        end = len(seen) + most
        for case in islice(cases, 20 * most):
            if len(seen) == end:
                return
            key = (case.prompt.id, case.completion)
            if key not in seen and len(case.completion) <= MOST_CHARS:
                seen.add(key)
                yield sort, case

    cases = bench.corpus.correct(min(count, getattr(module, "BASES", count)), bench.rng("correct"))
    sources = {
        "correct": iter(cases),
        "own": module.texts(count, bench.rng("own")) if hasattr(module, "texts") else iter(()),
        "mistake": _mistakes(bench, cases),
        "edited": _edited(cases, bench.rng("edited")),
        "exchanged": _exchanged(cases, bench.rng("exchanged")),
    }
    for sort, source in sources.items():
        yield from fresh(sort, source, int(SHARES[sort] * count))
    yield from fresh("spelling", _spelled(bench, cases), count - len(seen))


def asked(module: ModuleType, case: Case) -> Opinion:
    """What the other tool says; nothing where it fails or takes too long."""
    try:
        with _limit(SECONDS):
            said: Opinion = module.opinion(case)
            return said
    except (_TooLong, MemoryError, RecursionError) as error:
        return Opinion(None, f"gave up: {type(error).__name__}")


def compared(certificate: Certificate, said: Opinion) -> str:
    """``agree``, ``differ``, ``undecided`` by the other, or ``abstained``."""
    if certificate.verdict is Verdict.ABSTAIN:
        return "abstained"
    if said.passes is None:
        return "undecided"
    return "agree" if said.passes is (certificate.verdict is Verdict.PASS) else "differ"


def _module(name: str) -> ModuleType:
    if name not in opinions.names():
        raise UserError(f"there is no second opinion; there is one for {', '.join(opinions.names())}")
    try:
        module = opinions.opinions_of(name)
    except ModuleNotFoundError as error:
        raise UserError(f"no package {error.name}: pip install --group bench (pip 25.1 or later)") from None
    absent = module.absent() if hasattr(module, "absent") else None
    if absent is not None:
        raise UserError(absent)
    return module


def _mistakes(bench: Bench, cases: list[Case]) -> Iterator[Case]:
    for case, injected in injections(bench, cases, 4 * len(cases), bench.rng("inject")):
        yield Case(case.prompt, injected.completion, injected.edit)


def _edited(cases: list[Case], rng: random.Random) -> Iterator[Case]:
    others = [case.completion for case in cases]
    while True:
        case = rng.choice(cases)
        yield Case(case.prompt, mutated(case.completion, others, rng))


def _exchanged(cases: list[Case], rng: random.Random) -> Iterator[Case]:
    while True:
        yield Case(rng.choice(cases).prompt, rng.choice(cases).completion)


def _spelled(bench: Bench, cases: list[Case]) -> Iterator[Case]:
    rng = bench.rng("spellings")
    while True:
        for case in cases:
            for text in islice(bench.corpus.spellings(case, rng), 2):
                yield Case(case.prompt, text)


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Ends what runs in Python; native code has to have limits of its own."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _row(known: str, sort: str, case: Case, certificate: Certificate, said: Opinion) -> dict[str, Any]:
    return {
        "class": known,
        "sort": sort,
        "prompt": case.prompt.id,
        "reference": case.prompt.reference,
        "facts": json.loads(json.dumps(dict(case.prompt.facts), default=str)),
        "completion": case.completion,
        "verdict": certificate.verdict.value,
        "findings": [f"{finding.kind}: {finding.message}"[:300] for finding in certificate.findings],
        "other": said.passes,
        "reason": said.reason[:300],
    }


def _keep(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    """The differences of one verifier take the place of those that are there."""
    path = folder / f"second_opinion_{platform.machine()}_{os.cpu_count()}cores_{date.today()}.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in lines if json.loads(line)["verifier"] != name]
    made = [json.dumps(row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in sorted([*kept, *made])))


COLUMNS = {
    key: (lambda m, key=key: str(m[key]))
    for key in ("texts", "pass", "fail", "abstain", "undecided", "agree", "explained", "differ")
}
COLUMNS["by"] = lambda m: m["how"]


if __name__ == "__main__":
    run("second_opinion", sys.argv[1:], DEFAULTS, measure, COLUMNS, ABOUT)
