"""What solutions in LaTeX and prose hold between numbers: thousands, signs, line breaks, labels."""

import pytest
from test_math_verifier_steps import judged


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("$700\\cdot3000^2=6,\\!300,\\!000,\\!000$", True),
        ("$700\\cdot3000^2=6,\\!300,\\!000,000$", True),
        ("$12 \\times 11 \\times 10 = 1,\\!320$", True),
        ("$12 \\times 11 \\times 10 = 1,\\!321$", False),
        ("$1{,}\\!000 + 250 = 1{,}\\!250$", True),
        ("$\\$4,\\!000(1 + 0.05)^{2} = \\$4,\\!410$", True),
        ("$\\$4,\\!000(1 + 0.05)^{2} = \\$4,\\!420$", False),
        ("$46,\\!000-500=45,\\!500$", True),
        ("$720,\\!000=2^7\\cdot 3^2\\cdot 5^4$", True),
        ("$720,\\!000=2^7\\cdot 3^2\\cdot 5^3$", False),
        ("$5 + 3 = 8,\\! 4$", True),
    ],
)
def test_thousands_as_latex_sets_them(text: str, holds: bool) -> None:
    assert [step[1] for step in judged(text)] == [holds]


@pytest.mark.parametrize(
    "text",
    [
        # an operation of the problem's own before or behind the numbers
        "so $4 \\# 9 = 9 + 5 \\cdot 4$",
        "we have $2 @ 6 = 2 + 3 \\cdot 6$",
        "so $7 \\star 2 = 7 + 2^2$",
        "$8 + 1 = 4 \\# 5$",
        # a factor that is no number
        "Hence, $12^2 = 5^2 + 2 \\mathbf{u} \\cdot \\mathbf{v}$",
        "$9 + 1 = 2 \\mathbf{x}$",
        # digits that go on in a box
        "$1200+340+20 = 1\\boxed{560}$",
        # a dash that is a minus
        "Rest: 6/6 \u2013 1/6 = 5/6 of it",
        "the chairs cost $900 \u2013 ($250 + $150) = $900 \u2013 $400",
        "8 + 1 = 10 \u2013 1",
        "20 \u2014 5 + 3 = 12",
        # a label, not a value
        "Week 2 = 20 + 15",
        "Day 12 = 3 * 4 + 1",
        "for Train 3 = 5 + 4",
        "Week 3 + Week 4 = 20 + 15",
        "Box 1 - Box 2 = 7 - 3",
    ],
)
def test_what_goes_on_beyond_the_numbers_is_left_alone(text: str) -> None:
    assert judged(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "is $6\\cdot 5\\cdot\n4\\cdot 3 = 360$",
        "are $6\\times 5 \\times \n4 = 120$ of them",
        "is $1 - \\frac{1}{4} -\n\\frac{1}{4} = \\frac{1}{2}$",
        "is $1 + 2 +\n3 + 4 = 10$",
        "is $2(10) - 2(3) = 20\n- 6 = \\boxed{14}$",
        "is $2(10) + 3 = 20\n  + 3$",
        "is $2(10) + 3 = 20\n+ 3 = 24 - 1$, so",
        "\\[5 \\cdot 4 = 10\n\\cdot 2\\]",
        "26 &= 1 \\cdot 10 + 2 \\cdot 5\\\\\n&\\quad + 6",
        "26 &= 1 \\cdot 10 + 2 \\cdot 5 \\\\ &\\quad + 6",
        "26 &= 1 \\cdot 10 + 2 \\cdot 5 \\\\\n& \\qquad {} + 6",
    ],
)
def test_an_equation_that_goes_on_in_the_next_line_is_left_alone(text: str) -> None:
    assert [step for step in judged(text) if not step[1]] == []


@pytest.mark.parametrize(
    "text",
    [
        "- 3 * 4 = 13\n- 3 * 2 = 6",
        "He pays $3 * $4 = $13\nThen 20 - 5 = 15",
        "She has $20.\n\n3 + 4 = 8",
        "2. 16 * 11 = $176\n- 176 + 28 = 205",
        "He pays $16 * 11 = 176\n- 176 + 28 = $205",
        "$3 + 4 = 8$\n- and so on",
        "Week 2 has 3 + 4 = 8",
        "the total number of packs sold is 5 = 6*15",
        "## Total 5 + 3 = 9",
        "cost \u2013 5 + 3 = 9",
        "Total: 3 + 4 = 8 \\text{ m}",
        "26 &= 10 + 15 \\\\ 3 &= 4 - 1",
    ],
)
def test_what_ends_with_its_line_is_judged(text: str) -> None:
    assert [step[1] for step in judged(text)].count(False) == 1


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("150 * 20 / 100 = 30.Then the price is less", True),
        ("150 * 25 / 100 = 37.Then the price is less", False),
        ("She has 5 + 3 = 9.Tom has more", False),
        ("4 * 3. = 15", False),
        ("4 * 3. = 12", True),
        ("so 5. * 3 = 15", True),
        ("6./2=3", True),
        ("so 6. / 2 = 4", False),
    ],
)
def test_a_full_stop_ends_a_number_or_a_sentence(text: str, holds: bool) -> None:
    assert [step[1] for step in judged(text)] == [holds]


@pytest.mark.parametrize(
    "text",
    [
        "5 + 3 = 8.x",
        "2 + 3 = 6.e3",
        "5 + 4 = 8.i",
        "She paid 3. - 5 + 8 = 3",
        "5 + 3 = 8..5",
        "1 + 2 + ... = 6",
        "1.2.3. = 4 + 1",
    ],
)
def test_what_a_full_stop_may_join_is_left_alone(text: str) -> None:
    assert [step for step in judged(text) if not step[1]] == []
