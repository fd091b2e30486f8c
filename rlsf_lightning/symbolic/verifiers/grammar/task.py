"""What both ways of judging a text, by a Lark grammar and by JSON with a schema, have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding
from rlsf_lightning.symbolic.verifiers.grammar.regex import Fuel


class Judgement(NamedTuple):
    """No findings: the text is accepted. ``dead``: the first character after which nothing is accepted."""

    findings: list[Finding]
    score: float
    dead: int | None
    witness: dict[str, Any]


class Task(Protocol):
    """What texts are accepted."""

    def judge(self, text: str, fuel: Fuel) -> Judgement:
        """The whole text."""
        ...

    def viable(self, text: str, fuel: Fuel) -> bool | None:
        """Whether the text, or one that begins with it, is accepted; None: cannot tell."""
        ...

    def confirms(self, certificate: Certificate, text: str, fuel: Fuel) -> bool:
        """Whether another algorithm comes to the same end."""
        ...


def first_dead(text: str, is_dead: Callable[[str], bool]) -> int | None:
    """The first character with which the text dies, by bisection; None if all of it is alive."""
    if not is_dead(text):
        return None
    alive, dead = 0, len(text)
    while dead - alive > 1:
        middle = (alive + dead) // 2
        alive, dead = (alive, middle) if is_dead(text[:middle]) else (middle, dead)
    return dead - 1


def share(good: int, length: int, rest: str | None) -> float:
    """How much of the shorter of the text and the nearest one that is accepted stands already."""
    return min(MOST_WITHOUT_PASS, good / max(length, good + (1 if rest is None else len(rest)), 1))
