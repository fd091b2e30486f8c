"""What the C++ verifier says of a program's beginning, and of the character with which it is dead."""

import random

import pytest
from cpp_cases import GOOD, prompt, spoc, verifier_or_skip, verify

from rlsf_lightning.records import Verdict
from rlsf_lightning.symbolic.verifiers.cpp import CppVerifier
from rlsf_lightning.symbolic.verifiers.cpp.compiler.errors import read_errors
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.viable.certainty import dead_from
from rlsf_lightning.symbolic.verifiers.cpp.viable.first_dead import settled

WHOLE = "#include <bits/stdc++.h>\nusing namespace std;\n"


@pytest.fixture(scope="module")
def verifier() -> CppVerifier:
    return verifier_or_skip()


@pytest.mark.parametrize("position", range(3, len(GOOD), 20))
def test_no_beginning_of_a_right_program_is_dead(verifier: CppVerifier, position: int) -> None:
    assert verifier.viable(prompt(), GOOD[:position]) is None


def test_what_follows_a_dead_character_stays_dead(verifier: CppVerifier) -> None:
    completion = "int main() {\n  int a;\n  cin >> zz;\n  while (a) { a--; }\n}\nint b;\n"
    dead = verify(verifier, completion).dead_from
    assert dead == completion.index(";\n  while")
    answers = [verifier.viable(prompt(), completion[:at]) for at in range(dead - 3, len(completion) + 1, 11)]
    assert answers == [None if at <= dead else False for at in range(dead - 3, len(completion) + 1, 11)]


JUNK = [
    "int b = 1e5;", "int b = 0x1;", "#include <nope>\n", "#define a {\n", "#define F(x) x\nint c = F(3);",
    "#if 0\n#endif\n", "<% %>",
    '"\\x41" \'c\'', 'R"(x)"', "`@", "\\\nint c;", "/* x */ // y", "%:define d 5\n", "}}}", "((", "template <", "é",
]  # fmt: skip


@pytest.mark.parametrize(
    "completion",
    [
        pytest.param(
            "int main() { string s, t; cout << (s == t ? -1 : (int)max(s.size(), tq.size())) << endl; }",
            marks=pytest.mark.slow,
        ),
        pytest.param("int main() { vector<int> v; v = {1, (int)zz.size(), 3}; cout << 1; }", marks=pytest.mark.slow),
        "int main() { int a = (int)(zz + 1) * 2; return (int)yy; }",
    ],
)
def test_a_certificate_says_what_its_beginnings_say(verifier: CppVerifier, completion: str) -> None:
    certificate = verify(verifier, completion)
    near = range(certificate.dead_from - 10, certificate.dead_from + 10)
    ends = sorted({*range(0, len(completion) + 1, 3), *near} & {*range(len(completion) + 1)})
    answers = [verifier.viable(prompt(), completion[:end]) for end in ends]
    assert answers == [None if end <= certificate.dead_from else False for end in ends]
    assert verifier.recheck(certificate, prompt(), completion)


@pytest.mark.slow
@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize(
    "begin",
    [
        "int main() {\n  int a;\n  cn >> a;\n",
        "int main() { int a = 1 2; ",
        "cnst int a = 3;\n",
        "int main() { int a; if (a > 1 return 1; ",
        "#include <bits/stdc++.h>\nusing namespace std;\nint main() { int a; a.size(); }\n",
    ],
)
def test_nothing_that_follows_revives_a_dead_beginning(verifier: CppVerifier, begin: str, junk: str) -> None:
    completion = begin + junk + "\nint z;"
    certificate = verify(verifier, completion)
    answers = [verifier.viable(prompt(), completion[:at]) for at in range(len(completion) + 1)]
    assert answers == [None] * (certificate.dead_from + 1) + [False] * (len(completion) - certificate.dead_from)
    assert certificate.dead_from < len(begin)
    assert verifier.recheck(certificate, prompt(), completion)


@pytest.mark.parametrize("text", ['"x\\n"', "'x'", "/* x */ 1", "@ 1"])
def test_an_unfinished_or_odd_token_behind_a_dead_character_changes_nothing(verifier: CppVerifier, text: str) -> None:
    completion = f"int main() {{\n  int a;\n  cn >> a;\n  cout << {text} << a;\n}}\n"
    dead = verify(verifier, completion).dead_from
    assert dead == completion.index(" a;\n  cout")
    at = completion.index(text)
    assert {verifier.viable(prompt(), completion[:end]) for end in range(at, at + len(text) + 2)} == {False}


