"""Programs that are written to harm: the same certificate twice, in bounded time, and nothing leaked or left behind."""

import json
import time
from pathlib import Path

import pytest
from cpp_cases import SUM, verifier_or_skip, verify

from rlsf_lightning.records import Verdict
from rlsf_lightning.symbolic.verifiers.cpp.verifier import CppVerifier


@pytest.fixture(scope="module")
def verifier() -> CppVerifier:
    return verifier_or_skip()


#: Hostile inputs: what they do, and what must become of them.
HOSTILE = {
    "reads_a_file_when_compiled": ('#include "/etc/passwd"\nint main() {}', Verdict.FAIL),
    "puts_a_file_into_the_binary": ('asm(".incbin \\"/etc/passwd\\""); int main() {}', Verdict.FAIL),
    "reads_an_endless_file": ('#include "/dev/zero"\nint main() {}', None),
    "reads_standard_input": ('#include "/dev/stdin"\nint main() {}', Verdict.FAIL),
    "includes_itself": ('#include "program.cpp"\nint main() {}', Verdict.FAIL),
    "template_bomb": (
        "template<int N, class T> struct X { X<N-1, X<N, T>> a; X<N-1, X<N, int>> b; }; X<200, int> x; int main() {}",
        None,
    ),
    "deep_parentheses": ("int main() { return " + "(" * 9000 + "1" + ")" * 9000 + "; }", None),
    "endless_constant": (
        "constexpr int f() { int i = 0; while (true) i++; return i; } int a[f()]; int main() {}",
        None,
    ),
    "macro_bomb": (
        "#define A(x) x x x x x x x x x x\n#define B(x) A(A(A(A(x))))\nint main() { B(B(int a;)) }",
        None,
    ),
    "huge_array": ("char a[4294967296] = {1}; int main() {}", None),
    "not_a_program": ("\x00\ud800é\u202e`'\"\\", Verdict.FAIL),
    "lies_about_lines": ('#line 999999 "/etc/passwd"\nint main() { return zz; }', Verdict.FAIL),
    "eats_memory": ("int main() { for (;;) { char* p = new char[1 << 20]; memset(p, 1, 1 << 20); } }", Verdict.FAIL),
    "forks": ("#include <unistd.h>\nint main() { for (;;) fork(); }", Verdict.FAIL),
    "kills_everyone": ("#include <signal.h>\nint main() { kill(-1, SIGKILL); }", Verdict.FAIL),
    "stays_in_the_background": (
        "#include <unistd.h>\nint main() { daemon(0, 0); sleep(1000); }",
        Verdict.FAIL,
    ),
    "writes_and_reads_outside": (
        '#include <stdio.h>\nint main() { fopen("/tmp/rlsf_was_here", "w"); FILE* f = fopen("/etc/passwd", "r"); '
        'if (f) puts("3"); }',
        Verdict.FAIL,
    ),
}


@pytest.mark.parametrize("name", ["puts_a_file_into_the_binary", "not_a_program", "lies_about_lines", "kills_everyone"])
def test_hostile_programs(verifier: CppVerifier, name: str) -> None:
    _stands(verifier, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_more_hostile_programs(verifier: CppVerifier, name: str) -> None:
    _stands(verifier, name)


def _stands(verifier: CppVerifier, name: str) -> None:
    """The same verdict twice, in bounded time, with nothing leaked, written or left behind."""
    completion, verdict = HOSTILE[name]
    start = time.monotonic()
    certificate = verify(verifier, completion, SUM[:1])
    assert time.monotonic() - start < 120
    assert certificate.verdict in ({verdict} if verdict else {Verdict.FAIL, Verdict.ABSTAIN})
    assert "root:" not in json.dumps(certificate.to_dict())
    assert not Path("/tmp/rlsf_was_here").exists()
    again = verify(verifier, completion, SUM[:1])
    assert (again.verdict, again.score, again.findings) == (
        certificate.verdict,
        certificate.score,
        certificate.findings,
    )
    until = time.monotonic() + 20
    while left := [pid for pid in Path("/proc").glob("[0-9]*") if _is_ours(pid)]:
        assert time.monotonic() < until, left
        time.sleep(0.1)


def _is_ours(process: Path) -> bool:
    """Whether a tested program is still running: its command is ./program."""
    try:
        return (process / "cmdline").read_bytes().startswith(b"./program")
    except OSError:
        return False


def test_the_program_never_sees_what_is_expected(verifier: CppVerifier) -> None:
    reader = (
        '#include <bits/stdc++.h>\n#include <dirent.h>\nint main() {\n  DIR* d = opendir(".");\n'
        "  while (dirent* e = readdir(d)) { std::ifstream f(e->d_name); std::string s, all;\n"
        '    while (f >> s) all += s;\n    if (all.find("needle") != std::string::npos && all.size() < 99) '
        "std::cout << all; }\n}"
    )
    tests = [{"input": "1", "output": "needle"}]
    assert verify(verifier, reader, tests).verdict is Verdict.FAIL
