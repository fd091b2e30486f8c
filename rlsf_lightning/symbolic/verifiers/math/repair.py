"""Repairs of a solution: the value of a wrong step where another one is stated, there and in what follows from it.

Where every step is right and the answer is not, nothing is repaired: that would be the known answer after other reasons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from rlsf_lightning.records import Edit, Span
from rlsf_lightning.symbolic.repair import Draft
from rlsf_lightning.symbolic.verifiers.math.check.steps import check_steps
from rlsf_lightning.symbolic.verifiers.math.parse.equations import read_equations

#: Of what is written as a decimal in a repair.
_MAX_PLACES = 6
#: Wrong steps that are mended one after the other.
_MAX_STEPS = 20


def repairs(completion: str) -> Iterator[tuple[Edit, ...]]:
    """The wrong results, each with all that follows from it, and the first of them alone."""
    draft, alone = Draft(completion), None
    for _ in range(_MAX_STEPS):
        result = _wrong_result(draft.text)
        if result is None:
            break
        alone = alone or result
        draft.change([result, *_uses(draft.text, result)])
    if alone is not None:
        yield draft.edits
        yield (alone,)


def _wrong_result(text: str) -> Edit | None:
    """The edit of the first wrong result; None: there is none, or its step is not one number after an equals sign."""
    wrong = next((step for step in check_steps(read_equations(text)) if not step.holds), None)
    if wrong is None or wrong.left_value is None:
        return None
    stated, right = wrong.equation.right.tokens, _written(wrong.left_value)
    if right is None or [token.kind for token in stated] != ["number"]:
        return None
    return Edit(Span(stated[0].start, stated[0].end), right)


def _uses(text: str, result: Edit) -> Iterator[Edit]:
    """Where the same number stands again after its step."""
    old = re.escape(text[result.span.start : result.span.end])
    for match in re.compile(rf"(?<![\d.,]){old}(?!\d|[.,]\d)").finditer(text, result.span.end):
        yield Edit(Span(match.start(), match.end()), result.text)


def _written(value: Fraction) -> str | None:
    """As a whole number or a decimal that is exact; None: it has none that is short."""
    if value.denominator == 1:
        return str(value.numerator)
    for places in range(1, _MAX_PLACES + 1):
        if (value * 10**places).denominator == 1:
            digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
            return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"
    return None
