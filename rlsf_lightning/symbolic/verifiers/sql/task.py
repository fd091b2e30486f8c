"""The task of a prompt: a database, a correct query, and the rows that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifiers.sql.results.compare import same_order, same_rows
from rlsf_lightning.symbolic.verifiers.sql.results.order import require_sqlglot, tie_groups
from rlsf_lightning.symbolic.verifiers.sql.sqlite.database import Database, Limits, Result, database_of
from rlsf_lightning.symbolic.verifiers.sql.viable import is_dead


@dataclass(frozen=True)
class Task:
    """A query is right if it gives the rows of ``reference``, which are ``wanted``, in its order where it has one."""

    script: str
    database: Database
    reference: str
    wanted: Result
    limits: Limits

    @cached_property
    def groups(self) -> list[int] | None:
        """See ``tie_groups``."""
        return tie_groups(self.database, self.reference, self.wanted, self.limits)

    def is_right(self, result: Result) -> bool:
        """Whether these are the rows of the reference."""
        return result.error is None and same_rows(result, self.wanted) and same_order(result, self.wanted, self.groups)

    def passes(self, query: str) -> bool:
        """Whether SQLite takes a query and gives the rows of the reference."""
        return self.database.error_of(query) is None and self.is_right(self.database.run(query, self.limits))


def task_of(prompt: Prompt, limits: Limits) -> Task:
    """The task of a prompt; queries run within ``limits``. Raises UserError for facts that are missing or do not work."""
    script = _script_of(prompt)
    database = database_of(script)
    reference = (prompt.reference or "").strip().rstrip(";")
    if not reference:
        raise UserError(f"prompt {prompt.id}: sql needs a reference, a correct query: SELECT a FROM t")
    wanted = database.known(reference, limits)
    if wanted.error is not None or _is_refused(database, reference):
        reason = wanted.error or "no query"
        raise UserError(f"prompt {prompt.id}: the reference {reference[:200]} does not run: {reason}")
    require_sqlglot(reference)
    return Task(script, database, reference, wanted, limits)


def _script_of(prompt: Prompt) -> str:
    script = prompt.facts.get("schema")
    if isinstance(script, list | tuple) and all(isinstance(line, str) for line in script):
        script = ";\n".join(line.strip().rstrip(";") for line in script)
    if not isinstance(script, str) or not script.strip():
        example = '"CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);"'
        raise UserError(f'prompt {prompt.id}: sql needs the fact `schema`, a script; write "schema": {example}')
    return script


@lru_cache(maxsize=1024)
def _is_refused(database: Database, reference: str) -> bool:
    return is_dead(database, reference + " ")
