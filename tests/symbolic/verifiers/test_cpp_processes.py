"""Programs that start processes or threads: their time counts together, nothing is left of them, and what is right passes."""

import os
import time
from pathlib import Path

import pytest
from cpp_cases import SUM, prompt, verifier_or_skip, verify

from rlsf_lightning.records import Certificate, Verdict
from rlsf_lightning.symbolic.execution.sandbox import FIRST_UID, UIDS
from rlsf_lightning.symbolic.verifiers.cpp.verifier import CppVerifier


@pytest.fixture(scope="module")
def verifier() -> CppVerifier:
    return verifier_or_skip()


#: In the programs below SUM reads and prints the right sum, BURN never ends, and SOME takes a tenth of a second.
WORDS = {
    "SUM": "int a, b; std::cin >> a >> b; std::cout << a + b << std::endl; ",
    "BURN": "for (volatile long i = 0;;) i = i + 1; ",
    "SOME": 'for (int i = 0; i < 200000000; i++) asm volatile(""); ',
}
TOGETHER = "test 0: the program takes too long, with the processes that it starts"
MANY = "test 0: the program starts processes without end"
LEFT = "test 0: the program ends and leaves processes behind that do not"
#: What they do, and what the certificate says of it.
BOMBS = {
    "fork bomb": ("while (1) fork();", MANY),
    "fork bomb after the right output": ("SUM while (1) fork();", MANY),
    "fork bomb of sessions": ("while (1) { fork(); setsid(); }", MANY),
    "children that sleep": ("while (1) if (fork() == 0) sleep(1000);", MANY),
    "children that ignore signals": ("signal(SIGTERM, SIG_IGN); signal(SIGXCPU, SIG_IGN); while (1) fork();", MANY),
    "zombies": ("for (;;) if (fork() == 0) _exit(0);", MANY),
    "four children that burn": (
        "for (int i = 0; i < 4; i++) if (!fork()) { BURN } while (wait(0) > 0) {} SUM",
        TOGETHER,
    ),
    "one child after the other": ("for (;;) { if (!fork()) { SOME _exit(0); } wait(0); }", TOGETHER),
    "children that nobody waits for": (
        "signal(SIGCHLD, SIG_IGN); for (;;) { if (!fork()) { SOME _exit(0); } wait(0); }",
        TOGETHER,
    ),
    "a child that sleeps": ("if (!fork()) sleep(1000); wait(0);", TOGETHER),
    "stopped": ("raise(SIGSTOP);", TOGETHER),
    "a child that stops who runs it": (
        "if (!fork()) { kill(getppid(), SIGSTOP); kill(1, SIGSTOP); kill(1, SIGKILL); BURN } wait(0); SUM",
        TOGETHER,
    ),
    "daemon that burns": ("SUM if (fork() == 0) { setsid(); if (fork() == 0) { BURN } _exit(0); }", LEFT),
    "daemon that sleeps": ("SUM daemon(0, 0); sleep(1000);", LEFT),
    "chain of forks": ("SUM for (;;) if (fork() > 0) _exit(0);", LEFT),
    "child that burns behind its parent": ("SUM if (fork() == 0) { BURN }", LEFT),
    "stopped child": ("SUM if (fork() == 0) { raise(SIGSTOP); }", LEFT),
}


def whole(body: str) -> str:
    headers = "".join(f"#include <{name}>\n" for name in ("iostream", "signal.h", "sys/wait.h", "unistd.h"))
    for word, text in WORDS.items():
        body = body.replace(word, text)
    return f"{headers}int main() {{ {body} }}"


def ours() -> list[Path]:
    """Processes of tested programs that this process started: each caller's sandboxes have a user of their own."""
    found, user = [], FIRST_UID + os.getpid() % UIDS if os.geteuid() == 0 else os.geteuid()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.parent.stat().st_uid == user and path.read_bytes().startswith(b"./program"):
                found.append(path)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("name", BOMBS)
def test_a_program_that_does_not_end_its_processes_fails_soon_and_leaves_none(verifier: CppVerifier, name: str) -> None:
    body, message = BOMBS[name]
    start = time.monotonic()
    certificate = verify(verifier, whole(body), SUM[:1])
    assert time.monotonic() - start < 15
    assert not ours()
    assert certificate.verdict is Verdict.FAIL and certificate.score == 0
    assert [finding.message for finding in certificate.findings] == [message]


@pytest.mark.slow
def test_an_endless_chain_of_programs_is_ended_as_one(verifier: CppVerifier) -> None:
    certificate = verify(verifier, whole('execl("./program", "./program", (char*)0);'), SUM[:1])
    assert [finding.kind for finding in certificate.findings] == ["timeout"]
    assert not ours()


def test_no_test_is_run_after_such_an_end_and_the_certificate_stands(verifier: CppVerifier) -> None:
    completion = whole("int a, b; std::cin >> a >> b; if (a == 5) while (1) fork(); std::cout << a + b;")
    certificate = verify(verifier, completion)
    assert certificate.score == pytest.approx(1 / 3)
    assert (certificate.witness["test"], certificate.witness["not_run"]) == (1, 1)
    assert verifier.recheck(certificate, prompt(), completion)
    assert not ours()


THREADS = """#include <bits/stdc++.h>
#include <thread>
using namespace std;
int main() {
  int a, b; cin >> a >> b;
  atomic<int> sum{0};
  vector<thread> all;
  for (int i = 0; i < COUNT; i++) all.emplace_back([&, i] { if (i < 2) sum += i ? a : b; });
  for (auto& one : all) one.join();
  cout << sum << endl;
}
"""
RIGHT = {
    "two threads": THREADS.replace("COUNT", "2"),
    "four threads": THREADS.replace("COUNT", "4"),
    "a hundred threads, one after the other": THREADS.replace("COUNT", "100").replace(
        "});\n  for", "}), all.back().join();\n  for"
    ).replace("for (auto& one : all) one.join();", ""),
    "a child that prints": whole("if (fork() == 0) { SUM _exit(0); } wait(0);"),
    "a child that ends a little later": whole("SUM if (fork() == 0) { usleep(100000); _exit(0); }"),
    "ten children side by side": whole(
        "for (int i = 0; i < 10; i++) if (!fork()) { usleep(50000); _exit(0); } while (wait(0) > 0) {} SUM"
    ),
    "a hundred children": whole("for (int i = 0; i < 100; i++) { if (!fork()) _exit(0); wait(0); } SUM"),
    "a shell": "#include <bits/stdc++.h>\nint main() { return system(\"read a b; echo $((a + b))\"); }",
    "a program that becomes another": whole('execl("/bin/sh", "sh", "-c", "read a b; echo $((a + b))", (char*)0);'),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_what_ends_its_threads_and_processes_passes(verifier: CppVerifier, name: str) -> None:
    assert verify(verifier, RIGHT[name]).verdict is Verdict.PASS


@pytest.mark.slow
def test_threads_count_as_one_process(verifier: CppVerifier) -> None:
    burning = '#include <thread>\nint main() { std::thread one([] { for (;;) asm volatile(""); }); one.join(); }'
    assert [finding.kind for finding in verify(verifier, burning, SUM[:1]).findings][-1] == "timeout"


def test_a_failure_of_its_own_is_told_whatever_it_left(verifier: CppVerifier) -> None:
    certificate: Certificate = verify(verifier, whole("if (fork() == 0) { BURN } return 3;"), SUM[:1])
    assert certificate.findings[0].message == "test 0 ends with exit code 3"
    assert not ours()
