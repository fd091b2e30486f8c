"""The task of a prompt: the facts that must be true of the molecule (see ``facts``)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifiers.molecule.facts.fact import EXAMPLE, Fact, fact_of

MAX_FACTS = 50


@dataclass(frozen=True)
class Task:
    """All of which must hold."""

    facts: tuple[Fact, ...]


def task_of(prompt: Prompt) -> Task:
    """The task of a prompt, read once for each list of facts. Raises UserError for what is not in the vocabulary."""
    given = prompt.facts.get("facts")
    if given is None:
        raise UserError(f"prompt {prompt.id}: molecule needs the fact `facts`, a list of what is stated; {EXAMPLE}")
    if not isinstance(given, Sequence) or isinstance(given, str) or not 0 < len(given) <= MAX_FACTS:
        raise UserError(
            f"prompt {prompt.id}: `facts` is {str(given)[:100]}; it must be a list of 1 to {MAX_FACTS} facts; {EXAMPLE}"
        )
    try:
        return _read(json.dumps([dict(fact) if isinstance(fact, Mapping) else fact for fact in given]))
    except (TypeError, ValueError, RecursionError) as error:
        raise UserError(f"prompt {prompt.id}: `facts` is no plain JSON ({str(error)[:100]}); {EXAMPLE}") from None
    except UserError as error:
        raise UserError(f"prompt {prompt.id}: {error}") from None


@lru_cache(maxsize=4096)
def _read(facts: str) -> Task:
    return Task(tuple(fact_of(fact) for fact in json.loads(facts)))
