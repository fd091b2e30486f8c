"""A verifier that takes no time, but for prompts that tell it to fail: for process_cost.py."""

from __future__ import annotations

import os
import time

from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict

FINDING = Finding("wrong", "as everything is", (Span(0, 1),))


class Instant:
    """Everything is wrong. The fact ``fault`` is "crash" or "hang"."""

    version = "1"

    def verify(self, prompt: Prompt, completion: str) -> Certificate:
        if prompt.facts.get("fault") == "crash":
            os._exit(3)
        if prompt.facts.get("fault") == "hang":
            time.sleep(3600)
        return Certificate(Verdict.FAIL, (FINDING,), score=0.5, dead_from=0, tool="instant")
