"""Which equations of a text are judged, how, and which are left alone."""

from fractions import Fraction

import pytest

from rlsf_lightning.symbolic.verifiers.math.check.steps import Step, check_steps
from rlsf_lightning.symbolic.verifiers.math.parse.equations import read_equations


def read_steps(text: str) -> list[Step]:
    return check_steps(read_equations(text))


def judged(text: str) -> list[tuple[str, bool]]:
    """(text of the equation, whether it holds) of each that is judged."""
    return [(text[step.equation.start : step.equation.end], step.holds) for step in read_steps(text)]


@pytest.mark.parametrize(
    "text",
    [
        "5 + 3 = 8",
        "5+3=8",
        "She has 5 + 3 = 8 apples.",
        "<<48/2=24>>",
        "$20 - $5 = $15",
        "$5 \\cdot 3 = 15$",
        "\\(5 \\times 3 = 15\\)",
        "\\[ 60 \\div 4 = 15 \\]",
        "5 x 3 = 15",
        "5x3=15",
        "5 \u00d7 3 = 15",
        "7 \u2212 9 = -2",
        "\\frac{1}{2} + \\frac{1}{3} = \\frac{5}{6}",
        "(2 + 3) * 4 = 20",
        "2(3 + 4) = 14",
        "2 + 3 * 4 = 14",
        "8 / 4 / 2 = 1",
        "2 - 3 - 4 = -5",
        "3,000 + 500 = 3,500",
        "1{,}000 + 1 = 1{,}001",
        "0.1 + 0.2 = 0.3",
        "2^10 = 1024",
        "2^{3} = 8",
        "2**3 = 8",
        "(-2)^2 = 4",
        "10 / 3 = 3.33",
        "2 / 3 = 0.67",
        "2 / 3 = 0.66",
        "1 / 3 = 0.333...",
        "1/8 = .125",
        "10 / 3 \u2248 3",
        "1234 * 5 \\approx 6000",
        "20% * 50 = 10",
        "1/4 * 100 = 25%",
        "1/4 = 25%",
        "100% - 20% = 80%",
        "(so 5 + 3 = 8)",
        "- 5 + 3 = 8",
        "- 5 + 3 = -2",
        "1. 5 + 3 = 8",
        "**5 + 3 = 8**",
        "5 + 3 = **8**",
        "x = 5 + 3 = 8",
        "= 5 + 3 = 8",
        "24 = 48 / 2",
        "\\boxed{5 + 3 = 8}",
        "5 + 3 &= 8 \\\\",
        "5 + 3 = 8, 4",
    ],
)
def test_right_steps_hold(text: str) -> None:
    steps = judged(text)
    assert len(steps) == 1 and steps[0][1], steps


@pytest.mark.parametrize(
    "text",
    [
        "5 + 3 = 9",
        "She has 5 + 3 = 9 apples.",
        "<<48/2=25>>",
        "$20 - $5 = $16",
        "5x3=16",
        "2 + 3 * 4 = 20",
        "8 / 4 / 2 = 4",
        "2 - 3 - 4 = 3",
        "10 / 3 = 3.34",
        "10 / 3 = 3",
        "2 / 3 = 0.68",
        "2.5 * 3 = 7.6",
        "10 / 3 \u2248 5",
        "1/4 = 26%",
        "- 5 + 3 = 9",
        "24 = 48 / 3",
        "2^10 = 1000",
        "5/0 = 5",
        "0.1 + 0.2 = 0.30000000000000004",
        "9007199254740993 - 1 = 9007199254740993",
    ],
)
def test_wrong_steps_do_not(text: str) -> None:
    steps = judged(text)
    assert len(steps) == 1 and not steps[0][1], steps


