"""The verifier of worked solutions: final answers, verdicts, limits, the process of math-verify, tampered certificates."""

import importlib.util
import random
import sys
import time
from dataclasses import replace

import pytest
from certificates import checked, shown
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.verifiers.math.parse.answer import find_answer
from rlsf_lightning.symbolic.verifiers.math.verifier import MathVerifier

NUMBERS = MathVerifier(answers="numbers")
SOLUTION = "She sold 48/2 = <<48/2=24>>24 clips in May.\nIn all 48 + 24 = 72 clips.\n#### 72"


def verify(completion: str, reference: str = "72", verifier: MathVerifier = NUMBERS) -> Certificate:
    """The certificate, after the checks that every one must stand."""
    return checked(verifier, Prompt("id", "How many?", reference), completion)


def found(completion: str, reference: str = "72") -> list[tuple[str, list[str]]]:
    """(kind, the text of its spans) of every finding."""
    return shown(verify(completion, reference), completion)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("#### 72", "72"),
        ("so\n####72\n", "72"),
        ("#### $72.", "72"),
        ("#### 71\n#### 72", "72"),
        ("\\boxed{71} no, \\boxed{72}", "72"),
        ("\\boxed{\\frac{1}{2}}", "\\frac{1}{2}"),
        ("the box \\boxed{72", "72"),  # not closed: the last number
        ("The answer is 72.", "72"),
        ("The answer is 7.5. Well", "7.5"),
        ("**Answer:** 72", "72"),
        ("The final answer is: $72$", "72"),
        ("The answer is \\(72\\).", "72"),
        ("Answer: \\boxed{72}", "72"),
        ("72", "72"),
        ("x = 3/4", "3/4"),
        ("first 5\nthen she has 72 clips left", "72"),
        ("first 5\nit costs -1,072.50 now", "-1,072.50"),
        ("x^2 + 1", "x^2 + 1"),
        ("seventy", None),
        ("####", None),
        ("The answer is", None),
    ],
)
def test_where_the_final_answer_stands(text: str, answer: str | None) -> None:
    got = find_answer(text)
    assert (got and got.text) == answer
    if got is not None:
        assert text[got.span.start : got.span.end] == got.text


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("72", "72"),
        ("72.00", "72"),
        ("1,072", "1072"),
        ("1{,}072", "1072"),
        ("72 clips", "72"),
        ("72", "It is 70 + 2.\n#### 72"),
        ("1/2", "0.5"),
        ("\\frac{1}{2}", "0.5"),
        ("-\\dfrac{1}{2}", "-1/2"),
        ("50%", "50"),
        ("50\\%", "0.5"),
        ("B", "B"),
        ("a  b", "a b"),
    ],
)
def test_right_answers(answer: str, reference: str) -> None:
    assert verify(f"so\n#### {answer}", reference).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("71", "72"),
        ("0.33", "1/3"),
        ("-72", "72"),
        ("72", "0.72"),
        ("72 million", "72"),
        ("72 x", "72"),
        ("B", "C"),
        ("1/0", "1"),
    ],
)
def test_wrong_answers(answer: str, reference: str) -> None:
    assert found(f"so\n#### {answer}", reference) == [("wrong_answer", [answer])]


def test_verdicts_scores_and_witness() -> None:
    right = verify(SOLUTION)
    assert right.verdict is Verdict.PASS and right.score == 1.0 and right.dead_from is None
    assert [row["values"] for row in right.witness["steps"]] == [["24", "24"], ["72", "72"]]
    assert right.witness["answer"]["equal"] is True

    one_step = verify(SOLUTION.replace("=24>>", "=25>>"))
    assert one_step.score == pytest.approx(0.5 + 0.4 / 2) and one_step.dead_from is None
    assert [SOLUTION.replace("=24>>", "=25>>")[f.spans[0].start :][:4] for f in one_step.findings] == ["25>>"]

    copied = SOLUTION.replace(">>24", ">>42")
    assert [f.message for f in verify(copied).findings] == ["48/2 is 24, not 42"]
    assert copied[verify(copied).findings[0].spans[-1].start :].startswith("42 clips")

    other = verify(SOLUTION.replace("#### 72", "#### 27"))
    assert [f.kind for f in other.findings] == ["wrong_answer"] and other.score == pytest.approx(0.4)

    missing = verify("It is 48 + 24 = 72.\nI do not know")
    assert [f.kind for f in missing.findings] == ["missing_answer"]
    assert missing.dead_from == len("It is 48 + 24 = 72.\nI do not know")  # only stopping was wrong
    assert verify("48 + 24 = 73.\nwell").dead_from is None


