"""The SMT verifier: verdicts, places, witnesses, facts, and certificates that were tampered with."""

from dataclasses import replace
from typing import Any

import pytest
from certificates import checked, shown

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Certificate, Prompt, Span, Verdict
from rlsf_lightning.symbolic.verifiers.smt.verifier import SmtVerifier

VERIFIER = SmtVerifier()
XY = "(declare-const x Int) (declare-const y Int)"
LOOSE = {"declarations": XY, "specification": ["(> x 3)", "(< (+ x y) 10)"]}
EXACT = {**LOOSE, "exact": True}
MAX = {
    "declarations": f"(declare-fun mx (Int Int) Int) {XY}",
    "specification": "(assert (>= (mx x y) x)) (assert (>= (mx x y) y)) (assert (or (= (mx x y) x) (= (mx x y) y)))",
    "define": ["mx"],
}
MODEL = {
    "declarations": f"{XY} (declare-const z Int) (define-fun sum () Int (+ x y))",
    "specification": ["(= sum 10)", "(= (- x y) 2)", "(> z x)"],
    "define": ["x", "y", "z"],
}


def prompt(facts: dict[str, Any]) -> Prompt:
    return Prompt("p", "a task", None, facts=facts)


def verify(facts: dict[str, Any], completion: str) -> Certificate:
    """The certificate, after the checks that every one must stand."""
    return checked(VERIFIER, prompt(facts), completion)


def found(facts: dict[str, Any], completion: str) -> list[tuple[str, list[str]]]:
    return shown(verify(facts, completion), completion)


@pytest.mark.parametrize(
    ("facts", "completion"),
    [
        (LOOSE, "(assert (> x 4)) (assert (= y 2)) (assert (= x 7))"),
        (
            LOOSE,
            " (set-logic QF_LIA)\n(declare-const k Int) (assert (and (= x (+ k 5)) (> k 0) (= y (- 0 x)))) (check-sat)\n",
        ),
        (
            LOOSE,
            "(define-fun big ((a Int)) Bool (> a 3)) (assert (! (big x) :named b)) (assert (let ((s (+ y x))) (< s 1)))",
        ),
        (LOOSE, "(assert (and (> x 3) (forall ((a Int)) (=> (>= a 0) (< (+ x y) (+ a 10))))))"),
        (EXACT, "(assert (>= x 4)) (assert (not (>= (+ y x) 10))) ; nothing more"),
        (EXACT, "(assert (and (<= (+ x y) 9) (< 3 x)))"),
        (MAX, "(define-fun mx ((a Int) (b Int)) Int (ite (> a b) a b))"),
        (
            MAX,
            "(define-fun le ((a Int) (b Int)) Bool (<= a b))\n(define-fun mx ((x Int) (y Int)) Int (ite (le x y) y x))",
        ),
        (MODEL, "(define-fun x () Int 6) (define-fun y () Int 4) (define-fun z () Int 8)"),
        (MODEL, "(define-const y Int 4) (define-const |x| Int (+ y 2)) (define-const z Int 100)"),
    ],
)
def test_any_text_for_which_the_specification_holds_passes(facts: dict, completion: str) -> None:
    certificate = verify(facts, completion)
    assert certificate.verdict is Verdict.PASS and certificate.score == 1.0
    assert all(VERIFIER.viable(prompt(facts), completion[:end]) is not False for end in range(len(completion) + 1))


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("", [("empty", [])]),
        ("; nothing", [("empty", [])]),
        ("(check-sat)", [("empty", [])]),
        ("(assert (> x 3)", [("unclosed", ["3)"])]),
        ("(assert (> x 3) (assert (> y 1))", [("unclosed", ["3)"])]),
        ("(assert (and (> x 3", [("unclosed", ["3"])]),
        ("(assert (> |x 3))", [("unclosed", ["|"])]),
        ("(assert (> x 3)))", [("unexpected", [")))"])]),
        ("Here it is: (assert (> x 3))", [("unexpected", ["Here it is"]), ("bad_character", [":"])]),
        ("(assert (> x 3_))", [("bad_literal", ["3_"])]),
        ("(assert (> x 007))", [("bad_literal", ["007"])]),
        ("(assert (> x \u00e9))", [("bad_character", ["\u00e9"])]),
        ('(assert (= x "a"))', [("bad_character", ['"']), ("bad_character", ['"'])]),
        ("(assert (> x \ud800))", [("bad_character", ["\ud800"])]),
        ("(assert)", [("malformed", ["assert", ")"])]),
        ("(define-fun f () 3)", [("malformed", ["define-fun", "() 3"])]),
        ("(assert (> x mod))", [("unknown_symbol", ["mod"])]),
        ("(assert true false)", [("malformed", [" false"])]),
        ("()", [("malformed", ["()"])]),
        ("(assert (! true :pattern (x)))", [("malformed", [":pattern"])]),
        ("(exit)", [("forbidden", ["exit"])]),
        ("(declare-datatypes () ((T a)))", [("forbidden", ["declare-datatypes"])]),
        ("(declare-const x Int)", [("redefined", ["x"])]),
        ("(declare-const k Int)\n(declare-const k Real)", [("redefined", ["k", "k"])]),
        ("(define-fun and () Int 1)", [("redefined", ["and"])]),
        ("(assert (> z 3))", [("unknown_symbol", ["z"])]),
        ("(assert (greater x 3))", [("unknown_symbol", ["greater"])]),
        ("(assert (> x -3))", [("unknown_symbol", ["-3"])]),
        ("(define-fun f ((n Int)) Int m) (assert (> (f x) 3))", [("unknown_symbol", ["m", "n"])]),
        ("(declare-const k Integer) (assert (> k x))", [("unknown_sort", ["Integer"])]),
        ("(assert (> x true))", [("wrong_sort", [">", " true"])]),
        ("(assert (+ x 3))", [("wrong_sort", ["(+ x 3)"])]),
        ("(assert (= 1 1.0 true))", [("wrong_sort", ["=", " true"])]),
        ("(assert (not (> x 3) (> y 1)))", [("wrong_arity", ["not", " (> y 1)"])]),
        ("(assert (> (ite true x) 3))", [("wrong_arity", ["(ite true x)"])]),
        ("(assert (= x #b))", [("bad_literal", ["#b"])]),
        (f"(assert (> x {'9' * 401}))", [("too_large", ["9" * 401])]),
        ("(assert (= #b1 ((_ zero_extend 4294967295) #b1)))", [("too_large", ["(_ zero_extend 4294967295)"])]),
    ],
)
def test_every_mistake_of_form_at_its_place(completion: str, expected: list[tuple[str, list[str]]]) -> None:
    assert found(LOOSE, completion) == expected


