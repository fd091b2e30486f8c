"""What the benchmarks of the verifiers share: arguments, the verifiers and their corpora, tampered certificates, results.

A result is kept for each verifier by itself, with its configuration, in benchmarks/results/THEME_<machine>_<date>.json, and
all that are there stand in the table beside it (.md): a later run for some verifiers replaces theirs alone.

A corpus may have names beside those of its contract: ``FEWER``, a dictionary of settings that are smaller for it where the
tool is slow; ``WHY``, reasons that are printed beside the numbers that miss their aim (and for ``FEWER``); ``LIMIT``, the
seconds that a call may take; ``WARM_UP``, how many completions a tool needs to get as fast as it will be; ``ORDINARY``, cases
that make the verifier do all that it does in its ordinary work, where correct ones do not.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import arguments
import corpora
from corpora import Case, Injected

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Finding, Span, Verdict
from rlsf_lightning.symbolic.loader import load_verifier
from rlsf_lightning.symbolic.verifier import Verifier

RESULTS = Path(__file__).parent / "results"
#: A draw of an injection may come to nothing; so many are tried for each that is wanted.
DRAWS = 30
#: Failures that are kept as examples.
EXAMPLES = 10
_PR_SET_CHILD_SUBREAPER = 36

Settings = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """A verifier with its corpus and the settings that hold for it."""

    name: str
    corpus: ModuleType
    verifier: Verifier
    settings: Settings

    def rng(self, purpose: str) -> random.Random:
        """The same numbers in every run with the same seed."""
        return random.Random(f"{self.settings['seed']} {self.name} {purpose}")

    @property
    def fewer(self) -> list[str]:
        """The settings that are smaller for this corpus."""
        wanted = getattr(self.corpus, "FEWER", {})
        return [key for key, value in wanted.items() if self.settings.get(key) == value]

    def why(self, *topics: str) -> str:
        """The corpus's reasons for these topics."""
        reasons: Mapping[str, str] = getattr(self.corpus, "WHY", {})
        return " ".join(reasons[topic] for topic in topics if topic in reasons)


def settings_of(words: Sequence[str], defaults: Settings) -> tuple[Settings, set[str]]:
    """``key=value`` arguments over defaults, each of its default's type, and the keys that were given."""
    return arguments.read(words, {"verifiers": "all", "seed": 0, **defaults})


def bench_of(name: str, settings: Settings, given: set[str]) -> Bench:
    """The verifier with its corpus; what the corpus wants fewer of is fewer, unless it was asked for."""
    corpus = corpora.corpus(name)
    fewer = {key: value for key, value in getattr(corpus, "FEWER", {}).items() if key in settings and key not in given}
    return Bench(name, corpus, load_verifier(name, corpus.OPTIONS), {**settings, **fewer})


def injections(bench: Bench, cases: Sequence[Case], count: int, rng: random.Random) -> Iterator[tuple[Case, Injected]]:
    """``count`` mistakes, over and over through the cases. Ends early where most draws make nothing that is wrong."""
    made = 0
    for draw in range(DRAWS * count):
        if made == count:
            return
        case = cases[draw % len(cases)]
        injected = bench.corpus.inject(case, rng)
        if injected is not None:
            made += 1
            yield case, injected


def extent(span: Span, length: int) -> Span:
    """A span without a character stands for the two characters around it."""
    if span.start < span.end:
        return span
    return Span(max(0, span.start - 1), min(length, span.end + 1))


def tampered(certificate: Certificate, length: int, rng: random.Random) -> dict[str, Certificate]:
    """The same certificate with one thing changed in each, by what was changed. None of them holds."""
    if certificate.verdict is Verdict.ABSTAIN:
        return {}
    changed: dict[str, Certificate] = {}
    if certificate.verdict is Verdict.PASS:
        whole = (Finding("tampered", "made up"),)
        changed["verdict"] = replace(certificate, verdict=Verdict.FAIL, score=0.5, findings=whole)
    else:
        changed["verdict"] = replace(certificate, verdict=Verdict.PASS, score=1.0, findings=(), dead_from=None)
        other = certificate.score + (0.1 if certificate.score < 0.5 else -0.1)
        changed["score"] = replace(certificate, score=other)
    with_place = [at for at, finding in enumerate(certificate.findings) if finding.spans]
    if with_place:
        at = rng.choice(with_place)
        finding = certificate.findings[at]
        by = 1 if all(span.end < length for span in finding.spans) else -1
        if by == 1 or all(span.start > 0 for span in finding.spans):
            moved = replace(finding, spans=tuple(Span(span.start + by, span.end + by) for span in finding.spans))
            findings = (*certificate.findings[:at], moved, *certificate.findings[at + 1 :])
            changed["span"] = replace(certificate, findings=findings)
    if certificate.dead_from is not None:
        by = rng.choice([by for by in (-1, 1) if 0 <= certificate.dead_from + by <= length] or [1])
        changed["dead_from"] = replace(certificate, dead_from=certificate.dead_from + by)
    if certificate.witness:
        key = rng.choice(sorted(certificate.witness))
        witness = {**certificate.witness, key: _other(certificate.witness[key], rng)}
        changed["witness"] = replace(certificate, witness=witness)
    return changed


