"""The verifier of the game of 24: verdicts, places of findings, facts, hostile completions, and tampered certificates."""

import random
import time
from dataclasses import replace

import pytest
from certificates import checked, shown
from game24_cases import prompt, right_answers
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Finding, Prompt, Span, Verdict
from rlsf_lightning.symbolic.certificates import MAX_FINDINGS
from rlsf_lightning.symbolic.verifiers.game24.verifier import Game24Verifier

VERIFIER = Game24Verifier()
HAND = [4, 6, 8, 10]
STEPS = "4 + 8 = 12 (left: 4 6 12)\n6 - 4 = 2 (left: 2 12)\n2 * 12 = 24 (left: 24)"


def verify(
    completion: str, numbers: object = HAND, verifier: Game24Verifier = VERIFIER, **facts: object
) -> Certificate:
    """The certificate, after the checks that every one must stand."""
    asked = prompt(numbers, **facts)
    certificate = checked(verifier, asked, completion)
    if certificate.dead_from is not None:
        assert verifier.viable(asked, completion[: certificate.dead_from]) is not False
        at_end = certificate.dead_from == len(completion)
        assert at_end or verifier.viable(asked, completion[: certificate.dead_from + 1]) is False
    return certificate


def found(completion: str, numbers: object = HAND, **facts: object) -> list[tuple[str, list[str]]]:
    """(kind, the text of its spans) of every finding."""
    return shown(verify(completion, numbers, **facts), completion)


@pytest.mark.parametrize(
    ("numbers", "completion"),
    [
        ([4, 4, 8, 10], "(8-4)*(10-4)"),
        ([10, 8, 4, 4], " ( 8 - 4 )\n* (10 - 4) "),
        ([4, 4, 8, 10], "(8-4)*(10-4) = 24\n"),
        ([3, 3, 8, 8], "8/(3-8/3)"),
        ([4, 6], "((4)*((6)))"),
        ([4, 6], "-4*-6"),
        ([4, 6], "-(-4 * 6)"),
        ([24], "24"),
        ([0, 24], "24+0"),
        ([4, 6], "4 * 6 = 24"),
        ([8, 3, 9], "8/3*9 = 24"),
        ([4, 4, 6, 8], STEPS),
        ([4, 4, 6, 8], "8 + 4 = 12 (left: 12, 6,4)\r\n6 - 4 = 2\n\n  2*12=24  "),
        ([3, 3, 8, 8], "8 / 3 = 8/3 (left: 3 8 8/3)\n3 - 8/3 = 1/3 (left: 8 1/3)\n8 / 1/3 = 24 (left: 24)"),
        ([3, 3, 8, 8], "8/3=8/3\n3-(8/3)=(1/3)\n8/(1/3)=24"),
        ([1, 2, 12], "1 / 2 = 0.5\n12 / 0.5 = 24"),
        ([4, 8, 4, 24], "4 - 8 = -4 (left: 4 24 -4)\n4 + (-4) = 0 (left: 24 0)\n24 - 0 = 24"),
        ([4, 6], "4 * 6 = (24)"),
    ],
)
def test_right_answers_in_any_spelling(numbers: list[int], completion: str) -> None:
    certificate = verify(completion, numbers)
    assert certificate.verdict is Verdict.PASS and certificate.score == 1.0, certificate


