"""Graded score of a completion that is not accepted.

Of a text, the share of it that could stand; of a text that is no JSON, half of that. Of JSON that violates the schema, a half
and half of the share of its values that nothing is said against.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlsf_lightning.records import MOST_WITHOUT_PASS, Finding
from rlsf_lightning.symbolic.verifiers.grammar.parse import Reading
from rlsf_lightning.symbolic.verifiers.grammar.parse.document import Node
from rlsf_lightning.symbolic.verifiers.grammar.parse.text import TextReading


def score_of(reading: Reading, findings: Sequence[Finding], dead_from: int, continuation: str | None) -> float:
    """In [0, 1).

    Args:
        findings: with places.
        dead_from: the first dead character of the completion.
        continuation: what would have to stand from there on, if that is known.
    """
    if isinstance(reading, TextReading):
        good = max(0, min(dead_from - reading.offset, len(reading.text)))
        return _share(good, len(reading.text), continuation)
    if reading.problems:
        return _share(dead_from, len(reading.text), continuation) / 2
    assert reading.root is not None
    starts = [node.start for node in _nodes(reading.root)]
    blamed = {span.start for finding in findings for span in finding.spans}
    return min(MOST_WITHOUT_PASS, 0.5 + max(0.0, 1 - len(blamed) / len(starts)) / 2)


def _share(good: int, length: int, rest: str | None) -> float:
    """How much of the shorter of the text and the nearest one that is accepted stands already."""
    return min(MOST_WITHOUT_PASS, good / max(length, good + (1 if rest is None else len(rest)), 1))


def _nodes(root: Node) -> list[Node]:
    found = [root]
    for node in found:
        found += [child for _, child in node.children if child is not None]
    return found