def test_lines_and_characters_beyond_ascii_do_not_shift_places() -> None:
    completion = "; \u00e9\u00e9\U0001f600\n\n  (assert (and (> x 3)\n    (> yy 1)))"
    assert found(LOOSE, completion) == [("unknown_symbol", ["yy"])]


def test_mistakes_in_several_commands_are_all_told_and_none_follows_from_another() -> None:
    completion = "(declare-const k (Int) (assert (> k 1))\n(assert (> j 1))\n(define-fun f () Int #b1) (assert (> f k))"
    kinds = [kind for kind, _ in found(LOOSE, completion)]
    assert kinds == ["unclosed", "unknown_symbol", "wrong_sort"] or kinds == [
        "unexpected",
        "unknown_symbol",
        "wrong_sort",
    ]


@pytest.mark.parametrize(
    ("facts", "completion", "expected", "score"),
    [
        (LOOSE, "(assert (> x 4)) (assert (< x 2)) (assert (= y 1))", [("unsatisfiable", ["(< x 2)"])], 0.0),
        (
            LOOSE,
            "(assert (> x 4)) (assert (= y 20))",
            [("contradiction", ["(= y 20)"]), ("violated", ["(= y 20)"])],
            0.5,
        ),
        (LOOSE, "(assert (> x 4)) (assert (= y 2))", [("violated", ["(= y 2)"])], 0.5),
        (LOOSE, "(assert (> x 4))", [("violated", [])], 0.5),
        (EXACT, "(assert (> x 4)) (assert (< (+ x y) 10))", [("excess", ["(> x 4)"])], 0.75),
        (EXACT, "(assert (>= x 3)) (assert (< (+ x y) 10))", [("violated", ["(>= x 3)"])], 0.75),
        (MODEL, "(define-fun x () Int 6) (define-fun y () Int 4)", [("missing_definition", [])], 2 / 3),
        (
            MODEL,
            "(define-fun x () Int 6) (define-fun y () Int 5) (define-fun z () Int 8)",
            [("violated", ["5"]), ("violated", ["5"])],
            1 / 3,
        ),
        (
            MODEL,
            "(define-fun x () Int 6) (define-fun y () Int 4) (define-fun w () Int 8)",
            [("missing_definition", ["w"])],
            2 / 3,
        ),
    ],
)
def test_every_mistake_of_meaning_at_its_place(
    facts: dict, completion: str, expected: list[tuple[str, list[str]]], score: float
) -> None:
    certificate = verify(facts, completion)
    assert shown(certificate, completion) == expected and certificate.score == pytest.approx(score)