@pytest.mark.parametrize(
    "text",
    [
        "25 * 2 = 50 cents",
        "1 / 2 = 50 cents each",
        "10 / 3 = 333 cents",
        "10 / 3 = 3.3 cents",
        "36 / 12 = 3 dozen",
        "18 * 2 = 3 dozen eggs",
        "15 * 2 = 2.5 dozen",
        "31 * 1 = 2.6 dozen",
    ],
)
def test_cents_are_units_or_hundredths_and_a_dozen_is_one_or_twelve(text: str) -> None:
    assert [holds for _, holds in judged(text)] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "a total of 5 + 3 = 9 apples",
        "a cost of $5 + $3 = $9",
        "it comes to 5 + 3 = 9",
        "which is equal to 5 + 3 = 9",
        "the price increased by 5 + 3 = 9",
        "It's 5 + 3 = 9",
        "8 dozen, or 5 + 3 = 9",
        "And 5 + 3 = 9",
        "She has a 5 + 3 = 9 apples",
        "Monday:5 + 3 = 9",
        "5 + 3 = 9 of them",
        "5 + 3 = 9 per week",
        "5 + 3 = 9 a week",
        "5 + 3 = 9 times as many",
        "5 + 3 = 9 times a week",
        "5 + 3 = 9 times per week",
        "5 + 3 = 9 times.",
        "5 + 3 = 9 times",
        "5 + 3 = 9 cents",
        "5 + 3 = 9 cents per page.",
        "1 / 2 = 51 cents.",
        "36 / 12 = 4 dozen cupcakes",
        "36 + 1 = 3 dozen. She has 5",
        "the base is 5 + 3 = 9",
        "5 + 3 = 9 from her",
    ],
)
def test_words_that_leave_an_equation_what_it_is(text: str) -> None:
    steps = judged(text)
    assert len(steps) == 1 and not steps[0][1], steps


@pytest.mark.parametrize(
    "text",
    [
        "2x + 3 = 7",
        "x + 5 + 3 = 9",
        "f(2) + 3 = 7",
        "3 + 4 = 8x",
        "3 + 4 = 8 x",
        "3 + 4 = 8 + y",
        "2 \\pi + 1 = 3",
        "1 + 1 = 3 \\pi",
        "x^2 + 1 = 5",
        "a_1 + 1 = 5",
        "2 = 3",
        "20% of 50 + 5 = 15",
        "the sum of 3 + 4 = 8",
        "the average of 3 + 5 = 4",
        "10 increased by 5 + 3 = 18",
        "add 3 to 4 + 5 = 12",
        "5 and 3 + 4 = 12",
        "2 * 8 = 4 times 4",
        "2 * 8 = 4 times (2 + 2)",
        "10 = 1/2 of 20",
        "5 + 3 = 40% of 20",
        "5 + 3 = 9 to 12",
        "5 + 3 = 4 a",
        "36 + 5 = 3 dozen and 5",
        "36 + 5 = 3 dozen eggs and 5 more",
        "36 + 5 = 3 dozen + 5",
        "9 * 5 = 3 dozen times 4",
        "9 * 5 = 3 dozen 5",
        "1 + 1 = 3 cents or 4",
        "5's 5 + 3 = 9",
        "x:5 + 3 = 9",
        "half of 10 + 2 = 7",
        "the sum of 3 and 4 + 5 = 12",
        "3 times 4 + 1 = 13",
        "17 mod 5 + 1 = 3",
        "10 + 5 = 3 (mod 12)",
        "10 + 5 \\equiv 3 \\pmod{12}, 10 + 5 = 3",
        "in base 2, 1 + 1 = 10",
        "base-2: 1 + 1 = 10",
        "in base two 1 + 1 = 10",
        "11 + 2 = 1 o'clock",
        "11 + 2 = 1 pm",
        "3,5 + 1 = 4,6",
        "3:4 * 2 = 9",
        "Is 5 + 3 = 9?",
        "5! + 1 = 9",
        "2 + 3! = 9",
        "5 + 3 = 8!",
        "5 + 3 != 9",
        "5 + 3 <= 9",
        "5 + 3 == 9",
        "-2^2 = 4",
        "2^3^2 = 64",
        "8/2(2+2) = 1",
        "\\sqrt{5 + 3} = 9",
        "\\frac{5 + 3}{2} + 1 = 9",
        "|-3| + 1 = 9",
        "2\\text{ h} + 1 = 121",
        "2 * 30 minutes = 1 hour",
        "1,500,000 + 500,000 = 2 million",
        "9^9^9 = 1",
        "9^99999 = 1",
        "1 + 2 + ... + 10 = 56",
        "version 1.2.3 + 1 = 5",
        "0x5 + 3 = 9",
    ],
)
def test_what_may_mean_something_else_is_left_alone(text: str) -> None:
    assert judged(text) == []


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("50 + 20% = 60", True),
        ("80 - 25% = 60", True),
        ("80 - 25% = 50", False),
        ("1 - 25% = 0.75", True),
        ("10 + 5% = 12", False),
        ("5 cents + 3 cents = 9 cents", False),
        ("5 km + 3 km = 9 km", False),
        ("5 km + 3 km = 8 km", True),
        ("6 m + 3 m = 10 m", False),
        ("6 pears + 9 pears = 16 pears", False),
        ("6 pears + 9 pears = 15 pears", True),
        ("1 pear + 9 pears - 2 pears = 9 pears", False),
        ("6 ripe pears + 9 green pears = 16 pears", False),
        ("6 pears * 3 = 19 pears", False),
        ("1 1/2 + 1 = 2", False),
        ("2 1/4 + 1/4 = 2 1/2", True),
        ("2\\frac{1}{4} * 2 = 4.5", True),
        ("2 1/4 * 2 = 5", False),
        ("6(7) = 13", False),
        ("6(7) = 42", True),
        ("(6)(7) = 13", False),
        ("\\sqrt{49} = 8", False),
        ("\\sqrt{49} = 7", True),
        ("\\sqrt{49} + 1 = 9", False),
        ("\u221a81 = 8", False),
        ("\\sqrt[3]{27} = 9", False),
        ("\\sqrt{3} = 1.73", True),
        ("\\sqrt{3} = 1.8", False),
        ("\\frac{18}{6} = 4", False),
        ("7\u00b2 = 14", False),
        ("7\u00b2 + 1 = 50", True),
        ("25% of 60 = 20", False),
        ("25% of $60 = $15", True),
        ("1/3 of 60 = 30", False),
        ("half of 60 = 35", False),
        ("twice 60 = 110", False),
        ("6 times 7 = 48", False),
        ("63 divided by 7 = 8", False),
        ("2 dozen = 22", False),
        ("7 squared = 14", False),
        ("3 squared + 4 squared = 25", True),
        ("4! = 16", False),
        ("7\\,000 + 400 = 7\\,500", False),
        ("7\\,000 + 400 = 7\\,400", True),
    ],
)
def test_steps_in_other_words_and_signs(text: str, holds: bool) -> None:
    assert [step for _, step in judged(text)] == [holds]


