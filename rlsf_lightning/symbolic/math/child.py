"""The process in which math-verify runs: one question a line, one answer a line, JSON. Started by ``compare``.

Before each question the kernel is told to end this process after so many seconds of computing, so that no expression can
hold it up, whatever it does; its memory is limited too. It ends with its caller, when its input is closed.

Only the LaTeX reader of math-verify is used, which is a grammar of its own: the reader of plain expressions passes text to
Python's ``eval``.
"""

from __future__ import annotations

import json
import resource
import signal
import sys

#: A real second is much longer than a computed one where the machine is busy; this many times, at most.
PATIENCE = 20


def main() -> None:
    """Arguments: seconds for each question, megabytes."""
    seconds, megabytes = float(sys.argv[1]), int(sys.argv[2])
    from math_verify import LatexExtractionConfig, parse, verify

    config = [LatexExtractionConfig()]

    def read(text: str) -> list[object]:
        boxed = f"\\boxed{{{text}}}"
        return parse(boxed, extraction_config=config, fallback_mode="no_fallback", parsing_timeout=None)

    memory = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    print("ready", flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, seconds * PATIENCE)
        reference, answer = read(question["reference"]), read(question["answer"])
        equal = None
        if reference:
            equal = bool(answer) and verify(reference, answer, timeout_seconds=None)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps({"equal": equal}), flush=True)


if __name__ == "__main__":
    main()
