"""SMT-LIB: generated tasks of three families, as there is no data set: values for constants, functions of one expression, and
constraints (every second of these may say no more than the specification).

Texts are nested lists here, read and written by this file's own functions. What is wrong is decided by construction (a
parenthesis, a name that does not exist) or with z3 through its Python interface: ``passes``.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from typing import Any

from edits import replaced
from smt_tasks import (
    TOKEN,
    Form,
    case_of,
    constraints_task,
    forms,
    function_task,
    literal,
    respelled,
    values_task,
    write,
)

from corpora import Case, Injected

OPTIONS: dict[str, Any] = {}
WHY = {
    "throughput": "the bare tool stops at the first error; a certificate of a wrong text also has the first dead character and "
    "its places, some twenty small questions more, and what it asks goes through a process that can be killed.",
}
_OTHER = {
    **{name: ["<", "<=", ">", ">=", "=", "distinct"] for name in ("<", "<=", ">", ">=")},
    **{name: ["bvult", "bvule", "bvugt", "bvuge"] for name in ("bvult", "bvule", "bvugt", "bvuge")},
    "=": ["distinct"],
    "distinct": ["="],
    **{name: ["+", "-", "*"] for name in ("+", "-", "*")},
    **{name: ["and", "or", "=>", "xor"] for name in ("and", "or", "=>", "xor")},
    **{name: ["bvand", "bvor", "bvxor", "bvadd"] for name in ("bvand", "bvor", "bvxor", "bvadd")},
}


def correct(count: int, rng: random.Random) -> list[Case]:
    """The families in turn."""
    makers = [values_task, function_task, constraints_task]
    return [makers[number % 3](number, rng) for number in range(count)]


def spellings(case: Case, rng: random.Random) -> Iterator[str]:
    """The commands in another order, terms turned round, named, bound by let, other white space and comments."""
    commands = forms(case.completion)
    while True:
        told = [respelled(command, rng) for command in commands]
        rng.shuffle(told)
        if "define" not in case.prompt.facts and rng.random() < 0.3 and len(told) > 1:
            told = [["assert", ["and", *(command[1] for command in told)]]]
        if rng.random() < 0.2:
            told = [["set-logic", "ALL"], *told]
        if rng.random() < 0.2:
            told = [*told, ["check-sat"], ["get-model"]]
        yield _spread(told, rng)


def inject(case: Case, rng: random.Random) -> Injected | None:
    """One mistake of form, or one of meaning."""
    text = case.completion
    tokens = list(TOKEN.finditer(text))
    way = rng.randrange(12)
    if way < 4:
        return _of_form(text, tokens, way, rng)
    made = _of_name(text, tokens, way, rng) if way < 7 else _of_meaning(text, tokens, way, rng)
    if made is None or passes(case, made.completion):
        return None
    return made


def hostile() -> list[Case]:
    """What SYMBOLIC's notes name for z3, and more of the kind."""
    value = case_of("v", "(declare-const x Int)", ["(> x 3)"], "(define-fun x () Int 5)", define=["x"])
    free = case_of("c", "(declare-const x Int) (declare-const y Int)", ["(> x 3)"], "(assert (> x 4))")
    wide = case_of("w", "(declare-const x (_ BitVec 64)) (declare-const y (_ BitVec 64))", ["(= x x)"], "(assert true)")
    macros = "".join(f"(define-fun f{n} ((a Int)) Int (+ (f{n - 1} a) (f{n - 1} (+ a 1))))\n" for n in range(1, 60))
    lets = "(let ((b0 (+ x x))) " + "".join(f"(let ((b{n} (* b{n - 1} b{n - 1}))) " for n in range(1, 60))
    texts = {
        "writes a file": '(set-option :regular-output-channel "/tmp/rlsf_smt") (assert (> x 4))',
        "diagnostics to a file": '(set-option :diagnostic-output-channel "/tmp/rlsf_smt2")',
        "includes": '(include "/etc/passwd")',
        "unknown command": "(foo)",
        "exit": "(exit)",
        "echo": '(echo "x")',
        "reset": "(assert (> x 4)) (reset)",
        "pop": "(pop 1)",
        "eval": "(eval x)",
        "simplify": "(simplify (+ x 1))",
        "tactic": "(check-sat-using (then simplify smt))",
        "push by sort": "(declare-datatypes () ((T a)))",
        "silent coercion": "(assert (= 1 1.0 true))",
        "false": "(assert false)",
        "recursive definition": "(define-fun-rec f ((n Int)) Int (+ 1 (f n)))",
        "string": '(assert (= x "a"))',
        "not ASCII": "(assert (> \u00e9 4))",
        "depth": "(assert " + "(not " * 3000 + "true" + ")" * 3001,
        "open": "(" * 9000,
        "close": ")" * 9000,
        "bars": "|" * 9000,
        "quoted": "(assert (> |x" + "y" * 5000,
        "digits": "(assert (> x " + "9" * 9000 + "))",
        "decimals": "(assert (> x 0." + "9" * 9000 + "))",
        "hexadecimal": "(assert (= x #x" + "f" * 9000 + "))",
        "wide vector": "(assert (= ((_ zero_extend 4294967295) #b0) ((_ zero_extend 4294967295) #b0)))",
        "repeated vector": "(assert (= ((_ repeat 100000000) #b0) ((_ repeat 100000000) #b0)))",
        "bv": "(assert (= (_ bv1 99999999999) (_ bv1 99999999999)))",
        "macros": "(define-fun f0 ((a Int)) Int a)\n" + macros + "(assert (> (f59 x) 3))",
        "let": "(assert (> " + lets + "b59" + ")" * 60 + " 4))",
        "cubes": "(assert (and (> x 3) (= (+ (* x x x) (* y y y)) (+ 1 (* 33 x y x)))))",
        "quantifiers": "(assert (forall ((a Int)) (exists ((b Int)) (forall ((c Int)) (> (* a b c) (* b b c a))))))",
        "surrogate": "(assert (> x \ud800))",
        "null": "(assert (> x\0 4))",
        "comment": ";" + "x" * 9000,
        "many": "(assert (> x 4))\n" * 500,
        "idents": "(assert (> v1 3)) (assert (> hole k0))",
        "markdown": "```smt2\n(assert (> x 4))\n```",
    }
    made = [Case(case.prompt, text, name) for name, text in texts.items() for case in (value, free)]
    factors = (
        "(assert (= (bvmul x y) #x7fffffffffffff35)) (assert (bvugt x #x0000000000000001)) "
        "(assert (bvugt y #x0000000000000001)) (assert (bvult x #x00000000ffffffff)) (assert (bvult y #x00000000ffffffff))"
    )
    return [*made, Case(wide.prompt, factors, "factors")]


