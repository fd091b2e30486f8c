"""The task of a prompt: databases, a correct query, and the rows that it gives on each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifiers.sql.results.compare import same_rows
from rlsf_lightning.symbolic.verifiers.sql.results.order import Group, in_order, require_sqlglot, tie_groups
from rlsf_lightning.symbolic.verifiers.sql.results.ties import with_ties_broken
from rlsf_lightning.symbolic.verifiers.sql.sqlite.building import Source
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database, Limits, Result, database_of
from rlsf_lightning.symbolic.verifiers.sql.viable import is_dead


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

    @cached_property
    def readings(self) -> tuple[Trial, ...]:
        """The reference with its ties broken, where that gives other rows; see ``with_ties_broken``."""
        broken = with_ties_broken(self.database, self.reference, self.limits)
        found = (Trial(self.source, self.database, query, rows, self.limits) for query, rows in broken)
        return tuple(trial for trial in found if not self._gives(trial.wanted))

    def is_right(self, result: Result) -> bool:
        """Whether these are the rows of the reference, in its order where it has one, or of one of its readings."""
        return self._gives(result) or any(reading._gives(result) for reading in self.readings)

    def _gives(self, result: Result) -> bool:
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
    sources = _sources_of(prompt)
    reference = (prompt.reference or "").strip().rstrip(";")
    if not reference:
        raise UserError(f"prompt {prompt.id}: sql needs a reference, a correct query: SELECT a FROM t")
    require_sqlglot(reference)
    try:
        return Task(reference, limits, _trials(sources, reference, limits, 0 if sources[1:] else mutants))
    except UserError as error:
        raise UserError(f"prompt {prompt.id}: {error}") from None


@lru_cache(maxsize=32)
def _trials(sources: tuple[Source, ...], reference: str, limits: Limits, mutants: int) -> tuple[Trial, ...]:
    """The databases on which the reference runs. Raises UserError if it does not on those that are given."""
    trials = []
    for source in sources:
        database = database_of(source)
        wanted = database.run(reference, limits)
        if wanted.error is not None or is_dead(database, reference + " "):
            raise UserError(f"the reference {reference[:200]} does not run: {wanted.error or 'no query'}")
        trials.append(Trial(source, database, reference, wanted, limits))
    return (*trials, *_mutants(sources[0], reference, limits, mutants))


def _mutants(source: Source, reference: str, limits: Limits, count: int) -> Iterator[Trial]:
    """Those on which the reference runs, and leaves no choice."""
    for seed in range(1, count + 1):
        mutant = source._replace(seed=seed)
        try:
            database = database_of(mutant)
        except UserError:  # too large a database, or one that cannot be changed
            return
        trial = Trial(mutant, database, reference, database.run(reference, limits), limits)
        if trial.wanted.error is None and not trial.readings:
            yield trial


def _sources_of(prompt: Prompt) -> tuple[Source, ...]:
    """The prompt's database, and further ones: files of ``database``, or scripts of ``schema`` and ``databases``."""
    if prompt.facts.get("database") is not None:
        return _files_of(prompt)
    script = _script_of(prompt.facts.get("schema"), prompt, "schema")
    more = prompt.facts.get("databases", [])
    if not isinstance(more, list | tuple):
        raise UserError(
            f'prompt {prompt.id}: the fact `databases` is {str(more)[:80]}; write "databases": ["CREATE ..."]'
        )
    return (Source(script), *(Source(_script_of(other, prompt, "databases")) for other in more))


def _files_of(prompt: Prompt) -> tuple[Source, ...]:
    given = prompt.facts["database"]
    paths = [given] if isinstance(given, str) else given
    if not isinstance(paths, list | tuple) or not paths or not all(isinstance(path, str) and path for path in paths):
        example = '"database": "shop.sqlite", or a list of paths'
        raise UserError(f"prompt {prompt.id}: the fact `database` is {str(given)[:80]}; write {example}")
    both = next((fact for fact in ("schema", "databases") if prompt.facts.get(fact)), None)
    if both is not None:
        raise UserError(f"prompt {prompt.id}: has the facts `database` and `{both}`: write one of the two")
    return tuple(Source(path, is_file=True) for path in paths)


def _script_of(script: Any, prompt: Prompt, fact: str) -> str:
    if isinstance(script, list | tuple) and all(isinstance(line, str) for line in script):
        script = ";\n".join(line.strip().rstrip(";") for line in script)
    if not isinstance(script, str) or not script.strip():
        example = '"CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);"'
        raise UserError(f'prompt {prompt.id}: sql needs the fact `{fact}`, a script; write "{fact}": {example}')
    return script