def test_an_operator_that_should_be_another_one_is_named_too() -> None:
    assert found("5 - 3 = 8\n#### 72") == [("wrong_step", ["-", "8"])]
    assert found("2 + 3 + 4 = 10\n#### 72") == [("wrong_step", ["+", "10"])]  # 2*3 + 4
    assert found("5 - 3 = 7\n#### 72") == [("wrong_step", ["7"])]


def test_an_operand_is_blamed_where_a_number_that_was_given_would_make_the_step_right() -> None:
    """The question and what stands before the step are looked at, not what stands after it."""

    def places(question: str, completion: str) -> list[tuple[str, list[str]]]:
        return shown(checked(NUMBERS, Prompt("id", question, "72"), completion), completion)

    assert places("48 and 24 clips?", "43 + 24 = 72\n#### 72") == [("wrong_step", ["43", "72"])]
    assert places("48 and 24 clips?", "48 + 24 = 73\n#### 72") == [("wrong_step", ["73"])]
    assert places("1,200 clips?", "1200 / 2 = 600, 1300 / 2 = 600\n#### 72") == [("wrong_step", ["1300", "600"])]
    assert places("How many?", "43 + 24 = 72, not 48\n#### 72") == [("wrong_step", ["72"])]
    assert places("3 or 6?", "4 - 1 = 5\n#### 72") == [("wrong_step", ["4", "-", "5"])]  # 6 - 1, 4 + 1


def test_operands_of_many_steps_are_looked_for_in_bounded_time() -> None:
    question = " ".join(str(number) for number in range(1000, 1400))
    step = " + ".join(["3"] * 6) + " = 1500\n"
    start = time.process_time()
    certificate = NUMBERS.verify(Prompt("id", question, "72"), step * 250 + "#### 72")
    assert certificate.verdict is Verdict.FAIL and time.process_time() - start < 3


@pytest.mark.parametrize("completion", ["", " \n "])
def test_empty(completion: str) -> None:
    assert found(completion) == [("empty", [])]


def test_too_long() -> None:
    short = MathVerifier(answers="numbers", max_chars=20)
    certificate = verify("  " + "a" * 18 + "   72 ", verifier=short)
    assert [f.kind for f in certificate.findings] == ["too_long"] and certificate.dead_from == 23
    assert verify("#### 72" + " " * 50, verifier=short).verdict is Verdict.PASS


