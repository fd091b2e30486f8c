"""Repairs of C++ programs with the compiler: the change with which all tests pass is the place of a mistake."""

import pytest
from certificates import shown
from cpp_cases import GOOD, SUM, prompt, verifier_or_skip, verify

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.cpp import CppVerifier
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.repair import search as repair
from rlsf_lightning.symbolic.verifiers.cpp.repair.changes import Change
from rlsf_lightning.symbolic.verifiers.cpp.repair.versions import versions
from rlsf_lightning.symbolic.verifiers.cpp.source.variables import Variables
from rlsf_lightning.symbolic.verifiers.cpp.task import Case

COUNT = """int main() {
  int n, c = 0, x;
  cin >> n;
  for (int i = 0; i < n; i++) {
    cin >> x;
    c += x;
  }
  cout << c;
}
"""
COUNTED = [{"input": "2 5 6", "output": "11"}, {"input": "0", "output": "0"}, {"input": "3 1 1 1", "output": "3"}]


@pytest.fixture(scope="module")
def verifier() -> CppVerifier:
    return verifier_or_skip()


@pytest.mark.parametrize(
    ("right", "wrong", "kind", "message"),
    [
        ("i < n", "i <= n", "wrong_output", "expected; the tests pass with `<` instead of `<=` here"),
        ("i = 0", "i = 1", "wrong_output", "with `0` instead of `1` here"),
        ("i++", "i--", "timeout", "test 0 takes too long; the tests pass with `++` instead of `--` here"),
        ("c += x", "c += n", "wrong_output", "with `x` instead of `n` here"),
        ("    c += x;\n", "", "wrong_output", "with `c += x;` between these"),
    ],
    ids="operator number endless name statement".split(),
)  # fmt: skip
def test_a_small_change_is_found(verifier: CppVerifier, right: str, wrong: str, kind: str, message: str) -> None:
    at = COUNT.index(right)
    completion = COUNT[:at] + wrong + COUNT[at + len(right) :]
    certificate = verify(verifier, completion, COUNTED)
    found = [one for one in certificate.findings if message in one.message]
    assert [one.kind for one in found] == [kind], certificate
    low, high = min(span.start for span in found[0].spans), max(span.end for span in found[0].spans)
    assert low <= at + len(wrong) and high >= at and "the tests pass with" in certificate.findings[0].message
    start, end, new = certificate.witness["repair"]
    assert verifier.verify(prompt(COUNTED), completion[:start] + new + completion[end:]).score == 1.0
    assert repair.place(Program(completion), Change(Span(start, end), new)) == certificate.findings[0].spans


def test_a_repair_must_pass_every_test(verifier: CppVerifier) -> None:
    """Two mistakes: no single change is enough for all tests, though some are for one of them."""
    completion = COUNT.replace("c = 0", "c = 5").replace("c += x", "c -= x")
    certificate = verify(verifier, completion, COUNTED)
    assert "repair" not in certificate.witness and "the tests pass" not in certificate.findings[0].message


def test_versions_that_do_not_compile_are_left_out_and_those_without_end_come_last(verifier: CppVerifier) -> None:
    program = Program("int main() { int a, b; cin >> a >> b; for (; a < 0; ) ; cout << a - b; }")
    at = program.text.index("-")
    changes = [Change(Span(at, at + 1), new) for new in ("@", "+", "* string() +", "+ 0 +")]
    changes.append(Change(Span(program.text.index("a < 0"), program.text.index("; ) ;")), "b + 9"))
    cases = [Case(test["input"], test["output"]) for test in SUM]
    text = versions(program, Variables(program), changes)
    assert text is not None
    assert verifier.compiler.trial(text, len(changes), cases, 1, "slim") == [1, 3]


@pytest.mark.parametrize(
    "claim",
    [
        'write(1, "0\\n1\\n2\\n", 6);',
        'std::ifstream("want.0") >> seen[0]; std::ifstream("want.1") >> seen[1]; std::ifstream("want.2") >> seen[2];',
    ],
    ids=["prints numbers of versions", "reads what is wanted"],
)
def test_a_program_that_disturbs_the_trial_gets_no_repair(verifier: CppVerifier, claim: str) -> None:
    """Before any version runs it says that they pass, or looks up what they must print."""
    completion = (
        "#include <bits/stdc++.h>\n#include <unistd.h>\nstatic std::string* seen = new std::string[3];\n"
        f"static int claimed = [] {{ {claim} return 0; }}();\n"
        "int main() { int a, b; std::cin >> a >> b; int at = a == 1 ? 0 : a == 5 ? 1 : 2;\n"
        "  std::cout << seen[at] << (seen[at].empty() ? 1000 : a * 0); }"
    )
    if "want" in claim:
        completion = completion.replace(" << (seen[at].empty() ? 1000 : a * 0)", "")
    certificate = verify(verifier, completion)
    assert certificate.score == 0.0 and "repair" not in certificate.witness


def test_without_explanation_nothing_is_tried(verifier: CppVerifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "repairs", lambda *given: pytest.fail("something was tried"))
    plain = CppVerifier(explain=False)
    assert shown(verify(plain, GOOD.replace("a + b", "a - b")), "") == [("wrong_output", [])]
