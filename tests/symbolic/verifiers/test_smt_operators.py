"""Operators of SMT-LIB 2.6 and 2.7 between integers, reals and bit-vectors; what follows is known from their definitions."""

import pytest

from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.smt import SmtVerifier

DECLARATIONS = (
    "(declare-const x Int) (declare-const y Int) (declare-const r Real) (declare-const m (Array Int Int))"
    "(declare-const a (_ BitVec 8)) (declare-const b (_ BitVec 8))"
)
PASS, FAIL = Verdict.PASS, Verdict.FAIL


@pytest.fixture(scope="module")
def verifier() -> SmtVerifier:
    return SmtVerifier()


@pytest.mark.parametrize(
    ("completion", "specification", "verdict"),
    [
        ("(assert (= x (ubv_to_int a)))", "(assert (>= x 0))", PASS),
        ("(assert (= x (sbv_to_int a)))", "(assert (>= x (- 128)))", PASS),
        ("(assert (= x (bv2nat a)))", "(assert (<= x 255))", PASS),
        ("(assert (= x (bv2nat a)))", "(assert (<= x 254))", FAIL),
        ("(assert (= a ((_ int_to_bv 8) x)))(assert (= x 511))", "(assert (= a #xff))", PASS),
        ("(assert (= a ((_ nat2bv 8) 300)))", "(assert (= a #x2c))", PASS),
        ("(assert (= a ((_ int2bv 8) 5)))", "(assert (= a #x05))", PASS),
        ("(assert (bvnego a))", "(assert (= a #x80))", PASS),
        ("(assert (bvnego a))", "(assert (= a #x7f))", FAIL),
        ("(assert (bvsaddo a b))", "(assert (distinct a #x00))", PASS),
        ("(assert (bvuaddo a b))", "(assert (bvult (bvadd a b) a))", PASS),
        ("(assert (bvumulo a b))", "(assert (bvugt b #x01))", PASS),
        ("(assert (bvsmulo a b))", "(assert (distinct a #x00))", PASS),
        ("(assert (bvusubo a b))", "(assert (bvult a b))", PASS),
        ("(assert (bvssubo a b))", "(assert (distinct a b))", PASS),
        ("(assert (bvsdivo a b))", "(assert (= b #xff))", PASS),
        ("(assert ((_ divisible 3) x))(assert (= x 9))", "(assert (= (mod x 3) 0))", PASS),
        ("(assert ((_ divisible 3) x))", "(assert (= (mod x 2) 0))", FAIL),
        ("(assert (= r (to_real x)))(assert (is_int r))", "(assert (= (to_int r) x))", PASS),
        ("(assert (= a (bvcomp a b)))", "(assert true)", FAIL),
        ("(assert (= #b1 (bvcomp a b)))", "(assert (= a b))", PASS),
        ("(assert (= a ((_ rotate_left 9) b)))", "(assert (= a ((_ rotate_left 1) b)))", PASS),
        ("(assert (= a ((_ zero_extend 4) ((_ extract 3 0) b))))", "(assert (bvule a #x0f))", PASS),
        ("(assert (= x (bv2int a)))", "(assert (>= x 0))", PASS),
        ("(assert (= a (bvnor b b)))", "(assert (= a (bvnot b)))", PASS),
        ("(assert (= (select m x) (abs y)))(assert (= m (store m 1 2)))", "(assert (>= (select m x) 0))", PASS),
    ],
)
def test_operators(verifier: SmtVerifier, completion: str, specification: str, verdict: Verdict) -> None:
    prompt = Prompt("p", "q", facts={"declarations": DECLARATIONS, "specification": specification})
    certificate = verifier.verify(prompt, completion)
    assert certificate.verdict is verdict, certificate
    assert verifier.recheck(certificate, prompt, completion)
