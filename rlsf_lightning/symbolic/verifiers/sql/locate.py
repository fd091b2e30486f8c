"""Locates what SQLite has against a query that its parser takes: the names that are to blame.

SQLite names one thing and no place. Where that name stands more than once, each place is tried by itself: all the others
are replaced by something that is right anywhere, and SQLite is asked again. Then what was found is replaced, so that the
next mistake shows.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.certificates import MAX_FINDINGS, bounded
from rlsf_lightning.symbolic.verifiers.sql.parse import Query
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database
from rlsf_lightning.symbolic.verifiers.sql.sqlite.messages import (
    MessageKind,
    ascii_of,
    is_syntax_error,
    read_message,
)
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import Token, folded

_MAX_ROUNDS = 20
#: Tokens of a name: the first, and the one after the last.
TokenRange = tuple[int, int]
_CALLED = frozenset(("unknown_function", "wrong_arguments", "misuse", "forbidden"))


def name_findings(query: Query, database: Database, message: str) -> list[Finding]:
    """Findings for a query to which SQLite answers ``message``, though its parser takes it; at least one."""
    text, tokens, _ = query
    replaced: dict[TokenRange, str] = {}
    findings: list[Finding] = []
    said: str | None = message
    for _ in range(_MAX_ROUNDS):
        if said is None or (findings and is_syntax_error(said)):
            break
        named = read_message(said)
        guilty = [] if named is None else _guilty(query, database, replaced, named)
        if named is None or not guilty:
            return findings or [_elsewhere(query, database, said, named)]
        spans = tuple(Span(tokens[i].start, tokens[j - 1].end) for i, j in guilty)
        findings.append(Finding(named[0].kind, f"SQLite: {ascii_of(said)}", spans))
        if named[0].kind == "unknown_table":  # its columns would seem to be unknown, too
            findings += _more_tables(tokens, database, guilty)
            break
        replaced |= dict.fromkeys(guilty, named[0].stand_in)
        said = database.error_of(with_replaced(text, tokens, replaced))
    return list(bounded(findings, MAX_FINDINGS - 1))


def with_replaced(text: str, tokens: Sequence[Token], replaced: dict[TokenRange, str]) -> str:
    """The text with other words in the place of ranges of tokens."""
    pieces, at = [], 0
    for (first, behind), word in sorted(replaced.items()):
        pieces += [text[at : tokens[first].start], " ", word, " "]
        at = tokens[behind - 1].end
    return "".join([*pieces, text[at:]])


def ranges_of(tokens: Sequence[Token], name: str, kind: str) -> list[TokenRange]:
    """The tokens that spell a name in full: those of ``a.b`` do not spell ``b``."""
    found = []
    wanted = folded(name)
    for i, token in enumerate(tokens):
        if token.name is None or (i and tokens[i - 1].text == "."):
            continue
        end = i + 1
        while end + 1 < len(tokens) and tokens[end].text == "." and tokens[end + 1].name is not None:
            end += 2
        spelled = ".".join(part.name or "" for part in tokens[i:end:2])
        called = end < len(tokens) and tokens[end].text == "("
        fits = called if kind in _CALLED else not called or kind == "unknown_table"
        if spelled == wanted and (fits or kind == "forbidden"):
            found.append((i, end))
    return found


def _guilty(
    query: Query, database: Database, replaced: dict[TokenRange, str], message: tuple[MessageKind, str]
) -> list[TokenRange]:
    """Where a name is wrong, of all its places."""
    kind, name = message
    ranges = [found for found in ranges_of(query.tokens, name, kind.kind) if found not in replaced]
    if len(ranges) == 1:
        return ranges
    guilty = []
    for kept in ranges:
        others = {other: kind.stand_in for other in ranges if other != kept}
        said = database.error_of(with_replaced(query.text, query.tokens, replaced | others))
        if said is not None and read_message(said) == message:
            guilty.append(kept)
    return guilty or ranges


def _more_tables(tokens: Sequence[Token], database: Database, found: Sequence[TokenRange]) -> list[Finding]:
    """Further unknown tables, by what stands after FROM and JOIN and is neither known nor defined in the query."""
    defined = {token.name for token, after in itertools.pairwise(tokens) if after.name == "as"}
    more = []
    for i in range(1, len(tokens)):
        name, before = tokens[i].name, tokens[i - 1]
        if before.kind != "word" or before.name not in ("from", "join") or tokens[i - 2].name == "distinct":
            continue
        if name is None or name in database.tables or name in defined or name.startswith("sqlite_"):
            continue
        ahead = tokens[i + 1].text if i + 1 < len(tokens) else ""
        if ahead not in (".", "(") and (i, i + 1) not in found:
            span = Span(tokens[i].start, tokens[i].end)
            more.append(Finding("unknown_table", f"there is no table {ascii_of(name)}", (span,)))
    return more


def _elsewhere(query: Query, database: Database, message: str, named: tuple[MessageKind, str] | None) -> Finding:
    """Another message: at the token with which SQLite first says so, if that is before the end."""
    text, tokens, _ = query
    kind = "too_complex" if "stack overflow" in message or "too large" in message else "invalid_query"
    kind = "forbidden" if "not authorized" in message or "prohibited" in message else named[0].kind if named else kind
    low, high = 0, len(tokens)
    while high - low > 1:
        middle = (low + high) // 2
        said = database.error_of(text[: tokens[middle - 1].end])
        low, high = (low, middle) if said == message else (middle, high)
    spans = (Span(tokens[high - 1].start, tokens[high - 1].end),) if 0 < high < len(tokens) else ()
    return Finding(kind, f"SQLite: {ascii_of(message)}", spans)
