"""Comparison of final answers: exact values, bases, units, clauses, and one notation for many."""

import importlib.util

import pytest
from certificates import checked
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Certificate, Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.math.check.answers import same_answer
from rlsf_lightning.symbolic.verifiers.math.check.quantity import read_quantity
from rlsf_lightning.symbolic.verifiers.math.parse.answer import find_answer
from rlsf_lightning.symbolic.verifiers.math.parse.notation import exact, latex
from rlsf_lightning.symbolic.verifiers.math.verifier import MathVerifier

NUMBERS = MathVerifier(answers="numbers")
EXACT = MathVerifier()
needs_math_verify = pytest.mark.skipif(importlib.util.find_spec("math_verify") is None, reason="needs math-verify")


def judge(answer: str, reference: str, verifier: MathVerifier, question: str = "How much?") -> Certificate:
    return checked(verifier, Prompt("id", question, reference), f"so\n#### {answer}")


@needs_math_verify
@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("\\frac{1}{3^{40}}", "\\frac{1}{3^{41}}"),
        ("6.6\\times10^{-34}", "1.1\\times10^{-34}"),
        ("7^{-30}", "7^{-31}"),
        ("\\frac{3}{90!}", "\\frac{1}{90!}"),
        ("\\sqrt{5}\\cdot10^{-25}", "\\sqrt{7}\\cdot10^{-25}"),
        ("e^{-70}", "e^{-71}"),
        ("\\pi + 10^{-22}", "\\pi"),
        ("\\sqrt{3} + 10^{-450}", "\\sqrt{3}"),
        ("(1, 10^{-18}, 3)", "(1, 10^{-19}, 3)"),
        ("\\{2, 10^{-18}\\}", "\\{2, 10^{-19}\\}"),
        ("[0, 10^{-18}]", "[0, 10^{-19}]"),
        ("(-\\infty, 10^{-18})", "(-\\infty, 10^{-19})"),
        ("\\begin{pmatrix} 10^{-18} & 1 \\end{pmatrix}", "\\begin{pmatrix} 10^{-19} & 1 \\end{pmatrix}"),
        ("x^2 + 10^{-25}", "x^2"),
        ("x = 10^{-18}", "x = 10^{-19}"),
        ("1.41421356237", "\\sqrt{2}"),
        ("3.14159265358979", "\\pi"),
    ],
)
def test_small_differences_are_differences(answer: str, reference: str) -> None:
    assert judge(answer, reference, EXACT).verdict is Verdict.FAIL


@needs_math_verify
@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("\\frac{1}{\\sqrt{5}}", "\\frac{\\sqrt{5}}{5}"),
        ("\\sqrt{7+4\\sqrt{3}}", "2+\\sqrt{3}"),
        ("12\\times10^{-20}", "1.2\\times10^{-19}"),
        ("\\cos^2 x + \\sin^2 x", "1"),
        ("\\{3, 1, 2\\}", "1, 2, 3"),
        ("2x - y = 1", "y = 2x - 1"),
        ("1.5\\pi", "4.71238898038469"),
        ("5 > x", "x < 5"),
        ("e^{i\\pi}", "-1"),
        ("\\left[\\frac{1}{2}, 2\\right)", "[0.5, 2)"),
        ("\\begin{pmatrix} 1 \\\\ 0.5 \\end{pmatrix}", "\\begin{pmatrix} 1 \\\\ \\frac{1}{2} \\end{pmatrix}"),
    ],
)
def test_equal_expressions(answer: str, reference: str) -> None:
    assert judge(answer, reference, EXACT).verdict is Verdict.PASS


@needs_math_verify
def test_an_exact_answer_to_a_rounded_reference_is_not_judged() -> None:
    certificate = judge("\\sqrt{2}", "1.414", EXACT)
    assert certificate.verdict is Verdict.ABSTAIN
    assert certificate.witness["error"] == "the reference is a decimal, to which the answer can be rounded"
    assert judge("\\sqrt{2}", "1.42", EXACT).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("answer", "reference", "verdict"),
    [
        ("110_2", "110_{2}", Verdict.PASS),
        ("110_{\\text{two}}", "110_2", Verdict.PASS),
        ("110 (base 2)", "110_2", Verdict.PASS),
        ("110\u2082", "110_2", Verdict.PASS),
        ("2B_{16}", "2B_{16}", Verdict.PASS),
        ("0110_2", "110_2", Verdict.PASS),
        ("110_{10}", "110", Verdict.PASS),
        ("110_3", "110_2", Verdict.FAIL),
        ("110", "110_2", Verdict.FAIL),
        ("110_2", "110", Verdict.FAIL),
        ("112_2", "110_2", Verdict.FAIL),
        ("111_2", "110_2", Verdict.FAIL),
        ("347_8", "347_9", Verdict.FAIL),
        ("6", "110_2", Verdict.ABSTAIN),
        ("110_2", "6", Verdict.ABSTAIN),
        ("12_4", "110_2", Verdict.ABSTAIN),
        ("100_2 + 10_2", "110", Verdict.ABSTAIN),
    ],
)
def test_numerals_with_a_base(answer: str, reference: str, verdict: Verdict) -> None:
    assert judge(answer, reference, NUMBERS).verdict is verdict