def test_other_targets() -> None:
    assert verify("3*(4+5)", [3, 4, 5], target=27).verdict is Verdict.PASS
    assert verify("3-4*5 = -17", [3, 4, 5], target=-17).verdict is Verdict.PASS
    assert found("3*(4+5)", [3, 4, 5], target=28) == [("wrong_value", ["+"])]  # 9 and 3 lead nowhere


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("", [("empty", [])]),
        (" \n", [("empty", [])]),
        ("4.0*6", [("bad_character", ["."])]),
        ("(10-4)x8^6", [("bad_character", ["^"])]),
        ("\uff14*6", [("bad_character", ["\uff14"])]),  # a digit elsewhere: int() reads it
        ("\u0664*6", [("bad_character", ["\u0664"])]),
        ("4\u00d7\u00d86", [("bad_character", ["\u00d8"])]),
        ("4xx6", [("bad_character", ["x"])]),  # a times sign stands after an operand
        ("os", [("bad_character", ["os"])]),
        ("4\ud800", [("bad_character", ["\ud800"])]),
        ("4+", [("missing_operand", ["+"])]),
        ("4+*6", [("missing_operand", ["+*"])]),
        ("8+ +10", [("missing_operand", ["+ +"])]),
        ("4*()", [("missing_operand", ["()"])]),
        ("*4", [("missing_operand", ["*"])]),
        ("10*(8-6)+4 =", [("missing_operand", ["="])]),
        ("= 24", [("missing_operand", [])]),
        ("4 6", [("missing_operator", ["4 6"])]),
        ("4(6)", [("missing_operator", ["4("])]),
        ("4_6", [("bad_character", ["_"])]),
        ("(4+6", [("unclosed_bracket", ["("])]),
        ("(4+(6", [("unclosed_bracket", ["("]), ("unclosed_bracket", ["("])]),
        ("4)+6", [("extra_bracket", [")"])]),
        ("(10*(8-6)+4", [("unclosed_bracket", ["(", "0*", "6)", "4"])]),  # left out, or closed in one of three gaps
        ("10*(8)-6)+4", [("extra_bracket", ["*(", ")"])]),
        ("10*(8-6+4", [("unclosed_bracket", ["6+"])]),  # or ")" where it is missing
        ("10 *8 - 6) + 4", [("extra_bracket", ["*8"])]),
        ("10 8-6)+4", [("missing_operator", ["10 8"]), ("extra_bracket", [")"])]),
        ("04*6*10/8", [("number_not_available", ["04"])]),
        ("10*(8-6)+5", [("number_not_available", ["5"])]),
        ("10*(8-6)+4+4", [("number_not_available", ["4", "4"])]),
        ("10*(8-6)", [("number_unused", [])]),
        ("10*(-6)+4", [("number_unused", ["(-"])]),  # 8 before the minus
        ("-6*8/10", [("number_unused", [])]),
        ("24", [("number_not_available", ["24"]), ("number_unused", [])]),
        ("8/(10-6-4)", [("division_by_zero", ["8/(10-6-4"])]),
        ("10*(8-6)-4", [("wrong_value", ["-"])]),  # with + it would be right
        ("10*(6-8)+4", [("wrong_value", ["6", "-", "8"])]),  # with its operands turned round
        ("10+4*(8-6)", [("wrong_value", ["10", "4"])]),  # these two exchanged
        ("(10-8)*4+6", [("wrong_value", ["-"])]),  # from 2, 4 and 6 there is no way
        ("10*(8-6)+4 = 25", [("wrong_arithmetic", ["25"])]),
        ("10*(8-6)+4 = 2 4", [("wrong_arithmetic", ["2 4"])]),
        ("10*(8-6)-4 = 24", [("wrong_value", ["-"])]),
        ("10*(8-6)-4 = 16", [("wrong_value", ["-"])]),
        ("10*(8-6)-4 = 17", [("wrong_value", ["-"]), ("wrong_arithmetic", ["17"])]),
        ("__import__('os')", [("bad_character", ["__import__", "'os'"])]),
        ("9**9**9", [("missing_operand", ["**"]), ("missing_operand", ["**"])]),
    ],
)
def test_findings_of_expressions(completion: str, expected: list[tuple[str, list[str]]]) -> None:
    assert found(completion) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("8 = 12", "8 = 13", [("wrong_arithmetic", ["13"]), ("wrong_remainder", ["12"])]),
        ("4 6 12)", "4 7 12)", [("wrong_remainder", ["7"]), ("number_not_available", ["6"])]),
        ("4 6 12)", "4 6)", [("wrong_remainder", ["4 6"]), ("wrong_remainder", ["12"])]),
        ("(left: 2 12)", "(left: 2 6 12)", [("wrong_remainder", ["6"]), ("wrong_remainder", ["24"])]),
        (
            "6 - 4 = 2 (left: 2 12)",
            "6 + 4 = 10 (left: 10 12)",
            [("dead_end", ["6 + 4"]), ("number_not_available", ["2"])],
        ),
        ("4 + 8 = 12", "5 + 8 = 13", [("number_not_available", ["5"])]),
        ("6 - 4 = 2", "6 / 0 = 2", [("number_not_available", ["0"]), ("division_by_zero", ["6 / 0"])]),
        ("\n2 * 12 = 24 (left: 24)", "", [("number_unused", [")"])]),
        ("4 + 8 = 12 (left: 4 6 12)\n", "", [("number_unused", ["6"])]),
        ("\n6 - 4 = 2 (left: 2 12)", "", [("number_unused", [")\n2"])]),
        ("\n6 - 4 = 2 (left: 2 12)\n2 * 12 = 24 (left: 24)", "", [("number_unused", [")"])]),
        ("2 * 12 = 24 (left: 24)", "so it is 24", [("bad_character", ["so", "it", "is"])]),
        ("6 - 4 = 2", "6 / 4 = 2", [("wrong_arithmetic", ["/", "2"])]),
        ("2 * 12 = 24 (left: 24)", "2 * 12", [("bad_step", ["2 * 12"])]),
        ("2 * 12 = 24 (left: 24)", "2 * 12 = 48/2", [("bad_step", ["2 * 12 = 48/2"])]),
        ("2 * 12 = 24 (left: 24)", "2 * 12 = 24.0", [("bad_step", ["2 * 12 = 24.0"])]),
        ("2 * 12 = 24 (left: 24)", "2 * 12 = 24 (left: )", [("bad_step", ["2 * 12 = 24 (left: )"])]),
    ],
)
def test_findings_of_steps(old: str, new: str, expected: list[tuple[str, list[str]]]) -> None:
    assert STEPS.count(old) == 1
    told = found(STEPS.replace(old, new), [4, 4, 6, 8])
    assert [finding for finding in expected if finding not in told] == []
    assert told[0] == expected[0]


