"""SQL queries against a reference query, on a database in SQLite: what is wrong, and where.

The dialect is SQLite's own. Located are the first token that its parser refuses, every unknown or ambiguous name at its
place, and, as a parser sees many mistakes only later and wrong rows have no place of their own, the smallest change
towards the reference that makes the query right, where there is a small one. Whether a query is right is
decided by its rows on the given database alone, so a database on which wrong queries happen to be right says so, too.
Queries run in this process, within limits (``database``).

Not covered: a reference whose LIMIT cuts through rows that its ORDER BY holds for equal (either choice should count), and
the first dead character of queries that only mean something wrong.
"""

from __future__ import annotations

import sqlite3
import time
from functools import lru_cache
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import MOST_WITHOUT_PASS, Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.sql.compare import (
    Change,
    counted,
    groups_of,
    overlap,
    same_order,
    same_rows,
    smallest_change,
)
from rlsf_lightning.symbolic.verifiers.sql.database import Database, Limits, Result, Row, database_of
from rlsf_lightning.symbolic.verifiers.sql.names import ascii_of, name_findings, read_message
from rlsf_lightning.symbolic.verifiers.sql.tokens import tokens_of
from rlsf_lightning.symbolic.verifiers.sql.viable import WRITING, first_dead, is_dead, is_syntax_error, is_unfinished

#: The kinds that mean "no query that runs".
INVALID_KINDS = frozenset(
    "empty too_long bad_character unclosed syntax unexpected_end forbidden too_complex unknown_table unknown_column "
    "unknown_function ambiguous_column wrong_arguments misuse invalid_query too_costly too_large runtime_error".split()
)
KINDS = INVALID_KINDS | frozenset(("wrong_columns", "wrong_rows", "wrong_order"))
_WITHOUT_PLACE = frozenset(("empty", "too_long", "bad_character", "too_complex"))
_SHOWN_ROWS = 5
_SHOWN_CHARS = 200


