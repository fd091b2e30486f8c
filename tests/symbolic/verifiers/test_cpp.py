"""The C++ verifier with the compiler: verdicts, places of findings, dead characters, and hostile programs."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from certificates import shown
from cpp_cases import GOOD, prompt, spoc, verifier_or_skip, verify

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.verifiers.cpp import CppVerifier
from rlsf_lightning.symbolic.verifiers.cpp.compiler import toolchain as tools
from rlsf_lightning.symbolic.verifiers.cpp.repair import search as repair


@pytest.fixture(scope="module")
def verifier() -> CppVerifier:
    return verifier_or_skip()


@pytest.mark.parametrize(
    "completion",
    [
        GOOD,
        f"\n\n  {GOOD}\n\n",
        "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }",
        "#include <bits/stdc++.h>\nusing namespace std;\n" + GOOD,
        "#include <bits/stdc++.h>\n" + "int main() { int a, b; std::cin >> a >> b; std::regex r; std::cout << a + b; }",
        "// größe\n#define ll long long\nll s;\nint main() { ll a, b; cin >> a >> b; cout << a + b; }",
    ],
    ids=["plain", "blanks", "iostream", "whole", "regex", "macro"],
)
def test_a_right_program_passes(verifier: CppVerifier, completion: str) -> None:
    certificate = verify(verifier, completion)
    assert certificate.verdict is Verdict.PASS and certificate.score == 1.0
    assert certificate.dead_from is None and certificate.witness == {"tests": 3, "passed": 3}


@pytest.mark.parametrize(
    ("completion", "expected", "dead"),
    [
        ("", [("empty", [])], None),
        (" \n", [("empty", [])], None),
        ("int main() { cout << zz; }", [("undeclared", ["zz"])], "; }"),
        (
            "int main() {\n  int a, b\n  cin >> a;\n}",
            [("syntax", ["b", "cin"])],
            " >> a;\n}",
        ),
        ("int main() { int a = 1; int a = 2; }", [("redeclared", ["a"])], "; }"),
        ('int main() { int a = "text"; }', [("type", ['"text"'])], "; }"),
        ("int f(int); int main() { f(1, 2); }", [("call", ["f(1, 2)"])], "; }"),
        ("#include <nope>\nint main() {}", [("header", ["<nope>"])], "\nint main() {}"),
        ("int f(int); int main() { f(1); }", [("link", ["f", "f"])], None),
        ("int f() { return 1; }", [("link", [])], None),
        ("int main() { int a", [("syntax", ["a"])], None),
        ("int main() {\n  if (1) {\n    int a;\n}\n", [("unbalanced", [";", "}"]), ("syntax", ["}", "{"])], None),
        (
            "#include <bits/stdc++.h>\nstruct P {};\nint main() { std::vector<P> v(5); std::sort(v.begin(), v.end()); }",
            [("template", ["std::sort(v.begin(), v.end())"])],
            None,
        ),
        (
            "template <class T> void f(T t) { t.go(); }\nint main() { f(3); }",
            [("type", ["t.go", "f(3)"])],
            None,  # a later overload may be better
        ),
        (
            "int main() { string n = 2;\n  int a = n / 2, b = n % 2; }",
            [("type", ["2", "string"]), ("type", ["/"])],
            ";\n  int a = n / 2, b = n % 2; }",
        ),
        (
            "int main() { cout << 1 + 2) * 3; }",
            [("unbalanced", ["cout << 1 + 2)"]), ("syntax", ["2", ")"])],
            ") * 3; }",
        ),
        ('#error "mine"\nint main() {}', [("compile", ["error"])], None),
        ("struct A { int f() { return zz; } };\nint main() {}", [("undeclared", ["zz"])], ";\nint main() {}"),
        ('int main() { string s = "é"; zz(s); }', [("undeclared", ["zz"])], "; }"),
    ],
)
def test_what_does_not_compile(
    verifier: CppVerifier, completion: str, expected: list[tuple[str, list[str]]], dead: str | None
) -> None:
    certificate = verify(verifier, completion)
    assert certificate.verdict is Verdict.FAIL and certificate.score == 0.0
    assert shown(certificate, completion)[: len(expected)] == expected
    assert certificate.dead_from == (None if dead is None else len(completion) - len(dead))
    if completion.strip():
        assert verifier.recheck(certificate, prompt(), completion)


def test_a_suggestion_comes_with_its_place(verifier: CppVerifier) -> None:
    completion = "int main() {\n  int count = 0;\n  cont = 1;\n}"
    certificate = verify(verifier, completion)
    assert "suggested: replace `cont` by `count`" in certificate.findings[0].message
    (fix,) = certificate.witness["fixes"]
    start, end, new = fix
    assert completion[start:end] == "cont" and new == "count"


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        (
            "int main() {\n  int a, b;\n  cin >> a >> b;\n  if (a == 5) a++;\n  cout << a + b;\n}",
            [("wrong_output", ["if (a == 5)", "a++;"])],
        ),
        ("int main() { int a, b; cin >> a >> b; cout << a - b; }", [("wrong_output", ["cout << a - b;"])]),
        (
            "int main() { int a, b; cin >> a >> b;\n  if (a == 5) { }\n  else cout << a + b;\n}",
            [("wrong_output", ["if (a == 5)", "{", "}"])],
        ),
        (
            "int main() { int a, b; cin >> a >> b;\n  int c[50], d[99];\n  pair<int, int> e[9];\n  c[0] = a + b + 1;\n"
            "  cout << c[0]; return (0); }",
            [("wrong_output", ["c[0] = a + b + 1;"])],
        ),
        (
            "int main() { int a, b; cin >> a >> b; vector<int> v(1);\n  v.at(a) = 1; cout << a + b; }",
            [("runtime_error", ["v.at(a) = 1;"])],
        ),
        (
            "int main() { int a, b; cin >> a >> b; vector<int> v(1);\n  v[a + 2000000000] = 1; cout << v[0]; }",
            [("runtime_error", ["v[a + 2000000000] = 1;"])],
        ),
        (
            "int v[2];\nint main() { int a, b; cin >> a >> b;\n  int* p = v;\n  p[a + 1] = 7;\n  cout << p[a + 1]; }",
            [("memory_error", ["p[a + 1] = 7;"])],
        ),
        (
            "int main() { int a, b; cin >> a >> b;\n  int c = 2147483647;\n  c += a;\n  cout << c; }",
            [("undefined_behaviour", ["+="]), ("wrong_output", ["c += a;"])],
        ),
        ("int main() { int a = 1, b = 0; cin >> b;\n  cout << a / (b - b); }", [("undefined_behaviour", ["/"])]),
        (
            "int f(int n) { return f(n + 1) + 1; }\nint main() { cout << f(1); }",
            [("runtime_error", ["int f(int n) {"])],
        ),
        ("int main() { int a, b; cin >> a >> b; cout << a + b; return 3; }", [("runtime_error", ["return 3;"])]),
        (
            'int main() { int a, b; cin >> a >> b; if (a < 0) return 2; cout << a + b; return puts(""), 3; }',
            [("runtime_error", ['return puts(""), 3;'])],
        ),
        (
            "int main() { int a, b; cin >> a >> b;\n  while (a < 9) b++;\n  cout << b; }",
            [("timeout", ["while (a < 9)", "b++;"])],
        ),
        (
            "int main() { int a = 1;\n  while (a) cout << 11;\n}",
            [("output_limit", ["while (a)", "cout << 11;"])],
        ),
    ],
    ids=(
        "branch straight empty_block declarations exception assertion memory overflow division recursion exit_code "
        "exit_behind loop output"
    ).split(),
)
def test_what_fails_its_tests_and_no_small_change_repairs(
    verifier: CppVerifier,
    monkeypatch: pytest.MonkeyPatch,
    completion: str,
    expected: list[tuple[str, list[str]]],
) -> None:
    monkeypatch.setattr(repair, "rounds", lambda program, variables, expected: [])
    certificate = verify(verifier, completion)
    assert certificate.verdict is Verdict.FAIL and certificate.dead_from is None
    places = {kind: texts for kind, texts in shown(certificate, completion)}
    for kind, texts in expected:
        assert kind in places, certificate
        assert places[kind][: len(texts)] == texts, certificate
    assert certificate.witness["expected"] != certificate.witness["actual"] or certificate.witness["exit_code"] != 0


def test_the_witness_is_the_first_failing_test_and_the_score_the_share(verifier: CppVerifier) -> None:
    completion = GOOD.replace("a + b", "a + b + (b == 5)")
    certificate = verify(verifier, completion)
    assert certificate.score == pytest.approx(2 / 3)
    assert certificate.witness == {
        "tests": 3,
        "passed": 2,
        "test": 1,
        "input": "5 5",
        "expected": "10",
        "actual": "11\n",
        "exit_code": 0,
        "not_run": 0,
        "repair": [completion.index("5)"), completion.index("5)") + 1, "4"],
    }


NEEDS_WHOLE_LIBRARY = (
    "#include <bits/stdc++.h>\nusing namespace std;\nint main() {{\n  int n;\n  cin >> n;\n  optional<int> o = n;\n"
    "  if (n > 0)\n    cout << *o * 2;\n  else\n    cout << {wrong};\n}}\n"
)
WHOLE_LIBRARY_TESTS = [{"input": "3", "output": "6"}, {"input": "-3", "output": "5"}]


@pytest.fixture(scope="module", params=["*o * 3", "*o / (n + 3)"])
def whole_library(request: pytest.FixtureRequest, verifier: CppVerifier) -> tuple[str, Certificate]:
    """A program and its certificate, each of which takes seconds."""
    completion = NEEDS_WHOLE_LIBRARY.format(wrong=request.param)
    return completion, verify(verifier, completion, WHOLE_LIBRARY_TESTS)


def test_programs_that_need_the_whole_library_are_explained(whole_library: tuple[str, Certificate]) -> None:
    completion, certificate = whole_library
    found = certificate.findings[0]
    places = [completion[span.start : span.end] for span in found.spans]
    if "*o * 3" in completion:
        assert found.kind == "wrong_output" and "cout << *o * 3;" in places
    else:
        assert found.kind == "undefined_behaviour" and "/" in places


def test_programs_that_need_the_whole_library_are_confirmed(
    verifier: CppVerifier, whole_library: tuple[str, Certificate]
) -> None:
    completion, certificate = whole_library
    assert verifier.recheck(certificate, prompt(WHOLE_LIBRARY_TESTS), completion)


def test_without_explanation_there_is_one_finding_for_the_whole(verifier: CppVerifier) -> None:
    plain = CppVerifier(explain=False)
    certificate = verify(plain, GOOD.replace("a + b", "a - b"))
    assert shown(certificate, "") == [("wrong_output", [])]


def test_longer_programs_than_the_limit_are_not_compiled(verifier: CppVerifier) -> None:
    short = CppVerifier(max_chars=50)
    for text in ("x" * 50 + " \n y", "int main() {}" + " " * 60 + "z"):
        certificate = verify(short, text)
        assert [finding.kind for finding in certificate.findings] == ["too_long"]
        assert certificate.dead_from == len(text) - 1  # blanks alone do not make it too long
        assert short.viable(prompt(), text) is False
        assert short.viable(prompt(), text[:-1]) is not False or len(text[:-1].rstrip()) > 50
        assert short.recheck(certificate, prompt(), text)
    assert short.verify(prompt([{"input": "", "output": ""}]), "int main() {}" + " " * 60).verdict is Verdict.PASS


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize(
    "completion", [GOOD, GOOD.replace("a + b", "a - b"), GOOD.replace("a + b", "zz"), "int f(); int main() { f(); }"]
)
def test_a_certificate_is_confirmed_and_a_tampered_one_is_not(
    verifier: CppVerifier, completion: str, half: int
) -> None:
    certificate = verify(verifier, completion)
    assert verifier.recheck(certificate, prompt(), completion)
    for tampered in _tampered(certificate, completion)[half::2]:
        assert not verifier.recheck(tampered, prompt(), completion), tampered


def _tampered(certificate: Certificate, completion: str) -> list[Certificate]:
    if certificate.verdict is Verdict.PASS:
        wrong = Finding("wrong_output", "test 0", (Span(0, 3),))
        return [
            Certificate(Verdict.FAIL, (wrong,), witness=certificate.witness),
            replace(certificate, witness={"tests": 3, "passed": 2}),
        ]
    first = certificate.findings[0]
    changed = [
        Certificate(Verdict.PASS, score=1.0, witness=certificate.witness),
        replace(certificate, findings=(replace(first, spans=(Span(0, 1),)), *certificate.findings[1:])),
        replace(certificate, findings=(replace(first, kind="syntax"), *certificate.findings[1:])),
        replace(certificate, findings=(replace(first, spans=(Span(0, len(completion) + 1),)),)),
        replace(certificate, findings=()),
        replace(certificate, score=0.5),
        replace(certificate, dead_from=1),
    ]
    if "actual" in certificate.witness:
        changed.append(replace(certificate, witness={**certificate.witness, "actual": "3"}))
        changed.append(replace(certificate, witness={**certificate.witness, "test": 1}))
    if "repair" in certificate.witness:
        start, end, new = certificate.witness["repair"]
        others: list[Any] = [
            [start, end, "*"],
            [start, len(completion) + 1, new],
            [start, end],
            None,
            [end, start, new],
        ]
        changed += [replace(certificate, witness={**certificate.witness, "repair": other}) for other in others]
    return changed


@pytest.mark.parametrize(
    "tests", [None, [], "1 2", [{"input": "1"}], [{"input": 1, "output": "1"}], ["1"], {"input": "", "output": ""}]
)
def test_malformed_tests_are_the_users_mistake(verifier: CppVerifier, tests: Any) -> None:
    facts = {} if tests is None else {"tests": tests}
    with pytest.raises(UserError, match=r'tests[\s\S]*\[\{"input": "1 2\\n", "output": "3\\n"\}'):
        verifier.verify(Prompt("id", "text", facts=facts), GOOD)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"test_seconds": 0}, "test_seconds=0: must be a whole number from 1 to 60"),
        ({"memory_mb": 1.5}, "memory_mb=1.5"),
        ({"max_chars": 0}, "max_chars=0"),
        ({"standard": "c++98"}, r"standard=c\+\+98: must be one of gnu\+\+14"),
        ({"sandbox": "docker"}, "sandbox=docker"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        CppVerifier(**options)


@pytest.mark.parametrize("missing", ["g++", "gcov"])
def test_a_missing_tool_is_named_with_its_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for program in {"g++", "gcov"} - {missing}:
        (tmp_path / program).symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=rf"`{missing.replace('+', '[+]')}` is missing[\s\S]*apt-get install g\+\+"):
        tools.find_toolchain("gnu++17")


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UserError, match="XDG_CACHE_HOME"):
        tools.cache_folder()


def test_the_cache_is_built_once_and_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "require", lambda program, install=None: program)
    monkeypatch.setattr(tools, "cache_folder", lambda: tmp_path)
    runs: list[tuple[str, ...]] = []

    def run(*command: str) -> str:
        runs.append(command)
        if "-o" in command:
            assert not list(tmp_path.glob("cpp-*/slim")), "a half-built cache is visible"
            Path(command[command.index("-o") + 1]).write_text("made")
        return '# 1 "/dev/null" 3' if "-E" in command else "12.2.0"

    monkeypatch.setattr(tools, "_run", run)
    monkeypatch.setattr(tools, "_whole_library", lambda standard: "#include <regex>")
    found = tools.find_toolchain("gnu++17")
    made = sum("-o" in command for command in runs)
    assert os.access(found.folder / "judge", os.X_OK)
    assert made == 7 and (found.folder / "slim" / "bits" / "stdc++.h.gch" / "watched.gch").read_text() == "made"
    assert tools.find_toolchain("gnu++17") == found and sum("-o" in command for command in runs) == made
    assert sorted(path.name[:4] for path in tmp_path.iterdir()) == ["cpp-", "cpp-"]  # the cache and its lock


@pytest.mark.slow
def test_right_programs_of_people_pass(verifier: CppVerifier) -> None:
    for code, tests in spoc(40):
        assert verifier.verify(prompt(tests[:20]), code).verdict is Verdict.PASS, code
