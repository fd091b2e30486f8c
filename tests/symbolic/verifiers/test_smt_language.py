"""The language that the SMT verifier reads, against z3's own reader, and its arithmetic against z3's."""

import random

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.verifiers.smt.language.evaluate import Evaluator, Unknown
from rlsf_lightning.symbolic.verifiers.smt.language.reader import read, tokens_of
from rlsf_lightning.symbolic.verifiers.smt.language.sorts import OPERATORS
from rlsf_lightning.symbolic.verifiers.smt.language.terms import value_text
from rlsf_lightning.symbolic.verifiers.smt.parse import Parsed, parse, parse_prefix
from rlsf_lightning.symbolic.verifiers.smt.task import task_of
from rlsf_lightning.symbolic.verifiers.smt.tool.script import asserted

DECLARATIONS = (
    "(declare-sort S 0) (declare-const i Int) (declare-const j Int) (declare-const r Real) (declare-const p Bool) "
    "(declare-const v (_ BitVec 4)) (declare-const w (_ BitVec 4)) (declare-const a (Array Int Int)) (declare-const s S) "
    "(declare-const t S) (declare-fun f (Int Bool) Int) (define-fun twice ((n Int)) Int (* 2 n)) "
    "(define-sort W () (_ BitVec 4))"
)
TASK = task_of(Prompt("p", "", facts={"declarations": DECLARATIONS, "specification": ["true"]}))
WORDS = [
    *"i j r p v w a s t 0 1 7 2.5 true false #b0101 #xf".split(),
    *("(_ bv3 4)", "(f i p)", "(twice j)", "((as const (Array Int Int)) 1)", "(store a i j)", "(/ r 2)", "(- 3)"),
]
#: Arguments that operators of mixed sorts take.
FITTING = {"ite": ["p i j", "p r 1", "true v #xf"], "select": ["a i", "a 7"], "store": ["a i 1", "a 0 (f i p)"]}


def heads() -> list[str]:
    plain = [name for name, rule in OPERATORS.items() if rule.indices == 0]
    indexed = "extract 2 1,repeat 2,zero_extend 3,sign_extend 1,rotate_left 5,int_to_bv 4,int2bv 6".split(",")
    return [*plain, *(f"(_ {name})" for name in indexed)]


def parsed(text: str) -> Parsed:
    return parse(text, TASK, 10_000, 100)


def ours(text: str) -> bool:
    return not parsed(text).findings


def theirs(text: str) -> bool:
    try:
        z3.parse_smt2_string(f"{DECLARATIONS}\n{text}")
    except z3.Z3Exception:
        return False
    return True


@pytest.mark.parametrize("head", heads())
def test_what_every_operator_takes_z3_takes_too(head: str) -> None:
    rng = random.Random(head)
    taken = 0
    for n in range(60):
        words = " ".join(rng.choice(WORDS) for _ in range(rng.choice([1, 2, 2, 2, 3])))
        if n < 40:
            words = " ".join([rng.choice(WORDS[:11])] * rng.choice([1, 2]))
        term = f"({head} {FITTING[head][n % 2] if head in FITTING and n < 2 else words})"
        text = f"(assert (= {term} {term}))"
        if ours(text):
            taken += 1
            assert theirs(text), text
    assert taken > 0


@pytest.mark.parametrize(
    ("term", "value"),
    [
        ("(bv2nat #b1010)", "10"),
        ("(ubv_to_int #b1010)", "10"),
        ("(bv2int #xff)", "255"),
        ("(sbv_to_int #b1010)", "(- 6)"),
        ("(sbv_to_int #b0110)", "6"),
        ("((_ int_to_bv 4) 22)", "#b0110"),
        ("((_ int_to_bv 4) (- 1))", "#b1111"),
        ("((_ int2bv 3) 8)", "#b000"),
        ("((_ nat2bv 3) 13)", "#b101"),
        ("(bvnego #b1000)", "true"),
        ("(bvnego #b1001)", "false"),
        ("(bvuaddo #b1000 #b0111)", "false"),
        ("(bvuaddo #b1000 #b1000)", "true"),
        ("(bvsaddo #b0111 #b0001)", "true"),
        ("(bvsaddo #b1000 #b0111)", "false"),
        ("(bvusubo #b0010 #b0011)", "true"),
        ("(bvssubo #b1000 #b0001)", "true"),
        ("(bvumulo #b0100 #b0100)", "true"),
        ("(bvsmulo #b0100 #b1110)", "false"),
        ("(bvsmulo #b0100 #b0010)", "true"),
        ("(bvsdivo #b1000 #b1111)", "true"),
        ("(bvsdivo #b1000 #b0000)", "false"),
        ("((_ divisible 3) (- 9))", "true"),
        ("((_ divisible 1000) 1500)", "false"),
        ("(+ 0.5 (bv2nat #b11))", "3.5"),
    ],
)
def test_numbers_and_bit_vectors_are_converted_and_overflows_are_told(term: str, value: str) -> None:
    reading = parsed(f"(assert (= {term} {value}))")
    assert not reading.findings
    asked = reading.commands[0].term
    assert asked is not None and Evaluator({}, {}).value(asked) is True
    solver = z3.Solver()
    solver.add(z3.parse_smt2_string(asserted(reading.commands)))
    assert solver.check() == z3.sat


