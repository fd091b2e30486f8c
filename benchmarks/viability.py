"""Is a prefix of a correct object ever called dead? Many prefixes of correct objects, in several spellings, are asked for.

    RLSF_DATA=folder python benchmarks/viability.py [verifiers=game24,sql] [prefixes=100000] [objects=1000]
        [wrong=1000] [spellings=3] [seed=0]

For every verifier that has ``viable``: every prefix of correct objects in several spellings until ``prefixes`` have
been asked,
none of which may be called dead; every prefix of ``wrong`` wrong objects, where dead must stay dead, and of which the first
dead one is compared with the certificate's ``dead_from`` and with the spans; exhaustive search on small cases.
Writes benchmarks/results/viability_<machine>_<date>.json and .md.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from corpora import Case, Injected
from verifiers_common import EXAMPLES, Bench, extent, injections, percent, run, share, shown

from rlsf_lightning.records import Certificate, Span, Verdict

DEFAULTS = {"prefixes": 100_000, "objects": 1000, "wrong": 1000, "spellings": 3}
ABOUT = """
*prefixes*: of correct objects in several spellings, how many were asked for and how many were called dead. *certainly
alive*: the share of them for which `viable` is True, not None. *exhaustive*: prefixes of small cases compared with
exhaustive search, and how many differ (the JSON file has those of six to eight atoms by number of atoms). *monotone*:
wrong objects of which every prefix was asked, and those in which a
prefix lives that is longer than a dead one. *first dead*: of the wrong objects, those that have `dead_from`; of these,
those where `viable` dies elsewhere. *too early*: `dead_from` lies in what the object shares with a correct one. *in a
span*: the first dead character lies in a span of a finding. *ms*: means and medians of wall time.
"""


@dataclass
class Alive:
    """Prefixes of correct objects."""

    texts: int = 0
    prefixes: int = 0
    sure: int = 0
    dead: int = 0
    not_passing: int = 0
    seconds: float = 0.0
    examples: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, bench: Bench, case: Case, most: int) -> None:
        """All prefixes of a correct object, or the first ``most``."""
        self.texts += 1
        if bench.verifier.verify(case.prompt, case.completion).verdict is not Verdict.PASS:
            self.not_passing += 1
            self._keep("does not pass", case, case.completion)
            return
        for end in range(min(most, len(case.completion) + 1)):
            answer, seconds = viable(bench, case, end)
            self.prefixes += 1
            self.seconds += seconds
            self.sure += answer is True
            if answer is False:
                self.dead += 1
                self._keep("called dead", case, case.completion[:end])

    def _keep(self, failure: str, case: Case, prefix: str) -> None:
        if sum(example["failure"] == failure for example in self.examples) < EXAMPLES:
            self.examples.append({"failure": failure, "prefix": ascii(prefix)[:1000], **shown(case)})


def viable(bench: Bench, case: Case, end: int) -> tuple[bool | None, float]:
    """What is said of a prefix, and how long that took."""
    verifier: Any = bench.verifier
    start = time.perf_counter()
    answer: bool | None = verifier.viable(case.prompt, case.completion[:end])
    return answer, time.perf_counter() - start


def measure(bench: Bench) -> dict[str, Any]:
    """All numbers of one verifier."""
    if not hasattr(bench.verifier, "viable"):
        return {"viable": False, "why": bench.why("viable")}
    settings = bench.settings
    cases = bench.corpus.correct(settings["objects"], bench.rng("correct"))
    alive = _alive(bench, cases)
    compared, differing = bench.corpus.exhaustive(bench.verifier, bench.rng("exhaustive"))
    by_atoms = {}
    if hasattr(bench.corpus, "exhaustive_by_atoms"):
        found = bench.corpus.exhaustive_by_atoms(bench.verifier, bench.rng("exhaustive by atoms"))
        compared += sum(each.compared for each in found.values())
        differing += sum(each.differing for each in found.values())
        by_atoms = {str(atoms): each._asdict() for atoms, each in sorted(found.items())}
    dying = _dying(bench, cases)
    topics = (["dead"] if alive.dead else []) + (["exhaustive"] if differing or not compared else [])
    topics += ["elsewhere"] if dying["dies_elsewhere"] else []
    return {
        "viable": True,
        "texts": alive.texts,
        "not_passing": alive.not_passing,
        "prefixes": alive.prefixes,
        "called_dead": alive.dead,
        "certainly_alive": share(alive.sure, alive.prefixes),
        "ms_a_prefix": round(1000 * alive.seconds / max(1, alive.prefixes), 4),
        "exhaustive": {"compared": compared, "differing": differing, "by_atoms": by_atoms},
        **dying,
        "examples": alive.examples,
        "why": bench.why(*topics, *bench.fewer),
    }


def _alive(bench: Bench, cases: list[Case]) -> Alive:
    """Spellings of one case after the other, until enough prefixes were asked for."""
    alive, rng = Alive(), bench.rng("spellings")
    for case in itertools.cycle(cases):
        others = itertools.islice(bench.corpus.spellings(case, rng), bench.settings["spellings"])
        for text in (case.completion, *others):
            most = bench.settings["prefixes"] - alive.prefixes
            if most <= 0 or alive.not_passing > EXAMPLES * EXAMPLES:
                return alive
            alive.ask(bench, Case(case.prompt, text), most)
    return alive


def _dying(bench: Bench, cases: list[Case]) -> dict[str, Any]:
    """Every prefix of wrong objects: no longer one lives than a dead one, and the certificate says which is the first."""
    seen: Counter[str] = Counter()
    examples: list[dict[str, Any]] = []
    ms: list[float] = []
    most = bench.settings["prefixes"] // 2
    for case, injected in injections(bench, cases, bench.settings["wrong"], bench.rng("inject")):
        wrong = Case(case.prompt, injected.completion, injected.edit)
        start = time.perf_counter()
        certificate = bench.verifier.verify(wrong.prompt, wrong.completion)
        ms.append(1000 * (time.perf_counter() - start))
        if certificate.verdict is not Verdict.FAIL:
            continue
        seen["wrong"] += 1
        failures = []
        if seen["prefixes"] < most:
            answers = [viable(bench, wrong, end)[0] for end in range(len(wrong.completion) + 1)]
            seen["prefixes"] += len(answers)
            failures = list(_odd(certificate, answers, seen))
        if certificate.dead_from is not None:
            seen["dead_from"] += 1
            seen["in_span"] += _in_span(certificate, wrong.completion)
            if certificate.dead_from < _shared(case, injected):
                failures.append("too early")
        for failure in failures:
            seen[failure] += 1
            if seen[failure] <= EXAMPLES:
                examples.append({"failure": failure, **shown(wrong, certificate)})
    return {
        "wrong": seen["wrong"],
        "asked_all_prefixes": seen["asked"],
        "not_monotone": seen["not monotone"],
        "dead_from": share(seen["dead_from"], seen["wrong"]),
        "dies_elsewhere": seen["dies elsewhere"],
        "too_early": seen["too early"],
        "in_span": share(seen["in_span"], seen["dead_from"]),
        "ms_a_wrong_completion": round(statistics.median(ms), 4) if ms else None,
        "dying_examples": examples,
    }


def _odd(certificate: Certificate, answers: list[bool | None], seen: Counter[str]) -> list[str]:
    """What does not fit in the answers for all prefixes of a wrong object."""
    seen["asked"] += 1
    odd = []
    first = answers.index(False) if False in answers else None
    if first is not None and any(answer is not False for answer in answers[first:]):
        odd.append("not monotone")
    if certificate.dead_from is not None and certificate.dead_from + 1 < len(answers):
        if first != certificate.dead_from + 1:
            odd.append("dies elsewhere")
    return odd


def _in_span(certificate: Certificate, completion: str) -> bool:
    """Whether the first dead character lies in a span; the end counts as the last character."""
    assert certificate.dead_from is not None
    at = certificate.dead_from
    dead = extent(Span(at, min(at + 1, len(completion))), len(completion))
    spans = [extent(span, len(completion)) for finding in certificate.findings for span in finding.spans]
    return any(dead.overlaps(span) for span in spans)


def _shared(case: Case, injected: Injected) -> int:
    """How many characters a wrong object begins with that the correct one begins with, too."""
    pairs = zip(case.completion, injected.completion, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _of(key: str) -> Any:
    return lambda m: "-" if not m["viable"] else str(m[key])


COLUMNS = {
    "prefixes": _of("prefixes"),
    "called dead": _of("called_dead"),
    "certainly alive": lambda m: percent(m["certainly_alive"]) if m["viable"] else "no `viable`",
    "exhaustive": lambda m: (
        f"{m['exhaustive']['compared']}, {m['exhaustive']['differing']} differ" if m["viable"] else "-"
    ),
    "monotone": lambda m: f"{m['asked_all_prefixes']}, {m['not_monotone']} not" if m["viable"] else "-",
    "first dead": lambda m: f"{percent(m['dead_from'])}, {m['dies_elsewhere']} elsewhere" if m["viable"] else "-",
    "too early": _of("too_early"),
    "in a span": lambda m: percent(m["in_span"]) if m["viable"] else "-",
    "ms a prefix": _of("ms_a_prefix"),
    "ms a wrong completion": _of("ms_a_wrong_completion"),
}


if __name__ == "__main__":
    run("viability", sys.argv[1:], DEFAULTS, measure, COLUMNS, ABOUT)
