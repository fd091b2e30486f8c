"""Logged completions as the page shows them: cut into pieces at the borders of tokens, findings and lines.

Offsets are resolved here, in characters, so that the page only puts pieces side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from rlsf_lightning.records import Span
from rlsf_lightning.report.read import number
from rlsf_lightning.report.text import MOST, block, line, visible

#: Of a completion that are shown.
MOST_TOKENS = 2000
MOST_FINDINGS = 20
#: Spans of one finding.
MOST_SPANS = 20
VERDICTS = ("pass", "fail", "abstain")


@dataclass(frozen=True)
class Finding:
    """A finding of the certificate, its spans cut to the characters that are there."""

    kind: str
    message: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Sample:
    """One logged completion."""

    step: int
    prompt_id: str
    prompt: str
    reference: str | None
    #: As it was logged, cut at ``MOST`` characters.
    completion: str
    cut: int  # characters that were left out
    ended: bool
    #: One of ``VERDICTS``; "none" without a certificate.
    verdict: str
    score: float | None
    findings: tuple[Finding, ...]
    #: Why the tool abstained.
    reason: str
    #: Character from which on nothing can mend the completion.
    dead_from: int | None
    tokens: tuple[Span, ...]
    #: Name -> one value a token: reward (the sum of all channels), advantage, logp, change (against the reference).
    values: Mapping[str, Sequence[float | None]] = field(default_factory=dict)

    @property
    def kinds(self) -> list[str]:
        return sorted({finding.kind for finding in self.findings})

    def to_page(self) -> dict[str, Any]:
        """JSON-ready: see ``report.js``, which reads it."""
        return {
            "step": self.step,
            "id": line(self.prompt_id),
            "prompt": block(self.prompt),
            "reference": None if self.reference is None else block(self.reference),
            "verdict": self.verdict,
            "score": self.score,
            "ended": self.ended,
            "reason": self.reason,
            "cut": self.cut,
            "dead": self.first_dead_token(),
            "kinds": self.kinds,
            "findings": [[f.kind, f.message] for f in self.findings],
            "pieces": self.pieces(),
            "values": {name: [_short(v) for v in values] for name, values in self.values.items()},
        }

    def first_dead_token(self) -> int | None:
        """The token with which nothing could mend the completion any more; the last where only stopping was wrong."""
        if self.dead_from is None or not self.tokens:
            return None
        ends = (i for i, token in enumerate(self.tokens) if token.end > self.dead_from)
        return next(ends, len(self.tokens) - 1)

    def pieces(self) -> list[list[Any]]:
        """``[text, token, [findings]]`` from left to right; token -1: of none; tokens without text have a piece of none."""
        text, owner = self.completion, self._owners()
        cuts = {0, len(text)} | {i + 1 for i, c in enumerate(text) if c == "\n"}
        cuts |= {i for i in range(1, len(text)) if owner[i] != owner[i - 1]}
        cuts |= {place for f in self.findings for s in f.spans for place in (s.start, s.end)}
        found = []
        places = sorted(cuts)
        for start, end in pairwise(places):
            marks = [i for i, f in enumerate(self.findings) if any(s.overlaps(Span(start, end)) for s in f.spans)]
            found.append((start, owner[start], [visible(text[start:end]), owner[start], marks]))
        shown = set(owner)
        found += [(t.start, i, ["", i, []]) for i, t in enumerate(self.tokens) if i not in shown]
        return [piece for _, _, piece in sorted(found, key=lambda f: (f[0], f[1]))]

    def _owners(self) -> list[int]:
        """The first token of each character; -1 where there is none."""
        owner = [-1] * len(self.completion)
        for index, token in enumerate(self.tokens):
            for place in range(token.start, token.end):
                if owner[place] < 0:
                    owner[place] = index
        return owner


def sample_of(record: Mapping[str, Any]) -> Sample:
    """A record of samples.jsonl; parts of it that are not as they should be are left out."""
    whole = record["completion"]
    text, cut = whole[:MOST], max(0, len(whole) - MOST)
    certificate = record.get("certificate")
    certificate = certificate if isinstance(certificate, dict) else {}
    verdict = certificate.get("verdict")
    witness = certificate.get("witness")
    reason = witness.get("error", "") if isinstance(witness, dict) and verdict == "abstain" else ""
    tokens = [_span(place, len(text)) for place in _list(record.get("tokens"))[:MOST_TOKENS]]
    dead = certificate.get("dead_from")
    return Sample(
        step=record["step"],
        prompt_id=str(record.get("id", "")),
        prompt=str(record.get("prompt") or ""),
        reference=None if record.get("reference") is None else str(record["reference"]),
        completion=text,
        cut=cut,
        ended=bool(record.get("ended", True)),
        verdict=verdict if verdict in VERDICTS else "none",
        score=number(certificate.get("score")),
        findings=tuple(_findings(certificate, len(text))),
        reason=line(reason),
        dead_from=dead if isinstance(dead, int) and 0 <= dead <= len(whole) and verdict == "fail" else None,
        tokens=tuple(token or Span(len(text), len(text)) for token in tokens),
        values=_values(record, len(tokens)),
    )


def _findings(certificate: Mapping[str, Any], length: int) -> list[Finding]:
    found = []
    for finding in _list(certificate.get("findings"))[:MOST_FINDINGS]:
        if isinstance(finding, dict):
            spans = [_span(place, length) for place in _list(finding.get("spans"))[:MOST_SPANS]]
            kind, message = line(finding.get("kind", ""), 60), line(finding.get("message", ""))
            found.append(Finding(kind, message, tuple(span for span in spans if span is not None)))
    return found


def _values(record: Mapping[str, Any], count: int) -> dict[str, list[float | None]]:
    """What is known of each token. Files of earlier versions have no log-probabilities."""
    channels = record.get("rewards")
    columns = [_numbers(c, count) for c in channels.values()] if isinstance(channels, dict) else []
    values: dict[str, list[float | None]] = {
        "reward": [number(sum(v for v in row if v is not None)) for row in zip(*columns, strict=True)]
        if columns
        else [],
        "advantage": _numbers(record.get("advantages"), count),
        "logp": _numbers(record.get("logp"), count),
    }
    reference = _numbers(record.get("ref_logp"), count)
    values["change"] = [
        None if ours is None or theirs is None else number(ours - theirs)
        for ours, theirs in zip(values["logp"], reference, strict=True)
    ]
    return {name: column for name, column in values.items() if any(v is not None for v in column)}


def _numbers(value: Any, count: int) -> list[float | None]:
    numbers = [number(v) for v in _list(value)[:count]]
    return numbers + [None] * (count - len(numbers))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _span(place: Any, length: int) -> Span | None:
    """``[start, end]`` cut to a text of this length; None where it is no span of it."""
    if not (isinstance(place, list) and len(place) == 2 and all(type(p) is int for p in place)):
        return None
    start, end = place
    return Span(start, min(end, length)) if 0 <= start <= min(end, length) else None


def _short(value: float | None) -> float | None:
    """Three significant digits: what can be seen."""
    return None if value is None else float(f"{value:.3g}")