@pytest.mark.parametrize(
    "text",
    [
        "(define-fun divisible ((m Int) (n Int)) Bool (= (mod m n) 0)) (assert (divisible 9 3))",
        "(define-fun bvuaddo ((m Int)) Int (+ m 1)) (assert (= (bvuaddo 1) 2))",
        "(declare-const bv2nat Int) (assert (= bv2nat 3))",
    ],
)
def test_the_newer_names_may_get_a_meaning_of_their_own(text: str) -> None:
    assert ours(text) and theirs(text)
    assert not any(parse_prefix(text[:end], TASK, 100).findings for end in range(len(text) + 1))


@pytest.mark.parametrize(
    "text",
    [
        "(assert (= 1 (bv2nat i)))",
        "(assert (= 1 (ubv_to_int v w)))",
        "(assert (= v (int_to_bv i)))",  # without its width
        "(assert (= v ((_ int_to_bv 4) r)))",
        "(assert (= v ((_ int_to_bv 3) i)))",  # of another width
        "(assert (= v ((_ int2bv 0) i)))",
        "(assert (bvuaddo v #b11))",
        "(assert (bvnego v w))",
        "(assert (= v (bvsmulo v w)))",
        "(assert ((_ divisible 0) i))",
        "(assert ((_ divisible 3) r))",
        "(assert (divisible i 3))",
        "(assert (= 1 1.0 true))",  # z3 converts the Bool
        "(assert (and 1 2))",
        "(assert (= i #b1))",
        "(assert (f i))",
        "(assert (= (f i p i) 1))",
        "(assert (select i 1))",
        "(assert (forall () true))",
        "(assert (let () true))",
        "(assert (let ((q 1) (q 2)) true))",
        "(assert ((_ extract 4 0) v))",
        "(assert (= v ((_ extract 1 2) v)))",
        "(assert (_ bv16 4))",
        "(declare-fun g (Nat) Int)",
        "(declare-const k (_ BitVec 0))",
        "(declare-sort T 1)",
        "(define-fun g ((n Int) (n Int)) Int n)",
        "(define-fun-rec g ((n Int)) Int (g n))",
    ],
)
def test_what_is_refused(text: str) -> None:
    assert not ours(text)


@pytest.mark.parametrize(
    "text",
    [
        "(assert (= r (+ 1 r 2.5)))",
        "(assert (> (ite p 1 2.0) i))",
        "(assert (let ((q i) (p 1)) (= q p)))",
        "(assert (forall ((q Int) (b W)) (exists ((c Bool)) (=> c (= v b)))))",
        "(define-fun g ((f Int)) Int (+ f 1)) (assert (= (g (f i p)) 2))",
        "(declare-const |a b| Int)(assert (= |a b| |i|))",
        "(assert(distinct s t))",
        "(assert (let ((part i) (asserted j)) (= part asserted)))",  # both begin with reserved words
        "(assert (= (select (store a 1 2) 1) 2))",
        "(assert (distinct (_ bv15 4) #b0000 v w))",
        "(assert (! p :named fact))",
        "(assert (=> p p p))",
        "(define-sort A () (Array Int W)) (declare-const m A) (assert (= v (select m 3)))",
    ],
)
def test_what_is_taken_and_reaches_z3_with_the_same_meaning(text: str) -> None:
    reading = parsed(text)
    assert not reading.findings and theirs(text)
    for end in range(len(text) + 1):
        assert not parse_prefix(text[:end], TASK, 100).findings, text[:end]
    written = TASK.before + "".join(c.text for c in reading.commands if c.name != "assert")
    z3.parse_smt2_string(written + asserted(reading.commands))


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60) | st.text(alphabet="()|;#:. \n01xb_assert=i", max_size=60))
def test_any_text_is_read_and_dying_is_for_good(text: str) -> None:
    tokens = tokens_of(text)
    assert all(text[token.start : token.end] == token.text for token in tokens)
    dead = [bool(parse_prefix(text[:end], TASK, 100).findings) for end in range(len(text) + 1)]
    assert dead == sorted(dead)
    if not parsed(text).findings:
        assert not any(dead)
    assert all(len(finding.spans) >= 1 for finding in read(text, 5).findings)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_terms_have_the_values_that_z3_gives_them(data: st.DataObject) -> None:
    head = data.draw(st.sampled_from(heads()))
    words = data.draw(st.lists(st.sampled_from(WORDS[:15]), min_size=1, max_size=3))
    term = f"({head} {' '.join(words)})"
    reading = parsed(f"(assert (= {term} {term}))")
    if reading.findings:
        return
    symbols = TASK.scope.symbols
    numbers = {name: data.draw(st.integers(-9, 9)) for name in "ij"}
    numbers |= {name: data.draw(st.integers(0, 15)) for name in "vw"} | {"p": data.draw(st.booleans())}
    numbers["r"] = data.draw(st.fractions(-4, 4, max_denominator=5))
    values = {symbols[name].ident: value for name, value in numbers.items()}
    asked = reading.commands[0].term
    assert asked is not None
    try:
        value = Evaluator(values, {}).value(asked.arguments[0])
    except Unknown:
        return
    if isinstance(value, tuple):
        return
    solver = z3.Solver()
    fixed = "".join(f"(assert (= {name} {value_text(n, symbols[name].result)}))" for name, n in numbers.items())
    claim = f"(assert (= {term} {value_text(value, asked.arguments[0].sort)}))"
    solver.add(z3.parse_smt2_string(DECLARATIONS + fixed + claim))
    assert solver.check() == z3.sat, (term, numbers, value)