def test_of_very_many_assertions_that_do_not_follow_the_last_are_only_counted() -> None:
    completion = "(assert (and (> x 3) (< (+ x y) 10)))" + "(assert (> x 4))" * 60
    certificate = verify(EXACT, completion)
    assert len(certificate.findings) == 51 and {finding.kind for finding in certificate.findings} == {"excess"}
    assert certificate.findings[-1].message == "and 10 more findings"
    assert certificate.score == pytest.approx(3 / 63)
    assert not VERIFIER.recheck(replace(certificate, score=12 / 63), prompt(EXACT), completion)


def test_a_definition_is_blamed_where_another_term_would_make_it_right() -> None:
    completion = "(define-fun mx ((a Int) (b Int)) Int (ite (< a b) a b))"
    certificate = verify(MAX, completion)
    assert all(span.overlaps(Span(38, 49)) for f in certificate.findings for span in f.spans[:1])
    assert {finding.kind for finding in certificate.findings} == {"violated"}
    whole = SmtVerifier(explain=False).verify(prompt(MAX), completion)
    assert {completion[s.start : s.end] for f in whole.findings for s in f.spans} == {"(ite (< a b) a b)"}


def test_witnesses_are_cores_and_models() -> None:
    core = verify(LOOSE, "  (assert (> x 4)) (assert (> y 0)) (assert (< x 2))").witness
    assert core == {"properties": 2, "held": [], "core": [[2, 18], [36, 52]], "with_specification": False}
    model = verify(LOOSE, "(assert (= x 4)) (assert (= y 20))").witness["models"]
    assert model == [{"property": 1, "model": {"x": "4", "y": "20"}}]
    assert verify(LOOSE, "(assert (= x 7)) (assert (= y (- 3)))").witness["model"] == {"x": "7", "y": "(- 3)"}
    function = verify({**LOOSE, "specification": ["(> x 3)"]}, "(declare-fun g (Int) Int) (assert (> (g 1) 2))").witness
    assert function["models"][0]["model"]["g"].startswith("(define-fun g ((x!0 Int)) Int")


@pytest.mark.parametrize(
    ("facts", "completion", "dead_from"),
    [
        (LOOSE, "(assret (> x 4))", 4),
        (LOOSE, "(assert (> x 4) (> y 1))", 16),
        (LOOSE, "(assert (> x 4)", 15),
        (LOOSE, "(assert (> x four))", 14),
        (LOOSE, "(assert (> x true 1))", 17),
        (LOOSE, "(assert (y 4))", 9),
        (LOOSE, "(assert (x 4))", 10),  # xor could follow
        (LOOSE, "", 0),
        (LOOSE, "(assert (> x 4))", 16),  # more could follow
        (LOOSE, "(assert (> y 7)) (assert (> x 4))", 14),  # with x > 3 never below 10
        (LOOSE, "(assert (> y 7)) (asset true)", 14),
        (EXACT, "(assert (> x 4)) (assert true)", 14),
        (EXACT, "(assert true) (assert false)", 27),
        (MODEL, "(define-fun x () Int 6) (define-fun y () Int 5) (define-fun z () Int 8)", 46),
        (MODEL, "(define-fun x () Int 7)", 22),  # 2 x = 12
        (MODEL, "(define-fun z () Int 8)", 23),
        (MAX, "(define-fun mx ((a Int) (b Int)) Int a)", 38),
        (MAX, "(define-fun mx ((a Int) (b Int)) Int x)", 37),
        (MAX, "(assert true)", 7),
    ],
)
def test_the_first_dead_character(facts: dict, completion: str, dead_from: int) -> None:
    certificate = verify(facts, completion)
    alive = [VERIFIER.viable(prompt(facts), completion[:end]) is not False for end in range(len(completion) + 1)]
    assert alive == sorted(alive, reverse=True)
    assert certificate.dead_from == dead_from
    assert alive.count(True) == dead_from + 1 or dead_from == len(completion)


def test_what_a_mended_command_declares_has_its_place() -> None:
    completion = "(define-fun y () Int 4) (define-fun x () Int 6 (define-fun x () Int 6)"
    findings = verify(MODEL, completion).findings
    assert [(f.kind, [s.start for s in f.spans]) for f in findings] == [("unclosed", [45]), ("redefined", [36, 59])]


def test_a_beginning_that_certainly_can_go_on_is_viable() -> None:
    assert VERIFIER.viable(prompt(LOOSE), "(assert (= y 1)) ") is True
    assert VERIFIER.viable(prompt(LOOSE), "(assert (= y 1)") is None
    assert VERIFIER.viable(prompt(EXACT), "(assert (> x 0))") is True
    assert VERIFIER.viable(prompt(MODEL), "(define-const x Int 6)") is True
    assert VERIFIER.viable(prompt(MAX), "") is None


