"""Client of math-verify: whether two answers are mathematically equal, asked of a child process (``server``)."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
from functools import cache

from rlsf_lightning.errors import ToolFailed, UserError, install_hint
from rlsf_lightning.symbolic.execution.tool_process import PATIENCE, PythonToolProcess

#: Memory of the process, in megabytes of address space.
MEGABYTES = 2000
#: Seconds of the clock that a comparison takes at most, the start of the process included.
LONGEST = 15.0


@cache
def version() -> str:
    """Of math-verify. Raises UserError where it is not installed."""
    if importlib.util.find_spec("math_verify") is None:
        raise UserError(
            "the verifier `math` compares answers with the package math-verify, which is not installed; run "
            f"{install_hint('math')}; or write verifier.options.answers=numbers: then answers are compared as plain numbers "
            "alone"
        )
    return importlib.metadata.version("math-verify")


class Comparer:
    """Asks math-verify.

    Args:
        seconds: computing time for one comparison. By the clock none takes longer than ``LONGEST``, or ``PATIENCE`` times
            these seconds if that is more, not even where the process has to be started for it on a busy machine.
    """

    def __init__(self, seconds: float) -> None:
        module, longest = "rlsf_lightning.symbolic.verifiers.math.tool.server", max(LONGEST, PATIENCE * seconds)
        self.child = PythonToolProcess("math-verify", module, seconds, MEGABYTES, longest=longest)

    def same(self, reference: str, answer: str) -> bool | None:
        """Whether the answer is mathematically the reference; None if the reference cannot be read. Raises
        ToolFailed, also where nothing certain can be said."""
        question = json.dumps({"reference": _latex(reference), "answer": _latex(answer)})
        reply = json.loads(self.child.ask(question))
        if "undecided" in reply:
            raise ToolFailed(reply["undecided"])
        equal: bool | None = reply["equal"]
        return equal


def _latex(text: str) -> str:
    """Without dollar signs, and without braces that have no partner: the text stands inside a box."""
    text = text.replace("\\$", "").replace("$", "")
    depth = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            break
    return text if depth == 0 else text.replace("{", "").replace("}", "")
