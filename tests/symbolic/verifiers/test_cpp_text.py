"""Reading C++ and what g++ says of it, without a compiler: tokens, places, statements, hints, dead characters."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import read_errors, was_stopped
from rlsf_lightning.symbolic.verifiers.cpp.locate.brackets import parentheses, unbalanced
from rlsf_lightning.symbolic.verifiers.cpp.locate.declarations import with_declarations
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.source.control import controls
from rlsf_lightning.symbolic.verifiers.cpp.source.statements import Split
from rlsf_lightning.symbolic.verifiers.cpp.viable.certainty import dead_from

PIECES = st.sampled_from(
    """{ } ( ) ; , : ? < > << && || if else do for while switch case return int a b 1 2.5e+3 " ' R"( )" /* */ // \\ #
    #define #if struct é <% %:""".split()
    + "\n| |\t|\\\n|\r\n|\x00|\ud800".split("|")
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=40).map(" ".join), st.lists(PIECES).map("".join))


def words(text: str) -> list[str]:
    return [token.text for token in Program(text).tokens]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a+=b;// c;\nd", ["a", "+=", "b", ";", "d"]),
        ("a/* ; */b", ["a", "b"]),
        ("a /* never closed ;", ["a"]),
        ('x = "a;\\"b" ;', ["x", "=", '"a;\\"b"', ";"]),
        ("c = '\\'' ;", ["c", "=", "'\\''", ";"]),
        ('R"q(a;)" b)q" ;', ['R"q(a;)" b)q"', ";"]),
        ('R"(never closed ;', ['R"(never closed ;']),
        ('"never closed ;\nb', ['"never closed ;', "b"]),
        ("1'000 0x1F 2.5e+3 .5f", ["1'000", "0x1F", "2.5e+3", ".5f"]),
        ("a<<=b>>c->d::e...", ["a", "<<=", "b", ">>", "c", "->", "d", "::", "e", "..."]),
        ("#include <x> // y\na", ["#include <x> // y", "a"]),
        ("#define A \\\n b\nc", ["#define A \\\n b", "c"]),
        ("a # b", ["a", "#", "b"]),
        ("größe", ["größe"]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@settings(deadline=None)
@given(TEXTS)
def test_tokens_lie_in_order_and_hold_all_that_is_no_blank_or_comment(text: str) -> None:
    tokens = Program(text).tokens
    assert all(text[token.start : token.end] == token.text for token in tokens)
    assert all(one.end <= other.start for one, other in pairwise(tokens))
    if "/" not in text and "\\" not in text:
        left = text
        for token in reversed(tokens):
            left = left[: token.start] + left[token.end :]
        assert not left.strip()


def test_offsets_are_characters_where_the_compiler_counts_bytes() -> None:
    program = Program('int a;\n\tcout << "é" << b;\n')
    assert program.offset(1, 1) == 0 and program.offset(2, 2) == 8
    assert program.offset(2, 18) == 23 and program.text[23] == "b"  # é is two bytes
    assert program.offset(2, 12) is None or program.text[program.offset(2, 12) or 0] in 'é"'
    assert program.offset(9, 1) is None and program.offset(1, 99) is None and program.offset(0, 1) is None
    assert program.line_span(2) == Span(8, 25) and program.line_span(3) is None


@pytest.mark.parametrize(
    ("text", "first", "whole"),
    [
        ("int main() {}", False, False),
        ("#include <iostream>\nint a;", True, False),
        ("// hi\n#define X 1\n#include <bits/stdc++.h>\n", True, True),
        ("int a;\n#include <iostream>", False, False),
        ("#define X 1\nint a;", False, False),
        ('"#include <x>"', False, False),
        ("", False, False),
    ],
)
def test_which_headers_a_program_asks_for(text: str, first: bool, whole: bool) -> None:
    assert (Program(text).includes_first, Program(text).names_whole_library) == (first, whole)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("#define ll long long\n#define rep(i, n) for (int i = 0; i < (n); i++)\nll a;", True),
        ("#include <x>\n#pragma once\nint a;", True),
        ("#define BEGIN {\n", False),
        ("#define CALL f(\n", False),
        ("#define K struct\n", False),
        ("#if 0\n}\n#endif\n", False),
        ('#line 5 "x"\n', False),
        ("int a<:3:>;", False),
        ("in\\\nt a;", False),
    ],
)
def test_what_this_reader_trusts(text: str, plain: bool) -> None:
    assert Program(text).is_plain is plain


