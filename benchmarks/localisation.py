"""Are mistakes found, and at their place? One known mistake is put into each of many correct objects.

    RLSF_DATA=folder python benchmarks/localisation.py [verifiers=game24,sql] [count=1000] [rechecked=1000] [seed=0]

For each verifier: ``count`` correct objects, of which none may get a finding, and ``count`` injected mistakes: the
share that is
found, the share at whose place a finding has a span, and how much of the object is blamed. ``recheck`` must confirm every
certificate, and reject each that is tampered with in one thing (of the first ``rechecked`` correct and wrong ones each).
Writes benchmarks/results/localisation_<machine>_<date>.json and .md.

Leaves out: how long it takes (verifier_throughput.py), whether the first dead character is right (viability.py).
"""

from __future__ import annotations

import random
import statistics
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from corpora import Case, Injected
from verifiers_common import EXAMPLES, Bench, confirms, extent, injections, percent, run, share, shown, tampered

from rlsf_lightning.records import Certificate, Verdict

DEFAULTS = {"count": 1000, "rechecked": 1000}
#: Aims: a place is hit in this share of the cases, and so much of the object is blamed in the median.
HIT, BLAMED = 0.95, 0.25
ABOUT = """
One known mistake in each of many correct objects. *found*: the verdict is FAIL. *hit*: a span of a finding shares a
character with the injected place (an empty span stands for the two characters around it; a finding for the whole object
hits nothing). *blamed*: share of the object's characters that lie in a span, in the median over the found ones (1 where
no finding has a span). *false findings*: correct objects that do not pass. *confirmed*: certificates that `recheck`
confirms, of all. *rejected*: tampered certificates (a shifted span, another verdict, score, witness or first dead
character) that it rejects.
"""


@dataclass
class Tally:
    """What came of the injected mistakes of one kind."""

    injected: int = 0
    found: int = 0
    hit: int = 0
    abstained: int = 0
    without_place: int = 0
    blamed: list[float] = field(default_factory=list)

    def add(self, certificate: Certificate, injected: Injected) -> None:
        self.injected += 1
        self.abstained += certificate.verdict is Verdict.ABSTAIN
        if certificate.verdict is Verdict.FAIL:
            self.found += 1
            self.hit += is_hit(certificate, injected)
            part = blamed_share(certificate, len(injected.completion))
            self.without_place += part is None
            self.blamed.append(1.0 if part is None else part)

    def to_dict(self) -> dict[str, Any]:
        return {
            "injected": self.injected,
            "found": share(self.found, self.injected),
            "hit": share(self.hit, self.found),
            "blamed": round(statistics.median(self.blamed), 4) if self.blamed else None,
            "without_place": share(self.without_place, self.found),
            "abstained": self.abstained,
        }


def is_hit(certificate: Certificate, injected: Injected) -> bool:
    """Whether a span of a finding meets the injected place."""
    length = len(injected.completion)
    place = extent(injected.place, length)
    return any(extent(span, length).overlaps(place) for finding in certificate.findings for span in finding.spans)


def blamed_share(certificate: Certificate, length: int) -> float | None:
    """How much of the object lies in a span; None: no finding has one."""
    spans = [extent(span, length) for finding in certificate.findings for span in finding.spans]
    blamed = {at for span in spans for at in range(span.start, span.end)}
    return len(blamed) / max(1, length) if spans else None


class Rechecks:
    """Whether ``recheck`` tells certificates that stand from those that do not."""

    def __init__(self, bench: Bench, rng: random.Random, most: int) -> None:
        self.bench, self.rng, self.most = bench, rng, most
        self.asked = self.confirmed = 0
        self.tampered: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.examples: list[dict[str, Any]] = []

    def add(self, certificate: Certificate, case: Case, number: int) -> None:
        if number >= self.most:
            return
        self.asked += 1
        answer = confirms(self.bench, certificate, case)
        self.confirmed += answer is True
        if answer is not True:
            self._keep("not confirmed" if answer is False else "recheck raised", case, certificate)
        for what, wrong in tampered(certificate, len(case.completion), self.rng).items():
            self.tampered[what] += 1
            answer = confirms(self.bench, wrong, case)
            self.rejected[what] += answer is False
            if answer is not False:
                self._keep(f"not rejected: {what}" if answer else f"recheck raised: {what}", case, wrong)

    def _keep(self, failure: str, case: Case, certificate: Certificate) -> None:
        if sum(example["failure"] == failure for example in self.examples) < EXAMPLES:
            self.examples.append({"failure": failure, **shown(case, certificate)})

    def to_dict(self) -> dict[str, Any]:
        return {
            "certificates": self.asked,
            "confirmed": share(self.confirmed, self.asked),
            "tampered": self.tampered.total(),
            "rejected": share(self.rejected.total(), self.tampered.total()),
            "rejected_by": {what: share(self.rejected[what], count) for what, count in self.tampered.items()},
            "examples": self.examples,
        }


