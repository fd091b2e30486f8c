"""Generated tasks in SMT-LIB, with an answer, and terms as nested lists: what the corpus of ``smt`` is made of."""

from __future__ import annotations

import random
import re
from typing import Any

from corpora import Case

from rlsf_lightning.records import Prompt

#: A term or command: an atom, or a list.
Form = str | list["Form"]

TOKEN = re.compile(r"\|[^|]*\||[()]|[^\s()]+")
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "bvult": "bvugt", "bvule": "bvuge"}
_DENIED = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "bvult": "bvuge", "bvule": "bvugt"}
_SYMMETRIC = frozenset("= distinct + * and or xor bvand bvor bvxor bvadd bvmul".split())
#: Functions: parameters, result, body, properties of f.
_FUNCTIONS: list[tuple[str, str, list[tuple[str, str]], str, str, list[str]]] = [
    (
        "max2",
        "(declare-const x Int) (declare-const y Int)",
        [("a", "Int"), ("b", "Int")],
        "Int",
        "(ite (>= a b) a b)",
        ["(>= (max2 x y) x)", "(>= (max2 x y) y)", "(or (= (max2 x y) x) (= (max2 x y) y))"],
    ),
    (
        "clamp",
        "(declare-const x Int)",
        [("v", "Int")],
        "Int",
        "(ite (< v 0) 0 (ite (> v 100) 100 v))",
        [
            "(>= (clamp x) 0)",
            "(<= (clamp x) 100)",
            "(=> (and (<= 0 x) (<= x 100)) (= (clamp x) x))",
            "(=> (< x 0) (= (clamp x) 0))",
            "(=> (> x 100) (= (clamp x) 100))",
        ],
    ),
    (
        "sign",
        "(declare-const x Real)",
        [("r", "Real")],
        "Int",
        "(ite (> r 0.0) 1 (ite (< r 0.0) (- 1) 0))",
        ["(=> (> x 0.0) (= (sign x) 1))", "(=> (< x 0.0) (= (sign x) (- 1)))", "(= (sign 0.0) 0)"],
    ),
    (
        "distance",
        "(declare-const x Int) (declare-const y Int)",
        [("a", "Int"), ("b", "Int")],
        "Int",
        "(ite (< a b) (- b a) (- a b))",
        ["(>= (distance x y) 0)", "(= (distance x y) (distance y x))", "(=> (<= x y) (= (+ x (distance x y)) y))"],
    ),
    (
        "majority",
        "(declare-const p Bool) (declare-const q Bool) (declare-const r Bool)",
        [("a", "Bool"), ("b", "Bool"), ("c", "Bool")],
        "Bool",
        "(or (and a b) (and b c) (and a c))",
        [
            "(=> (and p q) (majority p q r))",
            "(=> (and q r) (majority p q r))",
            "(=> (and p r) (majority p q r))",
            "(=> (not (or p q)) (not (majority p q r)))",
            "(=> (not (or q r)) (not (majority p q r)))",
            "(=> (not (or p r)) (not (majority p q r)))",
        ],
    ),
    (
        "lowest",
        "(declare-const x (_ BitVec 8))",
        [("v", "(_ BitVec 8)")],
        "(_ BitVec 8)",
        "(bvand v (bvneg v))",
        [
            "(= (bvand (lowest x) x) (lowest x))",
            "(= (bvand (lowest x) (bvsub (lowest x) #x01)) #x00)",
            "(=> (distinct x #x00) (distinct (lowest x) #x00))",
            "(= (bvand x (bvsub (lowest x) #x01)) #x00)",
        ],
    ),
    (
        "even",
        "(declare-const x Int)",
        [("n", "Int")],
        "Bool",
        "(= (mod n 2) 0)",
        ["(= (even (* 2 x)) true)", "(not (even (+ (* 2 x) 1)))"],
    ),
]


def case_of(name: str, declarations: str, specification: list[str], completion: str, **facts: Any) -> Case:
    told = {"declarations": declarations, "specification": specification, **facts}
    return Case(Prompt(name, "\n".join([declarations, *specification]), facts=told), completion)


def values_task(number: int, rng: random.Random) -> Case:
    """Three to six constants with a known answer."""
    sort = rng.choice(["Int", "Int", "Real", "(_ BitVec 8)"])
    names = rng.sample(["a", "b", "c", "d", "x", "y", "z", "width", "height", "total", "n", "m"], rng.randint(3, 6))
    answer = {name: rng.randint(0, 60) for name in names}
    properties = []
    for i, name in enumerate(names):
        other = rng.choice(names[:i] or names[1:])
        properties.append(_true_of(name, other, answer, sort, rng))
        if rng.random() < 0.6:
            properties.append(_true_of(name, rng.choice([n for n in names if n != name]), answer, sort, rng))
    properties.append(["=", names[0], literal(answer[names[0]], sort)])
    told = [["define-fun", name, [], *forms(sort), literal(answer[name], sort)] for name in names]
    rng.shuffle(told)
    return case_of(
        f"{number}: values", _declared(names, sort), [write(p) for p in properties], _lines(told), define=names
    )


