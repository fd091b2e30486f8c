"""Notations of the game of 24: print and LaTeX, chains of equations, full stops, and steps with an answer after them."""

import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from certificates import checked, shown
from game24_cases import prompt, right_answers, right_steps
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.records import Certificate, Finding, Span, Verdict
from rlsf_lightning.symbolic.verifiers.game24.parse.notation import plain, without_stop
from rlsf_lightning.symbolic.verifiers.game24.verifier import Game24Verifier

VERIFIER = Game24Verifier()
# ruff: noqa: RUF001 - characters beyond ASCII are what is tested
HAND = [3, 5, 7, 9]  # (3 + 9) * (7 - 5)
STEPS = "3 + 9 = 12 (left: 5 7 12)\n7 - 5 = 2 (left: 2 12)\n2 * 12 = 24 (left: 24)\n"


def verify(completion: str, numbers: object = HAND) -> Certificate:
    """The certificate, after the checks that every one must stand."""
    asked = prompt(numbers)
    certificate = checked(VERIFIER, asked, completion)
    alive = [VERIFIER.viable(asked, completion[:end]) is not False for end in range(len(completion) + 1)]
    assert alive == sorted(alive, reverse=True), completion
    if certificate.verdict is Verdict.PASS:
        assert all(alive)
    elif certificate.dead_from is not None:
        assert alive.count(True) == certificate.dead_from + 1
    return certificate


@pytest.mark.parametrize(
    "completion",
    [
        "(3 + 9) × (7 − 5)",
        "(3+9)x(7-5) = 24",
        "(3 + 9) X (7 - 5)",
        r"(3 + 9) \times (7 - 5) = 24",
        r"(3+9)\cdot(7-5)",
        r"\left(3+9\right) \cdot \left(7-5\right)",
        "[3 + 9] * [7 - 5]",
        "[(3 + 9)] · (7 – 5)",
        "（3＋9）＊（7－5）＝24",
        "(3 + 9) ∗ (7 ‑ 5)",
        r"(3+9)\ast[7-5]=24.",
        "(3 + 9) × (7 − 5) = 12 × 2 = 24",
    ],
)
def test_operators_and_brackets_in_print_and_latex(completion: str) -> None:
    assert verify(completion).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("numbers", "completion"),
    [
        ([96, 4], "96 ÷ 4"),
        ([96, 4], r"96 \div 4 = 24"),
        ([96, 4], "96 ∕ 4"),
        ([96, 4], "96⁄4 = 24."),
        ([3, 8], "3 × 8 = 24"),
        ([2, 3, 4], "2 × 3 = 6 (left: 4 6)\n6 × 4 = 24"),
        ([2, 12, 1], r"12 \div 1 = 12" + "\n" + r"12 \times 2 = 24"),
        ([30, 4, 2], "30 − 4 = 26\n26 − 2 = 24."),
        ([1, 2, 12], "1 ÷ 2 = 0.5\n12 ÷ 0.5 = 24"),
    ],
)
def test_other_numbers_and_steps_in_other_notations(numbers: list[int], completion: str) -> None:
    assert verify(completion, numbers).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("[3 + 9) * (7 - 5)", [("bad_character", [")"])]),
        ("(3 + 9] * (7 - 5)", [("bad_character", ["]"])]),
        ("x(3 + 9) * (7 - 5)", [("bad_character", ["x"])]),
        ("(3 + 9) * x(7 - 5)", [("bad_character", ["x"])]),
        (r"(3 + 9) \time (7 - 5)", [("bad_character", [r"\time"])]),
        (r"(3 + 9) \timesy (7 - 5)", [("bad_character", ["y"])]),
        ("(3 + 9) × × (7 - 5)", [("missing_operand", ["× ×"])]),
        ("(3 + 9) × (7 - 4)", [("number_not_available", ["4"])]),
        ("(3 + 9) × (7 − 5) ÷", [("missing_operand", ["÷"])]),
        ("(3 + 9) × (5 − 7)", [("wrong_value", ["5", "−", "7"])]),
        ("[3 + 9 × (7 - 5)", [("unclosed_bracket", ["9 ×"])]),
        ("(3 + 9) ^ (7 - 5)", [("bad_character", ["^"])]),
    ],
)  # fmt: skip
def test_mistakes_are_at_their_places_as_they_are_written(
    completion: str, expected: list[tuple[str, list[str]]]
) -> None:
    assert shown(verify(completion), completion) == expected


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("(3+9)*(7-5) = 12*2 = 24", []),
        ("(3+9)*(7-5) = 12*(7-5) = 12*2 = 24", []),
        ("(3+9)*(7-5) = 12*2", []),
        ("(3+9)*(7-5) = (24)", []),
        ("(3+9)*(7-5) = 48/2 = 24.", []),
        ("(3+9)*(7-5) = 8/3*9", []),
        ("(3+9)*(7-5) = 12 * 3 = 24", [("wrong_arithmetic", ["12 * 3"])]),
        ("(3+9)*(7-5) = 12*2 = 25", [("wrong_arithmetic", ["25"])]),
        ("(3+9)*(7-5) = 11*2 = 22 = 24", [("wrong_arithmetic", ["11*2"]), ("wrong_arithmetic", ["22"])]),
        ("(3+9)*(7-5) = 12*2 = 024", [("wrong_arithmetic", ["024"])]),
        ("(3+9)*(7-5) = 24/0", [("wrong_arithmetic", ["24/0"])]),
        ("(3+9)*(7-5) = 12* = 24", [("wrong_arithmetic", ["12*"])]),
        ("(3+9)*(7-5) == 24", [("wrong_arithmetic", ["= 24"])]),
        ("(3+9)*(7-5) = 24 =", [("wrong_arithmetic", ["24 ="])]),
        ("(3+9)*(7-6) = 12*2 = 24", [("number_not_available", ["6"])]),
        ("3*5+9 = 15+9 = 24", [("number_unused", [])]),
        ("(9-5)*(7-3) = 4*4 = 16", [("wrong_value", ["-"])]),
        ("(9-5)*(7-3) = 4*4 = 17", [("wrong_value", ["-"]), ("wrong_arithmetic", ["17"])]),
    ],
)
def test_every_equation_of_a_chain_is_judged(completion: str, expected: list[tuple[str, list[str]]]) -> None:
    certificate = verify(completion)
    assert shown(certificate, completion) == expected
    assert (certificate.verdict is Verdict.PASS) == (not expected)