def test_a_statement_a_line_and_back() -> None:
    text = 'int main() { for (int i = 0; i < 3; i++) if (a && b) c++; else { d = ";"; } // e;\n}'
    split = Split(Program(text))
    assert [line.strip() for line in split.program.text.split("\n")] == [
        "int main() {",
        "for (int i = 0;",
        "i < 3;",
        "i++)",
        "if (a &&",
        "b)",
        "c++;",
        "else",
        "{",
        'd = ";";',
        "}",
        "// e;",
        "}",
    ]
    span = split.program.line_span(7)
    assert span is not None and text[split.back(span).start : split.back(span).end] == "c++;"
    assert split.deciding(7) == (5, 6) and split.deciding(10) == (5, 6)  # `c++;` and `d = ";";`: the `if`
    assert split.deciding(5) == (2, 3, 4) and split.deciding(6) == (5,) and split.deciding(1) == ()


@settings(deadline=None)
@given(TEXTS)
def test_a_split_text_is_the_same_but_for_line_breaks(text: str) -> None:
    program = Program(text)
    split = Split(program)
    assert [token.text for token in split.program.tokens] == [token.text for token in program.tokens]
    for line in range(1, split.program.lines + 1):
        span = split.program.line_span(line)
        if span is not None:
            back = split.back(span)
            assert text[back.start : back.end] == split.program.text[span.start : span.end]
            assert all(1 <= other <= split.program.lines for other in split.deciding(line))


