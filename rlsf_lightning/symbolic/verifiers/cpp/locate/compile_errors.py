"""From the compiler's errors to findings, at the places where the mistakes behind them may have been made."""

from __future__ import annotations

from collections.abc import Sequence

from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import CompilerError
from rlsf_lightning.symbolic.verifiers.cpp.locate.brackets import parentheses, unbalanced
from rlsf_lightning.symbolic.verifiers.cpp.locate.declarations import with_declarations
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program


def findings(program: Program, errors: Sequence[CompilerError]) -> list[Finding]:
    """One for each error, after the bracket that is missing, if one is."""
    found = [error.finding(program.text) for error in with_declarations(program, errors)]
    bracket = unbalanced(program)
    if bracket is None and any(error.kind == "syntax" for error in errors):
        bracket = parentheses(program, [error.place for error in errors if error.place is not None])
    return found if bracket is None else [bracket, *found]
