"""Generated programs: interpreter against hand-worked literals, layout, wording, tests that catch edits, splits."""

from __future__ import annotations

import itertools
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rlsf_lightning.prompts.sources.pseudocode_cpp import make, prompts, shape
from rlsf_lightning.prompts.sources.pseudocode_cpp import tree as t
from rlsf_lightning.prompts.sources.pseudocode_cpp.code import code_of, source_of
from rlsf_lightning.prompts.sources.pseudocode_cpp.examples import chosen, differs, run, undetected
from rlsf_lightning.prompts.sources.pseudocode_cpp.grammar import programs
from rlsf_lightning.prompts.sources.pseudocode_cpp.interpreter import Inputs, Interpreter, OutOfFuel, Undefined
from rlsf_lightning.prompts.sources.pseudocode_cpp.mutants import mutants
from rlsf_lightning.prompts.sources.pseudocode_cpp.wording import Wording

A, B, S = t.Var("a"), t.Var("b"), t.Var("s")
NUMBER = t.Domain(-100, 100)


def program(*body: t.Node, functions: tuple[t.Function, ...] = (), integer: str = "int") -> t.Program:
    return t.Program(functions, body, integer)


def printed(made: t.Program, *words: str, fuel: int = 1000) -> str:
    return Interpreter(made, Inputs(words=words), fuel).run()


def computed(value: t.Node, integer: str = "int") -> str:
    return printed(program(t.Print((value,), False), integer=integer))


def read(*names: str) -> tuple[t.Node, ...]:
    variables = tuple(t.Var(name) for name in names)
    return t.Declare("int", tuple(map(t.Declared, names))), t.Read(variables, (NUMBER,) * len(names))


@pytest.mark.parametrize(
    ("op", "left", "right", "value"),
    [
        ("/", 7, 2, 3), ("/", -7, 2, -3), ("/", 7, -2, -3), ("/", -7, -2, 3),
        ("%", 7, 3, 1), ("%", -7, 3, -1), ("%", 7, -3, 1), ("%", -7, -3, -1), ("-", 3, 5, -2), ("*", -4, 6, -24),
        ("<", 2, 3, 1), ("<=", 3, 3, 1), (">", 2, 3, 0), (">=", 2, 3, 0), ("==", 4, 4, 1), ("!=", 4, 4, 0),
        ("&&", 1, 0, 0), ("||", 0, 2, 1),
    ],
)  # fmt: skip
def test_operators_as_in_the_standard(op, left, right, value):
    assert computed(t.Binary(op, t.Num(left), t.Num(right))) == str(value)


def test_the_right_side_is_not_asked_where_the_left_decides():
    fails = t.Binary("/", t.Num(1), t.Num(0))
    assert computed(t.Binary("&&", t.Num(0), fails)) == "0" and computed(t.Binary("||", t.Num(1), fails)) == "1"


@pytest.mark.parametrize(
    "body",
    [
        (t.Print((t.Binary("/", t.Num(1), t.Num(0)),)),),
        (t.Print((t.Binary("*", t.Num(2**16), t.Num(2**15)),)),),
        (t.Declare("int", (t.Declared("a"),)), t.Print((A,))),
        (t.DeclareVector("v", t.Num(3)), t.Print((t.Item("v", t.Num(3)),))),
        (t.DeclareVector("v", t.Num(3)), t.Print((t.Item("v", t.Num(-1)),))),
        (t.DeclareArray("v", 3), t.Print((t.Item("v", t.Num(0)),))),
        (t.DeclareVector("v", t.Num(3)), t.Assign(t.Item("v", t.Num(3)), t.Num(1))),
        (t.DeclareVector("v", t.Num(-1)),),
        (t.DeclareVector("v", t.Num(1)), t.Print((t.Binary("<", t.Num(-1), t.Size("v", "size")),))),
        (*read("a"), t.Print((A,))),  # there is no word
    ],
)
def test_what_is_undefined_is_refused(body):
    with pytest.raises(Undefined):
        printed(program(*body))


def test_long_long_holds_more():
    product = t.Binary("*", t.Num(2**16), t.Num(2**15))
    assert computed(product, "long long") == "2147483648"
    with pytest.raises(Undefined):
        computed(t.Binary("*", t.Num(2**32), t.Num(2**31)), "long long")


