"""What can be read in two ways is not judged, and words before a sum with units leave it what it is."""

import importlib.util

import pytest
from certificates import checked

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.math.verifier import MathVerifier

NUMBERS = MathVerifier(answers="numbers")
needs_math_verify = pytest.mark.skipif(importlib.util.find_spec("math_verify") is None, reason="needs math-verify")


@needs_math_verify
@pytest.mark.parametrize(
    ("answer", "reference", "verdict"),
    [
        ("1/3 pi", "\\frac{\\pi}{3}", Verdict.ABSTAIN),
        ("1/3\\pi", "\\frac{1}{3\\pi}", Verdict.ABSTAIN),
        ("\\frac{\\pi}{3}", "1/3\\pi", Verdict.ABSTAIN),
        ("2/5x", "\\frac{2x}{5}", Verdict.ABSTAIN),
        ("2/5 x", "\\frac{2}{5x}", Verdict.ABSTAIN),
        ("3/4 \\sqrt{5}", "\\frac{3\\sqrt{5}}{4}", Verdict.ABSTAIN),
        ("1/2(x+1)", "\\frac{x+1}{2}", Verdict.ABSTAIN),
        ("1/3 pi", "1/3\\pi", Verdict.PASS),
        ("2/5 x", "\\frac{3x}{5}", Verdict.FAIL),
        ("1/3 pi", "\\frac{\\pi}{4}", Verdict.FAIL),
        ("\\pi/3", "\\frac{\\pi}{3}", Verdict.PASS),
        ("(1/3)\\pi", "\\frac{\\pi}{3}", Verdict.PASS),
        ("\\frac{1}{3}\\pi", "\\frac{\\pi}{3}", Verdict.PASS),
    ],
)
def test_a_factor_behind_a_slash(answer: str, reference: str, verdict: Verdict) -> None:
    certificate = checked(MathVerifier(), Prompt("id", "How much?", reference), f"so\n#### {answer}")
    assert certificate.verdict is verdict


@pytest.mark.parametrize(
    ("completion", "reference", "verdict"),
    [
        ("#### $48", "48 cents", Verdict.FAIL),
        ("#### $48", "48 euros", Verdict.FAIL),
        ("#### \\$48", "48 cents", Verdict.FAIL),
        ("The answer is \u20ac48.", "48 dollars", Verdict.FAIL),
        ("The answer is 48\u20ac.", "48 dollars", Verdict.FAIL),
        ("The answer is \u00a348.", "48 euros", Verdict.FAIL),
        ("\\boxed{\\$48}", "48 cents", Verdict.FAIL),
        ("#### $4800", "48 cents", Verdict.FAIL),
        ("The answer is $48.", "4800 cents", Verdict.ABSTAIN),
        ("#### $48", "48", Verdict.PASS),
        ("#### $48", "48 dollars", Verdict.PASS),
        ("#### $48$", "48 cents", Verdict.PASS),
        ("The answer is **$48**.", "$48", Verdict.PASS),
        ("The answer is \\(48\\).", "48 cents", Verdict.PASS),
        ("#### $1,048.50", "1048.5", Verdict.PASS),
        ("#### -$48", "-48", Verdict.PASS),
        ("#### $48 in all", "48", Verdict.PASS),
    ],
)
def test_a_currency_before_the_answer_is_its_unit(completion: str, reference: str, verdict: Verdict) -> None:
    assert checked(NUMBERS, Prompt("id", "How much?", reference), completion).verdict is verdict


@pytest.mark.parametrize(
    ("step", "holds"),
    [
        ("We find 4 apples + 5 apples = 20 apples", False),
        ("We find 4 apples + 5 apples = 9 apples", True),
        ("So she has 4 red pens + 5 blue pens = 8 pens", False),
        ("Together they walk 4 km + 5 km = 10 km", False),
        ("Together they walk 4 km + 5 km = 9 km", True),
        ("In total: 4 kg + 5 kg = 8 kg", False),
        ("Then there are 9 birds - 4 birds = 4 birds", False),
        ("Then there are 9 birds - 4 birds = 5 birds", True),
        ("Finally we get 4 hours * 5 = 25 hours", False),
        ("This makes 4 coins + 5 coins + 6 coins = 16 coins", False),
        ("This makes 4 coins + 5 coins + 6 coins = 15 coins", True),
        ("The rest is 20 dollars - 4 dollars = 15 dollars", False),
    ],
)
def test_words_before_a_sum_of_things(step: str, holds: bool) -> None:
    certificate = checked(NUMBERS, Prompt("id", "How much?", "1"), f"{step}.\n#### 1")
    assert certificate.verdict is (Verdict.PASS if holds else Verdict.FAIL)


@pytest.mark.parametrize(
    "step",
    [
        "A third of 4 apples + 5 apples = 3 apples",
        "Half of the 4 apples + 6 apples = 5 apples",
        "Twice 4 apples + 5 apples = 13 apples",
        "10 minus 4 apples + 5 apples = 1 apples",
        "5 apples less 4 apples + 5 apples = 6 apples",
    ],
)
def test_words_that_change_a_sum_of_things_leave_it_alone(step: str) -> None:
    assert checked(NUMBERS, Prompt("id", "How much?", "1"), f"{step}.\n#### 1").verdict is Verdict.PASS
