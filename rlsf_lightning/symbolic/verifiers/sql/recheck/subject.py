"""The subject of a recheck: the query, its offset in the completion, and the right rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.sql.parse import is_legible
from rlsf_lightning.symbolic.verifiers.sql.recheck.rows import alike, group_by_group
from rlsf_lightning.symbolic.verifiers.sql.results.order import Group, tie_groups
from rlsf_lightning.symbolic.verifiers.sql.results.ties import with_ties_broken
from rlsf_lightning.symbolic.verifiers.sql.sqlite.building import Source
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database, Limits, Result
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import Token, tokens_of
from rlsf_lightning.symbolic.verifiers.sql.task import Task

#: Characters of the query, from and to.
Range = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Retrial:
    """A database that no other query has seen."""

    source: Source
    reference: str
    limits: Limits

    @cached_property
    def database(self) -> Database:
        """Made anew."""
        return Database(*self.source)

    @cached_property
    def wanted(self) -> Result:
        """The rows of the reference, asked for again."""
        return self.run(self.reference)

    @cached_property
    def groups(self) -> list[Group] | None:
        """See ``tie_groups``."""
        return tie_groups(self.database, self.reference, self.wanted, self.limits)

    def run(self, query: str) -> Result:
        """The result of a query; refused where SQLite does not take it."""
        if self.database.error_of(query):
            return Result(error="refused")
        return self.database.run(query, self.limits)

    @cached_property
    def readings(self) -> list[Retrial]:
        """The reference with its ties broken, where that gives other rows."""
        broken = (query for query, _ in with_ties_broken(self.database, self.reference, self.limits))
        retrials = [Retrial(self.source, query, self.limits) for query in broken]
        return [retrial for retrial in retrials if not self._gives(retrial.wanted)]

    def is_right(self, result: Result) -> bool:
        """Whether these are the rows of the reference, or of one of its readings."""
        return self._gives(result) or any(reading._gives(result) for reading in self.readings)

    def is_surely_wrong(self, result: Result) -> bool:
        """Whether these are not its rows, and no others that it might have taken."""
        is_open = result.error is None and self.readings and result.columns == self.wanted.columns
        return not is_open and not self.is_right(result)

    def _gives(self, result: Result) -> bool:
        if self.groups is not None:
            return group_by_group(result, self.wanted, self.groups, self.database.stored)
        return self.is_alike(result)

    def is_alike(self, result: Result) -> bool:
        """Whether these are its rows in any order."""
        return alike(result, self.wanted, self.database.stored)


@dataclass(frozen=True, eq=False)
class Subject:
    """A query before databases that no other query has seen; the first is the prompt's."""

    text: str
    offset: int
    tokens: tuple[Token, ...]
    retrials: Sequence[Retrial]
    reference: str
    max_chars: int

    @classmethod
    def of(cls, completion: str, task: Task, max_chars: int) -> Subject:
        """Of a completion."""
        text, offset = stripped(completion)
        tokens = tokens_of(text) if len(text) <= max_chars else ()
        retrials = [Retrial(trial.source, task.reference, task.limits) for trial in task.trials]
        return cls(text, offset, tokens, retrials, task.reference, max_chars)

    @property
    def database(self) -> Database:
        """The prompt's."""
        return self.retrials[0].database

    def result_on(self, retrial: Retrial) -> Result:
        """Of the query itself."""
        return retrial.run(self.text) if is_legible(self.text, self.max_chars) else Result(error="refused")

    def spans(self, finding: Finding) -> list[Range]:
        """Of a finding, in the query."""
        return [(span.start - self.offset, span.end - self.offset) for span in finding.spans]

    def passes(self, query: str) -> bool:
        """Whether a query gives the rows of the reference on every database."""
        return all(retrial.is_right(retrial.run(query)) for retrial in self.retrials)

    def first_wrong(self) -> int | None:
        """The first database on which the query itself surely does not; None: there is none."""
        wrong = (n for n, retrial in enumerate(self.retrials) if retrial.is_surely_wrong(self.result_on(retrial)))
        return next(wrong, None)