def test_an_endless_loop_runs_out_of_fuel():
    with pytest.raises(OutOfFuel):
        printed(program(t.While(t.Binary("==", t.Num(1), t.Num(1)), ())))
    endless = t.Function("f", ("a",), (t.Return(t.Call("f", (A,))),))
    with pytest.raises(OutOfFuel):
        printed(program(t.Print((t.Call("f", (t.Num(1),)),)), functions=(endless,)))


def test_loops_branches_break_and_continue():
    index, total = t.Var("i"), t.Var("t")
    body = (
        t.If(t.Binary("==", t.Binary("%", index, t.Num(2)), t.Num(0)), (t.Continue(),)),
        t.If(t.Binary(">", index, t.Num(7)), (t.Break(),), (t.Compound("+", total, index),)),
    )
    loop = t.For("i", t.Num(0), "<", t.Num(100), body)
    made = program(t.Declare("int", (t.Declared("t", t.Num(0)),)), loop, t.Print((total,)))
    assert printed(made) == "16\n"  # 1 + 3 + 5 + 7


def test_a_do_loop_runs_once_and_a_loop_that_goes_down_stops():
    down = t.For("i", t.Num(3), ">=", t.Num(1), (t.Print((t.Var("i"), t.Text(" ")), False),), True)
    once = t.DoWhile((t.Print((t.Text("x"),)),), t.Binary("<", t.Num(1), t.Num(0)))
    assert printed(program(down, once)) == "3 2 1 x\n"


def test_functions_have_names_of_their_own_and_return_at_once():
    early = t.If(t.Binary("<", A, t.Num(0)), (t.Return(t.Num(0)),))
    function = t.Function("f", ("a", "b"), (early, t.Return(t.Binary("-", A, B))))
    call = t.Call("f", (B, A))
    made = program(*read("a", "b"), t.Print((call, t.Text(" "), A)), functions=(function,))
    assert printed(made, "3", "10") == "7 3\n" and printed(made, "3", "-10") == "0 3\n"


def test_words_vectors_and_what_the_library_does():
    word = t.Declare("string", (t.Declared("s"), t.Declared("b", t.Text(""))))
    body = (
        word,
        t.Read((S,), (t.Domain(1, 9, "abc"),)),
        t.ForEach(
            "char", "c", "s", (t.If(t.Binary("!=", t.Var("c"), t.Letter("a")), (t.Compound("+", B, t.Var("c")),)),)
        ),
        t.Reverse("b"),
        t.Assign(t.Item("b", t.Num(0)), t.Call("toupper", (t.Item("b", t.Num(0)),))),
        t.Print((B, t.Text(" "), t.Size("s", "size"), t.Binary("<", S, B))),
        t.Sort("s", True),
        t.Print((S, t.Text(" "), t.Binary("-", t.Item("s", t.Num(0)), t.Letter("a")))),
    )
    assert printed(program(*body), "abcab") == "Bcb 50\ncbbaa 2\n"  # small letters come after capital ones
    numbers = (
        t.DeclareVector("v"), t.Push("v", t.Num(3)), t.Push("v", t.Num(-4)), t.Push("v", t.Num(9)), t.Sort("v"),
        t.Swap(t.Item("v", t.Num(0)), t.Item("v", t.Num(2))), t.Step("--", t.Item("v", t.Num(1))),
        t.ForEach("int", "e", "v", (t.Print((t.Var("e"), t.Text(" ")), False),)),
        t.Print((t.Call("max", (t.Item("v", t.Num(0)), t.Num(5))), t.Call("abs", (t.Item("v", t.Num(2)),)))),
    )  # fmt: skip
    assert printed(program(*numbers)) == "9 2 -4 94\n"


def test_input_is_laid_out_by_loops():
    loop = t.For("i", t.Num(0), "<", A, (t.Read((B,), (t.Domain(5, 5),)),))
    made = program(*read("a", "b"), loop, t.Read((B,), (t.Domain(7, 7),)), t.Print((B,)))
    made = t.Program((), (made.body[0], t.Read((A,), (t.Domain(3, 3),)), *made.body[2:]))
    example = run(made, random.Random(0))
    assert example is not None and (example.input, example.output) == ("3\n5 5 5\n7\n", "7\n")