@pytest.mark.parametrize(
    "words",
    [
        "cubed", "fifths", "quarters", "hundred", "thousand", "lakhs", "bn", "k", "tenths", "dozen", "score",
        "squared metres less",
        "less than before", "more than half", "times 2", "plus tax", "over nine", "divided by two", "multiplied by two",
        "is wrong", "not counting us", "percent less", "factorial", "\\text{ hundredths}", "\\text{ thousand}", "or fewer",
    ],
)  # fmt: skip
def test_words_that_make_another_number_of_it(words: str) -> None:
    assert judge(f"48 {words}", "48", NUMBERS).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("4.8 lakh", "480000"),
        ("4.8 million", "4,800,000"),
        ("3 dozen", "36"),
        ("7 squared", "49"),
        ("90 halves", "45"),
        ("48 km", "48\\text{ km}"),
        ("48 kilometres", "48 km"),
        ("48km", "48 km"),
        ("48", "48 km"),
        ("48 km", "48"),
        ("48 km per hour", "48 km/h"),
        ("48 mph", "48 miles per hour"),
        ("48 square metres", "48\\text{ m}^2"),
        ("48\\text{ cm}^{2}", "48 cm^2"),
        ("48 apples", "48"),
        ("48 apples left over", "48"),
        ("48 more apples in total", "48 apples"),
        ("\\$48", "48 dollars"),
        ("48^\\circ", "48"),
        ("48\u00b0", "48 degrees"),
    ],
)
def test_units_that_are_the_same(answer: str, reference: str) -> None:
    assert judge(answer, reference, NUMBERS).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("48 m", "48 km"),
        ("48 minutes", "48 hours"),
        ("48 cents", "\\$48"),
        ("48 kg", "48 g"),
        ("48 m^2", "48 m"),
        ("48\\text{ cm}^3", "48\\text{ cm}^2"),
        ("48 square feet", "48 feet"),
        ("48 m/s", "48 km/h"),
        ("48 euros", "48 dollars"),
        ("48 litres", "48 ml"),
        ("48 degrees", "48 radians"),
        ("48 apples", "48 km"),
    ],
)
def test_units_that_are_not(answer: str, reference: str) -> None:
    assert judge(answer, reference, NUMBERS).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("answer", "reference", "why"),
    [
        ("48 gribbles", "48", "gribbles"),
        ("4800 cents", "\\$48", "in another unit"),
        ("4 km", "4000 m", "in another unit"),
        ("10 m/s", "36 km/h", "in another unit"),
        ("48 boxes", "48 apples", "counts something else"),
    ],
)
def test_what_nobody_can_say_of_units(answer: str, reference: str, why: str) -> None:
    certificate = judge(answer, reference, NUMBERS)
    assert certificate.verdict is Verdict.ABSTAIN and why in certificate.witness["error"]


def test_the_question_says_what_is_counted() -> None:
    assert judge("48 gribbles", "48", NUMBERS, "How many gribbles are there?").verdict is Verdict.PASS
    assert judge("47 gribbles", "48", NUMBERS).verdict is Verdict.FAIL
    assert judge("48 quarters", "48", NUMBERS, "How many quarters has she?").verdict is not Verdict.PASS


