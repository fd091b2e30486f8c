"""Changes of a C++ program that are tried: operators, numbers, names and missing statements, read off the text."""

import time

import pytest

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.repair.changes import Change, token_changes
from rlsf_lightning.symbolic.verifiers.cpp.repair.missing import missing_statements
from rlsf_lightning.symbolic.verifiers.cpp.repair.search import LONGEST, MOST_CHANGES, place, rounds
from rlsf_lightning.symbolic.verifiers.cpp.repair.versions import versions
from rlsf_lightning.symbolic.verifiers.cpp.source.variables import Variables


def changed(text: str) -> list[str]:
    """All texts with one token changed."""
    program = Program(text)
    likely, others = token_changes(program, Variables(program))
    return [change.applied(text) for change in likely + others]


def completed(text: str, expected: str = "") -> list[str]:
    """All texts with one statement more."""
    program = Program(text)
    likely, others = missing_statements(program, Variables(program), expected)
    return [change.applied(text) for change in likely + others]


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("int a, *b, c[5][6];", {"a": ("number", 0), "b": ("number", 0), "c": ("number", 2)}),
        ("vector<vector<int>> v(5); string s;", {"v": ("number", 2), "s": ("string", 0)}),
        ("typedef long long ll; ll x = 5; std::vector<ll> w;", {"x": ("number", 0), "w": ("number", 1)}),
        ("#define num unsigned int\nnum x;", {"x": ("number", 0)}),
        ("using real = double; real r(2.5); map<string, int> m;", {"r": ("number", 0), "m": ("map<string,int>", 0)}),
        ("int f(int a, char b) { for (int i = 0, j = 1; ; ) {} }", dict.fromkeys("abij", ("number", 0))),
        ("int f(); struct S {}; S s;", {}),
        ("int", {}),
        ("vector<", {}),
    ],
)
def test_variables_and_what_they_are_made_of(text: str, shapes: dict[str, tuple[str, int]]) -> None:
    assert {one.name: one.shape for one in Variables(Program(text)).all} == shapes


def test_a_variable_is_seen_in_its_scope_and_hides_others() -> None:
    text = "int a; int f(int b) { int c; { int a; a; } a; } int main() { for (int i = 0;;) i; i; }"
    program = Program(text)
    variables = Variables(program)
    uses = {program.tokens[one.declared].start: len(found) for one, found in variables.uses.items()}
    assert [uses[text.index(word) + 4] for word in ("int a;", "int b", "int c", "int a; a", "int i")] == [1, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("int main() { int n; if (n < 5) n++; }", "int main() { int n; if (n <= 5) n++; }"),
        ("int main() { int n; if (n < 5) n++; }", "int main() { int n; if (n < 4) n++; }"),
        ("int main() { int n; if (n < 5) n++; }", "int main() { int n; if (n < 5) n--; }"),
        ("int main() { int n, m; cout << n - m; }", "int main() { int n, m; cout << n + m; }"),
        ("int main() { int n, m; cout << n - m; }", "int main() { int n, m; cout << n - n; }"),
        ("int n; int main() { n = 1; }", "int n; int main() { n += 1; }"),
        ("int main() { cout << 700 % 1003; cout << 1010; }", "int main() { cout << 700 % 1010; cout << 1010; }"),
    ],
)
def test_one_token_is_changed(text: str, wanted: str) -> None:
    assert wanted in changed(text)


@pytest.mark.parametrize(
    "text",
    [
        "vector<int> f() { ; }",
        "int* f(char& c) { ; }",
        "int a = x;",
        'int f() { "a < b"; } // a < b',
        "int f() { cin >> a; cout << b; }",
        "int f() { const int a; double b[1.5e3]; string s; return 0x10; }",
    ],
)
def test_what_is_no_operator_plain_number_or_other_variable_stays(text: str) -> None:
    assert changed(text) == []


def test_names_are_exchanged_for_those_of_the_same_shape_that_are_seen() -> None:
    text = "int a; string s; int v[3]; int main() { const int c = a; { int hidden; } v[a]; s; a = 2; }"
    names = [one for one in changed(text) if "2" in one and "v[3]" in one and one.count("a") != text.count("a")]
    assert "v[c]" in "".join(names) and "hidden]" not in "".join(names) and "c = 2" not in "".join(names)


@pytest.mark.parametrize(
    ("text", "expected", "wanted"),
    [
        ("int main() { int n; cout << n; }", "", "int main() { int n; cin >> n; cout << n; }"),
        ("int main() { int a, b; cout << a + b; }", "", "int main() { int a, b; cin >> a >> b; cout << a + b; }"),
        (
            "int main() { int c = 0; while (1) { f(); } cout << c; }",
            "",
            "int main() { int c = 0; while (1) { f(); c++; } cout << c; }",
        ),
        (
            "int main() { int s = 0, v[3]; for (int i = 0; i < 3; i++) { cin >> v[i]; } cout << s; }",
            "",
            "int main() { int s = 0, v[3]; for (int i = 0; i < 3; i++) { cin >> v[i]; s += v[i]; } cout << s; }",
        ),
        ("int main() { if (a) {} }", "YES\n", 'int main() { if (a) { cout << "YES";} }'),
        ("int main() { int c; c = 3; f(); }", "", "int main() { int c; c = 3; f(); cout << c << endl; }"),
        ("int main() { int k; k = 1; f(k); g(); }", "", "int main() { int k; k = 1; f(k); g(); k++; }"),
    ],
)
def test_a_statement_is_added(text: str, expected: str, wanted: str) -> None:
    assert wanted in completed(text, expected)


def test_no_statement_is_added_outside_of_functions_or_before_else() -> None:
    text = "int n; struct S { int a; }; int main() { if (n) n = 1; else n = 2; }"
    for one in completed(text):
        assert one.startswith("int n; struct S { int a; }; int main() {") and "else n = 2;" in one
        assert "n = 1; else" in one


def test_the_place_of_a_missing_statement_is_the_tokens_around_it() -> None:
    program = Program("int main() { f();  }")
    assert place(program, Change(Span(17, 17), " g();")) == (Span(16, 17), Span(19, 20))
    assert place(program, Change(Span(13, 14), "h")) == (Span(13, 14),)


def test_versions_stand_in_one_text_without_their_headers() -> None:
    program = Program("#include <cmath>\n#define N 3\nint main() { return N; }\n")
    text = versions(program, Variables(program), [Change(Span(49, 50), "1"), Change(Span(49, 50), "x")])
    assert text is not None and text.count("#include <cmath>") == 1 and text.index("<cmath>") < text.index("namespace")
    assert text.count("rlsf_main() {") == 2 and "return 1;  return 0; }" in text and "#undef N\n" in text
    assert versions(Program("int f() {}"), Variables(Program("int f() {}")), []) is None
    assert versions(Program("int main("), Variables(Program("int main(")), []) is None


@pytest.mark.parametrize(
    "piece",
    ["{int a;}", "int a;", "a+", "(", "int a,", "{", "for(int a;;)", "vector<", "typedef ", "using x=a ", "a[", "{}"],
)
def test_what_is_tried_is_bounded_for_any_text(piece: str) -> None:
    text = f"int main() {{ int a; {piece * (LONGEST // len(piece))} }}"[:LONGEST]
    start = time.process_time()
    program = Program(text)
    tried = rounds(program, Variables(program), "x")
    assert time.process_time() - start < 10
    assert all(len(part) <= MOST_CHANGES for part in tried)
