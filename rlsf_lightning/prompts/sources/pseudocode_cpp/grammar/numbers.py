"""Programs on a few numbers: branches, counting loops, digits, nested loops, functions."""

from __future__ import annotations

from rlsf_lightning.prompts.sources.pseudocode_cpp import tree as t
from rlsf_lightning.prompts.sources.pseudocode_cpp.grammar.scope import Scope
from rlsf_lightning.prompts.sources.pseudocode_cpp.grammar.updates import guarded, loop_body, simple, update

_SMALL, _SIGNED, _LARGE = t.Domain(1, 12), t.Domain(-20, 20), t.Domain(1, 9999)
_WORDS = (("YES", "NO"), ("Yes", "No"), ("even", "odd"), ("small", "large"), ("first", "second"), ("win", "lose"))


def declared(scope: Scope, *variables: t.Var, value: t.Node | None = None) -> t.Declare:
    """A declaration of whole numbers, all with the same value."""
    return t.Declare(scope.integer, tuple(t.Declared(variable.name, value) for variable in variables))


def inputs(scope: Scope, count: int, domain: t.Domain) -> tuple[list[t.Var], t.Block]:
    """New variables, and the statements that declare and read them."""
    read = [t.Var(scope.name("number")) for _ in range(count)]
    if count > 1 and scope.chance(0.3):
        return read, (declared(scope, *read), *(t.Read((one,), (domain,)) for one in read))
    return read, (declared(scope, *read), t.Read(tuple(read), (domain,) * count))


def shown(scope: Scope, *values: t.Node) -> t.Print:
    """Values on a line, with blanks between them."""
    parts: list[t.Node] = []
    for value in values:
        parts += [t.Text(" "), value] if parts else [value]
    return t.Print(tuple(parts))


def start(scope: Scope) -> t.Num:
    return t.Num(scope.rng.choice((0, 0, 0, 0, 1, scope.rng.randint(2, 20))))


def formula(scope: Scope) -> t.Block:
    """Numbers are read, and one or two made of them printed."""
    read, body = inputs(scope, scope.rng.choice((1, 2, 2, 3)), _SIGNED)
    if scope.chance(0.5):
        made = t.Var(scope.name("result"))
        body = (*body, declared(scope, made, value=scope.amount(read, 2)))
        read = [made, *read] if scope.chance(0.4) else [made]
        return (*body, shown(scope, *read))
    values = {scope.amount(read, 2): None for _ in range(scope.rng.choice((1, 1, 2)))}
    return (*body, shown(scope, *values))


def changes(scope: Scope) -> t.Block:
    """Numbers are read and changed step by step."""
    read, body = inputs(scope, scope.rng.choice((1, 2, 2, 3)), _SIGNED)
    if len(read) > 1 and scope.chance(0.4):
        swap: t.Node = t.Swap(read[0], read[1])
        if scope.chance(0.8):
            swap = t.If(t.Binary(scope.rng.choice("<>"), read[0], read[1]), (swap,))
        body = (*body, swap)
    for _ in range(scope.rng.choice((1, 1, 2, 2, 3))):
        body = (*body, update(scope, scope.rng.choice(read), read))
    return (*body, shown(scope, *read))


def choice(scope: Scope) -> t.Block:
    """A word is printed that depends on conditions."""
    read, body = inputs(scope, scope.rng.choice((1, 2, 2, 3)), _SIGNED)
    yes, no = scope.rng.choice(_WORDS)
    if scope.chance(0.25):
        truth = t.Var(scope.name("truth"))
        body = (*body, t.Declare("bool", (t.Declared(truth.name, scope.condition(read)),)))
        condition: t.Node = truth
    else:
        condition = scope.condition(read)
    then, other = t.Print((t.Text(yes),)), t.Print((t.Text(no),))
    if scope.chance(0.3):
        third = t.Print((scope.amount(read),)) if scope.chance(0.6) else t.Print((t.Text("equal"),))
        return (*body, t.If(condition, (then,), (t.If(scope.condition(read), (third,), (other,)),)))
    if scope.chance(0.2):
        return (*body, t.Print((t.Ternary(condition, t.Text(yes), t.Text(no)),)))
    return (*body, t.If(condition, (then,), (other,)))


