"""Where the mistake behind a compiler's error may have been made: braces, parentheses, declarations, look-alikes."""

import pytest

from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import read_errors
from rlsf_lightning.symbolic.verifiers.cpp.locate.brackets import parentheses, unbalanced
from rlsf_lightning.symbolic.verifiers.cpp.locate.declarations import with_declarations
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program


def test_a_renamed_declaration_is_part_of_the_finding() -> None:
    text = "int main() {\n  int sums, b;\n  sum = b;\n}"
    (error,) = read_errors("program.cpp:3:3: error: 'sum' was not declared in this scope\n", Program(text))
    assert [text[span.start : span.end] for span in error.spans] == ["sum", "sums"]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("int f() {\n  if (a) {\n    b;\n  c;\n}\n", [";", "c"]),
        ("int f() {\n  if (a) {\n    b;\n}\n", [";", "}"]),
        ("int f() {\n  if (a)\n    b;\n  }\n  c;\n}\n", [")"]),
        ("int f() {\n  if (a) {\n    b;\n  c;\n  d;\n}\n", [";", "c"]),
        ("int f() {\n  for (;;) {\n    if (a) { b; }\n\n  while (c) { d; }\n  return e;\n}\n", ["}", "while"]),
        ("int f() {\n  if (a) {\n    b;\n  } else {\n    c;\n  d;\n}\n", [";", "d"]),
        ("int f()\n{\n  if (a)\n  {\n    b;\n  c;\n}\n", [";", "c"]),
        ("int f() {\nif (a) {\nb;\nc;\n}\n", None),
        ("int f() {\n  a;\n}\n}\n", None),
        ("int f() {\n  if (a) { b; }\n}\n", None),
    ],
)
def test_where_braces_and_indentation_disagree(text: str, places: list[str] | None) -> None:
    found = unbalanced(Program(text))
    if places is None:
        assert found is None or text.count("{") != text.count("}")
    else:
        assert found is not None and [text[span.start : span.end] for span in found.spans] == places


@pytest.mark.parametrize(
    ("text", "noticed", "place"),
    [
        ("int f() { a = (2 + i * (i + 1) / 2; }", "2;", "(2 + i * (i + 1) / "),
        ("int f() { a = (2 + i * (i + 1) / 2; }", None, "(2 + i * (i + 1) / 2;"),
        ("int f() { if ((a == 1 || g(b) && c)\n  d = 2; }", "d =", "((a == 1 || g(b) && c)\n  "),
        ("int f() { if ((a == 1) { b = 2; } }", None, "((a == 1) {"),
        ("int f() { for (int i = 0; i < g(n; i++) { a; } }", None, "(n;"),
        ("int f() { for (int i = 0; i < n; i++ { a; } b; }", None, "(int i = 0; i < n; i++ {"),
        ("int f() { for (int i = 0; i < g(n); i++; b; }", None, "(int i = 0; i < g(n); i++;"),
        ("int f() { a; if (b > 1 | !c && !d))\n  e; }", None, "if (b > 1 | !c && !d))"),
        ("int f() { a; g(b)); c; }", None, "g(b));"[:-1]),
        ("int f() { sort(a, a + n, [](int x, int y) { return x < y; }); }", None, None),
        ("int f() { g({1, 2}, h{3}); for (;;) { a; } do { b; } while (c); }", None, None),
        ("int f() { g([](int x) { return (x; }); }", None, "(x;"),
        ("#define A(\nint f() { a); }", None, None),
        ("int f() { if (int a = g(); a > 1) { b; } for (auto [c, d] : e) { c; } }", None, None),
        ("int f() { switch (a { case 1: b; } }", None, "(a { case 1: b; } }"),
        ("int f() { g(\")\", '('); }", None, None),
    ],
)
def test_where_a_parenthesis_may_be_missing(text: str, noticed: str | None, place: str | None) -> None:
    found = parentheses(Program(text), [] if noticed is None else [text.index(noticed)])
    assert (None if found is None else [text[span.start : span.end] for span in found.spans]) == (place and [place])


STRING = "{'std::string' {aka 'std::__cxx11::basic_string<char>'}"


@pytest.mark.parametrize(
    ("text", "messages", "expected"),
    [
        (
            "int f() { string n, m = 0; a = m / 2; b[m]; }",
            [("/", f"no match for 'operator/' (operand types are {STRING} and 'int')"),
             ("[m", f"no match for 'operator[]' (operand types are 'int [9]' and {STRING})")],
            [["/", "string"], ["["]],
        ),
        (
            "int f() { for (std::string i = 0; i < n; ) a[i]; for (int i = 0; i < n; ) a[i]; }",
            [("= 0", f"conversion from 'int' to non-scalar type {STRING} requested"), ("< n", f"no match for {STRING}")],
            [["=", "std::string"], ["<"]],
        ),
        (
            "int f() { vector<pair<int, int>> v, w; a = v + 1; b = w[v]; }",
            [("+", "no match for 'operator+' (operand types are 'std::vector<std::pair<int, int> >' and 'int')"),
             ("[v", "no match for 'operator[]' (operand types are 'std::vector<std::pair<int, int> >' and 'std::vector')")],
            [["+", "vector<pair<int, int>>"], ["["]],
        ),
        (
            "int g(string s, int k) { s - k; s * k; }",
            [("-", f"no match for 'operator-' (operand types are {STRING})"), ("*", f"no match for 'operator*' {STRING}")],
            [["-", "string"], ["*"]],
        ),
        ("int f() { string n; n / 2; }", [("/", f"no match for 'operator/' ({STRING} and 'int')")], [["/"]]),
        (
            "int f() { int n, m; m[n]; n.a; }",
            [("[", "invalid types 'int[int]' for array subscript"), ("a;", "request for member 'a' in 'n', of type 'int'")],
            [["["], ["a"]],
        ),
        (
            "int f() { return string / 2; cout << string; }",
            [("/", f"no match for 'operator/' {STRING}"), ("<<", f"no match for 'operator<<' {STRING}")],
            [["/"], ["<<"]],
        ),
    ],
)  # fmt: skip
def test_a_declaration_that_two_errors_speak_of_is_blamed(
    text: str, messages: list[tuple[str, str]], expected: list[list[str]]
) -> None:
    program = Program(text)
    printed = "".join(f"program.cpp:1:{text.index(word) + 1}: error: {message}\n" for word, message in messages)
    errors = with_declarations(program, read_errors(printed, program))
    assert [[text[span.start : span.end] for span in error.spans] for error in errors] == expected


def test_several_declarations_stand_in_the_order_of_the_text() -> None:
    text = "int f(string s) { for (string i; i < s; i++) { i - s; } }" + " " * 7
    messages = [("< s", f"no match for 'operator<' {STRING}"), ("- s", f"no match for 'operator-' {STRING}")]
    for blanks in range(8):  # sets of spans are in another order for each
        shifted = " " * blanks + text
        printed = "".join(f"program.cpp:1:{shifted.index(word) + 1}: error: {said}\n" for word, said in messages)
        first, _ = with_declarations(Program(shifted), read_errors(printed, Program(shifted)))
        assert [shifted[span.start : span.end] for span in first.spans] == ["<", "string", "string"]
        assert list(first.spans[1:]) == sorted(first.spans[1:])


def test_names_may_have_dollar_signs() -> None:
    text = "int main() {\n  int a$ = 0;\n  a = 1;\n}"
    (error,) = read_errors("program.cpp:3:3: error: 'a' was not declared in this scope\n", Program(text))
    assert [text[span.start : span.end] for span in error.spans] == ["a", "a$"]