def measure(bench: Bench) -> dict[str, Any]:
    """All numbers of one verifier."""
    count = bench.settings["count"]
    cases = bench.corpus.correct(count, bench.rng("correct"))
    rechecks = Rechecks(bench, bench.rng("tampered"), bench.settings["rechecked"])
    wrongly, abstained, examples = 0, 0, []
    for number, case in enumerate(cases):
        certificate = bench.verifier.verify(case.prompt, case.completion)
        abstained += certificate.verdict is Verdict.ABSTAIN
        if certificate.verdict is Verdict.FAIL:
            wrongly += 1
            examples.append({"failure": "false finding", **shown(case, certificate)})
        rechecks.add(certificate, case, number)
    tallies: dict[str, Tally] = defaultdict(Tally)
    for number, (case, injected) in enumerate(injections(bench, cases, count, bench.rng("inject"))):
        wrong = Case(case.prompt, injected.completion, injected.edit)
        certificate = bench.verifier.verify(wrong.prompt, wrong.completion)
        rechecks.add(certificate, wrong, number)
        for tally in (tallies["all"], tallies[injected.edit]):
            tally.add(certificate, injected)
        if certificate.verdict is not Verdict.FAIL or not is_hit(certificate, injected):
            failure = "not hit" if certificate.verdict is Verdict.FAIL else "not found"
            place = [injected.place.start, injected.place.end]
            examples.append({"failure": failure, "place": place, **shown(wrong, certificate)})
    total = tallies.pop("all", Tally()).to_dict()
    return {
        "correct": len(cases),
        "false_findings": wrongly,
        "abstained_on_correct": abstained,
        "injected": total,
        "recheck": rechecks.to_dict(),
        "edits": {edit: tally.to_dict() for edit, tally in sorted(tallies.items())},
        "examples": _few(examples),
        "why": bench.why(*_missed(total, wrongly), *bench.fewer),
    }


def _few(examples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Some of every sort of failure."""
    kept: Counter[str] = Counter()
    few = []
    for example in examples:
        kept[example["failure"]] += 1
        if kept[example["failure"]] <= EXAMPLES:
            few.append(example)
    return few


def _missed(total: dict[str, Any], wrongly: int) -> list[str]:
    """Topics of ``WHY`` whose aim is missed."""
    topics = {
        "found": (total["found"] or 0) < 1,
        "hit": (total["hit"] or 0) < HIT,
        "blamed": (total["blamed"] or 0) > BLAMED,
        "false_findings": wrongly > 0,
    }
    return [topic for topic, missed in topics.items() if missed]


COLUMNS = {
    "correct": lambda m: str(m["correct"]),
    "false findings": lambda m: str(m["false_findings"]),
    "injected": lambda m: str(m["injected"]["injected"]),
    "found": lambda m: percent(m["injected"]["found"]),
    "hit": lambda m: percent(m["injected"]["hit"]),
    "blamed": lambda m: percent(m["injected"]["blamed"]),
    "no place": lambda m: percent(m["injected"]["without_place"]),
    "abstained": lambda m: str(m["injected"]["abstained"] + m["abstained_on_correct"]),
    "confirmed": lambda m: f"{percent(m['recheck']['confirmed'])} of {m['recheck']['certificates']}",
    "rejected": lambda m: f"{percent(m['recheck']['rejected'])} of {m['recheck']['tampered']}",
    "found / hit by edit": lambda m: "; ".join(
        f"{edit} {tally['injected']}: {percent(tally['found'])} / {percent(tally['hit'])}"
        for edit, tally in m["edits"].items()
    ),
}


if __name__ == "__main__":
    run("localisation", sys.argv[1:], DEFAULTS, measure, COLUMNS, ABOUT)
