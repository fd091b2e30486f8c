"""A second opinion on a certificate about a query: a fresh database, sorted rows compared pair by pair, changes applied."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Span, Verdict
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.sql.compare import groups_of
from rlsf_lightning.symbolic.sql.database import Database, Limits, Result, Row
from rlsf_lightning.symbolic.sql.names import read_message, with_replaced
from rlsf_lightning.symbolic.sql.tokens import Token, tokens_of
from rlsf_lightning.symbolic.sql.viable import is_dead

_OF_RESULTS = frozenset(("wrong_columns", "wrong_rows", "wrong_order"))
_NAMED = frozenset(
    "unknown_table unknown_column unknown_function ambiguous_column wrong_arguments misuse forbidden invalid_query "
    "too_complex".split()
)


def stands(
    certificate: Certificate, script: str, reference: str, completion: str, limits: Limits, max_chars: int
) -> bool:
    """Whether nothing speaks against the certificate."""
    text, offset = stripped(completion)
    kinds = [finding.kind for finding in certificate.findings]
    spans = [span for finding in certificate.findings for span in finding.spans]
    if any(not offset <= span.start <= span.end <= offset + len(text) for span in spans):
        return False
    if (certificate.verdict is Verdict.FAIL) != bool(kinds):
        return False
    if certificate.verdict is Verdict.ABSTAIN:
        return not kinds and certificate.score == 0 and certificate.dead_from is None
    database = Database(script)
    place = certificate.dead_from
    if place is not None and not _dies_at(database, completion, place, max_chars):
        return False
    if len(text) > max_chars or not text:
        return kinds == ["too_long" if text else "empty"] and certificate.score == 0
    if set(kinds) & _OF_RESULTS or not kinds:
        wanted = database.run(reference.strip().rstrip(";"), limits)
        return _stands_on_rows(certificate, database, text, offset, reference, wanted, limits)
    if certificate.score != 0:
        return False
    if set(kinds) & {"too_costly", "too_large", "runtime_error"}:
        return database.error_of(text) is None and database.run(text, limits).error is not None
    own = _without_repair(certificate, database, text, offset, reference, limits)
    return own is not None and all(_shows(database, finding, own, text, offset) for finding in own.findings)


def _without_repair(
    certificate: Certificate, database: Database, text: str, offset: int, reference: str, limits: Limits
) -> Certificate | None:
    """The certificate with what SQLite itself shows; None if the changes do not make the query right."""
    if "repair" not in certificate.witness:
        return certificate
    first, shown = certificate.findings[0], certificate.witness.get("shown")
    own = [span for finding in certificate.findings for span in finding.spans if finding is not first]
    own += first.spans[:shown]
    places = [Span(*place) for place in _places(certificate.witness["repair"], text, offset)]
    more = [place for place in places if not any(s.start <= place.start <= place.end <= s.end for s in own)]
    wanted = database.run(reference.strip().rstrip(";"), limits)
    if list(first.spans[shown:]) != more or not _becomes_right(certificate, database, text, offset, wanted, limits):
        return None
    return replace(certificate, findings=(replace(first, spans=first.spans[:shown]), *certificate.findings[1:]))


def _dies_at(database: Database, completion: str, place: int, max_chars: int) -> bool:
    """What stands before the place is alive, what goes on with the character there is not."""
    if not 0 <= place <= len(completion):
        return False
    before, after = (completion[:end].lstrip() for end in (place, place + 1))
    alive = len(before.strip()) <= max_chars and not _is_dead(database, before, max_chars)
    if place < len(completion):
        return alive and _is_dead(database, after, max_chars)
    unfinished = database.error_of(before) == "incomplete input" or tokens_of(before)[-1].kind.startswith("open")
    return alive and (unfinished or _is_dead(database, before + " ", max_chars))


def _is_dead(database: Database, text: str, max_chars: int) -> bool:
    bad = any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)
    return bad or len(text) > max_chars or is_dead(database, text)


def _stands_on_rows(
    certificate: Certificate, database: Database, text: str, offset: int, reference: str, wanted: Result, limits: Limits
) -> bool:
    """The verdict on a query that runs: PASS, or one finding about its rows."""
    result = Result(error="refused") if database.error_of(text) else database.run(text, limits)
    if result.error is not None or wanted.error is not None:
        return False
    ours, theirs = _sorted(result.rows), _sorted(wanted.rows)
    same = result.columns == wanted.columns and len(ours) == len(theirs)
    same = same and all(_alike(a, b) for a, b in zip(ours, theirs, strict=True))
    groups = groups_of(database, reference.strip().rstrip(";"), wanted, limits)
    ordered = same and _in_order(result.rows, wanted.rows, groups)
    if certificate.verdict is Verdict.PASS:
        return ordered
    kind = certificate.findings[0].kind
    right_kind = "wrong_columns" if result.columns != wanted.columns else "wrong_order" if same else "wrong_rows"
    if len(certificate.findings) != 1 or kind != right_kind or ordered:
        return False
    common = 0 if kind == "wrong_columns" else len(ours) if same else _common(list(ours), list(theirs))
    share = common / max(len(ours), len(theirs), 1)
    if not math.isclose(certificate.score, min(MOST_WITHOUT_PASS, share)):
        return False
    witness = certificate.witness
    if witness.get("rows") != [len(ours), len(theirs)]:
        return False
    if not _all_in(witness.get("missing", []), theirs, ours) or not _all_in(witness.get("extra", []), ours, theirs):
        return False
    return _repairs(certificate, database, text, offset, wanted, limits)


def _repairs(
    certificate: Certificate, database: Database, text: str, offset: int, wanted: Result, limits: Limits
) -> bool:
    """The changes lie where the finding says, and make the rows right."""
    changes = certificate.witness.get("repair")
    spans = certificate.findings[0].spans
    if changes is None:
        return not spans
    if [(span.start, span.end) for span in spans] != _places(changes, text, offset):
        return False
    return _becomes_right(certificate, database, text, offset, wanted, limits)


def _places(changes: list[list[Any]], text: str, offset: int) -> list[tuple[int, int]]:
    """Where changes are; an insertion is at the gap and both of its neighbours."""
    places = []
    for start, end, _ in changes:
        if start == end:
            while end - offset < len(text) and text[end - offset].isspace():
                end += 1
            start, end = max(offset, start - 1), min(offset + len(text), end + 1)
        places.append((start, end))
    return places


def _becomes_right(
    certificate: Certificate, database: Database, text: str, offset: int, wanted: Result, limits: Limits
) -> bool:
    for start, end, word in sorted(certificate.witness["repair"], reverse=True):
        text = f"{text[: start - offset]} {word} {text[end - offset :]}"
    result = database.run(text, limits)
    return (
        result.error is None
        and len(result.rows) == len(wanted.rows)
        and result.columns == wanted.columns
        and all(_alike(a, b) for a, b in zip(_sorted(result.rows), _sorted(wanted.rows), strict=True))
    )


def _shows(database: Database, finding: Finding, certificate: Certificate, text: str, offset: int) -> bool:
    """Whether a query that SQLite refuses is refused for this, at this place."""
    tokens = tokens_of(text)
    places = [(span.start - offset, span.end - offset) for span in finding.spans]
    if finding.kind == "empty":
        return not tokens
    if finding.kind == "bad_character":
        odd = [(t.start, t.end) for t in tokens if t.kind in ("variable", "bad")]
        return bool(places) and all(p in odd or text[p[0] : p[1]] == "\0" or _is_surrogate(text[p[0]]) for p in places)
    if finding.kind == "unclosed":
        return tokens[-1].kind.startswith("open") and places == [(tokens[-1].start, tokens[-1].start + 1)]
    if finding.kind == "unexpected_end":
        return database.error_of(text) == "incomplete input" and places == [(len(text), len(text))]
    if any(place not in _ranges(tokens) for place in places):
        return False
    if finding.kind == "syntax" or (finding.kind == "forbidden" and database.error_of(text) is None):
        dead = certificate.dead_from
        return len(places) == 1 and dead is not None and places[0][0] <= dead - offset <= places[0][1]
    return finding.kind in _NAMED and _is_named(database, finding, certificate, text, offset, tokens)


def _is_named(
    database: Database, finding: Finding, certificate: Certificate, text: str, offset: int, tokens: list[Token]
) -> bool:
    """With every other place that is blamed out of the way SQLite still complains, and of this name."""
    if finding.kind == "unknown_table":
        names = [text[s.start - offset : s.end - offset].strip("\"'`[]").lower() for s in finding.spans]
        return bool(names) and not set(names) & database.tables
    stand_in = {"unknown_column": "NULL", "ambiguous_column": "NULL"}
    starts, ends = {t.start: i for i, t in enumerate(tokens)}, {t.end: i + 1 for i, t in enumerate(tokens)}
    others = {
        (starts[span.start - offset], ends[span.end - offset]): stand_in.get(other.kind, "char")
        for other in certificate.findings
        if other is not finding and other.kind != "unknown_table"
        for span in other.spans
    }
    message = database.error_of(with_replaced(text, tokens, others))
    named = None if message is None else read_message(message)
    if message is None:
        return False
    if named is None or named[0].kind != finding.kind:
        return finding.kind in ("invalid_query", "too_complex", "forbidden") and named is None
    written = ["".join(text[s.start - offset : s.end - offset].split()).lower() for s in finding.spans]
    return all(named[1].lower().split(".")[-1] in spelled for spelled in written)


def _ranges(tokens: list[Token]) -> set[tuple[int, int]]:
    """Tokens, and dotted names of several."""
    found = set()
    for i, token in enumerate(tokens):
        end = i + 1
        found.add((token.start, token.end))
        while end + 1 < len(tokens) and tokens[end].text == ".":
            end += 2
            found.add((token.start, tokens[end - 1].end))
    return found


def _is_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"


def _sorted(rows: tuple[Row, ...]) -> list[Row]:
    def key(row: Row) -> list[tuple[str, Any]]:
        return [("", 0) if value is None else (_sort_of(value), value) for value in row]

    return sorted(rows, key=key)


def _sort_of(value: Any) -> str:
    return "number" if isinstance(value, int | float) else str(type(value))


def _alike(ours: Any, theirs: Any) -> bool:
    """Rows, value by value."""
    if len(ours) != len(theirs):
        return False
    for a, b in zip(ours, theirs, strict=True):
        numbers = isinstance(a, int | float) and isinstance(b, int | float)
        if not (math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) if numbers else type(a) is type(b) and a == b):
            return False
    return True


def _in_order(ours: tuple[Row, ...], theirs: tuple[Row, ...], groups: list[int] | None) -> bool:
    at = 0
    for size in groups or []:
        if not all(map(_alike, _sorted(ours[at : at + size]), _sorted(theirs[at : at + size]))):
            return False
        at += size
    return True


def _common(ours: list[Row], theirs: list[Row]) -> int:
    """How many rows of one sorted list are also in the other, by striking them out."""
    left: dict[str, int] = {}
    for row in theirs:
        left[_written(row)] = left.get(_written(row), 0) + 1
    common = 0
    for row in ours:
        if left.get(_written(row), 0) > 0:
            left[_written(row)] -= 1
            common += 1
    return common


def _written(row: Row) -> str:
    return repr([("number", f"{float(value):.12g}") if isinstance(value, int | float) else value for value in row])


def _all_in(shown: list[list[Any]], more: list[Row], fewer: list[Row]) -> bool:
    """Whether each of these rows occurs more often in one result than in the other."""
    return all(_times(row, more) > _times(row, fewer) for row in shown)


def _times(shown: list[Any], rows: list[Row]) -> int:
    return sum(_alike_shown(shown, row) for row in rows)


def _alike_shown(shown: list[Any], row: Row) -> bool:
    return _alike([_shown(value) for value in row], shown)


def _shown(value: Any) -> Any:
    """A value as witnesses show it."""
    if isinstance(value, bytes):
        value = f"x'{value.hex()}'"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value[:200] if isinstance(value, str) else value
