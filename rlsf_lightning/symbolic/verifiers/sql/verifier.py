"""SQL queries against a reference query, on a database in SQLite: what is wrong, and where.

The dialect is SQLite's own. Located are the first token that its parser refuses, every unknown or ambiguous name at its
place, and, as a parser sees many mistakes only later and wrong rows have no place of their own, the smallest change
towards the reference that makes the query right, where there is a small one. Whether a query is right is
decided by its rows on several databases: the prompt's, and those that it gives beside it or mutants of its data
(``sqlite.mutants``), so that a query that only fits the data, such as a list of the wanted values, is wrong.
Queries run in this process, within limits (``sqlite.database``).

Not covered: the first dead character of queries that only mean something wrong.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from rlsf_lightning.records import Certificate, Edit, Prompt
from rlsf_lightning.symbolic.certificates import failed, issued, passed
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifier import package
from rlsf_lightning.symbolic.verifiers.sql.check import INVALID_KINDS, KINDS, check
from rlsf_lightning.symbolic.verifiers.sql.parse import is_legible, parse
from rlsf_lightning.symbolic.verifiers.sql.recheck import stands
from rlsf_lightning.symbolic.verifiers.sql.repair import edits, with_repair
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Limits
from rlsf_lightning.symbolic.verifiers.sql.task import Task, task_of
from rlsf_lightning.symbolic.verifiers.sql.viable import first_dead_of, is_dead

TOOL = "SQLite"


class SqlVerifier:
    """PASS when the query gives the rows of the reference on every database, in its order where the reference has one.

    The fact ``schema`` of a prompt is a script of CREATE TABLE and INSERT statements (a text, or a list of statements);
    the fact ``databases`` may be a list of further scripts with other data, which take the place of the mutants. In place of
    both the fact ``database`` is the path of a file of SQLite's, which is only read, or a list of such paths. The reference is
    a correct query. The score of a query that runs is the share of rows that it has in common with the reference; 0 for one
    that does not run. A query that takes too long by the clock is an abstention, one that takes too many steps a failure, as
    that is the same on every machine.

    Args:
        explain: find the smallest change that makes a wrong query right.
        max_chars: longer completions are not read.
        max_rows: a larger result is wrong.
        steps: instructions of SQLite's machine that a query may take.
        seconds: how long it may run.
        mutants: databases that are made of each prompt's own; from 0, the prompt's alone, to 20.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS
    tools = (package("sqlglot", "sql"),)
    #: The suite of metrics for its completions.
    metrics = "sql"
    version = sqlite3.sqlite_version

    def __init__(
        self,
        *,
        explain: bool = True,
        max_chars: int = 5_000,
        max_rows: int = 10_000,
        steps: int = 500_000,
        seconds: float = 5.0,
        mutants: int = 4,
        locate: object = None,
    ) -> None:
        if locate is not None:
            raise ValueError(f"locate is called explain: write verifier.options.explain={str(locate).lower()}")
        if not 0 < max_chars <= 100_000:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to 100000")
        if not (max_rows > 0 and steps > 0 and seconds > 0):
            raise ValueError(f"max_rows={max_rows}, steps={steps}, seconds={seconds}: must all be above 0")
        if not 0 <= mutants <= 20:
            raise ValueError(f"mutants={mutants}: must be from 0 to 20")
        self.explain, self.max_chars, self.mutants = explain, max_chars, mutants
        self.limits = Limits(steps, seconds, max_rows)

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError for wrong facts, never for the completion."""
        task = task_of(prompt, self.limits, self.mutants)
        return issued(TOOL, self.version, lambda: self._judge(task, completion))

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """False: no query that SQLite takes begins so, which is certain. True: it passes as it stands."""
        task = task_of(prompt, self.limits, self.mutants)
        text = prefix.strip()
        if not is_legible(text, self.max_chars) or is_dead(task.database, prefix.lstrip()):
            return False
        return True if text and task.passes(text) else None

    def repairs(self, certificate: Certificate, prompt: Prompt, completion: str) -> Iterator[tuple[Edit, ...]]:
        """The few changes towards the reference that make a query right, where the certificate names some."""
        if "repair" in certificate.witness:
            yield edits(completion, certificate.witness["repair"])

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether the certificate stands: all that it says but its messages is found again, without ``verify``.

        Independent of ``verify``: fresh databases, how rows are compared, changes applied to the text, and every name
        tried with all the others out of the way. Not independent: SQLite, its tokens, what a message of it means, the
        order that sqlglot reads, and which prefixes are dead.
        """
        return stands(certificate, task_of(prompt, self.limits, self.mutants), completion, self.max_chars)

    def _judge(self, task: Task, completion: str) -> Certificate:
        text, offset = stripped(completion)
        query = parse(text, self.max_chars)
        checked = check(query, task)
        if not checked.findings:
            return passed(checked.witness)
        if self.explain:
            checked = with_repair(checked, query, task, offset)
        dead = first_dead_of(task.database, completion, text, offset, self.max_chars)
        findings, score, witness = checked
        return failed(findings, score=score, dead_from=dead, witness=witness, offset=offset)