def bare(case: Case) -> None:
    """Parsing, and a check for every property, as z3's manual shows it."""
    import z3

    try:
        passes(case, case.completion)
    except z3.Z3Exception:
        return


def exhaustive(verifier: Any, rng: random.Random) -> tuple[int, int]:
    """Values for three small bit-vectors: after each command, can the rest be chosen so that the specification holds?"""
    compared = differing = 0
    names = ["x", "y", "z"]
    for number in range(40):
        properties = [_small(names, rng) for _ in range(rng.randint(2, 4))]
        good = [
            values
            for values in itertools.product(range(4), repeat=3)
            if all(_holds(p, dict(zip(names, values, strict=True))) for p in properties)
        ]
        if not good:
            continue
        declarations = " ".join(f"(declare-const {name} (_ BitVec 2))" for name in names)
        case = case_of(f"small {number}", declarations, [write(p) for p in properties], "", define=names)
        for values in itertools.product(range(4), repeat=3):
            text = ""
            for i, name in enumerate(names):
                text += f"(define-const {name} (_ BitVec 2) #b{values[i]:02b})\n"
                alive = any(answer[: i + 1] == values[: i + 1] for answer in good)
                compared += 1
                differing += verifier.viable(case.prompt, text) is not alive
    return compared, differing


def passes(case: Case, completion: str) -> bool:
    """What z3 itself says of a completion that this file has written. A text that it does not read does not pass."""
    import z3

    facts = case.prompt.facts
    define = facts.get("define", [])
    given = [write(c) for c in forms(facts["declarations"]) if c[1] not in define]
    try:
        made = forms(completion)
    except IndexError:
        return False
    texts = [write(c) for c in made if c and c[0] not in ("set-logic", "check-sat", "get-model")]
    named = [write(c[1]) for c in made if len(c) > 1 and c[0] in ("define-fun", "define-const")]
    if define and sorted(named) != sorted(define):
        return False
    context = z3.Context()
    solver = z3.Solver(ctx=context)
    solver.set("timeout", 2000)
    try:
        if not define:
            solver.add(z3.parse_smt2_string("\n".join([*given, *texts]), ctx=context))
            if solver.check() == z3.unsat:
                return False
        else:
            z3.parse_smt2_string("\n".join([*given, *texts]), ctx=context)
        for formula in facts["specification"]:
            solver.push()
            denied = [*given, *(texts if define else []), f"(assert (not {formula}))"]
            solver.add(z3.parse_smt2_string("\n".join(denied), ctx=context))
            if solver.check() != z3.unsat:
                return False
            solver.pop()
        if facts.get("exact"):
            return _follows(given, facts["specification"], made, context)
    except z3.Z3Exception:
        return False
    return True


def _follows(given: list[str], specification: list[str], made: list[Any], context: Any) -> bool:
    """Whether the assertions follow from the specification."""
    import z3

    solver = z3.Solver(ctx=context)
    stated = [f"(assert {formula})" for formula in specification]
    solver.add(z3.parse_smt2_string("\n".join([*given, *stated]), ctx=context))
    for command in made:
        if command[0] != "assert":
            continue
        solver.push()
        solver.add(z3.parse_smt2_string("\n".join([*given, f"(assert (not {write(command[1])}))"]), ctx=context))
        if solver.check() != z3.unsat:
            return False
        solver.pop()
    return True


