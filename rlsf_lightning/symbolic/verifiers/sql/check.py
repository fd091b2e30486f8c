"""Checks a query: does SQLite take it, and does it give the rows of the reference?"""

from __future__ import annotations

from typing import Any, NamedTuple

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import MOST_WITHOUT_PASS, Finding, Span
from rlsf_lightning.symbolic.verifiers.sql.locate import name_findings
from rlsf_lightning.symbolic.verifiers.sql.parse import Query
from rlsf_lightning.symbolic.verifiers.sql.results.compare import differing, overlap, same_rows
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database, Result
from rlsf_lightning.symbolic.verifiers.sql.sqlite.messages import ascii_of, is_syntax_error, read_message
from rlsf_lightning.symbolic.verifiers.sql.task import Task, Trial
from rlsf_lightning.symbolic.verifiers.sql.viable import WRITING, first_dead, is_dead

#: SQLite takes the query, but there are no rows.
RUN_KINDS = frozenset(("too_costly", "too_large", "runtime_error"))
#: The rows are not those of the reference.
RESULT_KINDS = frozenset(("wrong_columns", "wrong_rows", "wrong_order"))
#: The kinds that mean "no query that runs".
INVALID_KINDS = RUN_KINDS | frozenset(
    "empty too_long bad_character unclosed syntax unexpected_end forbidden too_complex unknown_table unknown_column "
    "unknown_function ambiguous_column wrong_arguments misuse invalid_query".split()
)
KINDS = INVALID_KINDS | RESULT_KINDS


class Checked(NamedTuple):
    """A query without findings is right."""

    findings: list[Finding]
    score: float
    witness: dict[str, Any]


def check(query: Query, task: Task) -> Checked:
    """What is wrong with a query.

    ToolFailed: it takes too long by the clock, or only chooses other rows than the reference where that leaves a choice.
    """
    refusal = [query.mistake] if query.mistake is not None else _refusal(query, task.database)
    if refusal:
        return Checked(refusal, 0.0, {})
    for number, trial in enumerate(task.trials):
        checked = _tried(query, trial, number)
        if checked is not None:
            return checked._replace(witness={**checked.witness, "databases": len(task.trials), "database": number})
    if not all(trial.is_right(trial.database.run(query.text, trial.limits)) for trial in task.trials if trial.readings):
        raise ToolFailed(
            "the reference leaves open which rows it takes: a LIMIT cuts through rows that its ORDER BY holds for equal, or a "
            "subquery in the place of a value has several rows"
        )
    rows = len(task.trials[0].wanted.rows)
    return Checked([], 1.0, {"rows": [rows, rows], "databases": len(task.trials)})


def _tried(query: Query, trial: Trial, number: int) -> Checked | None:
    """What is wrong with a query on one database; None: nothing that is sure. Raises ToolFailed for one that takes too long."""
    result = trial.database.run(query.text, trial.limits)
    where = f" (on database {number}, with other data)" if number else ""
    if result.error == "too slow":
        raise ToolFailed(f"more than {trial.limits.seconds} s{where}")
    if result.error is not None:
        kind = result.error.replace(" ", "_")
        message = ascii_of(result.error)
        finding = Finding(kind if kind in RUN_KINDS else "runtime_error", f"SQLite: {message}{where}")
        return Checked([finding], 0.0, {"error": message})
    is_open = trial.readings and result.columns == trial.wanted.columns
    return None if is_open or trial.is_right(result) else _compared(result, trial, where)


def _refusal(query: Query, database: Database) -> list[Finding]:
    """Why SQLite does not take a query; nothing if it does."""
    text = query.text
    dead, message = first_dead(database, text + " "), database.error_of(text)
    if dead is not None and (message is None or read_message(message) is None):
        return [_syntax_error(query, database, min(dead, len(text) - 1), message)]
    if message == "incomplete input":
        return [Finding("unexpected_end", "SQLite: incomplete input", (Span(len(text), len(text)),))]
    return name_findings(query, database, message) if message is not None else []


def _syntax_error(query: Query, database: Database, dead: int, message: str | None) -> Finding:
    """At the token that holds the first dead character."""
    *before, token = [token for token in query.tokens if token.start <= dead]
    if before and before[-1].end == dead and is_dead(database, query.text[:dead] + " "):  # a word may die by being over
        token = before[-1]
    span = Span(token.start, token.end)
    if token.kind in ("variable", "bad"):
        shown = f"{ascii_of(token.text)} is nothing that a query without parameters has"
        return Finding("bad_character", shown, (span,))
    if token.name in WRITING:
        return Finding("forbidden", f"{token.text.upper()} is refused: only SELECT, WITH and VALUES are run", (span,))
    if message == "not authorized":
        return Finding("forbidden", f"SQLite: {message}", (span,))
    reason = ascii_of(message) if message and is_syntax_error(message) else f"{ascii_of(token.text)} cannot stand here"
    return Finding("syntax", f"SQLite: {reason}", (span,))


def _compared(result: Result, trial: Trial, where: str) -> Checked:
    """The rows of a query that ran, against those of the reference, which they are not."""
    wanted = trial.wanted
    score = min(MOST_WITHOUT_PASS, overlap(result, wanted))
    if result.columns != wanted.columns:
        finding = Finding("wrong_columns", f"{result.columns} columns where the reference has {wanted.columns}{where}")
    elif same_rows(result, wanted, trial.database):
        finding = Finding("wrong_order", f"the rows of the reference in another order{where}")
    else:
        message = f"{len(result.rows)} rows, {len(wanted.rows)} in the reference; {score:.0%} in common{where}"
        finding = Finding("wrong_rows", message)
    rows = [len(result.rows), len(wanted.rows)]
    return Checked([finding], score, {"rows": rows, **differing(result, wanted)})
