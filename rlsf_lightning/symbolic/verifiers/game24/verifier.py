"""The game of 24: an expression, or steps, that make the target out of the numbers, each used once.

Covered: every mistake that keeps an answer from being read (at its character), numbers that are not there or not used,
division by zero, a value that is not the target, and in step form wrong results, wrong remainders and dead ends. Where one
small change would make all right, its place is blamed: another operator, two neighbours exchanged, a bracket or a number put
in, a step in between; else, for a wrong value, the smallest part that leads nowhere. The first dead character is exact
for hands of up to five numbers. All arithmetic is in fractions; nothing of a completion is ever evaluated by Python.

Not covered: other notations (crosses and dots for times, powers, decimals in an expression), text around the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from rlsf_lightning._version import __version__
from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Finding, Prompt, Verdict
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.game24.judge import judge_expression
from rlsf_lightning.symbolic.verifiers.game24.recheck import stands
from rlsf_lightning.symbolic.verifiers.game24.steps import judge_steps, looks_like_steps, steps_pass, viable_steps
from rlsf_lightning.symbolic.verifiers.game24.values import Hand, hand_of, reaches_signed, solution
from rlsf_lightning.symbolic.verifiers.game24.viable import BLANKS, viable_expression

#: The kinds that mean "nothing that could be evaluated".
INVALID_KINDS = frozenset(
    "empty too_long bad_character missing_operand missing_operator unclosed_bracket extra_bracket bad_step".split()
)
KINDS = INVALID_KINDS | frozenset(
    "number_not_available number_unused division_by_zero wrong_value wrong_arithmetic wrong_remainder dead_end".split()
)
#: More findings than these are summed up in a last one.
MAX_FINDINGS = 50
MAX_CHARS = 2000
#: The exact search grows by a factor of twenty with each number.
MAX_NUMBERS = 6
#: Numbers and targets are at most this.
MAX_NUMBER = 1_000_000

_EXAMPLE = 'write "numbers": [4, 6, 8, 10]'


class Game24Verifier:
    """PASS when the completion makes the target out of the prompt's numbers, each used exactly once.

    Facts of a prompt: ``numbers``, a list of 1 to 6 integers from 0 to a million; ``target``, an integer, 24 if it is
    not given. An answer is an expression, perhaps with ``= target`` after it, or a list of steps, one a line. The score of
    a wrong expression is half the share of numbers used rightly, and 0.4 if its value is right; of wrong steps, 0.9 times
    the share of steps before the first mistake. For numbers of which the target cannot be made nothing passes, and no
    first dead character is given.

    Args:
        max_chars: longer completions are not read; from 1 to 2000.
    """

    kinds = KINDS
    invalid_kinds = INVALID_KINDS

    def __init__(self, *, max_chars: int = 500) -> None:
        if not 0 < max_chars <= MAX_CHARS:
            raise ValueError(f"max_chars={max_chars}: must be from 1 to {MAX_CHARS}")
        self.max_chars = max_chars

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        """The certificate; spans are of ``completion``. Raises UserError for wrong facts, and for nothing else."""
        start = time.perf_counter()
        hand, target = _facts(prompt)
        text, offset = stripped(completion)
        findings, score, witness = self._judge(text, offset, hand, target)
        witness["solution"] = solution(hand, target)
        fields: dict[str, Any] = {"verdict": Verdict.PASS, "score": 1.0}
        if findings:
            dead = self._dead_from(completion, hand, target)
            fields = {"verdict": Verdict.FAIL, "score": score, "findings": _bounded(findings), "dead_from": dead}
        seconds = time.perf_counter() - start
        return Certificate(tool="game24", version=__version__, seconds=seconds, witness=witness, **fields)

    def viable(self, prompt: Prompt, prefix: str) -> bool | None:
        """Whether ``prefix``, or some continuation of it, passes. Exact, but for the length limit, up to five numbers;
        None: cannot tell. White space may stand around an answer."""
        return self._viable(prefix, *_facts(prompt))

    def recheck(self, certificate: Certificate, prompt: Prompt, completion: str) -> bool:
        """Whether a second reading, evaluation and search agree with a certificate (see ``recheck``)."""
        hand, target = _facts(prompt)
        return stands(certificate, completion, hand, target, self.max_chars)

    def _viable(self, prefix: str, hand: Hand, target: Fraction) -> bool | None:
        text = prefix.lstrip()
        core = text.rstrip()
        if len(core) > self.max_chars:
            return False
        if text[len(core) :].strip(BLANKS):  # white space that may stand after an answer only
            return bool(core) and not self._judge(core, 0, hand, target)[0]
        if core == "":
            return reaches_signed(hand, target)
        if len(hand) > 1 and viable_steps(text, hand, target):
            return True
        return viable_expression(text, hand, target)

    def _judge(
        self, text: str, offset: int, hand: Hand, target: Fraction
    ) -> tuple[list[Finding], float, dict[str, object]]:
        """(findings, score, witness) of a text without white space around it."""
        if not text:
            return [Finding("empty", "there is no answer")], 0.0, {}
        if len(text) > self.max_chars:
            message = f"{len(text)} characters, more than max_chars={self.max_chars}"
            return [Finding("too_long", message)], 0.0, {}
        judged = judge_expression(text, offset, hand, target)
        if not judged[0] or "=" not in text:
            return judged
        if steps_pass(text, hand, target):
            return [], 1.0, judge_steps(text, offset, hand, target)[2]
        return judge_steps(text, offset, hand, target) if looks_like_steps(text, hand) else judged

    def _dead_from(self, completion: str, hand: Hand, target: Fraction) -> int | None:
        """Where the first dead character stands; the completion's length if only its end is wrong."""
        if not reaches_signed(hand, target):
            return None
        text, offset = stripped(completion)
        end = len(completion)
        if len(text) > self.max_chars:  # dead at the latest where it is too long
            end = offset + self.max_chars + len(text[self.max_chars :]) - len(text[self.max_chars :].lstrip()) + 1
        return _first_dead(completion[:end], lambda prefix: self._viable(prefix, hand, target) is not False)


