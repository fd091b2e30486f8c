"""The child process that reads LaTeX by math-verify and compares, so that no expression can stall or exhaust its parent.

Only the LaTeX reader of math-verify is used, which is a grammar of its own: the reader of plain expressions passes text to
Python's ``eval``. What is read is compared exactly (``exact``). The comparison of math-verify, for which numbers are equal that
agree to some decimal places, is asked only where nothing exact can be said, and believed only where it says no.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from fractions import Fraction
from typing import Any

from rlsf_lightning.symbolic.execution.tool_server import limit_memory, serve
from rlsf_lightning.symbolic.verifiers.math.parse.notation import exact as without_decimals
from rlsf_lightning.symbolic.verifiers.math.parse.notation import latex

_DECIMAL = re.compile(r"[0-9]*\.[0-9]")


def main() -> None:
    """Arguments: seconds for each question, megabytes."""
    from math_verify import LatexExtractionConfig, parse, verify

    from rlsf_lightning.symbolic.verifiers.math.tool.exact import same

    # units are read before (check/quantity): that package drops the h of 2\pi h as hours
    as_it_is = replace(LatexExtractionConfig().normalization_config, units=False)
    config = [LatexExtractionConfig(normalization_config=as_it_is)]

    def read(text: str) -> list[Any]:
        boxed = f"\\boxed{{{without_decimals(latex(text))}}}"
        return parse(boxed, extraction_config=config, fallback_mode="no_fallback", parsing_timeout=None)

    def compare(question: dict[str, Any]) -> dict[str, Any]:
        reference, answer = read(question["reference"]), read(question["answer"])
        if not reference or not answer:
            return {"equal": False if reference else None}
        is_rounded = all(_DECIMAL.search(question[side]) for side in ("reference", "answer"))
        try:
            equal = same(reference[0], answer[0], is_rounded)
        except (ArithmeticError, AttributeError, NotImplementedError, TypeError, ValueError):
            equal = None
        if equal is False and _rounds_to(answer[0], question["reference"]):
            return {"equal": None, "undecided": "the reference is a decimal, to which the answer can be rounded"}
        if equal is None and verify(reference, answer, timeout_seconds=None):
            return {"equal": None, "undecided": "math-verify takes the answer for right, and nothing exact confirms it"}
        return {"equal": bool(equal)}

    limit_memory(int(sys.argv[2]))
    for _ in serve(float(sys.argv[1]), compare):
        pass


def _rounds_to(value: Any, written: str) -> bool:
    """Whether a decimal of the reference is what an irrational answer is at its last place."""
    decimal = re.fullmatch(r"\s*-?[0-9]*\.([0-9]{2,30})\s*", written)
    if decimal is None or not getattr(value, "is_number", False) or value.is_rational is not False or not value.is_real:
        return False
    place, stated = Fraction(1, 10 ** len(decimal[1])), Fraction(written.strip())
    beyond = Fraction(str(value.evalf(60))) - stated
    is_cut = 0 <= beyond * (1 if stated >= 0 else -1) < place
    return is_cut or 2 * abs(beyond) <= place


if __name__ == "__main__":
    main()
