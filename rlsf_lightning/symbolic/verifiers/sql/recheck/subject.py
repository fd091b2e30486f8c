"""The subject of a recheck: the query, its offset in the completion, and the right rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.sql.parse import is_legible
from rlsf_lightning.symbolic.verifiers.sql.recheck.rows import in_order
from rlsf_lightning.symbolic.verifiers.sql.results.order import tie_groups
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database, Result
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import Token, tokens_of
from rlsf_lightning.symbolic.verifiers.sql.task import Task

#: Characters of the query, from and to.
Range = tuple[int, int]


@dataclass(frozen=True)
class Subject:
    """A query before a database that no other query has seen."""

    text: str
    offset: int
    tokens: tuple[Token, ...]
    database: Database
    wanted: Result
    task: Task
    max_chars: int

    @classmethod
    def of(cls, completion: str, task: Task, max_chars: int) -> Subject:
        """Of a completion; the rows of the reference are asked for again."""
        text, offset = stripped(completion)
        database = Database(task.script)
        tokens = tokens_of(text) if len(text) <= max_chars else ()
        return cls(text, offset, tokens, database, database.run(task.reference, task.limits), task, max_chars)

    @cached_property
    def groups(self) -> list[int] | None:
        """See ``tie_groups``."""
        return tie_groups(self.database, self.task.reference, self.wanted, self.task.limits)

    @cached_property
    def result(self) -> Result:
        """Of the query itself."""
        return self.run(self.text) if is_legible(self.text, self.max_chars) else Result(error="refused")

    def spans(self, finding: Finding) -> list[Range]:
        """Of a finding, in the query."""
        return [(span.start - self.offset, span.end - self.offset) for span in finding.spans]

    def run(self, query: str) -> Result:
        """The result of a query; refused where SQLite does not take it."""
        if self.database.error_of(query):
            return Result(error="refused")
        return self.database.run(query, self.task.limits)

    def is_right(self, result: Result) -> bool:
        """Whether these are the rows of the reference."""
        return in_order(result, self.wanted, self.groups)