def test_a_name_that_only_the_whole_library_has_kills_no_program_of_the_common_headers(verifier: CppVerifier) -> None:
    completion = f"{WHOLE}int thread = 3;\nint main() {{\n  thread++;\n  cout << thread;\n}}\n"
    assert verify(verifier, completion, [{"input": "", "output": "4"}]).verdict is Verdict.PASS
    end = completion.index("thread;")
    assert [verifier.viable(prompt(), completion[:at]) for at in range(end - 3, end + 8)] == [None] * 11


def test_dead_is_what_is_dead_with_the_whole_library_too(verifier: CppVerifier) -> None:
    completion = f"{WHOLE}int main() {{\n  optional<int> a = 3;\n  cout << zz;\n  cout << *a;\n}}\n"
    dead = verify(verifier, completion).dead_from
    assert dead == completion.index(";\n  cout << *a")
    assert [verifier.viable(prompt(), completion[:at]) for at in (dead - 9, dead, dead + 1, dead + 9)] == [
        None,
        None,
        False,
        False,
    ]


def test_a_macro_may_make_a_label_of_an_unknown_name(verifier: CppVerifier) -> None:
    begin = "#define A(x) x\nint main() { A(foo) "
    assert verifier.viable(prompt(), begin) is None
    assert verify(verifier, f"{begin}: return 0; }}", [{"input": "", "output": ""}]).verdict is Verdict.PASS
    assert verifier.viable(prompt(), f"{begin} + 1; ") is False


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("int main() { vector<int> v{1, (", "int)cin.get()}; }"),
        ("int main() { vector<int> v{1, (int)", "cin.get()}; }"),
        ("struct S { ~S(); }; S::~S(", ") {} int main() {}"),
        ("template <typename..", ". T> int f(T... x) { return 1; } int main() {}"),
        ("int main() { int (*f[", "2])(int) = {}; }"),
        ("int main() { int (*f)", "(int) = nullptr; }"),
        ("int main() { int g(int (*f)", "(int)); }"),
        ("struct S { int a; }; int main() { int (S::*p[", "1]) = {&S::a}; }"),
        ("int main() { int f(int ", "a, int b); } int f(int a, int b) { return a + b; }"),
        ("template <class F> void g(F); int main() { g([] {}); }", " template <class F> void g(F f) { f(); }"),
    ],
)
def test_what_a_beginning_may_still_mean_is_not_dead(verifier: CppVerifier, begin: str, end: str) -> None:
    assert verify(verifier, begin + end, [{"input": "", "output": ""}]).verdict is Verdict.PASS
    beginnings = [begin[:at] for at in range(len(begin) - 4, len(begin) + 1)] + [begin + end[:at] for at in range(6)]
    assert [verifier.viable(prompt(), each) for each in beginnings] == [None] * len(beginnings)


@pytest.mark.parametrize(
    ("completion", "dead"),
    [
        ("int main() { if (zz > 1) { } }", "int main() { if (zz >"),
        ("int main() { if (zz) { } }", "int main() { if (zz) "),
        ("int main() { int a; cin >> a 5; }", "int main() { int a; cin >> a 5"),
        ("int main() { cout << 1 cout << 2; }", "int main() { cout << 1 cout"),
        ("int main() { cout << 1 + ; }", "int main() { cout << 1 + "),
        ("constexpr int f() { return time(0); } int main() {}", "constexpr int f() { return time(0); "),
    ],
)
def test_the_first_dead_character(verifier: CppVerifier, completion: str, dead: str) -> None:
    assert completion.startswith(dead)
    assert verify(verifier, completion).dead_from == len(dead)
    assert [verifier.viable(prompt(), completion[: len(dead) + more]) for more in range(-1, 3)] == [
        None,
        None,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("prefix", "wanted"),
    [
        ("int ma", "int "),
        ("int a1_", "int "),
        ("x.y", "x."),
        ("x  \t", "x "),
        ("// so \n  ", "// so\n"),
        ("12e", "12e"),
        ("0x1F", "0x1F"),
        ("1'000'a", "1'000'a"),
        ("größe", ""),
        ("a;", "a;"),
        ("", ""),
    ],
)
def test_what_the_next_character_may_change_is_left_aside(prefix: str, wanted: str) -> None:
    assert settled(prefix) == wanted


