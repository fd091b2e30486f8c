"""The child process that runs math-verify, so that no expression can stall or exhaust its parent (``comparer``).

Only the LaTeX reader of math-verify is used, which is a grammar of its own: the reader of plain expressions passes text to
Python's ``eval``.
"""

from __future__ import annotations

import sys
from typing import Any

from rlsf_lightning.symbolic.execution.tool_server import limit_memory, serve


def main() -> None:
    """Arguments: seconds for each question, megabytes."""
    from math_verify import LatexExtractionConfig, parse, verify

    config = [LatexExtractionConfig()]

    def read(text: str) -> list[object]:
        boxed = f"\\boxed{{{text}}}"
        return parse(boxed, extraction_config=config, fallback_mode="no_fallback", parsing_timeout=None)

    def compare(question: dict[str, Any]) -> dict[str, Any]:
        reference, answer = read(question["reference"]), read(question["answer"])
        equal = None
        if reference:
            equal = bool(answer) and verify(reference, answer, timeout_seconds=None)
        return {"equal": equal}

    limit_memory(int(sys.argv[2]))
    for _ in serve(float(sys.argv[1]), compare):
        pass


if __name__ == "__main__":
    main()