def counting(scope: Scope) -> t.Block:
    """A result is gathered over a range."""
    read, body = inputs(scope, scope.rng.choice((1, 1, 2)), _SMALL)
    result, index = t.Var(scope.name("result")), t.Var(scope.name("index"))
    inner = loop_body(scope, result, [index, *read] if scope.chance(0.5) else [index])
    return (
        *body,
        declared(scope, result, value=start(scope)),
        counted(scope, index, read, inner),
        shown(scope, result),
    )


def counted(scope: Scope, index: t.Var, read: list[t.Var], body: t.Block) -> t.For:
    """A loop over a range that the numbers read decide on."""
    last = read[-1]
    kind = scope.rng.random()
    if kind < 0.25:
        return t.For(index.name, last, ">=", scope.rng.choice((t.Num(1), t.Num(0))), body, goes_down=True)
    if len(read) > 1 and kind < 0.5:
        return t.For(index.name, read[0], "<=", t.Binary("+", read[0], last), body)
    if kind < 0.75:
        return t.For(index.name, t.Num(scope.rng.choice((0, 1, 1, 2))), "<=", last, body)
    return t.For(index.name, t.Num(scope.rng.choice((0, 0, 1))), "<", last, body)


def digits(scope: Scope) -> t.Block:
    """A number is taken apart."""
    (number,), body = inputs(scope, 1, _LARGE)
    result = t.Var(scope.name("result"))
    base = t.Num(scope.rng.choice((10, 10, 10, 2, 3, 100)))
    digit = t.Binary("%", number, base)
    body = (*body, declared(scope, result, value=start(scope)))
    if scope.chance(0.4):
        named = t.Var(scope.name("number"))
        taken: t.Block = (declared(scope, named, value=digit), update(scope, result, [named]))
    else:
        taken = (update(scope, result, [digit]),)
    less = t.Compound("/", number, base) if scope.chance(0.6) else t.Assign(number, t.Binary("/", number, base))
    if scope.chance(0.3):
        return (*body, t.DoWhile((*taken, less), t.Binary(">", number, t.Num(0))), shown(scope, result))
    end = t.Binary(*scope.rng.choice(((">", number, t.Num(0)), ("!=", number, t.Num(0)))))
    return (*body, t.While(end, (*taken, less)), shown(scope, result))


def until(scope: Scope) -> t.Block:
    """A number changes until a condition holds; the steps are counted, or something is gathered."""
    read, body = inputs(scope, scope.rng.choice((1, 2)), t.Domain(1, 60))
    number, result = read[0], t.Var(scope.name("result"))
    kind = scope.rng.random()
    if kind < 0.35:
        half = t.Compound("/", number, scope.number(2, 4))
        step: t.Node = half if scope.chance(0.4) else t.If(
            t.Binary("==", t.Binary("%", number, t.Num(2)), t.Num(0)),
            (t.Compound("/", number, t.Num(2)),),
            (scope.rng.choice((t.Step("--", number), t.Compound("-", number, t.Num(1)))),),
        )  # fmt: skip
        condition = t.Binary(">", number, t.Num(scope.rng.choice((0, 1, 1, 5))))
    elif kind < 0.7:
        step = t.Compound("-", number, scope.number(2, 7) if len(read) == 1 else read[1])
        condition = t.Binary(scope.rng.choice((">", ">=")), number, scope.number(0, 9) if len(read) == 1 else read[1])
    else:
        step = scope.rng.choice((t.Compound("*", number, scope.number(2, 3)), t.Compound("+", number, number)))
        condition = t.Binary(scope.rng.choice(("<", "<=")), number, t.Num(scope.rng.choice((50, 100, 500, 1000))))
    body = (*body, declared(scope, result, value=start(scope)))
    gathered = t.Step("++", result) if scope.chance(0.5) else simple(scope, result, read)
    loop = t.DoWhile((step, gathered), condition) if scope.chance(0.25) else t.While(condition, (step, gathered))
    return (*body, loop, shown(scope, *([result, number] if scope.chance(0.3) else [result])))


