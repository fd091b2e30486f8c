"""Angles in degrees and radians, and per-cent signs after expressions: what is equal, what differs, what nobody can say."""

import importlib.util

import pytest
from certificates import checked

from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.math.verifier import MathVerifier

EXACT = MathVerifier()
NUMBERS = MathVerifier(answers="numbers")
pytestmark = pytest.mark.skipif(importlib.util.find_spec("math_verify") is None, reason="needs math-verify")


def judge(answer: str, reference: str, verifier: MathVerifier = EXACT) -> Certificate:
    return checked(verifier, Prompt("id", "How much?", reference), f"so\n#### {answer}")


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("25\\pi\\%", "25\\pi\\%"),
        ("25\u03c0 %", "25\\pi\\%"),
        ("25\\pi \\text{ percent}", "25\\pi\\%"),
        ("25\\pi percent", "25\\pi \\%"),
        ("25\\pi", "25\\pi\\%"),
        ("25\\pi\\%", "25\\pi"),
        ("\\frac{\\pi}{4}", "25\\pi\\%"),
        ("0.25\\pi", "25\\pi\\%"),
        ("25\\pi\\%", "\\frac{\\pi}{4}"),
        ("25\\%\\pi", "25\\pi\\%"),
        ("\\frac{50\\pi}{2}\\%", "25\\pi\\%"),
        ("100\\sqrt{3}\\%", "\\sqrt{3}"),
        ("\\sqrt{30000}\\%", "\\sqrt3"),
        ("\\sqrt{3}", "100\\sqrt{3} \\%"),
        ("(100 - 50\\sqrt{2})\\%", "1 - \\frac{\\sqrt{2}}{2}"),
        ("100\\ln 2 %", "\\ln 2"),
        ("\\frac{200}{3}\\%", "\\frac{2}{3}"),
        ("2^{9}\\%", "512\\%"),
        ("2^9\\%", "5.12"),
        ("3!\\%", "6"),
        ("100y\\%", "y"),
        ("25\\%, 75\\%", "25, 75"),
        ("(25\\%, 75\\%)", "(0.25, 0.75)"),
        ("(25, 75)", "(25\\%, 75\\%)"),
        ("25%, 75%", "\\frac14, \\frac34"),
        ("66\\text{ percent}", "66\\%"),
    ],
)
def test_a_percent_sign_after_an_expression_is_a_hundredth_or_the_unit(answer: str, reference: str) -> None:
    assert judge(answer, reference).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("26\\pi\\%", "25\\pi\\%"),
        ("25\\pi\\%", "2.5\\pi"),
        ("\\frac{\\pi}{3}\\%", "25\\pi\\%"),
        ("\\frac{\\pi}{4}\\%", "25\\pi\\%"),
        ("2500\\pi", "25\\pi\\%"),
        ("10\\sqrt{3}\\%", "\\sqrt{3}"),
        ("173.2\\%", "\\sqrt{3}"),
        ("173.2050807568877\\%", "100\\sqrt{3}\\%"),
        ("\\sqrt{3}", "175\\%"),
        ("\\sqrt{3}", "173.1\\%"),
        ("175\\%", "\\sqrt{3}"),
        ("2^{9}\\%", "5.13"),
        ("2^{9}\\%", "513\\%"),
        ("25\\%, 70\\%", "25, 75"),
        ("(25\\%, 75)", "(25, 75)"),
        ("100x\\%", "y"),
        ("25\\pi\\%", "25"),
        ("\\frac{1}{2} + 25\\%", "\\frac{1}{2} + 25"),
    ],
)
def test_another_share_is_wrong(answer: str, reference: str) -> None:
    assert judge(answer, reference).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("\\sqrt{3}", "173.2\\%"),
        ("100\\sqrt{3}\\%", "173.21\\%"),
        ("100\\sqrt{3}\\%", "1.732"),
        ("\\frac{\\pi}{4}", "78.5\\%"),
        ("25\\pi\\%", "78.54\\%"),
        ("25\\pi\\%", "0.785"),
        ("e", "271.8\\%"),
        ("100e\\%", "2.718"),
        ("\\ln 2", "69.3\\%"),
        ("100\\ln 2\\%", "0.6931"),
    ],
)
def test_an_exact_answer_to_a_rounded_percentage_is_not_judged(answer: str, reference: str) -> None:
    certificate = judge(answer, reference)
    assert certificate.verdict is Verdict.ABSTAIN
    assert certificate.witness["error"] == "the reference is a decimal, to which the answer can be rounded"


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("30^\\circ", "30"),
        ("30", "30^{\\circ}"),
        ("30\u00b0", "30 degrees"),
        ("30\\degree", "30^\\circ"),
        ("\\frac{90}{3}^\\circ", "30^\\circ"),
        ("\\frac{\\pi}{6}\\text{ radians}", "\\frac{\\pi}{6}"),
        ("\\pi/6", "\\frac{\\pi}{6} rad"),
        ("30^\\circ, 150^\\circ", "30^\\circ, 150^\\circ"),
        ("30^\\circ, 150^\\circ", "30, 150"),
        ("\\{30^\\circ, 150^\\circ\\}", "\\{150, 30\\}"),
        ("(4, 30^\\circ)", "(4, 30^{\\circ})"),
        ("180^\\circ - x", "180 - x"),
        ("\\frac{180}{\\pi}^\\circ", "\\frac{180}{\\pi} degrees"),
        ("\\sin 30^\\circ", "\\frac{1}{2}"),
        ("\\frac{1}{2}", "\\sin 30^\\circ"),
        ("\\cos(60\u00b0)", "0.5"),
        ("2\\tan 45^{\\circ}", "2"),
        ("\\sin^2 45^\\circ", "\\frac12"),
        ("\\sin 20^\\circ", "\\cos 70^\\circ"),
        ("\\sin 15^\\circ", "\\frac{\\sqrt{6}-\\sqrt{2}}{4}"),
        ("\\sin \\frac{\\pi}{6}", "\\sin 30^\\circ"),
        ("\\tan 22.5^\\circ", "\\sqrt{2}-1"),
        ("0 rad", "0"),
        ("25^\\circ C", "25^\\circ\\text{C}"),
    ],
)
def test_angles_in_one_unit_are_compared(answer: str, reference: str) -> None:
    assert judge(answer, reference).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("31^\\circ", "30^\\circ"),
        ("30^\\circ", "\\frac{\\pi}{4}"),
        ("\\frac{\\pi}{4}", "30^\\circ"),
        ("\\frac{\\pi}{6}^\\circ", "30^\\circ"),
        ("30 rad", "30^\\circ"),
        ("1 radian", "1 degree"),
        ("57.3^\\circ", "1 rad"),
        ("0.52^\\circ", "30"),
        ("30", "\\frac{\\pi}{6}"),
        ("-30^\\circ", "\\frac{\\pi}{6}"),
        ("30^\\circ, 120^\\circ", "30, 150"),
        ("30^\\circ, 120^\\circ", "\\frac{\\pi}{6}, \\frac{5\\pi}{6}"),
        ("\\sin 30", "\\frac12"),
        ("\\sin 30^\\circ", "\\sin 30"),
        ("\\sin 30^\\circ", "30"),
        ("\\cos 30^\\circ", "\\frac12"),
        ("25^\\circ C", "25^\\circ"),
        ("25^\\circ C", "25^\\circ F"),
        ("360^\\circ - x", "180 - x"),
    ],
)
def test_other_angles_are_wrong(answer: str, reference: str) -> None:
    assert judge(answer, reference).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("30^\\circ", "\\frac{\\pi}{6}"),
        ("\\frac{\\pi}{6}", "30^\\circ"),
        ("30 degrees", "\\frac{\\pi}{6} rad"),
        ("\\frac{\\pi}{6}\\text{ rad}", "30\u00b0"),
        ("\\pi/6 radians", "30"),
        ("30", "\\frac{\\pi}{6} radians"),
        ("360^\\circ", "2\\pi"),
        ("-45^\\circ", "-\\frac{\\pi}{4}"),
        ("\\frac{180}{\\pi}^\\circ", "1 rad"),
        ("0^\\circ", "0 rad"),
        ("45^\\circ", "\\arctan 1"),
        ("30^\\circ, 150^\\circ", "\\frac{\\pi}{6}, \\frac{5\\pi}{6}"),
        ("(4, 30^\\circ)", "(4, \\frac{\\pi}{6})"),
        ("180^\\circ - \\theta", "\\pi - \\theta"),
        ("\\pi^\\circ", "\\pi"),
        ("2\\pi", "2\\pi^\\circ"),
        ("30, 150^\\circ", "30^\\circ, 150^\\circ"),
        ("\\sin x^\\circ", "\\frac12"),
        ("1 rad", "57.30^\\circ"),
    ],
)
def test_an_angle_in_the_other_unit_is_not_judged(answer: str, reference: str) -> None:
    assert judge(answer, reference).verdict is Verdict.ABSTAIN


def test_without_math_verify_an_angle_is_compared_as_it_is_written() -> None:
    assert judge("30^\\circ", "30 degrees", NUMBERS).verdict is Verdict.PASS
    assert judge("30^\\circ", "30 rad", NUMBERS).verdict is Verdict.FAIL
    assert judge("25\\pi\\%", "25\\pi \\%", NUMBERS).verdict is Verdict.PASS
    assert judge("25\\pi\\%", "26\\pi\\%", NUMBERS).verdict is Verdict.FAIL
