"""What makes z3 write files, hang, grow or lie, and any text at all, through the SMT verifier."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from certificates import checked
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Prompt, Verdict
from rlsf_lightning.symbolic.verifiers.smt.language.reader import forms
from rlsf_lightning.symbolic.verifiers.smt.tool.script import is_readable
from rlsf_lightning.symbolic.verifiers.smt.tool.solver import Solver
from rlsf_lightning.symbolic.verifiers.smt.verifier import SmtVerifier

VERIFIER = SmtVerifier(effort=300_000, seconds=2.0)
TASK = Prompt(
    "p", "", facts={"declarations": "(declare-const x Int) (declare-const y Int)", "specification": ["(> x 3)"]}
)
MACROS = "(define-fun f0 ((a Int)) Int a)" + "".join(
    f"(define-fun f{n} ((a Int)) Int (+ (f{n - 1} a) (f{n - 1} (+ a 1))))" for n in range(1, 45)
)
CUBES = "(declare-const z Int) (assert (= (+ (* x x x) (* y y y) (* z z z)) 33)) (assert (distinct x y z 0))"
LETS = "(let ((b0 (+ x x))) " + "".join(f"(let ((b{n} (* b{n - 1} b{n - 1}))) " for n in range(1, 40))


@pytest.mark.parametrize(
    "completion",
    [
        '(set-option :regular-output-channel "{path}")(assert (> x 4))',
        '(set-option :diagnostic-output-channel "{path}")',
        "(set-option :regular-output-channel |{path}|)",
        '(include "{path}")',
        "(declare-const |)(set-option :regular-output-channel | Int)",
        "(check-sat-using (then simplify smt))",
        "(eval x)",
        "(echo x)",
        "(exit)",
        "(foo)",
        "(reset)(assert (> x 4))",
        "(define-fun-rec f ((n Int)) Int (+ 1 (f n)))",
    ],
)
def test_no_command_but_those_of_the_list_reaches_z3(completion: str, tmp_path: Path) -> None:
    target = tmp_path / "written"
    certificate = checked(VERIFIER, TASK, completion.replace("{path}", str(target)))
    assert certificate.verdict is Verdict.FAIL and not target.exists()
    assert certificate.findings[0].kind in ("forbidden", "empty", "bad_character")


def test_names_never_reach_z3() -> None:
    asked: list[str] = []
    ask = VERIFIER.solver.ask
    VERIFIER.solver.ask = lambda text: asked.append(text) or ask(text)  # type: ignore[method-assign, func-returns-value]
    try:
        completion = "(declare-const |) (exit) (| Int) (declare-const hole Int) (assert (> x |) (exit) (| hole 3))"
        assert checked(VERIFIER, TASK, completion).verdict is Verdict.PASS
    finally:
        VERIFIER.solver.ask = ask  # type: ignore[method-assign]
    assert asked and not any("exit" in text for text in asked)


@pytest.mark.parametrize(
    "completion",
    [
        "(assert " + "(not " * 1500 + "true" + ")" * 1501,
        "(" * 9000,
        ")" * 9000,
        "|" * 9000,
        "(assert (> |x" + "y" * 9000,
        "(assert (> x " + "9" * 9000 + "))",
        "(assert (= x #x" + "f" * 9000 + "))",
        "(assert (= ((_ repeat 100000000) #b0) #b0))",
        "(assert (= (_ bv1 99999999999) (_ bv1 1)))",
        ";" + "x" * 9000,
        "(assert (> x 4)\n" * 500,
        "(assert (< x " + "(+ x " * 90 + "1" + ")" * 92,
    ],
)
def test_hostile_texts_fail_soon(completion: str) -> None:
    start = time.process_time()
    first, second = (VERIFIER.verify(TASK, completion) for _ in range(2))
    assert time.process_time() - start < 8
    assert replace(first, seconds=0.0) == replace(second, seconds=0.0) and first.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "completion",
    [
        f"{MACROS}(assert (> (f44 x) 3))",
        f"(assert (> {LETS}b39{')' * 40} 4))",
        "(assert (forall ((a Int)) (exists ((b Int)) (forall ((c Int)) (> (* a b c x) (* b b c a y))))))",
    ],
)
def test_hard_questions_end_and_leave_the_next_completion_unharmed(completion: str) -> None:
    certificate = VERIFIER.verify(TASK, completion)
    assert certificate.verdict is not Verdict.PASS
    assert VERIFIER.verify(TASK, "(assert (> x 4))").verdict is Verdict.PASS


def test_what_z3_does_not_decide_is_an_abstention() -> None:
    certificate = checked(VERIFIER, TASK, CUBES)
    assert certificate.verdict is Verdict.ABSTAIN
    assert certificate.witness == {"error": "z3 came to no end within its limits"}


def test_z3_is_ended_at_its_limit_of_time_and_a_killed_z3_is_an_abstention() -> None:
    solver = Solver(0.5, 256, 2**31 - 1)
    solver.begin("(declare-const x Int) (declare-const y Int) (declare-const z Int)")
    start = time.monotonic()
    with pytest.raises(ToolFailed, match="no answer within"):
        solver.ask("(assert (= (+ (* x x x) (* y y y) (* z z z)) 33))(check-sat)")
    assert time.monotonic() - start < 60
    with pytest.raises(ToolFailed, match="ended"):
        solver.ask("(check-sat)")
    solver.begin("(push)")
    assert [node.text for node in solver.ask("(check-sat)")] == ["sat"]
    child = solver.child.process
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    solver.begin("")
    assert [node.text for node in solver.ask("(check-sat)")] == ["sat"]


def test_z3_ends_with_the_process_that_asks() -> None:
    code = (
        "import sys; from rlsf_lightning.symbolic.verifiers.smt.tool.solver import Solver; "
        "s = Solver(5, 256, 1000); s.begin('');"
        "s.ask('(check-sat)'); print(s.child.process.pid, flush=True); import os; os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    pid = int(done.stdout)
    for _ in range(100):
        if not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes():
            break
        time.sleep(0.1)
    else:
        pytest.fail("z3 goes on")


def test_an_irrational_value_is_no_literal() -> None:
    facts = {"declarations": "(declare-const r Real)", "specification": ["(> r 2.0)"]}
    certificate = checked(VERIFIER, Prompt("p", "", facts=facts), "(assert (= (* r r) 2.0))")
    assert certificate.verdict is Verdict.FAIL
    assert not is_readable(forms("(root-obj (+ (^ x 2) (- 2)) 1)")[0]) and is_readable(forms("(- (/ 1.0 3.0))")[0])


PIECES = [
    "(assert ",
    "(",
    ")",
    "x",
    "y",
    " 3",
    "(> x 4)",
    "\n",
    "(define-fun f () Int 3)",
    "and ",
    "let ((",
    "|",
    "#b1",
    ";",
    "not ",
]


@settings(deadline=None, max_examples=60)
@example("\x1f")
@example("\u2003\u2003")
@given(st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_text_gets_a_certificate(text: str) -> None:
    certificate = checked(VERIFIER, TASK, text)
    json.dumps(certificate.to_dict())
    alive = [VERIFIER.viable(TASK, text[:end]) is not False for end in range(len(text) + 1)]
    assert alive == sorted(alive, reverse=True)
    if certificate.verdict is Verdict.PASS:
        assert all(alive)
    elif certificate.dead_from is not None and certificate.dead_from < len(text):
        assert alive.index(False) == certificate.dead_from + 1


def test_two_runs_in_different_orders_give_equal_certificates() -> None:
    texts = [f"(assert (> (+ x (* 2 y)) {n})) (assert (< y {m}))" for n in range(4) for m in range(3)]
    first = {text: replace(VERIFIER.verify(TASK, text), seconds=0.0) for text in texts}
    random.Random(0).shuffle(texts)
    again = SmtVerifier(effort=300_000, seconds=2.0)
    assert all(replace(again.verify(TASK, text), seconds=0.0) == first[text] for text in texts)