def test_numbers_are_counted_in_words() -> None:
    """One time, two times."""

    def message(completion: str, numbers: list[int]) -> str:
        return next(f.message for f in verify(completion, numbers).findings if f.kind == "number_not_available")

    assert message("(8-4)*(10-5)", [4, 4, 8, 10]) == "5 is used 1 time, given 0 times; unused: 4"
    assert message("10*(8-6)+4+4", HAND) == "4 is used 2 times, given 1 time; unused: none"


def test_a_mistake_of_a_step_is_reported_once() -> None:
    """What follows is judged by what the step said was left."""
    text = "4 + 8 = 13 (left: 4 6 13)\n6 - 4 = 2 (left: 2 13)\n2 * 13 = 26 (left: 26)"
    assert found(text, [4, 4, 6, 8]) == [("wrong_arithmetic", ["13"])]


@pytest.mark.parametrize(
    ("completion", "dead"),
    [
        ("10*(8-6)-4", "4"),
        ("10*(8-6)+5", "5"),
        ("(10-8)*4+6", "8)*4+6"),
        ("10*(8-6)+", ""),
        ("10*(8-6)+4 = 25", ""),  # 25 - 1 = 24
        ("10*(8-6)+4 = 25x", ""),
        ("10*(8-6)+4 = 25)", ")"),
        ("10*(8-6)+4+1", "+1"),
        ("7", "7"),
        ("1", ""),  # of 10
        ("10*(8-6)+4 \u00a0", None),
        ("", ""),
        ("\u00a0 10*\u00a0(8-6)+4", "\u00a0(8-6)+4"),
    ],
)
def test_first_dead_character(completion: str, dead: str | None) -> None:
    at = verify(completion).dead_from
    assert (None if at is None else completion[at:]) == dead


def test_nothing_is_dead_where_nothing_lives() -> None:
    certificate = verify("1+1+1+1", [1, 1, 1, 1])
    assert certificate.dead_from is None and certificate.witness["solution"] is None
    assert VERIFIER.viable(prompt([1, 1, 1, 1]), "") is False