@pytest.mark.parametrize("options", [{"answers": "sympy"}, {"max_chars": 0}, {"seconds": 0.0}])
def test_options_are_checked(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        MathVerifier(**options)


@pytest.mark.parametrize("reference", [None, "", "  "])
def test_a_missing_reference_is_the_users(reference: str | None) -> None:
    with pytest.raises(UserError, match='"reference": "72"'):
        NUMBERS.verify(Prompt("id", "?", reference), "72")


def test_a_missing_package_is_told_and_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    from rlsf_lightning.symbolic.verifiers.math.tool import comparer

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    comparer.version.cache_clear()
    with pytest.raises(UserError, match=r'pip install "rlsf-lightning\[math\]"'):
        MathVerifier()
    assert "math-verify" not in MathVerifier(answers="numbers").tool


@pytest.mark.skipif(importlib.util.find_spec("math_verify") is None, reason="needs math-verify")
class TestMathVerify:
    """What goes through the other process."""

    verifier = MathVerifier(seconds=0.5)

    @pytest.mark.parametrize(
        ("answer", "reference", "same"),
        [
            ("\\frac12", "1/2", True),
            ("x^2 + 1", "1 + x^2", True),
            ("\\sqrt{4}", "2", True),
            ("2x + x", "3x", True),
            ("y = 3", "3", True),
            ("(1, 2)", "(1, 2)", True),
            ("(2, 1)", "(1, 2)", False),
            ("x + 1", "x + 2", False),
            ("\\sqrt{5}", "2", False),
            ("}{", "2", False),
            ("\\text{Paris}", "London", False),
        ],
    )
    def test_answers_that_are_no_numbers(self, answer: str, reference: str, same: bool) -> None:
        certificate = verify(
            f"\\boxed{{{answer}}}" if "}{" not in answer else f"#### {answer}", reference, self.verifier
        )
        assert (certificate.verdict is Verdict.PASS) is same
        assert "math-verify" in certificate.tool and "+" in certificate.version

    def test_what_hangs_abstains_and_the_next_is_answered(self) -> None:
        prompt = Prompt("id", "?", "2")
        for hostile in ("9^{9^{9^{9}}}", "10000000!"):
            certificate = self.verifier.verify(prompt, f"\\boxed{{{hostile}}}")
            assert certificate.verdict is Verdict.ABSTAIN and "no answer" in certificate.witness["error"]
        assert self.verifier.verify(prompt, "\\boxed{\\sqrt{4}}").verdict is Verdict.PASS

    def test_a_wrong_step_before_what_hangs_is_certain(self) -> None:
        question = Prompt("id", "?", "2")
        wrong = self.verifier.verify(question, "1 + 1 = 3\n\\boxed{9^{9^{9^{9}}}}")
        assert [f.kind for f in wrong.findings] == ["wrong_step"]
        assert self.verifier.recheck(wrong, question, "1 + 1 = 3\n\\boxed{9^{9^{9^{9}}}}")
        other = replace(wrong, witness={**wrong.witness, "error": "made up"})
        assert not self.verifier.recheck(other, question, "1 + 1 = 3\n\\boxed{9^{9^{9^{9}}}}")

    def test_no_call_takes_longer_than_its_bound_even_where_the_process_is_slow_to_start(self) -> None:
        assert MathVerifier(seconds=10)._comparer.child.longest == 50
        verifier = MathVerifier()
        child = verifier._comparer.child
        assert child.longest == 15
        ready, child.command, child.longest = child.command, [sys.executable, "-c", "import time; time.sleep(60)"], 0.5
        prompt, start = Prompt("p", "?", "x + 1"), time.monotonic()
        certificate = verifier.verify(prompt, "\\boxed{1 + x}")
        assert 0.5 <= time.monotonic() - start < 4
        assert certificate.verdict is Verdict.ABSTAIN
        assert certificate.witness["error"] == "math-verify: still starting after 0.5 s"
        child.stop()
        child.command, child.longest = ready, 60.0
        assert verifier.verify(prompt, "\\boxed{1 + x}").verdict is Verdict.PASS

    def test_nothing_of_an_answer_is_run(self, tmp_path: object) -> None:
        target = f"{tmp_path}/made"
        for answer in (f"__import__('os').system('touch {target}')", f"\\text{{open('{target}','w')}}"):
            self.verifier.verify(Prompt("id", "?", "2"), f"#### {answer}")
        from pathlib import Path

        assert not Path(target).exists()

    def test_the_process_ends_with_the_verifier(self) -> None:
        verifier = MathVerifier()
        verifier.verify(Prompt("id", "?", "2"), "\\boxed{\\sqrt{4}}")
        child = verifier._comparer.child.process
        assert child is not None and child.poll() is None
        del verifier
        assert child.wait(timeout=10) is not None


@pytest.mark.parametrize(
    "completion",
    [
        "(" * 8000,
        "1+" * 4000,
        "1=" * 4000,
        "1+1=" * 2000,
        "9" * 8000,
        "9**9**9**9 = 1",
        "9^64^64 = 1",
        "2^64^2 = 3 + 1",
        "(9^64)^64 = 1",
        "-" * 8000,
        "\\boxed{" * 1000,
        "\\frac{1}{0} = 3",
        "\\frac" * 1500,
        "$" * 8000,
        "#### " * 1500,
        "= " * 4000,
        "\n" * 100_000 + "1",
        "1,000" * 1500,
        "\ud800\x00" * 3000,
        "__import__('os').getpid() = 3",
        "1" + ",000" * 1900 + " + 1 = 2",
    ],
)
def test_hostile_completions_end_soon(completion: str) -> None:
    start = time.process_time()
    verify(completion)
    assert time.process_time() - start < 3


TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from(["5", "3", "8", "2.50", "1,000", "+", "-", "*", "/", "=", " ", " = ", "(", ")", "%", "^", "x", "$", "\n",
                     "apples", "\\frac{1}{2}", "\\times", "**", "####", "answer is", "\\boxed{", "}", ".", ",", "<<", ">>"]),
    max_size=24,
).map("".join)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(TEXTS)
def test_any_text_gets_a_certificate_that_stands(text: str) -> None:
    verify(text)


def worked(rng: random.Random) -> tuple[str, int, list[Span]]:
    """A solution of a few steps, its answer, and where each result stands."""
    text, spans, value = "", [], rng.randint(2, 90)
    for _ in range(rng.randint(1, 5)):
        operator, other = rng.choice("+-*"), rng.randint(2, 40)
        made = {"+": value + other, "-": value - other, "*": value * other}[operator]
        a = f"({value})" if value < 0 else f"{value:,}"
        head = f"{rng.choice(['Then ', 'So she has ', 'We get ', '- ', '', '2. '])}{a} {operator} {other} = "
        head += rng.choice(["", "$"])
        spans.append(Span(len(text) + len(head), len(text) + len(head) + len(f"{made:,}")))
        text += f"{head}{made:,}{rng.choice(['.', ' apples.', '', ' in all,'])}\n"
        value = made
    return f"{text}#### {value}", value, spans