@pytest.mark.parametrize(
    "text",
    [
        "5 + 3 times 4 = 33",
        "1 - 6 pears + 9 pears = 16 pears",
        "6 pears + 9 plums = 16 pears",
        "6 pears + 9 pears = 16 fruits",
        "3 feet + 4 feet = 2 yards",
        "10 less 6(7) + x = 13",
        "g(6)(7) = 13",
        "20% of 10 + 50 = 60",
        "a quarter of 50% of 20 = 10",
        "\\sqrt{2} = \\sqrt{3}",
        "2\\sqrt{2} = 3",
        "2 * 3 squared = 36",
    ],
)
def test_phrases_that_are_no_whole_side_are_left_alone(text: str) -> None:
    assert judged(text) == []


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("17 / 5 = 3 with 2 left over", True),
        ("17 / 5 = 3 with 1 left over", False),
        ("17 / 5 = 3 remainder 2", True),
        ("17 / 5 = 3, remainder 2", True),
        ("17 / 5 = 3 (remainder 2)", True),
        ("17 / 5 = 3 with a remainder of 2", True),
        ("17 / 5 = 3 with a remainder of 4", False),
        ("17 \u00f7 5 = 3 R2", True),
        ("17 / 5 = 3 R 2", True),
        ("17 / 5 = 3 r 3", False),
        ("17 / 5 = 3 and 2 left over", True),
        ("17 / 5 = 3 with 2 pears left", True),
        ("15 / 5 = 3 with 2 left over", True),  # the two are left of something else
        ("17 / 5 = 3", False),
    ],
)
def test_divisions_with_a_remainder(text: str, holds: bool) -> None:
    assert [step for _, step in judged(text)] == [holds]


def test_what_is_blamed_of_a_remainder() -> None:
    assert judged("17 / 5 = 3 with 1 left over") == [("17 / 5 = 3 with 1", False)]


def test_units_do_not_go_on_along_a_chain() -> None:
    assert judged("6 km + 4 km = 10 km = 999 miles") == [("6 km + 4 km = 10", True)]


def test_chains_are_judged_side_by_side() -> None:
    assert judged("2 + 3*4 = 2 + 12 = 15") == [("2 + 3*4 = 2 + 12", True), ("2 + 12 = 15", False)]
    assert judged("60 / 2 = 30 minutes = 0.5 hours") == [("60 / 2 = 30", True)]
    assert judged("2 + 3 = 5 = 6") == [("2 + 3 = 5", True), ("5 = 6", False)]


def test_lines_are_read_one_by_one() -> None:
    text = "5 + 3 = 8\n= 9\nand 1 + 1\n= 3"
    assert judged(text) == [("5 + 3 = 8", True)]


def test_values_are_exact() -> None:
    (step,) = read_steps("1/3 + 1/7 = 0.5")
    assert (step.left_value, step.right_value) == (Fraction(10, 21), Fraction(1, 2))