def function_task(number: int, rng: random.Random) -> Case:
    name, declarations, parameters, result, body, properties = rng.choice(_FUNCTIONS)
    sorts = " ".join(sort for _, sort in parameters)
    bound: list[Form] = [[label, *forms(sort)] for label, sort in parameters]
    told: list[Form] = [["define-fun", name, bound, *forms(result), *forms(body)]]
    declared = f"(declare-fun {name} ({sorts}) {result}) {declarations}"
    return case_of(f"{number}: {name}", declared, properties, _lines(told), define=[name])


def constraints_task(number: int, rng: random.Random) -> Case:
    """What is known of four to seven constants, told anew."""
    sort = rng.choice(["Int", "Int", "Real", "(_ BitVec 8)"])
    names = rng.sample(["a", "b", "c", "d", "x", "y", "z", "price", "hours", "total", "n", "m"], rng.randint(4, 7))
    answer = {name: rng.randint(0, 60) for name in names}
    properties = [
        _true_of(name, rng.choice([n for n in names if n != name]), answer, sort, rng)
        for name in names
        for _ in range(rng.choice([1, 1, 2]))
    ]
    told = [["assert", respelled(p, rng)] for p in properties]
    rng.shuffle(told)
    exact = {"exact": True} if number % 2 else {}
    return case_of(
        f"{number}: constraints", _declared(names, sort), [write(p) for p in properties], _lines(told), **exact
    )


def _true_of(name: str, other: str, answer: dict[str, int], sort: str, rng: random.Random) -> Form:
    """A formula on two constants that holds for the answer."""
    a, b = answer[name], answer[other]
    less, least, plus = ("bvult", "bvule", "bvadd") if sort.startswith("(") else ("<", "<=", "+")
    equation: Form = ["=", [plus, name, other], literal(a + b, sort)]
    step = rng.randint(1, 9)
    below: Form = [less, name, literal(a + step, sort)]
    order: Form = [least, name, other] if a <= b else [less, other, name]
    either: Form = ["or", [less, name, literal(a, sort)], [least, other, literal(b, sort)]]
    implied: Form = ["=>", [less, literal(b, sort), other], ["=", name, literal(0, sort)]]
    above: Form = ["not", [less, name, literal(a, sort)]]
    return rng.choice([equation, equation, below, order, above, either, implied])


def literal(value: int, sort: str) -> str:
    if sort == "Int":
        return str(value)
    return f"{value}.0" if sort == "Real" else f"#x{value % 256:02x}"


def _declared(names: list[str], sort: str) -> str:
    return " ".join(f"(declare-const {name} {sort})" for name in names)


def _lines(told: list[Any]) -> str:
    return "\n".join(map(write, told))


def respelled(form: Form, rng: random.Random) -> Form:
    """The same meaning, otherwise written."""
    if isinstance(form, str) or not form:
        return form
    head = form[0]
    if head == "define-fun" and not form[2] and rng.random() < 0.3:
        return ["define-const", form[1], form[3], respelled(form[4], rng)]
    if head in ("define-fun", "define-const"):
        return [*form[:-1], respelled(form[-1], rng)]
    if not isinstance(head, str):
        return form
    parts: list[Form] = [respelled(part, rng) for part in form[1:]]
    if head == "assert" and rng.random() < 0.15:
        return ["assert", ["!", parts[0], ":named", f"fact{rng.randrange(10**9)}"]]
    if head in _SYMMETRIC and rng.random() < 0.4:
        rng.shuffle(parts)
    if head in _FLIPPED and len(parts) == 2 and rng.random() < 0.3:
        return [_FLIPPED[head], parts[1], parts[0]]
    if head in _DENIED and len(parts) == 2 and rng.random() < 0.2:
        return ["not", [_DENIED[head], *parts]]
    if head == "not" and rng.random() < 0.1:
        return ["=>", parts[0], "false"]
    if head in ("+", "bvadd", "and") and rng.random() < 0.1:
        return ["let", [["part", parts[0]]], [head, "part", *parts[1:]]]
    return [head, *parts]


def forms(text: str) -> list[Any]:
    """Nested lists. Raises IndexError where the parentheses do not agree."""
    stack: list[list[Any]] = [[]]
    for token in TOKEN.findall(re.sub(r";[^\n]*", "", text)):
        if token == "(":
            stack.append([])
        elif token == ")":
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(token)
    if len(stack) != 1:
        raise IndexError("unclosed")
    return stack[0]


def write(form: Form) -> str:
    """As text, with single spaces."""
    return form if isinstance(form, str) else f"({' '.join(map(write, form))})"
