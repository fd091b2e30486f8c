"""Changes that a witness claims to mend the query: they are applied, and must be differences from the reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlsf_lightning.records import Certificate
from rlsf_lightning.symbolic.verifiers.sql.recheck.subject import Range, Subject
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import meaning, tokens_of

#: ``text`` in the place of ``[start, end)`` of the query.
Change = tuple[int, int, str]


def changes_of(subject: Subject, repair: Any) -> list[Change] | None:
    """The changes of a witness, if they are from token to token, from the reference, and make the query right."""
    if not isinstance(repair, list | tuple) or not repair:
        return None
    starts, ends = {token.start for token in subject.tokens}, {token.end for token in subject.tokens}
    changes: list[Change] = []
    for change in repair:
        if not isinstance(change, list | tuple) or [type(part) for part in change] != [int, int, str]:
            return None
        start, end, word = change[0] - subject.offset, change[1] - subject.offset, change[2]
        is_gap = start == end and (start in ends or start == subject.tokens[0].start)
        if not (is_gap and word) and not (start < end and start in starts and end in ends):
            return None
        if not _is_difference(subject, (start, end, word)) or (changes and start < changes[-1][1]):
            return None
        changes.append((start, end, word))
    pieces, at = [], 0
    for start, end, word in changes:
        pieces += [subject.text[at:start], " ", word, " "]
        at = end
    return changes if subject.passes("".join([*pieces, subject.text[at:]])) else None


def range_of(text: str, change: Change) -> Range:
    """Where a change is; an insertion is at the gap and both of its neighbours."""
    start, end, _ = change
    if start < end:
        return start, end
    while end < len(text) and text[end].isspace():
        end += 1
    return max(0, start - 1), min(len(text), end + 1)


def without_repair(subject: Subject, certificate: Certificate) -> Certificate | None:
    """The certificate with what SQLite itself shows; None if its changes are not where it says, or do not help."""
    witness, (first, *others) = certificate.witness, certificate.findings
    if not witness:
        return certificate
    shown = witness.get("shown")
    if set(witness) != {"repair", "shown"} or type(shown) is not int or not 0 <= shown <= len(first.spans):
        return None
    changes = changes_of(subject, witness["repair"]) if subject.tokens else None
    if changes is None:
        return None
    own = [span for finding in others for span in subject.spans(finding)] + subject.spans(first)[:shown]
    spans = [range_of(subject.text, change) for change in changes]
    more = [span for span in spans if not any(start <= span[0] and span[1] <= end for start, end in own)]
    if subject.spans(first)[shown:] != more:
        return None
    return replace(certificate, findings=(replace(first, spans=first.spans[:shown]), *others))


def _is_difference(subject: Subject, change: Change) -> bool:
    """Whether the word stands in the reference between the same two tokens (or ends) as in the query."""
    start, end, word = change
    before = [meaning(token) for token in subject.tokens if token.end <= start][-1:]
    after = [meaning(token) for token in subject.tokens if token.start >= end][:1]
    theirs = tokens_of(subject.reference)
    meanings = [meaning(token) for token in theirs]
    behind = {token.end: i + 1 for i, token in enumerate(theirs)}
    for i in range(len(theirs) + bool(not word)):
        at = theirs[i].start if i < len(theirs) else len(subject.reference)
        j = i if not word else behind.get(at + len(word), -1) if subject.reference.startswith(word, at) else -1
        if j >= i and meanings[max(0, i - 1) : i] == before and meanings[j : j + 1] == after:
            return True
    return False