@pytest.mark.slow
def test_it_is_what_all_errors_of_the_whole_prefix_say(verifier: CppVerifier) -> None:
    rng, dead = random.Random(2), 0
    text = "#define P(x) cout << x << endl\nint b = 0x1F;\n" + GOOD.replace("  return", "  P(a); // sum\n  return")
    for _ in range(100):
        at = rng.randrange(30, len(text))
        wrong = text[:at] + rng.choice(["", "@", ";", "}", "q", "zz ", "1.5f"]) + text[at + rng.randrange(3) :]
        prefix = wrong[: rng.randrange(at, len(wrong))]
        program = Program(prefix)
        built = verifier.compiler.compile(program)
        at_all = dead_from(program, read_errors(built.printed, program)) if built.code else None
        assert verifier.viable(prompt(), prefix) is (None if at_all is None else False), prefix
        dead += at_all is not None
    assert dead > 20


@pytest.mark.slow
def test_no_prefix_of_a_right_program_of_people_is_dead(verifier: CppVerifier) -> None:
    cuts, tried = random.Random(1), 0
    for code, _ in spoc(150):
        prefix = code[: cuts.randrange(len(code))]
        built = verifier.compiler.compile(Program(code))
        if built.code == 0:  # some name things as the library of a later standard does
            assert verifier.viable(prompt(), prefix) is None, prefix
            tried += 1
    assert tried > 130


MAIN = "int main() { cout << 3; }"
#: Texts with a character that stands in no token; ^ is before the first of them, with which they are dead.
STRAY = [
    f"^```cpp\n{MAIN}\n```",
    f"^```\n#include <iostream>\n{MAIN}\n```\n",
    f"{MAIN}\n^```\nIt prints 3.",
    f"#include <iostream>\n^```c++\nusing namespace std;\n{MAIN}",
    f"{WHOLE}^`{MAIN}`",
    f"^@ {MAIN}",
    "int main() { int x = 3 ^# 1; cout << x; }",
    "int main() { int x = 3 \\ ^3; cout << x; }",
    f"\\^begin{{code}}\n{MAIN}",
    "int main() { cout << ^\u201c3\u201d; }",
    f"Here^\u2019s the program\n{MAIN}",
    "struct S { int f() { return ^\u20183\u2019; } };\nint main() { cout << 3; }",
    f"template <class T> T f() {{ ^@ }}\n{MAIN}",
    f"#ifdef LOCAL\nint x;\n#endif\n{MAIN}\n^```",
    f"{MAIN} ^\x01",
]


@pytest.mark.parametrize("marked", STRAY)
def test_a_text_dies_with_a_stray_character(verifier: CppVerifier, marked: str) -> None:
    at = marked.index("^")
    completion = marked.replace("^", "", 1)
    certificate = verify(verifier, completion, [{"input": "", "output": "3"}])
    assert certificate.verdict is Verdict.FAIL and certificate.dead_from == at
    first = certificate.findings[0].spans[0]
    assert first.start <= at <= first.end + 1
    assert verifier.viable(prompt(), completion[:at]) is None
    assert verifier.viable(prompt(), completion[: at + 1]) is False
    assert verifier.recheck(certificate, prompt([{"input": "", "output": "3"}]), completion)


@pytest.mark.parametrize(
    "completion",
    [
        "// ```\n/* ` \u201c */ int main() { cout << 3; }",
        "#if 0\n```\n#endif\nint main() { cout << 3; }",
        "#define BAD `\n#define TEXT(x) #x\nint main() { string s = TEXT(`@); cout << s.size() + 1; }",
        'int main() { string s = "`@\\\\"; cout << s.size(); }',
        "#define TWO 1 + \\  \n  2\nint main() { cout << TWO; }",
        "int main() { int \u00e9t\u00e9 = 3; cout << \u00e9t\u00e9; }",
        "int main() { int \\u00e9 = 3; cout << \u00e9; }",
    ],
)
def test_where_the_compiler_does_not_see_it_no_character_is_stray(verifier: CppVerifier, completion: str) -> None:
    assert verify(verifier, completion, [{"input": "", "output": "3"}]).verdict is Verdict.PASS
    assert all(verifier.viable(prompt(), completion[:end]) is None for end in range(3, len(completion) + 1, 7))
