"""The client of z3's process: scripts that are asked in parts."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
from functools import cache

from rlsf_lightning.errors import ToolFailed, UserError, install_hint
from rlsf_lightning.symbolic.execution.tool_process import PythonToolProcess
from rlsf_lightning.symbolic.verifiers.smt.language.reader import Node, forms

SAT, UNSAT = "sat", "unsat"


@cache
def version() -> str:
    """Of z3. Raises UserError where it is not installed."""
    if importlib.util.find_spec("z3") is None:
        raise UserError(
            f"the verifier `smt` needs the package z3-solver, which is not installed; run {install_hint('smt')}"
        )
    return importlib.metadata.version("z3-solver")


class Solver:
    """Asks the child process.

    Args:
        seconds: computing time for one question.
        megabytes: memory that z3 may use.
        effort: z3's deterministic resource limit for one check.
    """

    def __init__(self, seconds: float, megabytes: int, effort: int) -> None:
        self.child = PythonToolProcess(
            "z3", "rlsf_lightning.symbolic.verifiers.smt.tool.process", seconds, megabytes, effort
        )
        self._is_old = False
        self._pending: str | None = None
        self._left = ""

    def begin(self, text: str) -> None:
        """Later questions are asked in a fresh context that begins with this script."""
        self._pending = text
        self._left = ""

    def leave(self, text: str) -> None:
        """To be said before the next question; it has no answer."""
        self._left += text

    def ask(self, text: str) -> list[Node]:
        """The answers to more of the script that was begun last. Raises ToolFailed."""
        is_fresh = self._pending is not None
        question = json.dumps({"text": (self._pending or "") + self._left + text, "fresh": is_fresh})
        self._pending, self._left = None, ""
        if is_fresh and self._is_old:
            self.child.stop()
        answer = json.loads(self.child.ask(question, start=is_fresh))
        self._is_old = answer["last"]
        if "error" in answer:
            raise ToolFailed(f"z3: {answer['error']}")
        return forms(answer["answer"])
