"""The compiler works within its own limits: what g++ takes as it comes is no mistake of a program."""

import pytest
from cpp_cases import verifier_or_skip, verify

from rlsf_lightning.records import Verdict
from rlsf_lightning.symbolic.verifiers.cpp import CppVerifier

WHOLE = "#include <bits/stdc++.h>\nusing namespace std;\n"
#: Needs more of the compiler than most programs do: instances within instances, steps and calls of constants, nested files.
DEMANDING = {
    "instances": (
        "template <int N> struct Up { enum { value = Up<N - 1>::value + 1 }; };\n"
        "template <> struct Up<0> { enum { value = 0 }; };\nint main() { cout << Up<850>::value; }",
        "850",
    ),
    "instances_of_a_function": (
        "template <int N> int sum() { if constexpr (N == 0) return 0; else return N + sum<N - 1>(); }\n"
        "int main() { cout << sum<400>(); }",
        "80200",
    ),
    "instances_in_two_branches": (
        "template <int N> struct Fib { static const unsigned long long value = Fib<N - 1>::value + Fib<N - 2>::value; };\n"
        "template <> struct Fib<0> { static const unsigned long long value = 0; };\n"
        "template <> struct Fib<1> { static const unsigned long long value = 1; };\n"
        "int main() { cout << (Fib<700>::value == Fib<699>::value + Fib<698>::value); }",
        "1",
    ),
    "steps_of_a_table": (
        "constexpr int primes() { bool no[30001] = {}; int n = 0; for (int i = 2; i <= 30000; i++) { if (no[i]) continue; "
        "n++; for (int j = 2 * i; j <= 30000; j += i) no[j] = true; } return n; }\n"
        "constexpr int n = primes();\nint main() { cout << n; }",
        "3245",
    ),
    "steps_of_loops": (
        "constexpr long long f() { long long s = 0; for (int i = 0; i < 900; i++) for (int j = 0; j < 900; j++) s += i ^ j; "
        "return s; }\nconstexpr long long s = f();\nint main() { cout << s; }",
        "407425560",
    ),
    "calls": ("constexpr int f(int n) { return n ? 1 + f(n - 1) : 0; }\nstatic_assert(f(480) == 480, \"\");\n"
              "int main() { cout << f(480); }", "480"),
    "a_long_loop": (
        "constexpr int f() { int n = 0; for (int i = 0; i < 250000; i++) n ^= i; return n; }\n"
        "int a[f() + 1];\nint main() { cout << sizeof a / sizeof *a; }",
        "1",
    ),
    "a_long_pack": (
        "template <size_t... i> constexpr long long f(index_sequence<i...>) { return (0LL + ... + i); }\n"
        "int main() { cout << f(make_index_sequence<300>()); }",
        "44850",
    ),
    "files_in_files": (
        '#include <cstdio>\n#if __INCLUDE_LEVEL__ < 40\n#include "program.cpp"\n#else\n'
        'int main() { printf("%d", __INCLUDE_LEVEL__); }\n#endif',
        "40",
    ),
    "brackets": ("int main() { cout << " + "(" * 200 + "7" + ")" * 200 + "; }", "7"),
}  # fmt: skip


@pytest.fixture(scope="module")
def verifier() -> CppVerifier:
    return verifier_or_skip()


@pytest.mark.parametrize("name", DEMANDING)
def test_what_the_compiler_takes_as_it_comes_passes(verifier: CppVerifier, name: str) -> None:
    text, output = DEMANDING[name]
    assert verify(verifier, text, [{"input": "", "output": output}]).verdict is Verdict.PASS


def test_with_the_whole_library_too(verifier: CppVerifier) -> None:
    text, output = DEMANDING["instances"]
    certificate = verify(verifier, WHOLE + text, [{"input": "", "output": output}])
    assert certificate.verdict is Verdict.PASS


def test_what_the_compiler_refuses_fails(verifier: CppVerifier) -> None:
    text = DEMANDING["instances"][0].replace("850", "950")
    certificate = verify(verifier, text, [{"input": "", "output": "950"}])
    assert certificate.verdict is Verdict.FAIL and "900" in certificate.findings[0].message


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "char a[60000000] = {1};\nint main() { cout << 3; }",  # the file is too large
        "template <int N, class T> struct X { X<N - 1, X<N, T>*> a; X<N - 1, X<N, int>> b; };\n"
        "template <class T> struct X<0, T> {};\nX<60, int> x;\nint main() { cout << 3; }",  # it takes too long
    ],
)
def test_where_a_limit_of_the_sandbox_ends_the_compiler_nothing_is_said(verifier: CppVerifier, text: str) -> None:
    certificate = verify(verifier, text, [{"input": "", "output": "3"}])
    assert certificate.verdict is Verdict.ABSTAIN and "g++ was stopped" in certificate.witness["error"]