def _other(value: Any, rng: random.Random) -> Any:
    """The same JSON but for one value in it."""
    if isinstance(value, Mapping) and value:
        key = rng.choice(sorted(value, key=str))
        return {**value, key: _other(value[key], rng)}
    if isinstance(value, list | tuple) and value:
        at = rng.randrange(len(value))
        return [*value[:at], _other(value[at], rng), *value[at + 1 :]]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}\u2620" if isinstance(value, str) else ["tampered"]  # in no language a part of what was right


def confirms(bench: Bench, certificate: Certificate, case: Case) -> bool | None:
    """What ``recheck`` says; None where it raises, which it must not."""
    verifier: Any = bench.verifier
    try:
        answer: bool = verifier.recheck(certificate, case.prompt, case.completion)
        return answer
    except Exception:
        return None


def shown(case: Case, certificate: Certificate | None = None) -> dict[str, Any]:
    """An example of a failure, for the result file."""
    found = {} if certificate is None else {"certificate": certificate.to_dict()}
    return {"prompt": case.prompt.id, "name": case.name, "completion": ascii(case.completion)[:2000], **found}


def share(part: float, whole: float) -> float | None:
    """Rounded; None of nothing."""
    return round(part / whole, 4) if whole else None


def percent(value: float | None) -> str:
    """For a table."""
    if value is None:
        return "-"
    return f"{100 * value:.2f} %".replace(".00 %", " %")


@contextmanager
def adopting() -> Iterator[None]:
    """What loses its parent in here becomes a child of this process, so that it is seen. No longer than this: what nobody
    waits for stays behind as a zombie, and counts against its user's limit on processes.
    """
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def run(
    theme: str,
    words: Sequence[str],
    defaults: Settings,
    measure: Callable[[Bench], dict[str, Any]],
    columns: Mapping[str, Callable[[dict[str, Any]], str]],
    about: str,
) -> None:
    """Measure every chosen verifier, print the table and write the results.

    Args:
        theme: of the result files.
        columns: of the table: title -> what stands there, made of what ``measure`` returned.
        about: what the columns mean, above the table.
    """
    settings, given = settings_of(words, {"results": str(RESULTS), **defaults})
    chosen = corpora.names() if settings["verifiers"] == "all" else settings["verifiers"].split(",")
    unknown = sorted(set(chosen) - set(corpora.names()))
    if unknown:
        sys.exit(f"verifiers={','.join(unknown)}: there is a corpus for {', '.join(corpora.names())}")
    folder = Path(settings["results"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{theme}_{platform.machine()}_{os.cpu_count()}cores_{date.today()}.json"
    for name in chosen:
        start = time.perf_counter()
        try:
            bench = bench_of(name, settings, given)
            measured = measure(bench)
        except UserError as error:
            print(f"{name}: left out: {error}", file=sys.stderr)
            continue
        measured["seconds"] = round(time.perf_counter() - start, 1)
        measured["configuration"] = configuration(bench)
        known = json.loads(path.read_text()) if path.exists() else {}
        known = dict(sorted({**known, name: measured}.items()))
        path.write_text(json.dumps(known, indent=1) + "\n")
        text = f"# {theme}, {date.today()}\n\n{about.strip()}\n\n{table(known, columns)}\n"
        path.with_suffix(".md").write_text(text)
        print(f"{table({name: measured}, columns)}\n", flush=True)
    print(f"written to {path} and .md")


def configuration(bench: Bench) -> dict[str, Any]:
    """All that the numbers depend on."""
    settings = {key: value for key, value in bench.settings.items() if key not in ("results", "verifiers")}
    return {
        "date": str(date.today()),
        "settings": settings,
        "options": bench.corpus.OPTIONS,
        "real_data": "RLSF_DATA" in os.environ,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
        "rlsf_lightning": metadata.version("rlsf-lightning"),
    }


def table(results: Mapping[str, dict[str, Any]], columns: Mapping[str, Callable[[dict[str, Any]], str]]) -> str:
    """In Markdown, one row a verifier; reasons below."""
    rows = [["verifier", *columns], ["---"] * (1 + len(columns))]
    rows += [[name, *(cell(measured) for cell in columns.values())] for name, measured in results.items()]
    reasons = [f"- {name}: {measured['why']}" for name, measured in results.items() if measured.get("why")]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, *(["", *reasons] if reasons else [])])