def _spread(told: list[Any], rng: random.Random) -> str:
    """With white space and comments."""
    gap = rng.choice([" ", "\n", "  ", "\n\n", " ; so\n"])
    text = gap.join(map(write, told))
    if rng.random() < 0.3:
        text = text.replace("(", "( ").replace(")", " )")
    return rng.choice(["", "", "\n", " "]) + text + rng.choice(["", "", "\n", " ; done"])


def _of_form(text: str, tokens: list[re.Match[str]], way: int, rng: random.Random) -> Injected | None:
    """A parenthesis, a foreign character, a word that is no command: wrong by construction."""
    if way == 0:
        place = rng.choice([t for t in tokens if t[0] == ")"])
        return replaced(text, place.span(), "", "dropped )")
    if way == 1:
        place = rng.choice(tokens)
        return replaced(text, (place.end(), place.end()), ")", "extra )")
    if way == 2:
        place = rng.choice([t for t in tokens if t[0] == "("])
        return replaced(text, place.span(), "", "dropped (")
    place = rng.choice([t for t in tokens if t[0] not in "()"])
    at = rng.randint(place.start(), place.end())
    return replaced(text, (at, at), rng.choice(["'", "\u00e9", "{", "#", "`"]), "foreign character")


def _of_name(text: str, tokens: list[re.Match[str]], way: int, rng: random.Random) -> Injected | None:
    """A name that does not exist, a value of another sort, a word too few."""
    words = [t for t in tokens if t[0] not in "()"]
    if way == 4:
        token = rng.choice([t for t in words if t[0][0].isalpha()] or words)
        at = rng.randint(token.start() + 1, token.end())
        return replaced(text, token.span(), f"{text[token.start() : at]}q{text[at : token.end()]}", "misspelt word")
    if way == 5:
        values = [t for t in words if t[0][0].isdigit() or t[0].startswith("#")]
        if not values:
            return None
        token = rng.choice(values)
        new = rng.choice(["true", "#b1", "unknown", "-1", '"a"'])
        return replaced(text, token.span(), new, "value of another sort")
    token = rng.choice(words)
    end = token.end() + (token.end() < len(text) and text[token.end()] == " ")
    return replaced(text, (token.start(), end), "", "dropped word")


def _of_meaning(text: str, tokens: list[re.Match[str]], way: int, rng: random.Random) -> Injected | None:
    """Another operator, another value, another constant, a command too few: z3 decides."""
    words = [t for t in tokens if t[0] not in "()"]
    if way in (7, 8):
        heads = [t for t in words if t[0] in _OTHER]
        if not heads:
            return None
        token = rng.choice(heads)
        new = rng.choice([name for name in _OTHER[token[0]] if name != token[0]])
        return replaced(text, token.span(), new, "another operator")
    if way in (9, 10):
        values = [t for t in words if re.fullmatch(r"\d+(\.0)?|#x..", t[0]) and t.start() > 0]
        if not values:
            return None
        token = rng.choice(values)
        old = int(token[0][2:], 16) if token[0][0] == "#" else int(float(token[0]))
        sort = "(" if token[0][0] == "#" else "Real" if "." in token[0] else "Int"
        return replaced(
            text, token.span(), literal(abs(old + rng.choice([-7, -1, 1, 2, 10, 100])), sort), "another value"
        )
    names = [t for t in words if re.fullmatch(r"[a-z]+", t[0]) and t[0] not in _OTHER and len(t[0]) < 7]
    bodies = [t for t in names if text[: t.start()].rstrip()[-6:] != "define" and t[0] not in ("assert", "not", "ite")]
    if len({t[0] for t in bodies}) < 2:
        return None
    token = rng.choice(bodies)
    new = rng.choice([t[0] for t in bodies if t[0] != token[0]])
    return replaced(text, token.span(), new, "another name")


def _small(names: list[str], rng: random.Random) -> Form:
    a, b = rng.sample(names, 2)
    sides: list[Form] = [a, ["bvadd", a, b], ["bvand", a, b], ["bvxor", a, b]]
    left = rng.choice(sides)
    return [rng.choice(["=", "bvult", "distinct"]), left, rng.choice([b, f"#b{rng.randrange(4):02b}"])]


def _holds(form: Form, values: dict[str, int]) -> bool:
    assert isinstance(form, list), "a relation of two sides"
    head, left, right = form
    a, b = _number(left, values), _number(right, values)
    return a == b if head == "=" else a != b if head == "distinct" else a < b


def _number(form: Form, values: dict[str, int]) -> int:
    if isinstance(form, str):
        return int(form[2:], 2) if form.startswith("#b") else values[form]
    head, left, right = form
    a, b = _number(left, values), _number(right, values)
    return {"bvadd": (a + b) % 4, "bvand": a & b, "bvxor": a ^ b}[str(head)]
