"""Calculations in double angle brackets: what is copied from them, and what stands around them."""

import pytest

from rlsf_lightning.symbolic.verifiers.math.check.steps import check_steps
from rlsf_lightning.symbolic.verifiers.math.parse.equations import read_equations


def judged(text: str) -> list[tuple[str, bool]]:
    """(text of the equation, whether it holds) of each that is judged."""
    return [(text[step.equation.start : step.equation.end], step.holds) for step in check_steps(read_equations(text))]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("The total is 60+40 = <<60+40=100>>10 fish.", "10"),
        ("The total is 60+40=<<60+40=100>>10 fish.", "10"),
        ("That costs $<<3*4=12>>13.", "13"),
        ("That costs <<3*4=12>>$13.", "13"),
        ("She has <<1200*10=12000>>1,200 coins.", "1,200"),
        ("Half is <<7/2=3.5>>35 pages.", "35"),
        ("They are <<20-5=15>>-15 now.", None),
        ("It is <<10*3=30>>30%, then <<30+20=50>>60%.", "60"),
        ("First <<2+2=4>>4, then <<4*5=20>>200", "200"),
        ("So <<9-2=7>> 8 are left.", "8"),
        ("He runs <<3*5.5=16.5>>165 miles.", "165"),
        ("That is <<100/4=25>>52 each", "52"),
    ],
)
def test_what_is_copied_from_a_calculation_in_brackets_is_its_result(text: str, wrong: str | None):
    assert [equation.rpartition(">>")[2].lstrip(" $") for equation, holds in judged(text) if not holds] == (
        [wrong] if wrong else []
    )


@pytest.mark.parametrize(
    "text",
    [
        "So 60+40 = <<60+40=100>>100 fish.", "That costs <<1200*10=12000>>12,000.", "It is <<10/4=2.5>>2.50 each.",
        "Half is <<21/2=10.5>>10 1/2.", "A third is <<1/3=.3333>>1/3.", "It is <<10/3=3.333>>3.33.", "It is <<3*4=12>>.",
        "It is <<3*4=12>> and 13 more.", "It is <<2*2=4>>4*3=<<4*3=12>>12.", "10 < <3*4=12 and 5",
    ],
)  # fmt: skip
def test_a_right_copy_of_a_result_is_no_step(text: str):
    assert all(holds and ">>" not in equation for equation, holds in judged(text))


@pytest.mark.parametrize(
    "text",
    [
        "So 70+40 = <<60+40=100>>100 fish.", "It vibrates at 1600+9600 = <<1600+960=2560>>2560.",
        "He has 5 * 4 = <<5*5=25>>25.",
        "That is $3*12 = $<<4*12=48>>48.", "She has 18 / 2 = <<18/3=6>>6 left.",
        "A total of 2 + 2 + 5 = <<2+2+6=10>>10 apples.",
        "Then 100 - 38 = <<100-28=72>>72.", "They have 3 \\times 4 = <<3*5=15>>15.", "It is 0.5*30 = <<.5*40=20>>20.",
        "It is (2 + 3) * 4 = <<(2+4)*4=24>>24 in all.",
    ],
)  # fmt: skip
def test_an_equation_around_a_calculation_in_brackets_is_judged_too(text: str):
    assert [holds for _, holds in judged(text)] == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "So 60 + 40 = <<60+40=100>>100.", "120 minutes \u2013 30 minutes - 15 minutes = <<120-30-15=75>>75 minutes.",
        "They read 14, 400 / 80 = <<14400/80=180>>180 pages.", "It is .8 + . 84 + .82 = <<.8+.84+.82=2.46>>2.46.",
        "Twice as many, 2 times 3 = <<2*3=6>>6.", "10/3 = <<10/3=3.33>>3.33", "50% of 20 = <<20*.5=10>>10",
    ],
)  # fmt: skip
def test_nothing_is_said_of_what_stands_around_right_calculations(text: str):
    assert all(holds for _, holds in judged(text))


@pytest.mark.parametrize(
    "text",
    [
        "3 = - 4 5", "3 = / 4 5", "3 = * 4 5 with 1 left over", "= 7 / 2 3 with 1 left over", "7 / 2 3 = with 1 left over",
        "7 / = 2 3 R 1", "7 = 2 / 3 = 1", "7 2 = / 3", "7 = + 2 2 remainder 1", "7 = 2 3 with 1 left",
    ],
)  # fmt: skip
def test_sides_that_together_look_like_a_division_are_none(text: str):
    assert not any(holds for _, holds in judged(text))


@pytest.mark.parametrize(
    "text",
    [
        "So 60+40 = <<60+40=110>>110.", "It is <<30/2=5>>5 each.", "That costs $<<3*4=13>>13.", "He has 7/0 = <<7/0=3>>3.",
        "Then 52-3 = <<52-3=156>>156 are left.", "She has 12*3=<<12*3=24>>24.", "It is 10/4 = <<10/4=2.6>>2.6.",
        "So 1 + 1 = <<1+1=3>>3 in all.", "A total of 2*2*2 = <<2*2*2=6>>6.", "They are <<9-10=1>>1 apart.",
    ],
)  # fmt: skip
def test_a_copy_of_a_wrong_result_is_no_second_mistake(text: str):
    assert [holds for _, holds in judged(text)] == [False]