class SqlVerifier:
    """PASS when the query gives the rows of the reference, in its order where the reference has one.

    The fact ``schema`` of a prompt is a script of CREATE TABLE and INSERT statements (a text, or a list of statements);
    the reference is a correct query. The score of a query that runs is the share of rows that it has in common with the
    reference; 0 for one that does not run. A query that takes too long by the clock is an abstention, one that takes too
    many steps a failure, as that is the same on every machine.

    Args:
        locate: for wrong rows, find the smallest change that makes them right.
        max_chars: longer completions are not read.
        max_rows: a larger result is wrong.
        steps: instructions of SQLite's machine that a query may take.
        seconds: how long it may run.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS

    def __init__(
        self,
        *,
        locate: bool = True,
        max_chars: int = 5_000,
        max_rows: int = 10_000,
        steps: int = 500_000,
        seconds: float = 5.0,
    ) -> None:
        if not 0 < max_chars <= 100_000:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to 100000")
        if not (max_rows > 0 and steps > 0 and seconds > 0):
            raise ValueError(f"max_rows={max_rows}, steps={steps}, seconds={seconds}: must all be above 0")
        self.locate, self.max_chars = locate, max_chars
        self.limits = Limits(steps, seconds, max_rows)

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Never raises on a completion."""
        database, reference, wanted = self.task(prompt)
        start = time.perf_counter()
        text, offset = stripped(completion)
        findings = self._unreadable(database, text)
        witness: dict[str, Any] = {}
        score = 0.0
        if not findings:
            result = database.run(text, self.limits)
            if result.error == "too slow":
                return self._certificate(
                    start, Verdict.ABSTAIN, witness={"error": f"more than {self.limits.seconds} s"}
                )
            findings, score, witness = self._difference(database, text, result, reference, wanted)
        elif self.locate and findings[0].kind not in _WITHOUT_PLACE:
            findings, witness = self._with_repair(database, text, findings, reference, wanted)
        if not findings:
            return self._certificate(start, Verdict.PASS, score=1.0, witness=witness)
        if "repair" in witness:
            witness["repair"] = [[a + offset, b + offset, word] for a, b, word in witness["repair"]]
        moved = tuple(
            Finding(f.kind, f.message, tuple(Span(s.start + offset, s.end + offset) for s in f.spans)) for f in findings
        )
        dead = self._dead_from(database, text, offset, completion)
        return self._certificate(start, Verdict.FAIL, moved, score, dead, witness)

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """False: no query that SQLite takes begins so, which is certain. True: it passes as it stands."""
        database, reference, wanted = self.task(prompt)
        text = prefix.strip()
        if not self._is_readable(text) or is_dead(database, prefix.lstrip()):
            return False
        result = Result(error="not run") if database.error_of(text) else database.run(text, self.limits)
        if not text or result.error is not None:
            return None
        return True if self._is_right(database, reference, wanted, result) else None

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether the certificate stands, on a fresh database and with other comparisons (see ``recheck``)."""
        from rlsf_lightning.symbolic.verifiers.sql.recheck import stands

        self.task(prompt)  # a wrong fact is the user's mistake here, too
        return stands(certificate, script_of(prompt), prompt.reference or "", completion, self.limits, self.max_chars)

    def task(self, prompt: Prompt) -> tuple[Database, str, Result]:
        """The database, the reference and its rows. Raises UserError for facts that are missing or do not work."""
        database = database_of(script_of(prompt))
        reference = (prompt.reference or "").strip().rstrip(";")
        if not reference:
            raise UserError(f"prompt {prompt.id}: sql needs a reference, a correct query: SELECT a FROM t")
        wanted = database.known(reference, self.limits)
        if wanted.error is not None or _is_refused(database, reference):
            reason = wanted.error or "no query"
            raise UserError(f"prompt {prompt.id}: the reference {reference[:200]} does not run: {reason}")
        return database, reference, wanted

    def _certificate(
        self,
        start: float,
        verdict: Verdict,
        findings: tuple[Finding, ...] = (),
        score: float = 0.0,
        dead: int | None = None,
        witness: dict[str, Any] | None = None,
    ) -> Certificate:
        seconds = time.perf_counter() - start
        return Certificate(verdict, findings, score, dead, witness or {}, "SQLite", sqlite3.sqlite_version, seconds)

    def _is_readable(self, text: str) -> bool:
        return len(text) <= self.max_chars and not any(is_bad(character) for character in text)

    def _dead_from(self, database: Database, text: str, offset: int, completion: str) -> int | None:
        """The first dead character of the completion, where that is certain."""
        if not text:
            return len(completion)
        illegible = (i for i, c in enumerate(text) if is_bad(c) or (i >= self.max_chars and not c.isspace()))
        bad = next(illegible, len(text))
        dead = first_dead(database, completion[offset:] if bad == len(text) else text[:bad])
        if dead is not None or bad < len(text):
            return offset + (bad if dead is None else dead)
        # a last word that may become another one, but not end here
        return len(completion) if is_dead(database, text + " ") or is_unfinished(database, text) else None

    def _unreadable(self, database: Database, text: str) -> list[Finding]:
        """Why SQLite does not take the query; nothing if it does."""
        if not text:
            return [Finding("empty", "there is no query")]
        if len(text) > self.max_chars:
            message = f"{len(text)} characters; at most {self.max_chars} are read"
            return [Finding("too_long", message, (Span(self.max_chars, len(text)),))]
        bad = tuple(Span(i, i + 1) for i, character in enumerate(text) if is_bad(character))
        if bad:
            return [Finding("bad_character", "no query has such a character", bad[:50])]
        tokens = tokens_of(text)
        if not tokens:
            return [Finding("empty", "there are only comments")]
        if tokens[-1].kind in ("open", "open_blob", "open_comment"):
            opened = Span(tokens[-1].start, tokens[-1].start + 1)
            return [Finding("unclosed", f"{tokens[-1].text[:2]} is opened here and never closed", (opened,))]
        dead = first_dead(database, text + " ")
        message_of_all = database.error_of(text)
        if dead is not None and (message_of_all is None or read_message(message_of_all) is None):
            return [_refused(database, text, min(dead, len(text) - 1), message_of_all)]
        if message_of_all == "incomplete input":
            return [Finding("unexpected_end", "SQLite: incomplete input", (Span(len(text), len(text)),))]
        return name_findings(database, text) if message_of_all is not None else []

    def _difference(
        self, database: Database, text: str, result: Result, reference: str, wanted: Result
    ) -> tuple[list[Finding], float, dict[str, Any]]:
        """(findings, score, witness) of a query that SQLite takes."""
        if result.error is not None:
            kind = result.error.replace(" ", "_")
            kind = kind if kind in ("too_costly", "too_large") else "runtime_error"
            return [Finding(kind, f"SQLite: {ascii_of(result.error)}")], 0.0, {"error": ascii_of(result.error)}
        groups = groups_of(database, reference, wanted, self.limits)
        rows = {"rows": [len(result.rows), len(wanted.rows)]}
        if same_rows(result, wanted) and same_order(result, wanted, groups):
            return [], 1.0, rows
        changes = None
        if self.locate:
            changes = smallest_change(text, reference, lambda q: self._becomes_right(database, q, reference, wanted))
        spans = _spans(changes or [], text)
        witness: dict[str, Any] = {**rows, **differing(result, wanted)}
        if changes:
            witness["repair"] = [list(change) for change in changes]
        score = min(MOST_WITHOUT_PASS, overlap(result, wanted))
        if result.columns != wanted.columns:
            message = f"{result.columns} columns where the reference has {wanted.columns}"
            return [Finding("wrong_columns", message, spans)], score, witness
        if same_rows(result, wanted):
            return [Finding("wrong_order", "the rows of the reference in another order", spans)], score, witness
        message = f"{len(result.rows)} rows, {len(wanted.rows)} in the reference; {score:.0%} in common"
        return [Finding("wrong_rows", message, spans)], score, witness

    def _with_repair(
        self, database: Database, text: str, findings: list[Finding], reference: str, wanted: Result
    ) -> tuple[list[Finding], dict[str, Any]]:
        """A parser sees many mistakes only later: where a change would make the query right is a place, too."""
        changes = smallest_change(text, reference, lambda q: self._becomes_right(database, q, reference, wanted))
        if not changes:
            return findings, {}
        first, shown = findings[0], [span for finding in findings for span in finding.spans]
        more = tuple(span for span in _spans(changes, text) if not any(_holds(other, span) for other in shown))
        blamed = Finding(first.kind, first.message, first.spans + more, first.weight)
        return [blamed, *findings[1:]], {"repair": [list(change) for change in changes], "shown": len(first.spans)}

    def _becomes_right(self, database: Database, query: str, reference: str, wanted: Result) -> bool:
        if database.error_of(query) is not None:
            return False
        return self._is_right(database, reference, wanted, database.run(query, self.limits))

    def _is_right(self, database: Database, reference: str, wanted: Result, result: Result) -> bool:
        if result.error is not None or not same_rows(result, wanted):
            return False
        return same_order(result, wanted, groups_of(database, reference, wanted, self.limits))


@lru_cache(maxsize=1024)
def _is_refused(database: Database, reference: str) -> bool:
    return is_dead(database, reference + " ")


def script_of(prompt: Prompt) -> str:
    """The script of a prompt's facts. Raises UserError if there is none."""
    script = prompt.facts.get("schema")
    if isinstance(script, list | tuple) and all(isinstance(line, str) for line in script):
        script = ";\n".join(line.strip().rstrip(";") for line in script)
    if not isinstance(script, str) or not script.strip():
        example = '"CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);"'
        raise UserError(f'prompt {prompt.id}: sql needs the fact `schema`, a script; write "schema": {example}')
    return script


