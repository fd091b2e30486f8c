"""One round of process_cost.py in one checkout, which comes first on PYTHONPATH: prints seconds as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.execution.pool import VerifierPool
from rlsf_lightning.symbolic.execution.tool_process import ToolProcess

ECHO = [sys.executable, "-c", "import sys\nprint(flush=True)\nfor line in sys.stdin: print(line, end='', flush=True)"]
PLAIN = Prompt("plain", "")
CRASH = Prompt("crash", "", facts={"fault": "crash"})
HANG = Prompt("hang", "", facts={"fault": "hang"})
TIMEOUT = 0.5


def seconds(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def pool_costs(workers: int, count: int) -> dict[str, float]:
    """Of a pool whose verifier takes no time itself."""
    made = iter(range(10**9))

    def verify(*prompts: Prompt) -> None:
        """No answer twice, as the pool would remember it."""
        pool.submit([(prompt, f"answer {next(made)}") for prompt in prompts]).result()

    begin = time.perf_counter()
    with VerifierPool("instant:Instant", {}, workers=workers, timeout=TIMEOUT) as pool:
        found = {"start": time.perf_counter() - begin}
        verify(*[PLAIN] * 64 * workers)  # until every worker has its verifier
        found["start of all"] = time.perf_counter() - begin
        found["alone"] = seconds(lambda: [verify(PLAIN) for _ in range(count)]) / count
        found["in a batch"] = seconds(lambda: verify(*[PLAIN] * 10 * count)) / (10 * count)
        crash = seconds(lambda: verify(CRASH))
        found["crash and the next verdict"] = crash + seconds(lambda: verify(*[PLAIN] * workers))
        found["batch of 64 with a crash"] = seconds(lambda: verify(*[PLAIN] * 20, CRASH, *[PLAIN] * 43))
        found["batch of 64 with a hang"] = seconds(lambda: verify(*[PLAIN] * 20, HANG, *[PLAIN] * 43))
        begin = time.perf_counter()
    return {**found, "close": time.perf_counter() - begin}


def tool_costs(count: int) -> dict[str, float]:
    """Of a tool's long-lived process that does nothing."""
    child = ToolProcess("echo", ECHO, 5.0)
    found = {"tool: start": seconds(lambda: child.ask("x"))}
    found["tool: question"] = seconds(lambda: [child.ask("x") for _ in range(count)]) / count
    child.stop()
    return found


def main() -> None:
    workers, count = map(int, sys.argv[1:])
    print(json.dumps({**pool_costs(workers, count), **tool_costs(count)}))


if __name__ == "__main__":
    main()
