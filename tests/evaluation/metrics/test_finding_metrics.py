"""Legal answers, right steps, right answers, queries that run: certificates of the verifiers, and values counted by hand."""

import math

import pytest

from rlsf_lightning.evaluation.metrics import suite_for
from rlsf_lightning.evaluation.metrics.findings import (
    AnswerAccuracy,
    CompAcc,
    LegalMoves,
    StepsRight,
    StepValidity,
    ValidQueries,
)
from rlsf_lightning.records import Certificate, Finding, Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.cpp.check import INVALID_KINDS
from rlsf_lightning.symbolic.verifiers.game24 import VERIFIER as Game24
from rlsf_lightning.symbolic.verifiers.math import VERIFIER as Math
from rlsf_lightning.symbolic.verifiers.sql import VERIFIER as Sql

HAND = Prompt("h", "4 4 8 10", facts={"numbers": [4, 4, 8, 10]})
SUM = Prompt("s", "What is 3 times 4?", reference="12")
TABLE = Prompt(
    "t", "", reference="SELECT a FROM t", facts={"schema": "CREATE TABLE t (a INT); INSERT INTO t VALUES (1);"}
)
ABSTAINED = Certificate(Verdict.ABSTAIN)


@pytest.mark.parametrize(
    ("answer", "is_legal"),
    [
        ("(8-4)*(10-4)", True),
        ("8+4+10+4", True),  # the wrong value
        ("(8-4)*(10-5)", False),
        ("8-4", False),
        ("(8-4)*(10-4", False),
        ("24", False),
        ("4 / (4 - 4) + 8 * 10", False),
        ("8 - 4 = 4 (left: 4 4 10)\n10 - 4 = 6 (left: 4 6)\n4 * 6 = 24 (left: 24)", True),
        ("8 - 4 = 5 (left: 4 5 10)\n10 - 4 = 6 (left: 5 6)\n5 * 6 = 30 (left: 30)", True),
        ("8 - 5 = 3 (left: 4 4 3)", False),
    ],
)
def test_legal(answer: str, is_legal: bool) -> None:
    certificate = Game24().verify(HAND, answer)
    metric = LegalMoves()
    metric.update([certificate], [True])
    assert metric.compute() == is_legal
    cut = LegalMoves()
    cut.update([certificate], [False])
    assert cut.compute() == 0


@pytest.mark.parametrize(
    ("answer", "right", "steps"),
    [
        ("8 - 4 = 4 (left: 4 4 10)\n10 - 4 = 6 (left: 4 6)\n4 * 6 = 24 (left: 24)", 3, 3),
        ("8 - 4 = 4 (left: 4 4 10)\n10 - 4 = 7 (left: 4 7)\n4 * 7 = 28 (left: 28)", 2, 3),
        ("8 + 4 = 12 (left: 12 4 10)\n12 + 10 = 22 (left: 22 4)\n22 + 4 = 26 (left: 26)", 3, 3),  # leads nowhere
        ("8 - 4 = 4 (left: 4 4 10)\nso far so good\n10 - 4 = 6 (left: 4 6)\n4 * 6 = 24 (left: 24)", 3, 4),
        ("8 - 9 = 4 (left: 4 4 10)\n10 - 4 = 6 (left: 4 6)\n4 * 6 = 24 (left: 24)", 2, 3),
    ],
)
def test_step_validity(answer: str, right: int, steps: int) -> None:
    metric = StepValidity()
    metric.update([Game24().verify(HAND, answer)])
    assert metric.item_statistics().tolist() == [[right, steps]]


def test_an_expression_has_no_steps() -> None:
    metric = StepValidity()
    metric.update([Game24().verify(HAND, "(8-4)*(10-4)"), ABSTAINED])
    assert math.isnan(metric.compute())


@pytest.mark.parametrize(
    ("solution", "is_right", "steps"),
    [
        ("3*4 = 12\n#### 12", True, (1, 1)),
        ("3*4 = 11, 2+2 = 4\n#### 12", True, (1, 2)),
        ("3*4 = 12\n#### 13", False, (1, 1)),
        ("It is a lot.", False, (0, 0)),
        ("#### 12", True, (0, 0)),
    ],
)
def test_answers_and_steps_of_solutions(solution: str, is_right: bool, steps: tuple[int, int]) -> None:
    certificate = Math(answers="numbers").verify(SUM, solution)
    accuracy, right = AnswerAccuracy(), StepsRight()
    accuracy.update([certificate], [True])
    right.update([certificate])
    assert accuracy.compute() == is_right
    assert tuple(right.item_statistics()[0]) == steps


@pytest.mark.parametrize(
    ("query", "runs"),
    [("SELECT a FROM t", True), ("SELECT 7", True), ("SELECT b FROM t", False), ("DELETE FROM t", False)],
)
def test_valid_queries(query: str, runs: bool) -> None:
    metric = ValidQueries()
    metric.update([Sql().verify(TABLE, query)], [True])
    assert metric.compute() == runs


def test_kinds_are_those_of_the_verifiers() -> None:
    assert ValidQueries.spoiling == Sql.invalid_kinds
    assert Game24.invalid_kinds <= LegalMoves.spoiling <= Game24.kinds
    assert Math.invalid_kinds <= AnswerAccuracy.spoiling <= Math.kinds


def test_an_abstention_does_not_count() -> None:
    metric = AnswerAccuracy()
    metric.update([ABSTAINED, ABSTAINED], [True, False])
    assert metric.item_statistics().tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    ("verifier", "success"), [(Game24, "success"), (Math, "pass_rate"), (Sql, "execution_accuracy")]
)
def test_suites(verifier: type, success: str) -> None:
    suite = suite_for(verifier)
    assert suite.success == success and success in suite.greedy and set(suite.sampled) <= set(suite.greedy)


CPP_FAILS = ("call", "compile", "syntax", "undeclared", "link", "empty", "too_long")


def test_compilation_accuracy_counts_what_compiles_and_correctness_what_passes() -> None:
    certificates = [Certificate(Verdict.FAIL, (Finding(kind, ""),)) for kind in CPP_FAILS]
    certificates += [
        Certificate(Verdict.FAIL, (Finding("wrong_output", ""),), 0.5),
        Certificate(Verdict.PASS, score=1.0),
    ]
    certificates += [
        Certificate(Verdict.FAIL, (Finding("timeout", ""),)),
        ABSTAINED,
        Certificate(Verdict.PASS, score=1.0),
    ]
    is_finished = [True] * (len(certificates) - 1) + [False]
    values = {}
    for name in ("comp_acc", "fcorr_acc"):
        metric = suite_for(object, "programs").greedy[name]()
        metric.update(certificates, is_finished)
        values[name] = metric.compute().item()
    judged = len(CPP_FAILS) + 4  # all but the abstention
    assert values == pytest.approx({"comp_acc": 3 / judged, "fcorr_acc": 1 / judged})


def test_what_does_not_compile_is_what_the_verifier_calls_no_program() -> None:
    assert CompAcc.spoiling == INVALID_KINDS
