"""Queries that SQLite does not take: is one refused for what a certificate says, there?"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from rlsf_lightning.records import Certificate, Finding
from rlsf_lightning.symbolic.certificates import MAX_FINDINGS
from rlsf_lightning.symbolic.verifiers.sql.locate import ranges_of, with_replaced
from rlsf_lightning.symbolic.verifiers.sql.parse import is_bad
from rlsf_lightning.symbolic.verifiers.sql.recheck.subject import Range, Subject
from rlsf_lightning.symbolic.verifiers.sql.sqlite.messages import read_message
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import Token, folded
from rlsf_lightning.symbolic.verifiers.sql.viable import WRITING, is_dead

_STAND_INS = {"unknown_column": "NULL", "ambiguous_column": "NULL", "unknown_table": "sqlite_master"}
_MAX_BAD = 50


def is_refused(subject: Subject, certificate: Certificate) -> bool:
    """Whether a query that SQLite does not take is refused for this, there."""
    text, tokens, (finding, *others) = subject.text, subject.tokens, certificate.findings
    spans, bad = subject.spans(finding), [(i, i + 1) for i, c in enumerate(text) if is_bad(c)][:_MAX_BAD]
    if len(text) > subject.max_chars:
        return not others and finding.kind == "too_long" and spans == [(subject.max_chars, len(text))]
    if bad:
        return not others and finding.kind == "bad_character" and spans == bad
    if not tokens:
        return not others and finding.kind == "empty" and not spans
    if finding.kind == "unclosed":
        opened = [(tokens[-1].start, tokens[-1].start + 1)]
        return not others and tokens[-1].kind in ("open", "open_blob", "open_comment") and spans == opened
    dies = is_dead(subject.database, text + " ")
    message = subject.database.error_of(text)
    if dies and (message is None or read_message(message) is None):
        return not others and _is_where_it_dies(subject, certificate, message)
    if finding.kind == "unexpected_end":
        return not others and message == "incomplete input" and spans == [(len(text), len(text))]
    if message is not None and _is_elsewhere(subject, certificate, message):
        return True
    named = _without_summary(certificate.findings)
    return all(_is_named(subject, one, named) for one in named)


def _without_summary(findings: Sequence[Finding]) -> Sequence[Finding]:
    """Of more mistakes than are listed, the last finding only counts the others."""
    return findings[:-1] if len(findings) == MAX_FINDINGS and not findings[-1].spans else findings


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
    return finding.kind == kind and subject.spans(finding) == [(token.start, token.end)]


def _is_elsewhere(subject: Subject, certificate: Certificate, message: str) -> bool:
    """A message that names no place: at the token with which SQLite first says so, or nowhere if that is the last."""
    (finding, *others), tokens = certificate.findings, subject.tokens
    named = read_message(message)
    if others or (named is not None and ranges_of(tokens, named[1], named[0].kind)):
        return False
    large = "stack overflow" in message or "too large" in message
    kind = named[0].kind if named is not None else "too_complex" if large else "invalid_query"
    spans, known = subject.spans(finding), [(token.start, token.end) for token in tokens]
    if finding.kind != ("forbidden" if "not authorized" in message or "prohibited" in message else kind):
        return False
    if len(spans) > 1 or not set(spans) <= set(known[:-1]):
        return False
    at = known.index(spans[0]) if spans else len(known) - 1
    *before, said = [subject.database.error_of(subject.text[:end]) for _, end in known[max(0, at - 1) : at + 1]]
    return said == message and message not in before


def _is_named(subject: Subject, finding: Finding, findings: Sequence[Finding]) -> bool:
    """With every other name that is blamed out of the way SQLite still complains, and of the name at this one."""
    names = _names(subject.tokens)
    blamed = [(span, one.kind) for one in findings for span in subject.spans(one)]
    spans = subject.spans(finding)
    if not spans or any(span not in names for span, _ in blamed):
        return False

    def is_to_blame(kept: Sequence[Range]) -> bool:
        others = {names[p][0]: _STAND_INS.get(kind, "char") for p, kind in blamed if p not in kept}
        message = subject.database.error_of(with_replaced(subject.text, subject.tokens, others))
        named = None if message is None else read_message(message)
        said = None if named is None else (named[0].kind, folded(named[1]))
        return all(said == (finding.kind, names[span][1]) for span in kept)

    if finding.kind == "unknown_table" and all(_is_no_table(subject, names[span]) for span in spans):
        return True
    alone = [is_to_blame([span]) for span in spans]
    return all(alone) or (not any(alone) and is_to_blame(spans))


def _is_no_table(subject: Subject, name: tuple[Range, str]) -> bool:
    """Whether it stands after FROM or JOIN, and neither the database nor the query has such a table."""
    (i, _), spelled = name
    tokens = subject.tokens
    defined = {token.name for token, after in itertools.pairwise(tokens) if after.name == "as"}
    after = i > 0 and tokens[i - 1].kind == "word" and tokens[i - 1].name in ("from", "join")
    return after and spelled not in subject.database.tables | defined


def _names(tokens: Sequence[Token]) -> dict[Range, tuple[Range, str]]:
    """Ranges of names, also of dotted ones -> their tokens, from and to, and how they are spelled."""
    names = {}
    for i, token in enumerate(tokens):
        spelled, end = token.name, i + 1
        while spelled is not None:
            names[token.start, tokens[end - 1].end] = ((i, end), spelled)
            further = tokens[end + 1].name if end + 1 < len(tokens) and tokens[end].text == "." else None
            spelled, end = None if further is None else f"{spelled}.{further}", end + 2
    return names
