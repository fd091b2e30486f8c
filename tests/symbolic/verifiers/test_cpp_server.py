"""The compiler that forks for each text says what g++ says, and where it cannot, g++ is asked."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from cpp_cases import GOOD, SUM, verifier_or_skip, verify

from rlsf_lightning.records import Verdict
from rlsf_lightning.symbolic.verifiers.cpp.compiler.compiler import Compiler
from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import read_errors
from rlsf_lightning.symbolic.verifiers.cpp.compiler.results import read_dropped
from rlsf_lightning.symbolic.verifiers.cpp.compiler.scripts import assembled
from rlsf_lightning.symbolic.verifiers.cpp.compiler.server import includes_known, is_served
from rlsf_lightning.symbolic.verifiers.cpp.compiler.toolchain import OBJECT, find_toolchain
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.task import Case
from rlsf_lightning.symbolic.verifiers.cpp.verifier import CppVerifier

WHOLE = "#include <bits/stdc++.h>\nusing namespace std;\n"


@pytest.fixture(scope="module")
def verifier() -> CppVerifier:
    return verifier_or_skip()


@pytest.mark.parametrize(
    ("text", "served"),
    [
        (GOOD, True),
        (WHOLE + GOOD, True),
        (WHOLE + "#define int long long\n#include <vector>\n" + GOOD, True),
        ("#include <iostream>\n" + GOOD, False),  # names of other headers are not there
        ("#define N 3\n" + GOOD, False),
        ("#define N 3\n" + WHOLE + GOOD, False),
        (WHOLE + "#include <regex>\n" + GOOD, False),
        (WHOLE + '#include "program.cpp"\n' + GOOD, False),
        (WHOLE + "#pragma once\n" + GOOD, False),
        (WHOLE + "#ifdef X\n#endif\n" + GOOD, False),
        ("int main() { cout << __FILE__; }", False),
        ("int main() { cout << __INCLUDE_LEVEL__; }", False),
        ('asm("nop"); int main() {}', False),
        ("int main() { return __gcd(4, 6) + __builtin_popcount(3) + (int)(__int128)1; }", True),
        ("int main() { cout << \"é\"; }", True),
        ("int main() { cout << \"\ud800\"; }", False),
        ("int main() { cout << \"\0\"; }", False),
        ("\ufeffint main() {}", False),
        ("int main() {\r\n}", False),
        ("", False),
    ],
)  # fmt: skip
def test_which_programs_are_served(text: str, served: bool) -> None:
    assert is_served(Program(text)) is served


def test_versions_that_include_something_else_are_not_served() -> None:
    assert includes_known('#include <bits/stdc++.h>\n#include "dropped.h"\nint x;')
    assert not includes_known("#include <bits/stdc++.h>\n#include <regex>\nint x;")


def test_versions_with_errors_are_read_from_what_is_printed() -> None:
    printed = "c12:3:4: error: no\nc7:1:1:   required from here\nc9:1:1: note: see\nx c4:1:1: error: no\nc12:9:9: error: again"
    assert read_dropped(printed) == [7, 12]


@pytest.fixture
def alone(verifier: CppVerifier, monkeypatch: pytest.MonkeyPatch) -> Iterator[Compiler]:
    """A compiler that starts g++ for each text."""
    compiler = Compiler(verifier.compiler.sandbox, verifier.compiler.standard, verifier.compiler.budget)
    monkeypatch.setattr(compiler, "_served", lambda *_: None)
    monkeypatch.setattr(compiler, "_trial_assembly", lambda *_: None)
    yield compiler


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "int main() { int total = 0; cin >> totl; return 0 }",
        "int main() { while (true) { cout << 1;",
        "int main() { vector<string> a; sort(a.begin(), 3); cout << a; }",
        'int main() { cout << "x; }',
        "int main() { /* and so on",
        "int f(int a) { return a; } int f(int b) { return b; } int main() { int x; char x; }",
        "struct A { void f() { g(); } }; int main() { A a; a.h(); }",
        "template <class T> T twice(T t) { return t.x * 2; } int main() { return twice(3); }",
        "int main() { goto end; } }",
        "```cpp\nint main() {}\n```",
        "int main() { return 0; } int main() { return 1; }",
        "#",
        'int main() { string größe = "é😀"; cout << größe << total; }',
        "int main() { int a; cin >>\u00a0a; cout << \u201chello\u201d; }",
        "int main() { int \u202ea = 1, x\u0301 = 2; cout << a ≤ x; }",
        "int \uff4dain() { return '一'; }",
        WHOLE + "#define rep(i, n) for (int i = 0; i < n; i++)\nint main() { rep(i, 3) cout << j; }",
        WHOLE + "int main() { map<int, int> m; m.push_back(1); }",
    ],
)
def test_it_says_what_g_plus_plus_says(verifier: CppVerifier, alone: Compiler, text: str) -> None:
    program, cases = Program(text), [Case(one["input"], one["output"]) for one in SUM]
    served, plain = verifier.compiler.build(program, cases), alone.build(program, cases)
    assert (served.code, served.ran, served.ended_by) == (plain.code, plain.ran, plain.ended_by)
    assert read_errors(served.printed, program) == read_errors(plain.printed, program)


@pytest.mark.parametrize(
    "text",
    [
        "int main() { int total = 0; cin >> totl; return 0 }",
        "int main() { vector<string> a; sort(a.begin(), 3); cout << a; }",
        "#define twice(x) x x\nint main() { int a; twice(b;) twice(c;) }".replace("#define", WHOLE + "#define"),
        "int main() { f(); int x = 1 +; é@ }",
        "template <class T> T twice(T t) { return t.x * 2; } int main() { twice(3); return x; }",
        GOOD,
    ],
)
def test_the_first_error_alone(verifier: CppVerifier, alone: Compiler, text: str) -> None:
    program = Program(text)
    served, plain = (compiler.build(program, (), first_error=True) for compiler in (verifier.compiler, alone))
    assert served.code == plain.code
    errors = read_errors(served.printed, program)
    assert len(errors) == served.code and errors == read_errors(plain.printed, program)


def test_the_linker_is_asked_directly() -> None:
    direct = find_toolchain("gnu++17").direct
    made = assembled(direct, '"$tools"/runner.o')
    assert direct.startswith("as ") and "g++" not in direct and "plugin" not in direct
    assert direct.count(OBJECT) == 2 and made.count(f'{OBJECT} "$tools"/runner.o ') == 1 and made.endswith(direct[-30:])
    assert assembled("g++ program.s -o program", "more.o").split() == ["g++", "program.s", "more.o", "-o", "program"]


def test_when_it_ends_another_one_is_started() -> None:
    verifier = verifier_or_skip()
    assert verify(verifier, GOOD).verdict is Verdict.PASS
    (before,) = _processes(verifier)
    os.killpg(before, signal.SIGKILL)
    assert verify(verifier, GOOD + "\n").verdict is Verdict.PASS
    assert verify(verifier, GOOD + "\n\n").verdict is Verdict.PASS
    (after,) = _processes(verifier)
    assert after != before


def test_without_it_verdicts_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlsf_lightning.symbolic.verifiers.cpp.compiler.server._RIGHT", "int main() { not C++ }")
    verifier = verifier_or_skip()
    wrong = verify(verifier, GOOD.replace("a + b", "a - b"))
    assert verify(verifier, GOOD).verdict is Verdict.PASS
    assert [finding.kind for finding in wrong.findings] == ["wrong_output"] and "repair" in wrong.witness
    assert not _processes(verifier)


def test_it_ends_with_the_verifier() -> None:
    verifier = verifier_or_skip()
    verify(verifier, GOOD)
    processes = _processes(verifier)
    assert processes
    del verifier
    assert not [process for process in processes if Path(f"/proc/{process}").exists()]


def _processes(verifier: CppVerifier) -> list[int]:
    servers = [server._process for server in verifier.compiler._servers.values()]
    return [process.pid for process in servers if process is not None]