def test_every_changed_result_is_found_and_nothing_else() -> None:
    rng = random.Random(0)
    for _ in range(300):
        text, value, spans = worked(rng)
        assert verify(text, str(value)).verdict is Verdict.PASS, text
        place = rng.choice(spans)
        digit = rng.choice([i for i in range(place.start, place.end) if text[i].isdigit()])
        other = text[:digit] + rng.choice([d for d in "123456789" if d != text[digit]]) + text[digit + 1 :]
        spans_found = [f.spans for f in verify(other, str(value)).findings]
        assert any(place in spans for spans in spans_found), (other, spans_found)


def tampered_answers(certificate: Certificate) -> list[dict[str, object]]:
    """Witnesses that say something else of the final answer."""
    witness = dict(certificate.witness)
    answer = witness.pop("answer", None)
    if answer is None:
        return [{**witness, "answer": {"text": "72", "span": [0, 2], "equal": True}}]
    others = [{**answer, "text": "1"}, {**answer, "span": [0, 1]}, {**answer, "equal": not answer["equal"]}, {}]
    return [witness, *({**witness, "answer": other} for other in others)]


def tampered(certificate: Certificate) -> list[Certificate]:
    """The same with one thing changed in each."""
    first = certificate.findings[0]
    steps = certificate.witness["steps"]
    others = [
        replace(certificate, verdict=Verdict.PASS, score=1.0, findings=(), dead_from=None),
        replace(certificate, score=0.123),
        replace(certificate, findings=(replace(first, kind="empty"), *certificate.findings[1:])),
        replace(certificate, findings=(*certificate.findings, Finding("wrong_step", "", (Span(0, 1),)))),
        replace(certificate, dead_from=3),
        replace(certificate, dead_from=len(SOLUTION) if certificate.dead_from is None else None),
        replace(certificate, witness={**certificate.witness, "steps": steps[1:]}),
        replace(
            certificate, witness={**certificate.witness, "steps": [{**steps[0], "values": ["1", "1"]}, *steps[1:]]}
        ),
        replace(certificate, witness={**certificate.witness, "reference": "7"}),
        replace(certificate, witness={**certificate.witness, "error": "made up"}),
        replace(certificate, witness={**certificate.witness, "other": 1}),
    ]
    others += [replace(certificate, witness=witness) for witness in tampered_answers(certificate)]
    if first.spans:
        moved = tuple(Span(span.start + 1, span.end + 1) for span in first.spans)
        others.append(replace(certificate, findings=(replace(first, spans=moved), *certificate.findings[1:])))
    return others


@pytest.mark.parametrize(
    ("old", "new"), [("=24>>", "=25>>"), ("48 + 24 = 72", "48/0 = 72"), ("#### 72", "#### 27"), ("#### 72", "so")]
)
def test_tampered_certificates_are_rejected(old: str, new: str) -> None:
    completion = SOLUTION.replace(old, new)
    certificate = verify(completion)
    for other in tampered(certificate):
        assert not NUMBERS.recheck(other, Prompt("id", "?", "72"), completion), other


def test_both_evaluators_read_cents_and_dozens_alike() -> None:
    rng, passed = random.Random(0), 0
    for _ in range(600):
        a, b, factor = rng.randint(1, 60), rng.randint(1, 60), rng.choice([1, 12, 100, 1 / 12])
        stated = rng.choice([round(a / b * factor, rng.choice([1, 2])), round(a / b * factor), rng.randint(1, 99)])
        certificate = verify(f"{a} / {b} = {stated} {rng.choice(['cents', 'dozen'])}\n#### 72")
        passed += certificate.verdict is Verdict.PASS
    assert 50 < passed < 500


def test_tampered_witnesses_of_right_and_empty_answers_are_rejected() -> None:
    right, empty = verify(SOLUTION), verify("")
    for witness in tampered_answers(right):
        assert not NUMBERS.recheck(replace(right, witness=witness), Prompt("id", "?", "72"), SOLUTION), witness
    assert not NUMBERS.recheck(replace(empty, witness={"steps": []}), Prompt("id", "?", "72"), "")


@pytest.mark.parametrize(("question", "step"), [("0.5", "2^3 = 2"), ("9999999999", "2^3 = 9"), ("0", "0^3 = 1")])
def test_both_evaluators_refuse_the_same_powers_in_place_of_an_operand(question: str, step: str) -> None:
    completion = f"{step}\n#### 72"
    certificate = checked(NUMBERS, Prompt("id", question, "72"), completion)
    assert shown(certificate, completion) == [("wrong_step", [step[-1]])]


def test_a_right_solution_cannot_be_certified_as_wrong() -> None:
    wrong = Certificate(
        Verdict.FAIL, (Finding("wrong_answer", "", (Span(0, 2),)),), 0.4, witness=verify(SOLUTION).witness
    )
    assert not NUMBERS.recheck(wrong, Prompt("id", "?", "72"), SOLUTION)