@pytest.mark.parametrize(
    "piece", ["{", "}", "(", "if(", "if(x)", "else{", "/*", 'R"(', "#", "\n#", "\\\n", "do ", "a:", "'"]
)
def test_long_and_deep_texts_are_read_in_linear_time(piece: str) -> None:
    program = Program(piece * (20_000 // len(piece)))
    assert len(controls(program)) == len(program.tokens)
    assert unbalanced(program) is None or piece in "{}else{"
    assert parentheses(program, []) is None
    assert parentheses(Program("f([" + piece * (20_000 // len(piece))), []) is None or piece in "}if(x)do "


#: Verbatim from g++ 12, but for the folder of the library.
UNDECLARED = """\
program.cpp: In function 'int main()':
program.cpp:2:11: error: 'cot' was not declared in this scope; did you mean 'cout'?
    2 |   int a = cot + 1;
      |           ^~~
      |           cout
fix-it:"program.cpp":{2:11-2:14}:"cout"
"""
TEMPLATE = """\
In file included from /lib/algorithm:60,
                 from program.cpp:1:
/lib/stl_algo.h: In instantiation of 'void std::sort(_RAIter, _RAIter)':
program.cpp:4:12:   required from here
/lib/predefined_ops.h:45:23: error: no match for 'operator<' (operand types are 'P' and 'P')
   45 |       { return *__it1 < *__it2; }
      |                ~~~~~~~^~~~~~~~
program.cpp:2:8: note: candidate: nothing
/lib/predefined_ops.h:69:22: error: no match for 'operator<' (operand types are 'P' and 'P')
"""


def test_an_error_has_its_range_kind_and_suggestion() -> None:
    text = "int main() {\n  int a = cot + 1;\n}\n"
    (error,) = read_errors(UNDECLARED, Program(text))
    finding = error.finding(text)
    assert (finding.kind, finding.spans) == ("undeclared", (Span(23, 26),))
    assert error.fixes == ((Span(23, 26), "cout"),)
    assert finding.message.endswith("did you mean 'cout'?; suggested: replace `cot` by `cout`")
    assert dead_from(Program(text), [error]) == 28  # "cot +" and one more: "cot ++" would be another token


def test_an_error_inside_a_template_is_at_the_users_line_and_counts_once() -> None:
    text = "#include <algorithm>\nstruct P { int x; };\nP v[5];\nint f() { std::sort(v, v + 5); return 0; }\n"
    errors = read_errors(TEMPLATE, Program(text))
    assert [(error.kind, [text[s.start : s.end] for s in error.spans]) for error in errors] == [
        ("template", ["std::sort(v, v + 5)"])
    ]
    assert dead_from(Program(text), errors) is None


@pytest.mark.parametrize(
    "printed",
    [
        "g++: internal compiler error: CPU time limit exceeded signal terminated program cc1plus\nPlease submit",
        "g++: fatal error: Killed signal terminated program cc1plus\ncompilation terminated.",
        "cc1plus: out of memory allocating 65536 bytes after a total of 1 bytes",
        "virtual memory exhausted: Cannot allocate memory",
        "program.cpp:1:1: internal compiler error: Segmentation fault signal terminated program cc1plus",
    ],
)
def test_a_compiler_that_was_stopped_is_not_the_programs_error(printed: str) -> None:
    assert was_stopped(printed)
    assert read_errors(printed, Program("int main() {}")) == []


@pytest.mark.parametrize(
    "printed", [UNDECLARED, TEMPLATE, "program.cpp:1:2: error: #error g++: internal compiler error: out of memory"]
)
def test_a_programs_own_words_are_no_stop(printed: str) -> None:
    assert was_stopped(printed) is None


@pytest.mark.parametrize(
    ("printed", "spans"),
    [
        (
            "program.o: in function `main':\nprogram.cpp:(.text+0x9): undefined reference to `f(int)'\n",
            [(4, 5), (25, 26)],
        ),
        ("/tmp/x.o:program.cpp:function main: error: undefined reference to 'f(int)'\n", [(4, 5), (25, 26)]),
        ("ld.lld: error: undefined symbol: f(int)\n>>> referenced by program.cpp\n", [(4, 5), (25, 26)]),
        ("mold: error: undefined symbol: f(int)\n", [(4, 5), (25, 26)]),
        ("crt1.o:function _start: error: undefined reference to 'main'\n", []),
    ],
)
def test_what_the_linker_misses(printed: str, spans: list[tuple[int, int]]) -> None:
    (error,) = read_errors(printed, Program("int f(int);\nint main(){ f(1); }"))
    assert (error.kind, [(s.start, s.end) for s in error.spans]) == ("link", [(4, 5), (24, 25)] if spans else [])


@settings(deadline=None)
@given(TEXTS, st.integers(-1, 99), st.integers(-1, 99), st.text(max_size=30))
def test_hostile_messages_give_places_inside_the_program(text: str, line: int, column: int, message: str) -> None:
    printed = f"program.cpp:{line}:{column}: error: {message}\n    {line} | {text}\n      | {' ' * 9}^~~~\n"
    printed += f'fix-it:"program.cpp":{{{line}:{column}-{column}:{line}}}:"{message}"\n'
    printed += f"program.cpp:{column}:{line}:   required from here\n"
    program = Program(text)
    errors = with_declarations(program, read_errors(printed + f"/x:1:1: error: {message}", program))
    assert all(span.end <= len(text) for error in errors for span in error.spans)
    assert all(span.end <= len(text) for error in errors for span, _ in error.fixes)
    dead = dead_from(program, errors)
    assert dead is None or 0 <= dead < len(text)
    for found in (unbalanced(program), parentheses(program, [line, column])):
        assert found is None or all(span.end <= len(text) for span in found.spans)


def error_at(text: str, word: str, message: str) -> int | None:
    """dead_from for one error that is reported at the first occurrence of a word."""
    start = text.index(word)
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    program = Program(text)
    return dead_from(program, read_errors(f"program.cpp:{line}:{column}: error: {message}", program))


MISSING = "'zz' was not declared in this scope"


@pytest.mark.parametrize(
    ("text", "word", "message", "dead"),
    [
        ("int f() { return zz; }", "zz", MISSING, "; }"),
        ("int f() { return zz /* c */ + 1; }", "zz", MISSING, " 1; }"),
        ("int f() { zz b; }", "zz", MISSING, "; }"),
        ("int f() { return zz(a, b) + 1; }", "zz", MISSING, "; }"),  # arguments may yet bring a namespace
        ("int f() { return zz", "zz", MISSING, None),
        ("int f() { return zz ", "zz", MISSING, None),
        ("int f() { return zz:", "zz", MISSING, None),
        ("struct A { int f() { return zz; } }; int b;", "zz", MISSING, "; int b;"),  # zz may be declared later in A
        ("struct A { int f() { return zz; } ", "zz", MISSING, None),
        ("template <class T> int f(T a) { return zz; }", "zz", MISSING, "; }"),
        ("#define M zz\nint f() { return M; }", "M;", MISSING, "; }"),
        ("#define C (A())\nint f() { return zz C; }", "zz", MISSING, "; }"),
        ("int f() { a.zz(1); }", "zz", "'struct A' has no member named 'zz'", "(1); }"),
        ("int f() { int a = 1 int b; }", "int b", "expected ',' or ';' before 'int'", " b; }"),
        ("int f() { a = (1; }", "; }", "expected ')' before ';' token", "; }"),
        ("int f() { g(1, [](int a) { return a; }); }", "g(", "no matching function for call to 'g(int, x)'", "; }"),
        ("int f() { if (a + b) { c; } }", "+", "no match for 'operator+'", "{ c; } }"),
        ("int f() { goto l; x; }", "l;", "label 'l' used but not defined", "}"),
        ("int f() {", "{", "expected '}' at end of input", None),
        ("#if 1\nint a; b;", "#if", "unterminated #if", None),
        ("int a; /* b; c;", "/*", "unterminated comment", None),
        ("#include <nope>\nint a;", "#include", "nope: No such file or directory", "\nint a;"),
        ("#include <nope>", "#include", "nope: No such file or directory", None),
    ],
)
def test_where_a_text_is_certainly_dead(text: str, word: str, message: str, dead: str | None) -> None:
    assert error_at(text, word, message) == (None if dead is None else len(text) - len(dead))
