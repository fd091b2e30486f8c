"""Viability of a prefix in steps.

Each value has a few spellings and each hand a few dozen steps, so all of them are tried against what is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction

from rlsf_lightning.symbolic.verifiers.game24.arithmetic.spelling import spellings
from rlsf_lightning.symbolic.verifiers.game24.arithmetic.steps import Step, steps_from
from rlsf_lightning.symbolic.verifiers.game24.arithmetic.values import Hand, reaches
from rlsf_lightning.symbolic.verifiers.game24.parse.notation import without_stop
from rlsf_lightning.symbolic.verifiers.game24.parse.steps import BLANKS
from rlsf_lightning.symbolic.verifiers.game24.task import Task


def viable_steps(text: str, task: Task) -> bool:
    """Whether some continuation of ``text`` is a list of right steps to the target."""
    before, _, last = text.rpartition("\n")
    hands = _left_by(before, task)
    if last.endswith(".") and after(last, hands, task.target):
        return True
    if not last.strip(BLANKS):
        return bool(hands)
    meant = (step for hand in hands for step in steps_from(hand) if _match(last, step) is not None)
    return any(reaches(step.left, task.target) for step in meant)


def are_whole(text: str, task: Task) -> bool:
    """Whether the text is a list of right steps that leave the target alone."""
    return (task.target,) in _left_by(text, task)


def _left_by(text: str, task: Task) -> set[Hand]:
    """What whole lines can leave, as far as it leads to the target."""
    hands = {task.hand} if reaches(task.hand, task.target) else set()
    for line in text.split("\n"):
        hands = after(line, hands, task.target)
    return hands


def after(line: str, hands: Iterable[Hand], target: Fraction) -> set[Hand]:
    """What a whole line, a step from one of the hands, can leave, as far as it leads to the target."""
    line = without_stop(line.rstrip(BLANKS))
    if not line:
        return set(hands)
    ends = {step.left for hand in hands for step in steps_from(hand) if _match(line, step)}
    return {hand for hand in ends if reaches(hand, target)}


def _match(line: str, step: Step) -> bool | None:
    """True: the line spells the step. False: it is the beginning of a spelling. None: neither."""
    at, partial = {0}, False
    parts: tuple[tuple[str, ...], ...] = (
        spellings(step.a), (step.operator,), spellings(step.b), ("=",), spellings(step.made),
    )  # fmt: skip
    for part in parts:
        at, runs_out = _advance(line, at, part)
        partial = partial or runs_out
    whole = any(not line[i:].strip(BLANKS) for i in at)
    for part in (("(",), ("left",), (":",)):
        at, runs_out = _advance(line, at, part)
        partial = partial or runs_out
    at, runs_out = _advance_left(line, at, Counter(step.left), first=True)
    at, runs_out_last = _advance(line, at, (")",))
    whole = whole or any(not line[i:].strip(BLANKS) for i in at)
    return True if whole else False if partial or runs_out or runs_out_last else None


def _advance(line: str, starts: Iterable[int], texts: Iterable[str]) -> tuple[set[int], bool]:
    """Where one of the texts can end, blanks before it; and whether the line ends before or within one."""
    ends, runs_out = set(), False
    for start in starts:
        while start < len(line) and line[start] in BLANKS:
            start += 1
        for text in texts:
            if line.startswith(text, start):
                ends.add(start + len(text))
            elif text.startswith(line[start:]):
                runs_out = True
    return ends, runs_out


def _advance_left(line: str, starts: Iterable[int], left: Counter[Fraction], first: bool) -> tuple[set[int], bool]:
    """The same for all the numbers that are left, in any order, with blanks or a comma between two."""
    if not left:
        return set(starts), False
    ends, runs_out = set[int](), False
    for start in starts:
        after = start
        if not first:
            while after < len(line) and line[after] in BLANKS:
                after += 1
            after += line.startswith(",", after)
            if after == len(line):
                runs_out = True
            if after == start:
                continue
        for number in left:
            places, ended = _advance(line, {after}, spellings(number))
            more, ended_later = (
                _advance_left(line, places, left - Counter([number]), first=False) if places else (set(), False)
            )
            ends |= more
            runs_out = runs_out or ended or ended_later
    return ends, runs_out
