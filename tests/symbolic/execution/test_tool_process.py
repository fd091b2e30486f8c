"""A tool's own process: answers in order, a new one after each end, limits, and nothing left behind."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.symbolic.execution.tool_process import NotStarted, PythonToolProcess, ToolProcess

#: Says what it is told, backwards; "sleep" and "spin" never end, "die" ends it.
ECHO = """
import sys, time
print("ready", flush=True)
for line in sys.stdin:
    word = line.strip()
    while word in ("sleep", "spin"):
        time.sleep(0.01 * (word == "sleep"))
    if word == "die":
        sys.exit(3)
    print(word[::-1], flush=True)
"""


@pytest.fixture
def start() -> Iterator[Callable[..., ToolProcess]]:
    made = []

    def make(seconds: float = 5.0, command: list[str] | None = None) -> ToolProcess:
        made.append(ToolProcess("echo", command or [sys.executable, "-c", ECHO], seconds))
        return made[-1]

    yield make
    for child in made:
        child.stop()


def test_answers_come_in_order_from_one_process(start: Callable[..., ToolProcess]) -> None:
    child = start()
    assert not child.is_running()
    assert [child.ask(word) for word in ("abc", "", "ü\u2028x")] == ["cba", "", "x\u2028ü"]
    assert child.process is not None
    process = child.process.pid
    assert child.ask("again") == "niaga" and child.process.pid == process
    with pytest.raises(AssertionError, match="one line"):
        child.ask("two\nlines")


def test_the_ctrl_c_of_a_terminal_does_not_reach_it(start: Callable[..., ToolProcess]) -> None:
    child = start()
    child.spawn()
    assert child.process is not None
    os.kill(child.process.pid, signal.SIGINT)  # while it starts, too
    assert child.ask("abc") == "cba"
    os.kill(child.process.pid, signal.SIGINT)
    process = child.process.pid
    assert child.ask("abc") == "cba" and child.process.pid == process
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_process_that_ended_is_replaced(start: Callable[..., ToolProcess]) -> None:
    child = start()
    with pytest.raises(ToolFailed, match=r"the process of echo ended \(exit code 3\)"):
        child.ask("die")
    with pytest.raises(ToolFailed, match="echo has ended"):
        child.ask("abc", start=False)
    assert child.ask("abc") == "cba"
    assert child.ask("abc", start=False) == "cba"
    assert child.process is not None
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    assert child.ask("abc") == "cba"


@pytest.mark.parametrize("question", ["spin", "sleep"])
def test_no_question_lasts(start: Callable[..., ToolProcess], question: str) -> None:
    child = start(0.2)
    begin = time.monotonic()
    with pytest.raises(ToolFailed, match=r"echo: no answer within 0.2 s of computing"):
        child.ask(question)
    assert time.monotonic() - begin < 20 and not child.is_running()
    assert child.ask("abc") == "cba"


@pytest.mark.parametrize("question", ["spin", "sleep"])
def test_a_question_ends_when_the_clock_says_so(question: str) -> None:
    child = ToolProcess("echo", [sys.executable, "-c", ECHO], 60.0, longest=0.5)
    while not child.is_running() or not child._is_ready:
        with contextlib.suppress(ToolFailed):
            child.ask("abc")
    begin = time.monotonic()
    with pytest.raises(ToolFailed, match=r"echo: no answer within 0.5 s"):
        child.ask(question)
    assert 0.5 <= time.monotonic() - begin < 5 and not child.is_running()
    child.stop()


def test_a_start_that_takes_longer_than_a_question_may_goes_on_and_is_not_begun_again() -> None:
    child = ToolProcess("echo", [sys.executable, "-c", "import time; time.sleep(3)\n" + ECHO], 60.0, longest=0.2)
    begin = time.monotonic()
    with pytest.raises(ToolFailed, match=r"echo: still starting after 0.2 s") as raised:
        child.ask("abc")
    assert time.monotonic() - begin < 2 and not isinstance(raised.value, NotStarted)
    assert child.is_running() and child.process is not None
    process = child.process.pid
    child.longest = 60.0
    assert child.ask("abc") == "cba" and child.process.pid == process
    child.stop()


def test_what_does_not_start_says_so(start: Callable[..., ToolProcess], tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match=r"echo cannot be started: .*No such file"):
        start(command=[str(tmp_path / "nothing")]).ask("abc")
    with pytest.raises(NotStarted, match=r"echo does not start: .*exit code 7"):
        start(command=[sys.executable, "-c", "raise SystemExit(7)"]).ask("abc")


def test_a_forked_process_asks_one_of_its_own(start: Callable[..., ToolProcess]) -> None:
    child = start()
    assert child.ask("abc") == "cba" and child.process is not None
    ours = child.process.pid
    forked = os.fork()
    if forked == 0:
        is_right = not child.is_running() and child.ask("abc") == "cba" and child.process.pid != ours
        child.stop()
        os._exit(0 if is_right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 0
    assert child.ask("def", start=False) == "fed" and child.process.pid == ours


ANSWERS = """
import sys
from rlsf_lightning.symbolic.execution.tool_server import serve, limit_memory

def answer(question):
    while question["spin"]:
        pass
    return {"filled": len(bytes(question["bytes"]))}

limit_memory(300)
for question in serve(float(sys.argv[1]), answer):
    pass
"""


def test_a_python_tool_is_bounded_from_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_tool.py").write_text(ANSWERS)
    monkeypatch.syspath_prepend(tmp_path)
    child = PythonToolProcess("some tool", "some_tool", 0.3)
    assert child.ask('{"spin": false, "bytes": 7}') == '{"filled": 7}'
    with pytest.raises(ToolFailed, match="ended"):
        child.ask('{"spin": false, "bytes": 1000000000}')
    assert child.ask('{"spin": false, "bytes": 8}') == '{"filled": 8}'
    child.seconds = 100.0  # so that only the kernel's count ends it
    with pytest.raises(ToolFailed, match="no answer within"):
        child.ask('{"spin": true, "bytes": 0}')
    child.stop()