def test_witness_and_score() -> None:
    right = verify("(8-4)*(10-4)", [4, 4, 8, 10]).witness
    assert (right["value"], right["used"], right["unused"]) == ("24", ["8", "4", "10", "4"], [])
    assert verify(right["solution"], [4, 4, 8, 10]).verdict is Verdict.PASS
    assert verify("10*(8-6)-4").score == 0.5  # all numbers
    assert verify("10+8+6").score == pytest.approx(0.5 * 3 / 4 + 0.4)  # three of four, and the value
    assert verify("(4").score == 0.0
    assert verify(STEPS.replace("24", "25"), [4, 4, 6, 8]).score == pytest.approx(0.6)  # two of three steps


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, ["`numbers`", '"numbers": [4, 6, 8, 10]']),
        ({"numbers": "4 6 8 10"}, ["4 6 8 10", "list"]),
        ({"numbers": []}, ["[]", "1 to 6"]),
        ({"numbers": [1, 2, 3, 4, 5, 6, 7]}, ["1 to 6"]),
        ({"numbers": [4, 6.0]}, ["6.0"]),
        ({"numbers": [4, True]}, ["True"]),
        ({"numbers": [4, -6]}, ["-6"]),
        ({"numbers": [4, 6], "target": "24"}, ["`target`", '"target": 24']),
    ],
)
def test_wrong_facts_are_the_users(facts: dict[str, object], words: list[str]) -> None:
    with pytest.raises(UserError) as error:
        VERIFIER.verify(Prompt("id", "24", facts=facts), "24")
    assert all(word in str(error.value) for word in words), error.value


def test_limits_are_checked() -> None:
    with pytest.raises(ValueError, match="max_chars=0"):
        Game24Verifier(max_chars=0)


def test_a_part_of_many_numbers_that_leads_nowhere() -> None:
    assert found("(1-1)*(8/(4*(6*4)))", [4, 4, 6, 8, 1, 1]) == [("wrong_value", ["*"])]


def test_steps_of_a_single_number() -> None:
    missing = [("number_not_available", ["8"]), ("number_not_available", ["2"])]
    assert found("8/2=4\n4 left", [4], target=4) == [*missing, ("bad_step", ["4 left"])]
    assert found("4/4=(left: 4)", [4], target=4) == [("bad_step", ["4/4=(left: 4)"])]


def test_too_long() -> None:
    short = Game24Verifier(max_chars=12)
    assert verify("10*(8-6)+4          ", verifier=short).verdict is Verdict.PASS
    certificate = verify("10*(8-6)+4   (", verifier=short)
    assert [f.kind for f in certificate.findings] == ["too_long"] and certificate.dead_from == 13
    assert verify("10*(8-6)+5555555555555", verifier=short).dead_from == 9


@pytest.mark.parametrize(
    "completion",
    [
        "(" * 100_000,
        "(" * 249 + "4" + ")" * 249,
        "-" * 400 + "4",
        "-(" * 200 + "4*6*",
        "1" * 500,
        "9" * 250 + "*" + "9" * 249,
        "+1" * 249,
        "4/0" * 100,
        ("4" + "/4" * 200),
        "\n" * 1_000_000 + "4",
        "4 + 8 = 12 (left: " + "4 " * 200 + ")",
        "4 + 8 = 12 (left: 4 6 12)\n" * 19,
        "4+8=12\n" * 70,
        "(left:" * 80,
        "=" * 500,
        "\x00" * 300,
        "factorial(10**8)",
        "9**9**9**9",
    ],
)
def test_hostile_completions_end_soon(completion: str) -> None:
    start = time.process_time()
    for hand in (HAND, [1, 2, 3, 4, 5, 6]):
        certificate = VERIFIER.verify(prompt(hand), completion)
        assert certificate.verdict is Verdict.FAIL and len(certificate.findings) <= MAX_FINDINGS + 1
        assert VERIFIER.recheck(certificate, prompt(hand), completion)
    assert time.process_time() - start < 10


PIECES = ["4", "6", "8", "10", "12", "+", "-", "*", "/", "(", ")", "=", " ", "\n", "(left: ", ", ", "8/3", "2"]
TEXTS = st.text(max_size=20) | st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


@settings(deadline=None, max_examples=150)
@given(TEXTS)
def test_any_text_gets_a_certificate_that_stands(text: str) -> None:
    verify(text)


def test_no_finding_in_right_answers() -> None:
    for hand, text in right_answers(random.Random(0), 100):
        assert verify(text, hand).verdict is Verdict.PASS, (hand, text)


