"""The records that all folders share: prompts, and the certificates of completions. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

#: What an object that does not pass scores at most, however near it comes: 1 is kept for PASS.
MOST_WITHOUT_PASS = 0.999


@dataclass(frozen=True)
class Prompt:
    """One task for the model. ``text`` is what the user would write, before any template."""

    id: str
    text: str
    #: The known answer, if there is one (a SMILES, a program, a number ...).
    reference: str | None = None
    #: How a supervised warm start should spell the answer, if not as ``reference``.
    target: str | None = None
    #: Whatever else a verifier of this domain needs (tests of a program, numbers of a puzzle ...).
    facts: Mapping[str, Any] = field(default_factory=dict)
    #: Further columns of its row that ``data.template`` names. The verifier does not look at them.
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, order=True)
class Span:
    """A half-open range of characters ``[start, end)`` of the completion."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"a span needs 0 <= start <= end, got [{self.start}, {self.end})")

    def overlaps(self, other: Span) -> bool:
        """Whether both share at least one character."""
        return max(self.start, other.start) < min(self.end, other.end)


class Verdict(StrEnum):
    """What the tool says of the whole object. ABSTAIN: the tool failed or has no opinion, so nothing is learnt from it."""

    PASS = "pass"
    FAIL = "fail"
    ABSTAIN = "abstain"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. No span means that it concerns the whole object (something missing, say)."""

    kind: str
    message: str
    spans: tuple[Span, ...] = ()
    weight: float = 1.0


@dataclass(frozen=True, order=True)
class Edit:
    """``text`` in the place of the characters of ``span``; of an empty span: before the character that it begins at."""

    span: Span
    text: str


@dataclass(frozen=True)
class Certificate:
    """What a symbolic tool found out about one completion.

    Invariants, checked here: ``score`` is 1 exactly when the verdict is PASS; an object that passes has no finding,
    no ``dead_from`` and no ``repair``; the edits of a repair are in order and do not overlap.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    #: Graded progress in [0, 1].
    score: float = 0.0
    #: Character offset at which the first dead token begins: before it some continuation passes, from it on none does.
    #: Equal to the completion's length where only stopping there was wrong. None: not known.
    dead_from: int | None = None
    #: What a small independent checker needs to confirm the findings without trusting the tool.
    witness: Mapping[str, Any] = field(default_factory=dict)
    tool: str = ""
    version: str = ""
    seconds: float = 0.0
    #: The characters that were judged: the answer, empty at the end where there is none. None: the whole completion.
    answer: Span | None = None
    #: Edits of the completion with which it passes. Empty: none was looked for, or none was found.
    repair: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"score must be in [0, 1], got {self.score}")
        if (self.score == 1.0) != (self.verdict is Verdict.PASS):
            raise ValueError(f"score is 1 exactly when the verdict is PASS, got {self.score} with {self.verdict.value}")
        if self.verdict is Verdict.PASS and (self.findings or self.dead_from is not None):
            raise ValueError("an object that passes can have neither findings nor dead_from")
        if self.repair and self.verdict is not Verdict.FAIL:
            raise ValueError(f"only what fails can be repaired, not {self.verdict.value}")
        if any(before.span.end > after.span.start for before, after in pairwise(self.repair)):
            raise ValueError(f"the edits of a repair must be in order and apart, got {self.repair}")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: spans as ``[start, end]`` pairs."""
        judged = {} if self.answer is None else {"answer": [self.answer.start, self.answer.end]}
        repair = [[edit.span.start, edit.span.end, edit.text] for edit in self.repair]
        return {
            "verdict": self.verdict.value,
            "score": self.score,
            "dead_from": self.dead_from,
            **judged,
            "findings": [
                {
                    "kind": f.kind,
                    "message": f.message,
                    "spans": [[s.start, s.end] for s in f.spans],
                    "weight": f.weight,
                }
                for f in self.findings
            ],
            **({"repair": repair} if repair else {}),
            "witness": dict(self.witness),
            "tool": self.tool,
            "version": self.version,
            "seconds": round(self.seconds, 6),
        }