def _facts(prompt: Prompt) -> tuple[Hand, Fraction]:
    """The numbers and the target. Raises UserError."""
    numbers, target = prompt.facts.get("numbers"), prompt.facts.get("target", 24)
    if numbers is None:
        raise UserError(f"game24 needs the numbers of each prompt as the fact `numbers`; {_EXAMPLE}")
    is_list = isinstance(numbers, (list, tuple)) and 1 <= len(numbers) <= MAX_NUMBERS
    if not is_list or not all(_is_integer(number) and 0 <= number <= MAX_NUMBER for number in numbers):
        raise UserError(
            f"game24: the fact `numbers` is {str(numbers)[:100]}; it must be a list of 1 to {MAX_NUMBERS} integers "
            f"from 0 to {MAX_NUMBER}; {_EXAMPLE}"
        )
    if not _is_integer(target) or abs(target) > MAX_NUMBER:
        raise UserError(f'game24: the fact `target` is {str(target)[:100]}; it must be an integer; write "target": 24')
    return hand_of(numbers), Fraction(target)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _first_dead(text: str, lives: Callable[[str], bool]) -> int:
    """The length of the longest prefix that lives: once dead, always dead."""
    low, high = 0, len(text) + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if lives(text[:middle]) else (low, middle)
    return low


def _bounded(findings: list[Finding]) -> tuple[Finding, ...]:
    if len(findings) <= MAX_FINDINGS:
        return tuple(findings)
    rest = len(findings) - MAX_FINDINGS
    return (*findings[:MAX_FINDINGS], Finding(findings[MAX_FINDINGS].kind, f"and {rest} more findings"))
