"""What SQLite has against a query that its parser takes, at the tokens that are to blame.

SQLite names one thing and no place. Where that name stands more than once, each place is tried by itself: all the others
are replaced by something that is right anywhere, and SQLite is asked again. Then what was found is replaced, so that the
next mistake shows.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.sql.database import Database
from rlsf_lightning.symbolic.verifiers.sql.tokens import Token, folded, tokens_of
from rlsf_lightning.symbolic.verifiers.sql.viable import is_syntax_error

MAX_ROUNDS = 20


class Named(NamedTuple):
    """A message of SQLite: the kind of finding, and what stands in for a bad name so that it no longer matters."""

    pattern: re.Pattern[str]
    kind: str
    stand_in: str


MESSAGES = (
    Named(re.compile(r"no such column: (.+)", re.DOTALL), "unknown_column", "NULL"),
    Named(re.compile(r"ambiguous column name: (.+)", re.DOTALL), "ambiguous_column", "NULL"),
    Named(re.compile(r"no such table: (.+)", re.DOTALL), "unknown_table", "sqlite_master"),
    Named(re.compile(r"no such function: (.+)", re.DOTALL), "unknown_function", "char"),
    Named(re.compile(r"wrong number of arguments to function (.+)\(\)", re.DOTALL), "wrong_arguments", "char"),
    Named(
        re.compile(r"misuse of (?:aliased )?(?:aggregate|window)(?: function)?:? (\w+)(?:\(\))?", re.DOTALL),
        "misuse",
        "char",
    ),
    Named(re.compile(r"not authorized to use function: (.+)", re.DOTALL), "forbidden", "char"),
)


def name_findings(database: Database, text: str) -> list[Finding]:
    """Findings for a query that SQLite refuses, though its parser takes it; at least one."""
    tokens = tokens_of(text)
    replaced: dict[tuple[int, int], str] = {}
    findings: list[Finding] = []
    for _ in range(MAX_ROUNDS):
        message = database.error_of(with_replaced(text, tokens, replaced))
        if message is None or (findings and is_syntax_error(message)):
            break
        named = read_message(message)
        places = [] if named is None else _guilty(database, text, tokens, replaced, named)
        if named is None or not places:
            if not findings:
                findings.append(_elsewhere(database, text, tokens, message, named))
            break
        spans = tuple(Span(tokens[i].start, tokens[j - 1].end) for i, j in places)
        findings.append(Finding(named[0].kind, f"SQLite: {ascii_of(message)}", spans))
        if named[0].kind == "unknown_table":  # its columns would seem to be unknown, too
            findings += _more_tables(database, text, tokens, places)
            break
        replaced |= {place: named[0].stand_in for place in places}
    return findings


def read_message(message: str) -> tuple[Named, str] | None:
    """The kind of message, and the name in it."""
    for named in MESSAGES:
        match = named.pattern.fullmatch(message)
        if match:
            return named, match.group(1)
    return None


def with_replaced(text: str, tokens: Sequence[Token], replaced: dict[tuple[int, int], str]) -> str:
    """The text with other words in the place of ranges of tokens."""
    pieces, at = [], 0
    for (first, behind), word in sorted(replaced.items()):
        pieces += [text[at : tokens[first].start], " ", word, " "]
        at = tokens[behind - 1].end
    return "".join([*pieces, text[at:]])


def places_of(tokens: Sequence[Token], name: str, kind: str) -> list[tuple[int, int]]:
    """The ranges of tokens that spell a name in full: ``a.b`` is no place of ``b``."""
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
        is_function = kind in ("unknown_function", "wrong_arguments", "misuse", "forbidden")
        if spelled == wanted and (called if is_function else not called or kind == "unknown_table"):
            found.append((i, end))
        elif spelled == wanted and kind == "forbidden":
            found.append((i, end))
    return found


def _guilty(
    database: Database,
    text: str,
    tokens: Sequence[Token],
    replaced: dict[tuple[int, int], str],
    message: tuple[Named, str],
) -> list[tuple[int, int]]:
    """The places of a name at which it is wrong."""
    named, name = message
    places = [place for place in places_of(tokens, name, named.kind) if place not in replaced]
    if len(places) == 1:
        return places
    guilty = []
    for kept in places:
        others = {place: named.stand_in for place in places if place != kept}
        said = database.error_of(with_replaced(text, tokens, replaced | others))
        if said is not None and read_message(said) == message:
            guilty.append(kept)
    return guilty or places


def _more_tables(
    database: Database, text: str, tokens: Sequence[Token], found: Sequence[tuple[int, int]]
) -> list[Finding]:
    """Further unknown tables, by what stands after FROM and JOIN and is neither known nor defined in the query."""
    defined = {token.name for token, after in itertools.pairwise(tokens) if after.name == "as"}
    more = []
    for i in range(1, len(tokens)):
        name, before = tokens[i].name, tokens[i - 1].name
        known = name is None or name in database.tables or name in defined
        ahead = tokens[i + 1].text if i + 1 < len(tokens) else ""
        if (
            tokens[i - 1].kind == "word"
            and before in ("from", "join")
            and not known
            and ahead not in (".", "(")
            and (i, i + 1) not in found
        ):
            if tokens[i - 2].name != "distinct" and not (name or "").startswith("sqlite_"):
                span = Span(tokens[i].start, tokens[i].end)
                more.append(Finding("unknown_table", f"there is no table {ascii_of(name or '')}", (span,)))
    return more


def _elsewhere(
    database: Database, text: str, tokens: Sequence[Token], message: str, named: tuple[Named, str] | None
) -> Finding:
    """Another message: at the token with which SQLite first says so, if that is before the end."""
    kind = "too_complex" if "stack overflow" in message or "too large" in message else "invalid_query"
    kind = "forbidden" if "not authorized" in message or "prohibited" in message else named[0].kind if named else kind
    low, high = 0, len(tokens)
    while high - low > 1:
        middle = (low + high) // 2
        said = database.error_of(text[: tokens[middle - 1].end])
        low, high = (low, middle) if said == message else (middle, high)
    spans = (Span(tokens[high - 1].start, tokens[high - 1].end),) if 0 < high < len(tokens) else ()
    return Finding(kind, f"SQLite: {ascii_of(message)}", spans)


def ascii_of(message: str) -> str:
    """Short, and without characters that a log cannot hold."""
    return ascii(message)[1:-1][:200]
