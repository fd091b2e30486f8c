"""The game of 24: an expression, or steps, that make the target out of the numbers, each used once.

Covered: every mistake that keeps an answer from being read (at its character), numbers that are not there or not used,
division by zero, a value that is not the target, and in step form wrong results, wrong remainders and dead ends. Where one
small change would make all right, its place is blamed: another operator, two neighbours exchanged, a bracket or a number put
in, a step in between; else, for a wrong value, the smallest part that leads nowhere. The first dead character is exact
for hands of up to five numbers. All arithmetic is in fractions; nothing of a completion is ever evaluated by Python.

Operators and brackets may be written as in print or LaTeX, equations may follow each other, and ``Answer:`` may announce an
expression, with the steps to it before.

Not covered: powers, decimals in an expression, other text around the answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from rlsf_lightning._version import __version__
from rlsf_lightning.records import Certificate, Edit, Finding, Prompt
from rlsf_lightning.symbolic.certificates import failed, first_beyond, first_dead, issued, passed, too_long
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import solution
from rlsf_lightning.symbolic.verifiers.game24.check import check
from rlsf_lightning.symbolic.verifiers.game24.locate import locate
from rlsf_lightning.symbolic.verifiers.game24.parse import parse
from rlsf_lightning.symbolic.verifiers.game24.recheck import stands
from rlsf_lightning.symbolic.verifiers.game24.repair import repairs
from rlsf_lightning.symbolic.verifiers.game24.task import Task, task_of
from rlsf_lightning.symbolic.verifiers.game24.viable import viable

TOOL = "game24"
#: The kinds that mean "nothing that could be evaluated".
INVALID_KINDS = frozenset(
    "empty too_long bad_character missing_operand missing_operator unclosed_bracket extra_bracket bad_step".split()
)
KINDS = INVALID_KINDS | frozenset(
    "number_not_available number_unused division_by_zero wrong_value wrong_arithmetic wrong_remainder dead_end".split()
)
MAX_CHARS = 2000


class Game24Verifier:
    """PASS when the completion makes the target out of the prompt's numbers, each used exactly once.

    Facts of a prompt: ``numbers``, a list of 1 to 6 integers from 0 to a million; ``target``, an integer, 24 if it is
    not given. An answer is an expression, perhaps with ``= target`` after it, or a list of steps, one a line, or
    steps and then a line ``Answer:`` with an expression: both must be right, and the lower score counts. The score of
    a wrong expression is half the share of numbers used rightly, and 0.4 if its value is right; of wrong steps, 0.9 times
    the share of steps before the first mistake. For numbers of which the target cannot be made nothing passes, and no
    first dead character is given.

    Args:
        max_chars: longer completions are not read; from 1 to 2000.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS
    #: The suite of metrics for its completions.
    metrics = "game24"

    def __init__(self, *, max_chars: int = 500) -> None:
        if not 0 < max_chars <= MAX_CHARS:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to {MAX_CHARS}")
        self.max_chars = max_chars

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError for wrong facts, never for the completion."""
        task = task_of(prompt)
        return issued(TOOL, __version__, lambda: self._judge(task, completion))

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether ``prefix``, or some continuation of it, passes (see ``viable``). None: cannot tell."""
        return viable(prefix, task_of(prompt), self.max_chars)

    def repairs(self, certificate: Certificate, prompt: Prompt, completion: str) -> Iterator[tuple[Edit, ...]]:
        """Edits that may make an answer right (see ``repair``)."""
        task = task_of(prompt)
        if task.has_solution and len(completion) <= self.max_chars:
            yield from repairs(task, completion)

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether a second reading, evaluation and search agree with a certificate (see ``recheck``)."""
        return stands(certificate, task_of(prompt), completion, self.max_chars)

    def _judge(self, task: Task, completion: str) -> Certificate:
        text, offset = stripped(completion)
        witness = {"solution": solution(task.hand, task.target)}
        if not text or len(text) > self.max_chars:
            finding = too_long(text, self.max_chars) if text else Finding("empty", "there is no answer")
            return failed([finding], dead_from=self._dead_from(task, completion), witness=witness, offset=offset)
        answer = parse(text, offset)
        checked = check(answer, task)
        witness = {**checked.witness, **witness}
        if not checked.findings:
            return passed(witness)
        dead_from = self._dead_from(task, completion)
        return failed(locate(checked, answer, task), score=checked.score, dead_from=dead_from, witness=witness)

    def _dead_from(self, task: Task, completion: str) -> int | None:
        """The first dead character; the completion's length if only its end is wrong."""
        if not task.has_solution:
            return None
        text, offset = stripped(completion)
        beyond = first_beyond(text, self.max_chars)  # with this character the text is too long, whatever follows
        end = len(completion) if beyond is None else offset + beyond + 1
        return first_dead(completion[:end], lambda prefix: viable(prefix, task, self.max_chars) is not False)