@pytest.mark.parametrize(
    ("completion", "right"),
    [
        ("(3+9)*(7-5).", True),
        ("(3+9)*(7-5) = 24.", True),
        ("(3+9)*(7-5) = 24 .\n", True),
        ("(3+9)*(7-5) = 12*2.", True),
        (STEPS.rstrip() + ".", True),
        (STEPS.replace("\n", ".\n"), True),
        ("3 + 9 = 12.\n7 - 5 = 2.\n2 * 12 = 24.", True),
        ("Answer: (3+9)*(7-5).", True),
        ("(3+9)*(7-5) = 24..", False),
        ("(3+9)*(7-5) = 24.0", False),
        ("(3+9).*(7-5)", False),
        ("(3+9)*(7-5) = .", False),
        (".", False),
        ("(3+9)*(7-5) = 24. So", False),
        ("(3+9)*(7-5).\n= 24", False),
    ],
)
def test_a_full_stop_may_end_an_answer(completion: str, right: bool) -> None:
    assert (verify(completion).verdict is Verdict.PASS) == right


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        (f"{STEPS}Answer: (3 + 9) * (7 - 5) = 24", []),
        (f"{STEPS}answer: (3 + 9) × (7 − 5)", []),
        (f"{STEPS}\nAnswer: (7 - 5) * (3 + 9) = 2 * 12 = 24.", []),
        ("3 + 9 = 12\n7 - 5 = 2\n12 × 2 = 24\n  Answer:\n(3+9)*(7-5)\n", []),
        ("Answer: (3 + 9) * (7 - 5) = 24", []),
        (f"{STEPS}Answer: (3 + 9) * (7 + 5) = 24", [("wrong_value", ["*", "+"])]),
        (f"{STEPS}Answer: (3 + 9) * 2 = 24", [("number_not_available", ["2"]), ("number_unused", [])]),
        (f"{STEPS}Answer: (3 + 9) * (7 - 5) = 25", [("wrong_arithmetic", ["25"])]),
        (f"{STEPS}Answer: 24", [("number_not_available", ["24"]), ("number_unused", [])]),
        (f"{STEPS}Answer:", [("missing_operand", [])]),
        (f"{STEPS.replace('= 2 (', '= 3 (')}Answer: (3 + 9) * (7 - 5)",
         [("wrong_arithmetic", ["3"]), ("wrong_remainder", ["2"])]),
        ("3 + 9 = 12 (left: 5 7 12)\nAnswer: (3 + 9) * (7 - 5)", [("number_unused", [")"])]),
        ("so\nAnswer: (3 + 9) * (7 - 5)", [("bad_character", ["so"])]),
        (f"{STEPS}Answer: 9\nAnswer: (3 + 9) * (7 - 5)", [("bad_character", ["Answer:"])]),
    ],
)  # fmt: skip
def test_steps_and_the_answer_after_them_must_both_be_right(
    completion: str, expected: list[tuple[str, list[str]]]
) -> None:
    certificate = verify(completion)
    assert shown(certificate, completion) == expected
    assert (certificate.verdict is Verdict.PASS) == (not expected)


