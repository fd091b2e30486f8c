"""The task of a prompt: a question and its right answer."""

from __future__ import annotations

from dataclasses import dataclass

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifiers.math.parse.answer import find_answer


@dataclass(frozen=True)
class Task:
    question: str
    #: The right answer alone.
    reference: str


def task_of(prompt: Prompt) -> Task:
    """The prompt's question, and the answer that its reference is or, as a solution, has. Raises UserError."""
    text = prompt.reference
    if not isinstance(text, str) or not text.strip():
        raise UserError(
            f'math needs the right answer of each prompt as its `reference`, which is {text!r}; write "reference": "72"'
        )
    is_solution = "####" in text or "boxed" in text or "\n" in text.strip()
    answer = find_answer(text) if is_solution else None
    return Task(prompt.text, answer.text if answer is not None else text.strip())