@pytest.mark.parametrize(
    ("facts", "completion"),
    [
        (LOOSE, "(assert (> x 4)) (assert (< x 2)) (assert (= y 1))"),
        (LOOSE, "(assert (> x 4)) (assert (= y 20))"),
        (EXACT, "(assert (> x 4)) (assert (< (+ x y) 10))"),
        (MODEL, "(define-fun x () Int 6) (define-fun y () Int 5) (define-fun z () Int 8)"),
        (LOOSE, "(assert (> xx 4)) (assert (= y 20))"),
    ],
)
def test_a_tampered_certificate_is_rejected(facts: dict, completion: str) -> None:
    certificate = verify(facts, completion)
    first = certificate.findings[0]
    assert certificate.dead_from is not None
    tampered = [
        replace(certificate, verdict=Verdict.PASS, score=1.0, findings=(), dead_from=None),
        replace(certificate, score=certificate.score + 0.1),
        replace(certificate, dead_from=certificate.dead_from + 1),
        replace(certificate, findings=(replace(first, spans=(Span(0, 1),)), *certificate.findings[1:])),
        replace(certificate, findings=(replace(first, kind="empty"), *certificate.findings[1:])),
        replace(certificate, witness={**certificate.witness, "held": [0, 1, 2]}),
        replace(certificate, witness={**certificate.witness, "core": [[0, 5]]}),
    ]
    assert not any(VERIFIER.recheck(wrong, prompt(facts), completion) for wrong in tampered)


def test_models_of_another_version_are_confirmed_by_their_values_alone() -> None:
    completion = "(assert (= x 4)) (assert (> y 20))"
    certificate = replace(verify(LOOSE, completion), version="4.0")
    entry = {"property": 1, "model": {"x": "4", "y": "99"}}
    right = replace(certificate, witness={**certificate.witness, "models": [entry]})
    assert VERIFIER.recheck(right, prompt(LOOSE), completion)
    for model in ({"x": "4", "y": "1"}, {"x": "5", "y": "99"}, {"q": "1"}, "x"):
        wrong = replace(certificate, witness={**certificate.witness, "models": [{**entry, "model": model}]})
        assert not VERIFIER.recheck(wrong, prompt(LOOSE), completion)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({}, "needs the fact `specification`"),
        ({"specification": " "}, "needs the fact `specification`"),
        ({"specification": "(assert (> x 3))"}, "unknown_symbol at 'x'"),
        ({"specification": "(declare-const x Int)"}, "alone, at least one"),
        ({**LOOSE, "declarations": "(foo)"}, "forbidden at 'foo'"),
        ({**LOOSE, "declarations": 7}, "needs the fact `declarations`"),
        ({**LOOSE, "define": ["q"]}, "has to be declared"),
        ({**LOOSE, "define": "x"}, "list of names"),
        ({**LOOSE, "define": ["x"], "exact": True}, "leave `define` or `exact` out"),
        ({**LOOSE, "exact": "yes"}, "expects true or false"),
        ({**LOOSE, "specification": ["(> x 3)", "(< x 3)"]}, "contradicts itself"),
        ({**LOOSE, "declarations": XY + "(assert (> x y))", "define": ["x"]}, "put it in `specification`"),
        ({**LOOSE, "declarations": XY + "(declare-fun f (Int) Int)", "define": ["x"]}, "only constants are supported"),
    ],
)
def test_wrong_facts_are_the_users_mistake(facts: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        VERIFIER.verify(prompt(facts), "(assert true)")


def test_what_is_known_holds_for_both_sides() -> None:
    facts = {"declarations": XY + "(assert (> y x))", "specification": ["(> y 3)"]}
    assert verify(facts, "(assert (= x 3))").verdict is Verdict.PASS
    given = {"declarations": XY + "(declare-const k Int) (assert (> k 2))", "specification": ["(> (+ x k) 12)"]}
    given["define"] = ["x", "y"]
    assert verify(given, "(define-const x Int 10) (define-const y Int 0)").verdict is Verdict.PASS
    assert verify(given, "(define-const x Int 9) (define-const y Int 0)").verdict is Verdict.FAIL


def test_options_are_checked() -> None:
    for options in ({"max_chars": 0}, {"max_depth": 101}, {"effort": 0}, {"seconds": -1.0}, {"megabytes": 0}):
        with pytest.raises(ValueError, match=next(iter(options))):
            SmtVerifier(**options)
    with pytest.raises(ValueError, match=r"verifier\.options\.explain=false"):
        SmtVerifier(locate=False)
    short = SmtVerifier(max_chars=10, max_depth=3)
    long = short.verify(prompt(LOOSE), " (assert (> x 3))")
    assert shown(long, " (assert (> x 3))") == [("too_long", [" x 3))"])] and long.dead_from == 12
    deep = SmtVerifier(max_depth=3).verify(prompt(LOOSE), "(assert (not (not (not true))))")
    assert shown(deep, "(assert (not (not (not true))))") == [("too_deep", ["("])] and deep.dead_from == 18