@pytest.mark.parametrize(
    ("sentence", "answer"),
    [
        ("The answer is 48, which is the sum.", "48"),
        ("The answer is 48, as was asked.", "48"),
        ("The answer is 48 because 3 were sold.", "48"),
        ("The answer is $48$ since the rest is gone.", "48"),
        ("The answer is 48, in total, so the baker is glad.", "48"),
        ("The answer is 48, so that is what she pays.", "48"),
        ("The answer is 48 and not 47.", "48"),
        ("The answer is 48, not 47.", "48"),
        ("#### 48, as required", "48"),
        ("Answer: 48 apples, the whole harvest", "48 apples"),
        ("The answer is 48 (in all).", "48"),
        ("The answer is \\frac{1}{2}, because the coin is fair.", "\\frac{1}{2}"),
        ("The answer is 1, 2, 3, as listed.", "1, 2, 3"),
        ("The answer is 3, 4, 5.", "3, 4, 5"),
        ("The answer is 110 (base 2).", "110 (base 2)"),
    ],
)
def test_a_clause_after_the_answer(sentence: str, answer: str) -> None:
    found = find_answer(sentence)
    assert found is not None and found.text == answer


@pytest.mark.parametrize(
    "sentence",
    [
        "The answer is 48, but it is 47.",
        "The answer is 48, so 47.",
        "The answer is 48, which is wrong.",
        "The answer is 48 or 47.",
        "The answer is 48, the rest being 47.",
        "The answer is 48 because, wait, I was wrong.",
        "The answer is 48, which isn't it.",
        "The answer is 48, as I said, sorry, 47.",
        "The answer is 48, so actually less.",
        "The answer is 48; no.",
        "The answer is 48 (thousand).",
        "The answer is 48, which is in thousands.",
        "The answer is 48 as a percentage.",
    ],
)
def test_a_clause_that_takes_the_answer_back(sentence: str) -> None:
    assert checked(NUMBERS, Prompt("id", "?", "48"), sentence).verdict is not Verdict.PASS


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("6\\,000", 6000),
        ("6\\;000", 6000),
        ("6\\ 000", 6000),
        ("6~000", 6000),
        ("6 000", 6000),
        ("6\u202f000\u202f000", 6_000_000),
        ("6\u2009000", 6000),
        ("6{,}000", 6000),
        ("6,000.5", 6000.5),
        ("6\\,000\\,000", 6_000_000),
        ("-6\\,000", -6000),
        ("2e3", 2000),
        ("2.5e-1", 0.25),
        ("2.5\\times10^3", 2500),
        ("2 1/4", 2.25),
        ("-2 1/4", -2.25),
        ("2\\frac{1}{4}", 2.25),
        ("\u00bd", 0.5),
    ],
)
def test_numbers_that_are_written_otherwise(written: str, value: float) -> None:
    assert read_quantity(written, frozenset()).value == value


@pytest.mark.parametrize(
    ("written", "fraction"),
    [
        ("0.\\overline{6}", "2/3"),
        ("0.\\bar{6}", "2/3"),
        ("0.\\bar6", "2/3"),
        ("0.(6)", "2/3"),
        ("0.666...", "2/3"),
        ("0.666\\ldots", "2/3"),
        ("0.\\overline{18}", "2/11"),
        ("0.1\\overline{6}", "1/6"),
        ("1.\\overline{3}", "4/3"),
        ("-0.\\overline{3}", "-1/3"),
        ("0.142857142857...", "1/7"),
        ("0.\\overline{9}", "1"),
    ],
)
def test_repeating_decimals(written: str, fraction: str) -> None:
    assert judge(written, fraction, NUMBERS).verdict is Verdict.PASS
    assert judge(fraction, written, NUMBERS).verdict is Verdict.PASS
    assert judge(written[:-1] + "1" if written[-1].isdigit() else "0.66", fraction, NUMBERS).verdict is Verdict.FAIL


@needs_math_verify
@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("pi/3", "\\frac{\\pi}{3}"),
        ("3\u03c0", "3\\pi"),
        ("3pi", "3\\pi"),
        ("\u221a5", "\\sqrt{5}"),
        ("\u221a(5)/2", "\\frac{\\sqrt{5}}{2}"),
        ("sqrt(5)", "\\sqrt5"),
        ("x\u00b3", "x^3"),
        ("3**2 + x", "9 + x"),
        ("2x^10", "2x^{10}"),
        ("0.25i", "\\frac{i}{4}"),
        ("3 - 2\\mathrm{i}", "3-2i"),
        ("i(2 + 3i)", "-3 + 2i"),
        ("\\mathrm{e}^2", "e^2"),
        ("2\\text{e}", "2e"),
        ("x \u2265 2", "x \\ge 2"),
        ("x^(1/2)", "\\sqrt{x}"),
    ],
)
def test_plain_notation(answer: str, reference: str) -> None:
    assert judge(answer, reference, EXACT).verdict is Verdict.PASS