def test_parentheses_stand_where_they_are_needed():
    total, product = t.Binary("+", A, B), t.Binary("*", A, B)
    assert code_of(t.Binary("*", total, t.Num(2))) == "(a + b) * 2"
    assert code_of(t.Binary("-", A, t.Binary("-", B, t.Num(1)))) == "a - (b - 1)"
    assert code_of(t.Binary("-", product, t.Num(-3))) == "a * b - (-3)"
    both = t.Binary("&&", t.Binary("||", A, B), t.Binary("<", total, B))
    assert code_of(both) == "(a || b) && a + b < b"
    shown = program(t.Print((t.Binary("<", A, B), t.Ternary(A, t.Num(1), t.Num(2)))))
    assert "cout << (a < b) << (a ? 1 : 2) << endl;" in source_of(shown)
    assert "max(a, 3LL)" in source_of(program(t.Print((t.Call("max", (A, t.Num(3))),)), integer="long long"))


def test_layout_with_and_without_braces():
    step = t.Step("++", A)
    branch = t.If(t.Binary("<", A, B), (step,), (t.If(t.Binary("==", A, B), (step,), (t.Break(),)),))
    assert source_of(program(branch)) == (
        "int main() {\n  if (a < b) {\n    a++;\n  } else if (a == b) {\n    a++;\n  } else {\n    break;\n  }\n}\n"
    )
    plain = t.While(A, (t.If(B, (step,)),))
    assert source_of(program(plain), bare=True) == "int main() {\n  while (a) {\n    if (b)\n      a++;\n  }\n}\n"


def test_edits_are_single_and_compile_by_their_names():
    inner = t.If(t.Binary("<", A, B), (t.Compound("+", A, B),), (t.Step("++", A),))
    made = program(*read("a", "b"), inner, t.Print((A,)))
    sources = {source_of(mutant.program).replace("\n", "") for mutant in mutants(made, random.Random(0))}
    line = "int main() {  int a, b;  cin >> a >> b;  if (a < b) {    a += b;  } else {    a++;  }  cout << a << endl;}"
    assert line not in sources
    for old, new in [("<", "<="), ("<", ">"), ("+=", "-="), ("+=", "="), ("++", "--"), ("  cin >> a >> b;", "")]:
        assert (
            line.replace(f" {old} " if old in ("<", "+=") else old, f" {new} " if old in ("<", "+=") else new, 1)
            in sources
        )
    assert line.replace(" else {    a++;  }", "") in sources and line.replace("  cout << a << endl;", "") in sources


def test_edits_see_only_names_that_are_declared_there():
    for seed in range(60):
        made = programs.drawn(random.Random(seed))
        for mutant in mutants(made, random.Random(0)):
            if mutant.edit == "name":
                assert _undeclared(mutant.program) == set()


def _undeclared(made: t.Program) -> set[str]:
    """Names that a program uses before or outside of their declaration, read from its text by a loop over lines."""
    wrong, open_blocks = set(), [set()]
    for line in source_of(made).splitlines():
        new = re.findall(r"(?:int|long long|string|bool|char|vector<[^>]*>) (\w+)(?! \w)", line)
        new += re.findall(r", (\w+)", line) if re.match(r" *(int|long long|string) [^(]*;", line) else []
        words = set(re.findall(r"[a-z]\w*", re.sub(r"\"[^\"]*\"|'[^']*'", "", line)))
        if line.endswith("{"):
            open_blocks.append(set(new))
        else:
            open_blocks[-1] |= set(new)
        known = set().union(*open_blocks) | {f.name for f in made.functions} | _LANGUAGE
        wrong |= words - known
        if line.strip().startswith("}") and not line.endswith("{"):
            open_blocks.pop()
        elif line.strip().startswith("}"):
            del open_blocks[-2]
    return wrong


_LANGUAGE = set(
    "int long string bool char vector main cin cout endl if else for while do break continue return begin end rbegin rend size "
    "length push_back sort reverse swap min max abs toupper tolower".split()
)


