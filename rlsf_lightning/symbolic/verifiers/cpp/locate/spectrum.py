"""Spectrum-based fault localisation: the statements that make a program print the wrong thing, by what its tests execute.

Two things speak against a statement: that failing tests execute it more than passing ones do, and that they skip it
more. Either speaks against the condition that decides it too. Both are measured with Ochiai's coefficient (Abreu,
Zoeteweij, van Gemund 2006, "An Evaluation of Similarity Coefficients for Software Fault Localization"), and the worst are
blamed. Where the tests do not tell statements apart, those that compute and decide most in the fewest characters are. An
empty block goes with its condition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.cpp.compiler.instrumented import Seen
from rlsf_lightning.symbolic.verifiers.cpp.source.statements import Split

#: Statements are blamed while they are at most this share of the program's characters; the worst also if they are more,
#: up to the second share; where the tests are silent, up to the third.
USUALLY_BLAMED, MOST_BLAMED, GUESSED = 0.25, 0.5, 0.28
#: Declares variables, and gives them no value. Longer lines are not looked at.
_LONGEST = 300
_DECLARATION = re.compile(
    r"(?:const )?(?:\w+::)?\w+(?: \w+)*(?:<[^;()=]*>)?[\s&*]+\w+\s*(?:\[[^]=]*\]\s*)*(?:,[^;()=]*)?;"
)
_OPERATORS = frozenset("+ - * / % < > <= >= == != && || ! ? ++ -- += -= *= /= %= & | ^".split())


def suspects(split: Split, seen: Sequence[Seen]) -> tuple[list[int], str]:
    """The lines to blame, and why."""
    failing = [frozenset(one.counts) for one in seen if not one.passed and one.counts]
    passing = [frozenset(one.counts) for one in seen if one.passed and one.counts]
    if not failing:
        return [], ""
    lines = suspicious(split, failing, passing)
    if lines:
        why = "; failing tests differ from passing ones in executing these statements"
    else:
        lines = _computing(split, frozenset.intersection(*failing))
        why = "; the tests do not tell statements apart: these compute and decide" if lines else ""
    return _with_empty_blocks(split, lines), why


def suspicious(split: Split, failing: Sequence[frozenset[int]], passing: Sequence[frozenset[int]]) -> list[int]:
    """The lines that the tests speak against, given the lines that each executes; none if they say nothing."""
    if not failing or not passing:
        return []
    of_all = sqrt(len(failing) / (len(failing) + len(passing)))  # of a line that every test executes
    scores: dict[int, float] = {}
    for line in frozenset().union(*failing, *passing):
        executed = ochiai([line in lines for lines in failing], [line in lines for lines in passing])
        skipped = ochiai([line not in lines for lines in failing], [line not in lines for lines in passing])
        for blamed in split.deciding(line):
            scores[blamed] = max(scores.get(blamed, 0.0), executed, skipped)
        scores[line] = max(scores.get(line, 0.0), executed)
    return _worst(split, {line: score for line, score in scores.items() if score > of_all + 1e-9})


def ochiai(failing: Sequence[bool], passing: Sequence[bool]) -> float:
    """How well "this is so" goes with failing: 1 when it is so in all failing tests and in no passing one."""
    fails, passes = sum(failing), sum(passing)
    return fails / sqrt(len(failing) * (fails + passes)) if fails else 0.0


def spans_of(split: Split, lines: Sequence[int]) -> tuple[Span, ...]:
    """One span a line, in the original text; blanks between them are nobody's."""
    spans = (split.program.line_span(line) for line in lines)
    return tuple(split.back(span) for span in spans if span is not None)


def _worst(split: Split, scores: Mapping[int, float]) -> list[int]:
    """The lines with the highest scores, as many as may be blamed; lines that score the same go together."""
    chosen: list[int] = []
    for score in sorted(set(scores.values()), reverse=True):
        more = chosen + [line for line in scores if scores[line] == score]
        if _share(split, more) > (USUALLY_BLAMED if chosen else MOST_BLAMED):
            break
        chosen = more
    return sorted(chosen)


def _computing(split: Split, lines: frozenset[int]) -> list[int]:
    """Of these lines those with the most operators and numbers a character."""
    density: dict[int, float] = {}
    for line in lines:
        span, telling = split.program.line_span(line), _telling(split, line)
        if span is not None and telling:
            density[line] = telling / (span.end - span.start)
    chosen: list[int] = []
    for line in sorted(density, key=lambda line: (-density[line], line)):
        if not chosen or _share(split, [*chosen, line]) <= GUESSED:
            chosen.append(line)
    return sorted(chosen)


def _telling(split: Split, line: int) -> int:
    """The operators and numbers of a line; none in a declaration without a value, and in ``return 0;``."""
    tokens, span = split.on_line(line), split.program.line_span(line)
    if span is None or not tokens:
        return 0
    if span.end - span.start <= _LONGEST and _DECLARATION.fullmatch(split.program.text, span.start, span.end):
        return 0
    operators = sum(token.text in _OPERATORS for token in tokens)
    numbers = sum(token.kind == "number" for token in tokens)
    return 0 if tokens[0].text == "return" and not operators else operators + numbers


def _with_empty_blocks(split: Split, lines: Sequence[int]) -> list[int]:
    """With the blocks in which there is nothing, of conditions that are blamed."""
    tokens, found = split.program.tokens, set(lines)
    for brace, after in pairwise(tokens):
        if brace.text == "{" and after.text == "}" and brace.kind == after.kind == "other":
            at = split.program.line_of(brace.start)
            if found & set(split.deciding(at)):
                found |= {at, split.program.line_of(after.start)}
    return sorted(found)


def _share(split: Split, lines: Sequence[int]) -> float:
    """Of the program's characters that are not blank."""
    return sum(span.end - span.start for span in spans_of(split, lines)) / max(1, split.size)