def test_every_changed_operator_is_hit() -> None:
    """An operator is replaced; if the value is then wrong, that place is among the findings' or division fails there."""
    rng = random.Random(1)
    changed = 0
    for hand, text in right_answers(rng, 60):
        places = [i for i, character in enumerate(text) if character in "+*/" and "=" not in text]
        for at in places:
            other = rng.choice([operator for operator in "+-*/" if operator != text[at]])
            completion = text[:at] + other + text[at + 1 :]
            certificate = verify(completion, hand)
            if certificate.verdict is Verdict.PASS:
                continue
            changed += 1
            spans = [span for finding in certificate.findings for span in finding.spans]
            assert any(span.overlaps(Span(at, at + 1)) for span in spans), (hand, completion, certificate)
    assert changed > 60


def tampered(certificate: Certificate) -> list[Certificate]:
    """The same with one thing changed in each."""
    first = certificate.findings[0]
    others = [
        replace(certificate, verdict=Verdict.PASS, score=1.0, findings=(), dead_from=None),
        replace(certificate, score=0.123),
        replace(certificate, findings=(replace(first, kind="too_long"), *certificate.findings[1:])),
        replace(certificate, findings=(*certificate.findings, Finding("extra_bracket", "", (Span(0, 1),)))),
        replace(certificate, witness={**certificate.witness, "solution": "1"}),
    ]
    if first.spans:
        moved = tuple(Span(span.start + 1, span.end + 1) for span in first.spans)
        others.append(replace(certificate, findings=(replace(first, spans=moved), *certificate.findings[1:])))
    if certificate.dead_from is not None:
        others += [
            replace(certificate, dead_from=certificate.dead_from + by)
            for by in (-1, 1)
            if certificate.dead_from + by >= 0
        ]
        others.append(replace(certificate, dead_from=None))
    return others + tampered_witnesses(certificate)


def tampered_witnesses(certificate: Certificate) -> list[Certificate]:
    """Each field changed, left out, or made up."""
    witness = dict(certificate.witness)
    others = [
        {**witness, "other": 1},
        *({k: v for k, v in witness.items() if k != key} for key in witness if witness[key]),
    ]
    for key, value in witness.items():
        others += [{**witness, key: other} for other in ("7", ["7"], None, []) if other != value]
    for number, row in enumerate(witness.get("steps", [])):
        for changed in ({**row, "value": "7"}, {**row, "span": [0, 1]}, {}):
            rows = [*witness["steps"][:number], changed, *witness["steps"][number + 1 :]]
            others.append({**witness, "steps": rows})
    return [replace(certificate, witness=other) for other in others]


@pytest.mark.parametrize(
    ("numbers", "completion"),
    [
        ([4, 4, 8, 10], "(8-4)*(10-4)"),
        ([4, 4, 6, 8], STEPS),
        (HAND, ""),
        (HAND, "1" * 501),
        ([1, 2, 3, 4, 5, 6], STEPS),
    ],
)
def test_tampered_witnesses_are_rejected(numbers: list[int], completion: str) -> None:
    certificate = verify(completion, numbers)
    for other in tampered_witnesses(certificate):
        assert not VERIFIER.recheck(other, prompt(numbers), completion), other.witness


@pytest.mark.parametrize(
    "completion",
    [
        "10*(8-6)-4",
        "(10-8)*4+6",
        "10*(8-6)+5",
        "(4+6",
        "4+*6",
        "10*(8-6)+4 = 25",
        "8/(10-6-4)",
        "10*(8-6)",
        "4 6",
        "4.0",
    ],
)
def test_tampered_certificates_are_rejected(completion: str) -> None:
    certificate = verify(completion)
    for other in tampered(certificate):
        assert not VERIFIER.recheck(other, prompt(HAND), completion), other


@pytest.mark.parametrize(("old", "new"), [("8 = 12", "8 = 13"), ("4 6 12)", "4 7 12)"), ("6 - 4 = 2", "6 + 4 = 10")])
def test_tampered_certificates_of_steps_are_rejected(old: str, new: str) -> None:
    completion = STEPS.replace(old, new)
    certificate = verify(completion, [4, 4, 6, 8])
    for other in tampered(certificate):
        assert not VERIFIER.recheck(other, prompt([4, 4, 6, 8]), completion), other


def test_a_right_answer_cannot_be_certified_as_wrong() -> None:
    wrong = Certificate(Verdict.FAIL, (Finding("wrong_value", "", (Span(2, 3),)),), 0.5, 3, {"solution": "10*(8-6)+4"})
    assert not VERIFIER.recheck(wrong, prompt(HAND), "10*(8-6)+4")
