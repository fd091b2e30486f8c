"""The task of a prompt: databases, a correct query, and the rows that it gives on each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifiers.sql.results.compare import same_rows
from rlsf_lightning.symbolic.verifiers.sql.results.order import Group, in_order, require_sqlglot, tie_groups
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database, Limits, Result, database_of
from rlsf_lightning.symbolic.verifiers.sql.viable import is_dead


class Source(NamedTuple):
    """How a database is made: by its script alone, or as the mutant with this seed."""

    script: str
    seed: int | None = None


@dataclass(frozen=True, eq=False)
class Trial:
    """A database, and the rows of the reference on it."""

    source: Source
    database: Database
    reference: str
    wanted: Result
    limits: Limits

    @cached_property
    def groups(self) -> list[Group] | None:
        """See ``tie_groups``."""
        return tie_groups(self.database, self.reference, self.wanted, self.limits)

    def is_right(self, result: Result) -> bool:
        """Whether these are the rows of the reference, in its order where it has one."""
        if result.error is not None:
            return False
        if self.groups is not None:
            return in_order(result, self.wanted, self.groups, self.database)
        return same_rows(result, self.wanted, self.database)


@dataclass(frozen=True)
class Task:
    """A query is right if it gives the rows of ``reference`` on every database, the first of which is the prompt's."""

    reference: str
    limits: Limits
    trials: tuple[Trial, ...]

    @property
    def database(self) -> Database:
        """The prompt's."""
        return self.trials[0].database

    def passes(self, query: str) -> bool:
        """Whether SQLite takes a query and it gives the rows of the reference everywhere."""
        if self.database.error_of(query) is not None:
            return False
        return all(trial.is_right(trial.database.run(query, self.limits)) for trial in self.trials)


def task_of(prompt: Prompt, limits: Limits, mutants: int) -> Task:
    """The task of a prompt; queries run within ``limits``. Raises UserError for facts that are missing or do not work.

    Args:
        mutants: made of the prompt's database where it has no fact ``databases``.
    """
    script = _script_of(prompt.facts.get("schema"), prompt, "schema")
    more = prompt.facts.get("databases", [])
    if not isinstance(more, list | tuple):
        raise UserError(
            f'prompt {prompt.id}: the fact `databases` is {str(more)[:80]}; write "databases": ["CREATE ..."]'
        )
    given = tuple(_script_of(other, prompt, "databases") for other in more)
    reference = (prompt.reference or "").strip().rstrip(";")
    if not reference:
        raise UserError(f"prompt {prompt.id}: sql needs a reference, a correct query: SELECT a FROM t")
    require_sqlglot(reference)
    try:
        return Task(reference, limits, _trials(script, given, reference, limits, 0 if given else mutants))
    except UserError as error:
        raise UserError(f"prompt {prompt.id}: {error}") from None


@lru_cache(maxsize=32)
def _trials(script: str, given: tuple[str, ...], reference: str, limits: Limits, mutants: int) -> tuple[Trial, ...]:
    """The databases on which the reference runs. Raises UserError if it does not on those that are given."""
    trials = []
    for own in (script, *given):
        database = database_of(own)
        wanted = database.run(reference, limits)
        if wanted.error is not None or is_dead(database, reference + " "):
            raise UserError(f"the reference {reference[:200]} does not run: {wanted.error or 'no query'}")
        trials.append(Trial(Source(own), database, reference, wanted, limits))
    return (*trials, *_mutants(script, reference, limits, mutants))


def _mutants(script: str, reference: str, limits: Limits, count: int) -> Iterator[Trial]:
    """Those on which the reference runs."""
    for seed in range(1, count + 1):
        try:
            database = database_of(script, seed)
        except UserError:  # too large a database, or one that cannot be changed
            return
        wanted = database.run(reference, limits)
        if wanted.error is None:
            yield Trial(Source(script, seed), database, reference, wanted, limits)


def _script_of(script: Any, prompt: Prompt, fact: str) -> str:
    if isinstance(script, list | tuple) and all(isinstance(line, str) for line in script):
        script = ";\n".join(line.strip().rstrip(";") for line in script)
    if not isinstance(script, str) or not script.strip():
        example = '"CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);"'
        raise UserError(f'prompt {prompt.id}: sql needs the fact `{fact}`, a script; write "{fact}": {example}')
    return script
