"""Worked solutions: every equation of literal numbers is recomputed, and the final answer is compared with the reference.

Covered: each wrong step `a op b = c`, at c, at an operator that could be another one, and at an operand with which another
number from the question or from what stands before would make it right; a wrong final answer, at its place;
a missing one. Steps are judged by exact fractions, and only where they certainly say what they seem to (``parse``, ``check``).
Answers are compared exactly: plain numbers here, all others as symbols, read by math-verify in a process of its own with limits
of time and memory. What cannot be decided is an abstention with its reason.

Not covered: algebra, reasoning in words, steps that spread over lines. There is no ``viable``: a chain 5 + 3 = 9 - 1 may set
right what has begun wrongly, and a later answer replaces an earlier one, so that hardly a prefix is dead for certain. What
a step or an answer says wrongly is therefore blamed where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator

from rlsf_lightning._version import __version__
from rlsf_lightning.records import Certificate, Edit, Finding, Prompt
from rlsf_lightning.symbolic.certificates import abstained, failed, first_beyond, issued, passed, too_long
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifier import package
from rlsf_lightning.symbolic.verifiers.math.check import Checked, check
from rlsf_lightning.symbolic.verifiers.math.check.answers import Same, same_answer
from rlsf_lightning.symbolic.verifiers.math.locate import locate
from rlsf_lightning.symbolic.verifiers.math.parse import parse
from rlsf_lightning.symbolic.verifiers.math.recheck import stands
from rlsf_lightning.symbolic.verifiers.math.repair import repairs
from rlsf_lightning.symbolic.verifiers.math.task import Task, task_of
from rlsf_lightning.symbolic.verifiers.math.tool import comparer

#: The kinds that mean "no answer at all".
INVALID_KINDS = frozenset(("empty", "too_long", "missing_answer"))
KINDS = INVALID_KINDS | {"wrong_step", "division_by_zero", "wrong_answer"}
MAX_CHARS = 50_000


class MathVerifier:
    """PASS when the final answer equals the prompt's reference and no step is wrong.

    The reference is an answer (`72`, `\\frac{1}{2}`, `x^2 + 1`) or a solution with a marked one (`#### 72`, `\\boxed{72}`).
    Score: 0.5 for the right answer, and 0.4 times the share of right steps. A failure of math-verify, or a reference that it
    cannot read, is an abstention, unless a step is wrong.

    Args:
        answers: `math-verify` reads whatever is no plain number with that package; `numbers` takes it for wrong unless it
            is spelled like the reference.
        max_chars: longer completions are not read; from 1 to 50000.
        seconds: computing time of one comparison by math-verify, of which there is one a call. By the clock it ends after
            15 s (five times ``seconds`` if that is more), the start of its process included: then the verdict is ABSTAIN.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS
    tools = (package("math_verify", "math"),)
    #: The suite of metrics for its completions.
    metrics = "math"

    def __init__(self, *, answers: str = "math-verify", max_chars: int = 8000, seconds: float = 3.0) -> None:
        if answers not in ("math-verify", "numbers"):
            raise ValueError(f"answers={answers}: must be math-verify or numbers")
        if not 0 < max_chars <= MAX_CHARS:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to {MAX_CHARS}")
        if not seconds > 0:
            raise ValueError(f"seconds={seconds}: must be above 0")
        self.answers, self.max_chars = answers, max_chars
        self.tool, self.version = "arithmetic", __version__
        if answers == "math-verify":
            self.tool, self.version = "arithmetic + math-verify", f"{self.version} + {comparer.version()}"
        self._comparer = comparer.Comparer(seconds)

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError for wrong facts, never for the completion."""
        task = task_of(prompt)
        return issued(self.tool, self.version, lambda: self._judge(task, completion))

    def repairs(self, certificate: Certificate, prompt: Prompt, completion: str) -> Iterator[tuple[Edit, ...]]:
        """Edits that may mend the first wrong step (see ``repair``)."""
        if len(completion) <= self.max_chars:
            yield from repairs(completion)

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether the steps, computed again by another evaluator, and the answer bear a certificate out (see ``recheck``)."""
        task = task_of(prompt)
        return stands(certificate, task, completion, self.max_chars, self._comparison(task))

    def _judge(self, task: Task, completion: str) -> Certificate:
        text, offset = stripped(completion)
        if not text:
            return failed([Finding("empty", "there is no answer")], dead_from=len(completion))
        beyond = first_beyond(text, self.max_chars)
        if beyond is not None:
            return failed([too_long(text, self.max_chars)], dead_from=offset + beyond, offset=offset)
        checked = check(parse(completion), task, self._comparison(task))
        findings = [*locate(checked.wrong_steps, task.question, completion), *checked.answer_findings]
        if findings:
            dead_from = len(completion) if self._lacks_a_last_line(checked, text) else None
            return failed(findings, score=checked.score, dead_from=dead_from, witness=checked.witness)
        if checked.undecided is not None:
            return abstained(checked.undecided, checked.witness)
        return passed(checked.witness)

    def _lacks_a_last_line(self, checked: Checked, text: str) -> bool:
        """Whether only stopping was wrong: there is room for a line with the answer, and nothing else is missing."""
        room = self.max_chars - len(text) - len("\n#### ")
        return checked.answer is None and not checked.wrong_steps and len(checked.reference) <= room

    def _comparison(self, task: Task) -> Same:
        """Says whether an answer is the reference; None: the reference cannot be read. Raises ToolFailed."""
        ask = self._comparer.same if self.answers == "math-verify" else None
        return lambda reference, answer: same_answer(reference, answer, ask, task.question)