@needs_math_verify
@pytest.mark.parametrize(
    ("answer", "reference", "same"),
    [
        ("2 \\le x \\le 5", "[2,5]", True),
        ("2 < x < 5", "(2,5)", True),
        ("2 < x \\le 5", "(2,5]", True),
        ("2 \\le x \\le 5", "(2,5)", False),
        ("x > 2", "(2,\\infty)", True),
        ("x \u2264 2", "(-\\infty, 2]", True),
        ("x \\ge 2", "(2,\\infty)", False),
        ("x \\ne 3", "(-\\infty,3)\\cup(3,\\infty)", True),
        ("x \\neq 3", "\\mathbb{R}\\setminus\\{3\\}", True),
        ("x < 1 \\text{ or } x > 4", "(-\\infty,1)\\cup(4,\\infty)", True),
        ("x < 1 \\text{ or } x > 4", "(-\\infty,1)\\cup(5,\\infty)", False),
        ("x \\in [2,5]", "[2,5]", True),
        ("\\emptyset", "\\varnothing", True),
        ("\u2205", "\\emptyset", True),
        ("\\{\\}", "\\varnothing", True),
        ("\\{0\\}", "\\varnothing", False),
        ("x = 1 \\text{ or } x = 2", "\\{1, 2\\}", True),
        ("(2,1)", "(1,2)", False),
        ("1, 2", "(1, 2)", True),
    ],
)
def test_sets(answer: str, reference: str, same: bool) -> None:
    assert judge(answer, reference, EXACT).verdict is (Verdict.PASS if same else Verdict.FAIL)


@needs_math_verify
@pytest.mark.parametrize(
    ("answer", "reference", "same"),
    [
        ("\\sqrt{3} km", "\\sqrt{3} m", False),
        ("\\sqrt{3} km", "\\sqrt{3}\\text{ km}", True),
        ("\\sqrt{3} m", "\\sqrt{3}\\text{ m}", True),
        ("\\sqrt{3} m", "\\sqrt{3}", True),
        ("\\sqrt{3} m^2", "\\sqrt{3}\\text{ m}", False),
        ("\\sqrt{12} cm", "2\\sqrt{3} cm", True),
        ("x m", "x", False),
        ("x + 3h", "x + 3", False),
        ("x m", "mx", True),
        ("2\\pi h", "2h\\pi", True),
        ("2\\pi h", "2\\pi", True),
        ("a + b + c", "c + b + a", True),
    ],
)
def test_units_after_an_expression(answer: str, reference: str, same: bool) -> None:
    assert (judge(answer, reference, EXACT).verdict is Verdict.PASS) is same


@needs_math_verify
@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("\\{4, 5\\}", "(4, 5)"),
        ("(4, 5, 6)", "\\{4, 5, 6\\}"),
        ("1 2", "3"),
        ("70 \\quad 2", "72"),
        ("70 [2]", "72"),
        ("70 \\; 2", "72"),
        ("2\\sqrt{2}\\text{ squared}", "2\\sqrt{2}"),
    ],
)
def test_what_the_reader_takes_for_something_else_is_not_judged(answer: str, reference: str) -> None:
    assert judge(answer, reference, EXACT).verdict is Verdict.ABSTAIN


@pytest.mark.parametrize(
    "text", ["1 2/3", "0.\\overline{3}", "2e5", "x\u00b2 + \u221a2\u03c0", "3\\frac{1}{2}", "8\\,000", "2^10"]
)
def test_one_notation_is_reached_at_once(text: str) -> None:
    assert latex(latex(text)) == latex(text)


def test_decimals_become_fractions() -> None:
    assert exact("0.25x^0.5 + 1.2.3") == "\\frac{25}{100}x^{\\frac{5}{10}} + 1.2.3"


ANSWERS = st.text(max_size=40) | st.lists(
    st.sampled_from(["5", "12", "000", ".", ",", "\\,", " ", "-", "/", "_2", "_{3}", "\\frac{1}{2}", "\\overline{3}", "e3",
                     "km", " m", "squared", "\\text{ cm}", "^2", "%", "$", "\\$", "\u00b0", "pi", "\u221a", "...", "thousand",
                     "base 2", "(", ")"]),
    max_size=10,
).map("".join)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(ANSWERS, ANSWERS)
def test_any_two_answers_are_compared_and_alike_both_ways(one: str, other: str) -> None:
    def compared(reference: str, answer: str) -> object:
        try:
            return same_answer(reference, answer, None)
        except ToolFailed:
            return None

    assert not {compared(one, other), compared(other, one)} >= {True, False}
    assert compared(one, one) is True