def common_divisor(scope: Scope) -> t.Block:
    """Euclid's algorithm, and something made of what it gives."""
    (one, other), body = inputs(scope, 2, t.Domain(1, 60))
    rest = t.Var(scope.name("number"))
    loop = t.While(
        t.Binary(*scope.rng.choice(((">", other, t.Num(0)), ("!=", other, t.Num(0))))),
        (declared(scope, rest, value=t.Binary("%", one, other)), t.Assign(one, other), t.Assign(other, rest)),
    )
    if scope.chance(0.3):
        return (*body, loop, t.If(scope.condition([one]), (t.Print((t.Text("YES"),)),), (t.Print((t.Text("NO"),)),)))
    return (*body, loop, shown(scope, one if scope.chance(0.4) else scope.amount([one])))


def nested(scope: Scope) -> t.Block:
    """A loop in a loop: a sum over pairs, or lines of numbers."""
    read, body = inputs(scope, scope.rng.choice((1, 1, 2)), t.Domain(1, 6))
    outer, inner = t.Var(scope.name("index")), t.Var(scope.name("index"))
    begin = t.Num(scope.rng.choice((0, 1, 1)))
    ends: tuple[tuple[str, t.Node], ...] = (("<=", outer), ("<", outer), ("<=", read[-1]), ("<", read[-1]))
    op, end = scope.rng.choice(ends)
    atoms = [outer, inner]
    if scope.chance(0.5):
        item = scope.amount(atoms, 2)
        row = t.For(inner.name, begin, op, end, (t.Print((item, t.Text(" ")), ends_line=False),))
        line = t.Print((), ends_line=True)
        return (*body, t.For(outer.name, t.Num(1), "<=", read[0], (row, line)))
    result = t.Var(scope.name("result"))
    row = t.For(inner.name, begin, op, end, (update(scope, result, atoms),))
    body = (*body, declared(scope, result, value=start(scope)))
    return (*body, t.For(outer.name, t.Num(1), "<=", read[0], (row,)), shown(scope, result))


def function(scope: Scope) -> t.Function:
    """A function of one or two numbers; the program can call it from then on."""
    name = scope.name("function")
    parameters = [t.Var(scope.name("number")) for _ in range(scope.rng.choice((1, 1, 2)))]
    kind = scope.rng.random()
    if kind < 0.35:
        body: t.Block = (t.Return(scope.amount(parameters, 2)),)
    elif kind < 0.65:
        body = (
            t.If(scope.condition(parameters), (t.Return(scope.amount(parameters)),)),
            t.Return(scope.amount(parameters)),
        )
    elif kind < 0.8:
        body = (guarded(scope, parameters[0], parameters), t.Return(parameters[0]))
    else:
        result, index = t.Var(scope.name("result")), t.Var(scope.name("index"))
        loop = t.For(index.name, t.Num(1), "<=", parameters[0], (update(scope, result, [index, *parameters]),))
        body = (declared(scope, result, value=start(scope)), loop, t.Return(result))
        scope.used -= {result.name, index.name}
    scope.functions.append((name, len(parameters)))
    scope.used -= {parameter.name for parameter in parameters}
    return t.Function(name, tuple(parameter.name for parameter in parameters), body)


def calls(scope: Scope) -> t.Block:
    """A function is called, once, twice or in a loop."""
    name, arity = scope.functions[-1]
    read, body = inputs(scope, scope.rng.choice((1, 2, 2)) if arity == 1 else 2, _SMALL)
    kind = scope.rng.random()
    if kind < 0.45:
        result, index = t.Var(scope.name("result")), t.Var(scope.name("index"))
        arguments: list[t.Node] = [index, *read, scope.number(1, 5)][:arity]
        gathered = t.Compound("+", result, t.Call(name, tuple(arguments)))
        loop = counted(scope, index, read, (gathered,))
        return (*body, declared(scope, result, value=start(scope)), loop, shown(scope, result))
    first = t.Call(name, tuple(read[:arity]))
    if kind < 0.6:
        return (*body, shown(scope, t.Call(name, (first, *read[1:arity]))))
    if kind < 0.8 and len(read) > 1:
        return (*body, shown(scope, t.Binary(scope.rng.choice("+-*"), first, t.Call(name, tuple(read[::-1][:arity])))))
    return (*body, shown(scope, first))
