"""The tests that a prompt sets: what a program is fed with, and what it must print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt

_EXAMPLE = 'a prompt needs tests: [{"input": "1 2\\n", "output": "3\\n"}, ...]'


@dataclass(frozen=True)
class Case:
    """One test: what is fed in, and what must come out."""

    input: str
    output: str


@dataclass(frozen=True)
class Task:
    """``cases``: at least one, in the order of running."""

    cases: tuple[Case, ...]


def task_of(prompt: Prompt) -> Task:
    """The tests in the prompt's facts. Raises UserError where they are missing or malformed."""
    tests = prompt.facts.get("tests")
    if not isinstance(tests, Sequence) or isinstance(tests, str) or not tests:
        raise UserError(f"cpp: the fact `tests` of prompt {prompt.id!r} is {str(tests)[:80]!r}; {_EXAMPLE}")
    cases = []
    for test in tests:
        if not isinstance(test, Mapping) or not all(isinstance(test.get(key), str) for key in ("input", "output")):
            raise UserError(f"cpp: a test of prompt {prompt.id!r} is {str(test)[:80]!r}; {_EXAMPLE}")
        cases.append(Case(test["input"], test["output"]))
    return Task(tuple(cases))