def differing(ours: Result, theirs: Result) -> dict[str, list[list[Any]]]:
    """A few of the rows that one result has more often than the other, as JSON."""
    mine, yours = counted(ours.rows), counted(theirs.rows)
    return {"missing": _shown(yours - mine), "extra": _shown(mine - yours)}


def shown_row(row: Row) -> list[Any]:
    """A row as JSON, long values cut."""
    return [value[:_SHOWN_CHARS] if isinstance(value, str) else value for value in row]


def is_bad(character: str) -> bool:
    """What SQLite cannot be given: the null character, and half of a pair of surrogates."""
    return character == "\0" or "\ud800" <= character <= "\udfff"


def _shown(rows: Any) -> list[list[Any]]:
    first = [[value for _, value in row] for row in list(rows)[:_SHOWN_ROWS]]
    return [shown_row([f"x'{v[1]}'" if isinstance(v, tuple) else v for v in row]) for row in first]  # type: ignore[arg-type]


def _refused(database: Database, text: str, dead: int, message: str | None) -> Finding:
    """The finding for the token in which a query dies."""
    *before, token = [token for token in tokens_of(text) if token.start <= dead]
    if before and before[-1].end == dead and is_dead(database, text[:dead] + " "):  # a word may die by being over
        token = before[-1]
    span = Span(token.start, token.end)
    if token.kind in ("variable", "bad"):
        return Finding(
            "bad_character", f"{ascii_of(token.text)} is nothing that a query without parameters has", (span,)
        )
    if token.name in WRITING:
        return Finding("forbidden", f"{token.text.upper()} is refused: only SELECT, WITH and VALUES are run", (span,))
    if message == "not authorized":
        return Finding("forbidden", f"SQLite: {message}", (span,))
    reason = ascii_of(message) if message and is_syntax_error(message) else f"{ascii_of(token.text)} cannot stand here"
    return Finding("syntax", f"SQLite: {reason}", (span,))


def _spans(changes: list[Change], text: str) -> tuple[Span, ...]:
    """Where the changes are; where something is missing, from the last character before the gap to the next one."""
    return tuple(Span(c.start, c.end) if c.start < c.end else _gap(c.start, text) for c in changes)


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _gap(at: int, text: str) -> Span:
    behind = len(text) - len(text[at:].lstrip())
    return Span(max(0, at - 1), min(len(text), behind + 1))
