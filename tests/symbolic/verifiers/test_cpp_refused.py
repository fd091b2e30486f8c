"""Changes of a C++ program that cannot compile are left out before the compiler is asked; all that may compile are tried."""

import pytest

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.repair.changes import Change
from rlsf_lightning.symbolic.verifiers.cpp.repair.refused import Refused
from rlsf_lightning.symbolic.verifiers.cpp.repair.search import rounds
from rlsf_lightning.symbolic.verifiers.cpp.source.variables import Variables

LOOP = "int main() { int n = 3; for (int i = 0; i < n; i++) { if (i) { n++;@ } else { n--; } } }"


def refuses(text: str, new: str) -> bool:
    """A statement in the place of ``@``, or an operator in that of ``@old@``."""
    before, *old, after = text.split("@")
    program = Program(before + "".join(old) + after)
    change = Change(Span(len(before), len(before) + sum(map(len, old))), new)
    return Refused(program, Variables(program)).refuses(change)


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("int f(int a) { int b = a;@ return b; } int main() { int n; cin >> n; }", " cin >> n;"),
        ("int main() {@ int n; cin >> n; }", " n++;"),
        ("int main() { { int n = 1; cout << n; }@ return 0; }", " cout << n << endl;"),
        ("int main() { for (int i = 0; i < 3; i++) { cout << i; }@ }", " cout << i;"),
        ("int main() { int n = 1; if (n) { n++;@ } }", " break;"),
        ("int main() { int n = 1; if (n) { n++; } else {@ } }", " break;"),
        ("int main() { for (int i = 0; i < 3; i++) {} if (1) { if (2) { } else if (3) { {@ } } } }", " break;"),
        ("int main() { string s, t; s @+=@ t; }", "-="),
        ("int main() { string s, t; cout << s @+@ t; }", "*"),
        ("int main() { vector<int> v(3); int n = 3;@ }", " sort(v, v + n);"),
        ("int main() { vector<int> v(3); int n = 3;@ }", " sort(v + 1, v + n + 1);"),
        ("int main() { bool ok = true, no; int n = 3;@ }", " no++;"),
        ("int f(int a, bool ok) {@ return a + ok; }", " ok--;"),
        ("int main() { bool ok = true; int n = 3;@ cout << ok; }", " ok = max(ok, n);"),
        ("int main() { bool ok = true; int n = 3;@ cout << ok; }", " n = max(n, ok);"),
    ],
)
def test_what_cannot_compile(text: str, new: str) -> None:
    assert refuses(text, new)


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("int n; int f(int a) { int b = a;@ return b; } int main() { cin >> n; }", " cin >> n;"),
        ("int main() { int n; cin >> n;@ }", " for (int i_ = 0; i_ < n; i_++) cin >> n;"),
        ("struct S { int n; }; S n; int f() {@ return n.n; } int main() { int n = 1; n++; }", " n++;"),
        ("int main() { auto [n, m] = make_pair(1, 2);@ cout << n; } int f(int n) { return n; }", " cout << n;"),
        (LOOP, " break;"),
        (
            LOOP.replace("for (int i = 0; i < n; i++) {", "do { int i = n;").replace("} } }", "} } while (n); }"),
            " break;",
        ),
        ("int main() { for (int i = 0; i < 3; i++) if (i) { i++;@ } }", " break;"),
        ("int main() { for (int i = 0; i < 3; i++) if (i) i++; else {@ } }", " break;"),
        ("int main() { while (1) if (1) { } else {@ } }", " break;"),
        ("int main() { switch (3) { case 1: {@ } } }", " break;"),
        ("#define rep(i, n) for (int i = 0; i < n; i++)\nint main() { rep(i, 3) {@ } }", " break;"),
        ("int main() { string s; int a = 1, b; b = a @+@ s.size(); }", "-"),
        ("int main() { string s; int a = s.size() @+@ 1; }", "-"),
        ("int main() { vector<string> s(2); int a = s[0].size() @+@ 1; }", "-"),
        ("string operator-(string a, string b) { return a; } int main() { string s; cout << s @+@ s; }", "-"),
        ("int main() { int v[3], n = 3;@ }", " sort(v, v + n);"),
        ("int main() { vector<int> v(3);@ }", " sort(begin(v), end(v));"),
        ("int f(bool a, int b) {@ return a + b; }", " b++;"),
        ("int main() { int n = 1, m = 2; bool ok;@ }", " n = max(n, m);"),
        ("int main() { vector<bool> v(3); int n = 1;@ }", " n++;"),
    ],
)
def test_what_may_compile_is_tried(text: str, new: str) -> None:
    assert not refuses(text, new)


def test_what_is_left_out_takes_its_place_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    names = " ".join(f"int v{number}; cin >> v{number};" for number in range(20))
    program = Program(f"int f(int a) {{ return a + 1; }} int main() {{ {names} cout << v1; }}")
    variables = Variables(program)
    kept = rounds(program, variables, "1")
    monkeypatch.setattr(Refused, "refuses", lambda self, change: False)
    everything = rounds(program, variables, "1")
    assert [len(part) for part in kept] != [len(part) for part in everything]
    for part, whole in zip(kept, everything, strict=True):
        refused = [change for change in whole if change not in part]
        assert [change for change in whole if change not in refused] == part