@pytest.mark.parametrize("answer", ["(3 + 9) * (7 - 5) = 24", "(3 + 9) * (7 + 5)", "(3 + 9", "x"])
@pytest.mark.parametrize("steps", [STEPS, STEPS.replace("= 12 ", "= 13 "), "3 * 5 = 15 (left: 7 9 15)\n"])
def test_tampered_certificates_are_rejected(steps: str, answer: str) -> None:
    completion = f"{steps}Answer: {answer}"
    certificate = verify(completion)
    changes: list[dict[str, Any]] = [
        {"score": 0.321},
        {"witness": {**certificate.witness, "answer": {"form": "expression", "value": "7"}}},
        {"witness": {key: value for key, value in certificate.witness.items() if key != "answer"}},
        {"witness": {**certificate.witness, "steps": []}},
    ]
    if certificate.verdict is Verdict.FAIL:
        changes += [{"verdict": Verdict.PASS, "score": 1.0, "findings": (), "dead_from": None}]
        changes += [
            {"findings": certificate.findings[1:]},
            {"findings": (*certificate.findings, Finding("extra_bracket", "", (Span(0, 1),)))},
        ]
        changes += [{"dead_from": (certificate.dead_from or 0) + by} for by in (-1, 1)]
    for change in changes if certificate.verdict is Verdict.FAIL else changes[1:]:
        assert not VERIFIER.recheck(replace(certificate, **change), prompt(HAND), completion), change


def in_other_notation(text: str, rng: random.Random) -> str:
    """Signs written as in print or LaTeX, each for itself."""
    other = {"*": ["*", "×", "·", " x ", r" \times ", r"\cdot "], "/": ["/", "÷", r" \div "], "-": ["-", "−"]}
    return "".join(rng.choice(other.get(character, [character])) for character in text)


def test_right_answers_in_other_notations_pass() -> None:
    rng = random.Random(8)
    for hand, text in right_answers(rng, 60):
        notation = text if "/" in text and "=" in text else in_other_notation(text, rng)
        assert checked(VERIFIER, prompt(hand), notation).verdict is Verdict.PASS, (hand, notation)


def test_prefixes_of_right_steps_with_an_answer_live() -> None:
    rng = random.Random(9)
    for steps in rng.sample(right_steps((Fraction(3), Fraction(8), Fraction(9)), Fraction(24)), 8):
        text = "\n".join(steps) + "\nAnswer: 8/3*9 = 24."
        asked = prompt([3, 8, 9])
        assert checked(VERIFIER, asked, text).verdict is Verdict.PASS
        assert all(VERIFIER.viable(asked, text[:end]) for end in range(len(text) + 1)), text


PIECES = [*"357904+-*/()[]=. \n×÷x\\", "12", "24", "\\times", "\\cdot ", "\\left", "(left: ", "Answer:", "Ans"]
PIECES += ["(3+9)*(7-5)", STEPS, " = ", "1/0"]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_any_text_gets_a_certificate_that_stands(text: str) -> None:
    verify(text)


@settings(max_examples=300)
@given(st.text(alphabet="38()[]x× \\timescdoftlr.=−\n", max_size=30))
def test_what_is_made_plain_is_as_long_and_begins_alike(text: str) -> None:
    assert len(plain(text)) == len(text)
    for end in range(len(text)):
        whole, begun = plain(text)[:end], plain(text[:end])
        differing = [at for at in range(end) if whole[at] != begun[at]]
        assert not differing or "\\" in text[max(0, min(differing) - 6) : min(differing) + 1]
    assert text.startswith(without_stop(text))
