"""The process in which z3 runs, as z3's own limits are soft; ``solver`` is its client.

A question that says so gets a fresh context, so that no answer depends on earlier completions.
"""

from __future__ import annotations

import resource
import sys
from typing import Any

from rlsf_lightning.symbolic.execution.tool_server import limit_memory, serve

#: Contexts after which the process makes place for a new one.
MOST = 5000


def main() -> None:
    """Arguments: seconds for each question, megabytes for z3, its resource limit for each check."""
    seconds, megabytes, effort = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    import z3
    from z3 import z3core

    z3.set_param("memory_max_size", megabytes)
    limit_memory(megabytes + 1500)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    options = f"(set-option :rlimit {effort})(set-option :produce-unsat-cores true)"

    def prepared() -> z3.Context:
        context = z3.Context()
        z3core.Z3_eval_smtlib2_string(context.ref(), options)
        return context

    context, spare, contexts = prepared(), prepared(), 0

    def evaluate(question: dict[str, Any]) -> dict[str, Any]:
        nonlocal context, contexts
        if question["fresh"]:
            context, contexts = spare, contexts + 1
        try:
            answer = {"answer": z3core.Z3_eval_smtlib2_string(context.ref(), question["text"])}
        except z3.Z3Exception as error:
            answer = {"error": str(error)[:500]}
        return {**answer, "last": contexts >= MOST}

    for question in serve(seconds, evaluate):
        if question["fresh"]:
            spare = prepared()  # while the caller thinks


if __name__ == "__main__":
    main()
