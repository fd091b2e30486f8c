"""The process in which z3 runs: one question a line, one answer a line, JSON. Started by ``solver``.

Before each question the kernel is told to end this process after so many seconds of computing, as z3's own limits are
soft; its memory is limited too. It ends with its caller, when its input is closed. A question that says so gets a fresh
context, so that no answer depends on earlier completions.
"""

from __future__ import annotations

import json
import resource
import signal
import sys

#: A real second is much longer than a computed one where the machine is busy; this many times, at most.
PATIENCE = 10
#: Contexts after which the process makes place for a new one.
MOST = 5000


def main() -> None:
    """Arguments: seconds for each question, megabytes for z3, its resource limit for each check."""
    seconds, megabytes, effort = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    import z3
    from z3 import z3core

    z3.set_param("memory_max_size", megabytes)
    memory = (megabytes + 1500) * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    options = f"(set-option :rlimit {effort})(set-option :produce-unsat-cores true)"

    def prepared() -> z3.Context:
        context = z3.Context()
        z3core.Z3_eval_smtlib2_string(context.ref(), options)
        return context

    context, spare, contexts = prepared(), prepared(), 0
    print(z3.get_version_string(), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, seconds * PATIENCE)
        if question["fresh"]:
            context, contexts = spare, contexts + 1
        try:
            answer = {"answer": z3core.Z3_eval_smtlib2_string(context.ref(), question["text"])}
        except z3.Z3Exception as error:
            answer = {"error": str(error)[:500]}
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps({**answer, "last": contexts >= MOST}), flush=True)
        if question["fresh"]:
            spare = prepared()  # while the caller thinks


if __name__ == "__main__":
    main()