@pytest.mark.parametrize("seed", range(3))
def test_the_tests_of_a_program_catch_its_edits(seed):
    rng, kept, tried, passed = random.Random(seed), 0, 0, 0
    while kept < 12:
        made = programs.drawn(rng)
        examples = chosen(made, rng)
        if examples is None:
            continue
        kept += 1
        assert 1 <= len(examples) <= 8 and len({example.input for example in examples}) == len(examples)
        assert all(printed(made, *e.words, fuel=5000) == e.output for e in examples)
        survivors = undetected(made, examples, rng)
        assert not any(mutant.edit == "dropped" for mutant in survivors)
        tried, passed = tried + len(list(mutants(made, rng))), passed + len(survivors)
        fresh = [example for _ in range(30) if (example := run(made, rng)) is not None]
        assert sum(any(differs(m.program, e, False) for e in fresh) for m in survivors) <= len(survivors)
    assert passed < 0.12 * tried


def test_a_program_with_a_statement_too_many_is_refused():
    idle = program(*read("a"), t.Assign(A, A), t.Print((A,)))
    assert chosen(idle, random.Random(0)) is None
    assert chosen(program(*read("a"), t.Print((A,))), random.Random(0)) is not None
    assert chosen(program(*read("a"), t.Print((t.Text("x"),))), random.Random(0)) is None


def test_pseudocode_follows_the_program_line_by_line():
    for prompt in itertools.islice(prompts("train"), 60):
        assert prompt.reference is not None
        described, written = prompt.text.split("\n"), prompt.reference.split("\n")
        assert len(described) == len(written) <= 20
        indents = [[len(line) - len(line.lstrip()) for line in lines] for lines in (described, written)]
        assert indents[0] == indents[1] and all(line.strip() for line in described)
        assert ";" not in prompt.text and "<<" not in prompt.text and "{}" not in prompt.text


def test_a_line_is_worded_in_several_ways():
    made = program(*read("a", "b"), t.If(t.Binary("<", A, B), (t.Swap(A, B),)), t.Print((A,)))
    texts = {Wording(random.Random(seed), "int").text(made) for seed in range(40)}
    assert len(texts) > 35
    assert {"    swap a and b", "    exchange a and b"} <= {line for text in texts for line in text.split("\n")}


def test_shapes_leave_names_and_constants_out():
    one = 'int f(int a) {\n  return a + 3;\n}\nint main() {\n  int n;\n  cin >> n;\n  cout << f(n) << "x" << endl;\n}\n'
    other = (
        one.replace("f(", "calc(")
        .replace("a +", "k +")
        .replace("int a", "int k")
        .replace("3", "17")
        .replace('"x"', '"y"')
    )
    assert shape(one) == shape(other) != shape(one.replace("+", "-"))


@pytest.mark.parametrize("count", [40, pytest.param(600, marks=pytest.mark.slow)])
def test_splits_share_no_shape(count):
    of = {split: list(itertools.islice(prompts(split), count)) for split in ("warm", "train", "validation", "test")}
    shapes = {split: {shape(without_braces(p.reference)) for p in drawn} for split, drawn in of.items()}
    for one, other in itertools.combinations(shapes, 2):
        assert not shapes[one] & shapes[other]


def without_braces(source: str | None) -> str:
    """Programs with and without braces around single statements are one shape."""
    return " ".join(re.sub("[{}]", " ", source or "").split())


def test_there_are_all_forms_of_statements():
    assert len(forms_of(500)) == 20


def forms_of(count: int) -> set[type]:
    statements = (
        t.Declare, t.DeclareVector, t.DeclareArray, t.Read, t.Print, t.Assign, t.Compound, t.Step, t.If, t.For, t.ForEach,
        t.While, t.DoWhile, t.Break, t.Continue, t.Push, t.Swap, t.Sort, t.Reverse, t.Return,
    )  # fmt: skip
    drawn = [programs.drawn(random.Random(seed)) for seed in range(count)]
    return {type(node) for made in drawn for node in t.walk(made) if isinstance(node, statements)}


def test_a_draft_is_the_same_by_seed():
    drafts = [make(random.Random(5)) for _ in range(2)]
    assert drafts[0] is not None and drafts[1] is not None
    assert drafts[0].finish() == drafts[1].finish()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_the_compiler_agrees():
    script = Path(__file__).parents[2] / "benchmarks" / "program_agreement.py"
    done = subprocess.run([sys.executable, str(script), "count=60", "sanitize=1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "60 programs of train" in done.stdout and "0 disagree" in done.stdout
