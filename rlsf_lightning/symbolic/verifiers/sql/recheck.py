"""A second opinion on a certificate about a query: a fresh database, rows sorted and compared in pairs, changes applied.

All that a certificate says is checked but its messages, and that it has no first dead character. Whatever it says, the
answer is True or False: it may come from a stranger.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Verdict
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.sql.compare import groups_of, meaning
from rlsf_lightning.symbolic.verifiers.sql.database import Database, Limits, Result
from rlsf_lightning.symbolic.verifiers.sql.names import ascii_of, places_of, read_message, with_replaced
from rlsf_lightning.symbolic.verifiers.sql.recheck_rows import alike, in_common, in_order, more_of
from rlsf_lightning.symbolic.verifiers.sql.tokens import Token, folded, tokens_of
from rlsf_lightning.symbolic.verifiers.sql.viable import WRITING, is_dead, is_unfinished

_OF_RESULTS = frozenset(("wrong_columns", "wrong_rows", "wrong_order"))
_OF_RUNS = frozenset(("too_costly", "too_large", "runtime_error"))
_STAND_INS = {"unknown_column": "NULL", "ambiguous_column": "NULL", "unknown_table": "sqlite_master"}
_MAX_BAD = 50

#: ``text`` in the place of ``[start, end)`` of the query.
Change = tuple[int, int, str]
Place = tuple[int, int]


@dataclass(frozen=True)
class Subject:
    """What a certificate is about: the query, where it starts in the completion, and what is right."""

    database: Database
    text: str
    offset: int
    tokens: tuple[Token, ...]
    reference: str
    wanted: Result
    limits: Limits
    max_chars: int

    def places(self, finding: Finding) -> list[Place]:
        """Of a finding, in the query."""
        return [(span.start - self.offset, span.end - self.offset) for span in finding.spans]

    def run(self, query: str) -> Result:
        return Result(error="refused") if self.database.error_of(query) else self.database.run(query, self.limits)

    def is_right(self, result: Result) -> bool:
        groups = groups_of(self.database, self.reference, self.wanted, self.limits)
        return in_order(result, self.wanted, groups)


def stands(
    certificate: Certificate, script: str, reference: str, completion: str, limits: Limits, max_chars: int
) -> bool:
    """Whether nothing speaks against the certificate."""
    text, offset = stripped(completion)
    spans = [span for finding in certificate.findings for span in finding.spans]
    if any(not offset <= span.start <= span.end <= offset + len(text) for span in spans):
        return False
    if (certificate.verdict is Verdict.FAIL) != bool(certificate.findings):
        return False
    if certificate.verdict is Verdict.ABSTAIN:
        return certificate.score == 0 and certificate.dead_from is None and set(certificate.witness) == {"error"}
    database, reference = Database(script), reference.strip().rstrip(";")
    wanted = database.run(reference, limits)
    tokens = tuple(tokens_of(text)) if len(text) <= max_chars else ()
    subject = Subject(database, text, offset, tokens, reference, wanted, limits, max_chars)
    place = certificate.dead_from
    if wanted.error is not None or (place is not None and not _dies_at(subject, completion, place)):
        return False
    if certificate.verdict is Verdict.PASS:
        rows = {"rows": [len(wanted.rows), len(wanted.rows)]}
        return place is None and certificate.score == 1 and certificate.witness == rows and _passes(subject)
    kind = certificate.findings[0].kind
    if kind in _OF_RESULTS:
        return len(certificate.findings) == 1 and _stands_on_rows(subject, certificate)
    if kind in _OF_RUNS:
        return len(certificate.findings) == 1 and certificate.score == 0 and _fails_to_run(subject, certificate)
    own = _without_repair(subject, certificate) if certificate.score == 0 else None
    return own is not None and _is_refused(subject, own)


def _passes(subject: Subject) -> bool:
    return _is_legible(subject.text, subject.max_chars) and subject.is_right(subject.run(subject.text))


def _dies_at(subject: Subject, completion: str, place: int) -> bool:
    """What stands before the place is alive, what goes on with the character there is not."""
    if not 0 <= place <= len(completion):
        return False
    before = completion[:place].lstrip()
    if _is_dead(subject, before):
        return False
    if place < len(completion):
        return _is_dead(subject, completion[: place + 1].lstrip())
    text = subject.text
    return is_unfinished(subject.database, text) or is_dead(subject.database, text + " ")


def _is_dead(subject: Subject, text: str) -> bool:
    return not _is_legible(text.strip(), subject.max_chars) or is_dead(subject.database, text)


def _is_legible(text: str, max_chars: int) -> bool:
    return len(text) <= max_chars and not _bad(text)


def _bad(text: str) -> list[Place]:
    return [(i, i + 1) for i, character in enumerate(text) if character == "\0" or 0xD800 <= ord(character) <= 0xDFFF]


def _fails_to_run(subject: Subject, certificate: Certificate) -> bool:
    """SQLite takes the query, but it gives no rows, for the reason that is given."""
    (finding,) = certificate.findings
    error = subject.run(subject.text).error if _is_legible(subject.text, subject.max_chars) else None
    if error is None or error in ("refused", "too slow") or finding.spans:
        return False
    kind = {"too costly": "too_costly", "too large": "too_large"}.get(error, "runtime_error")
    return finding.kind == kind and certificate.witness == {"error": ascii_of(error)}


def _stands_on_rows(subject: Subject, certificate: Certificate) -> bool:
    """A query that runs, and its rows are wrong as the certificate says."""
    (finding,), witness, wanted = certificate.findings, dict(certificate.witness), subject.wanted
    result = subject.run(subject.text) if _is_legible(subject.text, subject.max_chars) else Result(error="refused")
    if result.error is not None or subject.is_right(result):
        return False
    columns = result.columns == wanted.columns
    same = alike(result, wanted)
    kind = "wrong_order" if same else "wrong_rows" if columns else "wrong_columns"
    most = max(len(result.rows), len(wanted.rows), 1)
    share = (len(wanted.rows) if same else in_common(result, wanted)) / most if columns else 0.0
    if finding.kind != kind or not math.isclose(certificate.score, min(MOST_WITHOUT_PASS, share)):
        return False
    repair = witness.pop("repair", None)
    shown = {"missing": more_of(wanted, result), "extra": more_of(result, wanted)}
    if witness != {"rows": [len(result.rows), len(wanted.rows)], **shown}:
        return False
    if "repair" not in certificate.witness:
        return not finding.spans
    changes = _changes(subject, repair)
    return changes is not None and subject.places(finding) == [_place(subject.text, change) for change in changes]


def _changes(subject: Subject, repair: Any) -> list[Change] | None:
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
    return changes if subject.is_right(subject.run("".join([*pieces, subject.text[at:]]))) else None


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


def _place(text: str, change: Change) -> Place:
    """Where a change is; an insertion is at the gap and both of its neighbours."""
    start, end, _ = change
    if start < end:
        return start, end
    while end < len(text) and text[end].isspace():
        end += 1
    return max(0, start - 1), min(len(text), end + 1)


def _without_repair(subject: Subject, certificate: Certificate) -> Certificate | None:
    """The certificate with what SQLite itself shows; None if its changes are not where it says, or do not help."""
    witness, (first, *others) = certificate.witness, certificate.findings
    if not witness:
        return certificate
    shown = witness.get("shown")
    if set(witness) != {"repair", "shown"} or type(shown) is not int or not 0 <= shown <= len(first.spans):
        return None
    changes = _changes(subject, witness["repair"]) if subject.tokens else None
    if changes is None:
        return None
    own = [place for finding in others for place in subject.places(finding)] + subject.places(first)[:shown]
    places = [_place(subject.text, change) for change in changes]
    more = [place for place in places if not any(start <= place[0] and place[1] <= end for start, end in own)]
    if subject.places(first)[shown:] != more:
        return None
    return replace(certificate, findings=(replace(first, spans=first.spans[:shown]), *others))


def _is_refused(subject: Subject, certificate: Certificate) -> bool:
    """Whether a query that SQLite does not take is refused for this, at these places."""
    text, tokens, (finding, *others) = subject.text, subject.tokens, certificate.findings
    places, bad = subject.places(finding), _bad(text)[:_MAX_BAD]
    if len(text) > subject.max_chars:
        return not others and finding.kind == "too_long" and places == [(subject.max_chars, len(text))]
    if bad:
        return not others and finding.kind == "bad_character" and places == bad
    if not tokens:
        return not others and finding.kind == "empty" and not places
    if finding.kind == "unclosed":
        opened = [(tokens[-1].start, tokens[-1].start + 1)]
        return not others and tokens[-1].kind in ("open", "open_blob", "open_comment") and places == opened
    dies = is_dead(subject.database, text + " ")
    message = subject.database.error_of(text)
    if dies and (message is None or read_message(message) is None):
        return not others and _is_where_it_dies(subject, certificate, message)
    if finding.kind == "unexpected_end":
        return not others and message == "incomplete input" and places == [(len(text), len(text))]
    if message is not None and _is_elsewhere(subject, certificate, message):
        return True
    return all(_is_named(subject, one, certificate) for one in certificate.findings)


def _is_where_it_dies(subject: Subject, certificate: Certificate, message: str | None) -> bool:
    """At the token that holds the first dead character, or at the one before, which must not end there."""
    (finding,), dead = certificate.findings, certificate.dead_from
    if dead is None:
        return False
    at = min(dead - subject.offset, len(subject.text) - 1)
    *before, token = [token for token in subject.tokens if token.start <= at] or [subject.tokens[0]]
    if before and before[-1].end == at and is_dead(subject.database, subject.text[:at] + " "):
        token = before[-1]
    odd = token.kind in ("variable", "bad")
    refused = token.name in WRITING or message == "not authorized"
    kind = "bad_character" if odd else "forbidden" if refused else "syntax"
    return finding.kind == kind and subject.places(finding) == [(token.start, token.end)]


def _is_elsewhere(subject: Subject, certificate: Certificate, message: str) -> bool:
    """A message that names no place: at the token with which SQLite first says so, or nowhere if that is the last."""
    (finding, *others), tokens = certificate.findings, subject.tokens
    named = read_message(message)
    if others or (named is not None and places_of(tokens, named[1], named[0].kind)):
        return False
    large = "stack overflow" in message or "too large" in message
    kind = named[0].kind if named is not None else "too_complex" if large else "invalid_query"
    places, known = subject.places(finding), [(token.start, token.end) for token in tokens]
    if finding.kind != ("forbidden" if "not authorized" in message or "prohibited" in message else kind):
        return False
    if len(places) > 1 or not set(places) <= set(known[:-1]):
        return False
    at = known.index(places[0]) if places else len(known) - 1
    *before, said = [subject.database.error_of(subject.text[:end]) for _, end in known[max(0, at - 1) : at + 1]]
    return said == message and message not in before


def _is_named(subject: Subject, finding: Finding, certificate: Certificate) -> bool:
    """With every other place that is blamed out of the way SQLite still complains, and of the name at this one."""
    names = _names(subject.tokens)
    blamed = [(place, one.kind) for one in certificate.findings for place in subject.places(one)]
    places = subject.places(finding)
    if not places or any(place not in names for place, _ in blamed):
        return False

    def is_to_blame(kept: Sequence[Place]) -> bool:
        others = {names[p][0]: _STAND_INS.get(kind, "char") for p, kind in blamed if p not in kept}
        message = subject.database.error_of(with_replaced(subject.text, subject.tokens, others))
        named = None if message is None else read_message(message)
        said = None if named is None else (named[0].kind, folded(named[1]))
        return all(said == (finding.kind, names[place][1]) for place in kept)

    if finding.kind == "unknown_table" and all(_is_no_table(subject, names[place]) for place in places):
        return True
    alone = [is_to_blame([place]) for place in places]
    return all(alone) or (not any(alone) and is_to_blame(places))


def _is_no_table(subject: Subject, name: tuple[Place, str]) -> bool:
    """Whether it stands after FROM or JOIN, and neither the database nor the query has such a table."""
    (i, _), spelled = name
    tokens = subject.tokens
    defined = {token.name for token, after in itertools.pairwise(tokens) if after.name == "as"}
    after = i > 0 and tokens[i - 1].kind == "word" and tokens[i - 1].name in ("from", "join")
    return after and spelled not in subject.database.tables | defined


def _names(tokens: Sequence[Token]) -> dict[Place, tuple[Place, str]]:
    """Places of names, also of dotted ones -> their tokens, from and to, and how they are spelled."""
    names = {}
    for i, token in enumerate(tokens):
        spelled, end = token.name, i + 1
        while spelled is not None:
            names[token.start, tokens[end - 1].end] = ((i, end), spelled)
            further = tokens[end + 1].name if end + 1 < len(tokens) and tokens[end].text == "." else None
            spelled, end = None if further is None else f"{spelled}.{further}", end + 2
    return names
