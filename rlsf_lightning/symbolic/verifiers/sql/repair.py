"""The smallest change towards the reference that makes a query right: a part of their differences, token by token."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from rlsf_lightning.records import Edit, Span
from rlsf_lightning.symbolic.verifiers.sql.check import RESULT_KINDS, RUN_KINDS, Checked
from rlsf_lightning.symbolic.verifiers.sql.parse import Query
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import Token, meaning, tokens_of
from rlsf_lightning.symbolic.verifiers.sql.task import Task

_MAX_TOKENS = 400
_MAX_TRIED = 40
#: A change of more than this share of a query's tokens says nothing of where it is wrong.
_MOST_CHANGED = 0.5
#: What no change of a few tokens mends.
_NOT_TRIED = RUN_KINDS | {"empty", "too_long", "bad_character", "too_complex"}


class Change(NamedTuple):
    """``text`` in the place of ``[start, end)``."""

    start: int
    end: int
    text: str


def with_repair(checked: Checked, query: Query, task: Task, offset: int) -> Checked:
    """The findings with the spans of the smallest change, which the witness shows at its places in the completion.

    A parser sees many mistakes only later, and wrong rows have no place of their own: where a change would make the query
    right is a place of the first finding, too.
    """
    findings, score, witness = checked
    first = findings[0]
    changes = None if first.kind in _NOT_TRIED else smallest_change(query, task.reference, task.passes)
    if not changes:
        return checked
    shown = [span for finding in findings for span in finding.spans]
    more = tuple(span for span in _spans(changes, query.text) if not any(_holds(other, span) for other in shown))
    blamed = replace(first, spans=first.spans + more)
    repair: dict[str, Any] = {"repair": [[start + offset, end + offset, text] for start, end, text in changes]}
    if first.kind not in RESULT_KINDS:
        repair["shown"] = len(first.spans)
    return Checked([blamed, *findings[1:]], score, {**witness, **repair})


def smallest_change(query: Query, reference: str, is_right: Callable[[str], bool]) -> list[Change] | None:
    """A few of the differences from the reference that are enough to make the query right; None: too many differ.

    None of them can be left out.
    """
    text, ours, theirs = query.text, query.tokens, tokens_of(reference)
    if len(ours) > _MAX_TOKENS or len(theirs) > _MAX_TOKENS:
        return None
    matcher = difflib.SequenceMatcher(None, [meaning(t) for t in ours], [meaning(t) for t in theirs], autojunk=False)
    hunks = [(i, j, k, m) for tag, i, j, k, m in matcher.get_opcodes() if tag != "equal"]
    if len(hunks) > _MAX_TRIED:
        return None
    changes = [_change(text, reference, ours, theirs, hunk) for hunk in hunks]
    needed = next(([change] for change in changes if is_right(changed(text, [change]))), None)
    if needed is None:
        needed = list(changes)
        if not is_right(changed(text, needed)):
            return None
        for change in changes:
            fewer = [other for other in needed if other != change]
            needed = fewer if is_right(changed(text, fewer)) else needed
    touched = sum(any(c.start <= t.start < c.end for c in needed) for t in ours)
    return needed if touched <= _MOST_CHANGED * len(ours) else None


def changed(text: str, changes: Sequence[Change]) -> str:
    """The text after all changes."""
    for change in sorted(changes, reverse=True):
        text = f"{text[: change.start]} {change.text} {text[change.end :]}"
    return text


def edits(completion: str, repair: Sequence[tuple[int, int, str]]) -> tuple[Edit, ...]:
    """A witness's repair as edits of the completion, which put blanks only where two words would meet."""
    found = []
    for start, end, text in sorted(repair):
        before, after = completion[max(0, start - 1) : start], completion[end : end + 1]
        if text:
            new = f"{' ' * _meet(before, text[0])}{text}{' ' * _meet(text[-1], after)}"
        else:
            new = " " * _meet(before, after)
        found.append(Edit(Span(start, end), new))
    return tuple(found)


def _meet(before: str, after: str) -> bool:
    """Whether the two characters would become one token, or might."""
    return (
        bool(before and after) and not before.isspace() and not after.isspace() and after not in ",;)" and before != "("
    )


def _change(
    text: str, reference: str, ours: Sequence[Token], theirs: Sequence[Token], hunk: tuple[int, int, int, int]
) -> Change:
    i, j, k, m = hunk
    word = reference[theirs[k].start : theirs[m - 1].end] if k < m else ""
    if i < j:
        return Change(ours[i].start, ours[j - 1].end, word)
    at = ours[i - 1].end if i else ours[0].start
    return Change(at, at, word)


def _spans(changes: list[Change], text: str) -> tuple[Span, ...]:
    """Where the changes are; where something is missing, from the last character before the gap to the next one."""
    return tuple(Span(c.start, c.end) if c.start < c.end else _gap(c.start, text) for c in changes)


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _gap(at: int, text: str) -> Span:
    behind = len(text) - len(text[at:].lstrip())
    return Span(max(0, at - 1), min(len(text), behind + 1))
