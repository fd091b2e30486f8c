"""Programs on many numbers: arrays and vectors, numbers that are read one by one."""

from __future__ import annotations

from rlsf_lightning.prompts.sources.pseudocode_cpp import tree as t
from rlsf_lightning.prompts.sources.pseudocode_cpp.grammar.numbers import counted, declared, inputs, shown, start
from rlsf_lightning.prompts.sources.pseudocode_cpp.grammar.scope import Scope
from rlsf_lightning.prompts.sources.pseudocode_cpp.grammar.updates import loop_body, simple, update

_COUNT, _ITEM = t.Domain(1, 7), t.Domain(-15, 25)


class Items:
    """An array or a vector that has been read. ``count``: the variable with its number of items."""

    def __init__(self, scope: Scope, least: int = 1, *, is_vector: bool | None = None) -> None:
        (self.count,), body = inputs(scope, 1, t.Domain(least, _COUNT.high))
        self.name = scope.name("numbers")
        self.is_vector = scope.chance(0.6) if is_vector is None else is_vector
        index = t.Var(scope.name("index"))
        scope.used.discard(index.name)
        store: t.Node = t.DeclareVector(self.name, self.count) if self.is_vector else t.DeclareArray(self.name, 100)
        read = t.For(index.name, t.Num(0), "<", self.count, (t.Read((t.Item(self.name, index),), (_ITEM,)),))
        self.body: t.Block = (*body, store, read)

    def at(self, index: t.Node) -> t.Item:
        return t.Item(self.name, index)

    def end(self, scope: Scope) -> t.Node:
        """How many items there are, as a loop asks."""
        return t.Size(self.name, "size") if self.is_vector and scope.chance(0.25) else self.count


def gathered(scope: Scope) -> t.Block:
    """A result is gathered over the items, or over neighbours."""
    has_neighbours = scope.chance(0.25)
    items = Items(scope, 2 if has_neighbours else 1)
    result, index = t.Var(scope.name("result")), t.Var(scope.name("index"))
    item = items.at(index)
    body = items.body
    if items.is_vector and scope.chance(0.2):
        body = (*body, t.Sort(items.name, scope.chance(0.4)))
    atoms: list[t.Node] = [item]
    begin = 0
    if has_neighbours:
        atoms, begin = [item, items.at(t.Binary("-", index, t.Num(1)))], 1
    elif scope.chance(0.3):
        atoms = [item, index]
    elif items.is_vector and scope.chance(0.3):
        each = t.Var("x" if "x" not in scope.used else "e")
        loop: t.Node = t.ForEach(scope.integer, each.name, items.name, loop_body(scope, result, [each]))
        return (*body, declared(scope, result, value=start(scope)), loop, shown(scope, result))
    loop = t.For(index.name, t.Num(begin), "<", items.end(scope), loop_body(scope, result, atoms))
    return (*body, declared(scope, result, value=start(scope)), loop, shown(scope, result))


def extreme(scope: Scope) -> t.Block:
    """The largest or smallest item, or where it stands."""
    items = Items(scope, 2)
    best, index = t.Var(scope.name("result")), t.Var(scope.name("index"))
    op = scope.rng.choice("<>")
    if scope.chance(0.35):
        item: t.Node = items.at(best)
        inner: t.Node = t.If(t.Binary(op, items.at(index), item), (t.Assign(best, index),))
        first: t.Node = t.Num(0)
        final: t.Node = t.Binary("+", best, t.Num(1)) if scope.chance(0.5) else best
    else:
        name = "min" if op == "<" else "max"
        replaced = t.Assign(best, t.Call(name, (best, items.at(index))))
        branch = t.If(t.Binary(op, items.at(index), best), (t.Assign(best, items.at(index)),))
        inner, first, final = scope.rng.choice((replaced, branch)), items.at(t.Num(0)), best
    loop = t.For(index.name, t.Num(1), "<", items.end(scope), (inner,))
    final = scope.amount([best]) if final == best and scope.chance(0.3) else final
    return (*items.body, declared(scope, best, value=first), loop, shown(scope, final))


def changed(scope: Scope) -> t.Block:
    """The items are changed, put into another order, and printed."""
    items = Items(scope, 2)
    index = t.Var(scope.name("index"))
    body, item = items.body, items.at(index)
    if scope.chance(0.7) or not items.is_vector:
        inner = update(scope, item, [item, index] if scope.chance(0.5) else [item])
        body = (*body, t.For(index.name, t.Num(0), "<", items.end(scope), (inner,)))
    if items.is_vector and (len(body) == len(items.body) or scope.chance(0.4)):
        order = (t.Sort(items.name), t.Sort(items.name, True), t.Reverse(items.name))
        body = (*body, scope.rng.choice(order))
    if scope.chance(0.2):
        ends = items.at(t.Num(0)), items.at(t.Binary("-", items.count, t.Num(1)))
        return (*body, shown(scope, *ends) if scope.chance(0.5) else shown(scope, t.Binary("-", *ends)))
    printed = t.Print((item, t.Text(" ")), ends_line=False)
    if scope.chance(0.3):
        return (*body, t.For(index.name, t.Binary("-", items.count, t.Num(1)), ">=", t.Num(0), (printed,), True))
    return (*body, t.For(index.name, t.Num(0), "<", items.end(scope), (printed,)))


def filtered(scope: Scope) -> t.Block:
    """Some of the numbers go into a vector, which is printed with its size."""
    (count,), body = inputs(scope, 1, _COUNT)
    kept, index = scope.name("numbers"), t.Var(scope.name("index"))
    (number,), one = inputs(scope, 1, _ITEM)
    push: t.Node = t.Push(kept, number if scope.chance(0.6) else scope.amount([number]))
    if scope.chance(0.8):
        push = t.If(scope.condition([number]), (push,))
    body = (*body, t.DeclareVector(kept), t.For(index.name, t.Num(0), "<", count, (*one, push)))
    if scope.chance(0.3):
        body = (*body, scope.rng.choice((t.Sort(kept), t.Sort(kept, True), t.Reverse(kept))))
    show = shown(scope, t.Size(kept, "size"))
    each = t.Var("e")
    loop = t.ForEach(scope.integer, each.name, kept, (t.Print((each, t.Text(" ")), ends_line=False),))
    return (*body, show, loop) if scope.chance(0.8) else (*body, loop, t.Print((t.Text("end"),)))


def pairs(scope: Scope) -> t.Block:
    """Pairs of items that fulfil a condition are counted."""
    items = Items(scope, 2)
    result = t.Var(scope.name("result"))
    one, other = t.Var(scope.name("index")), t.Var(scope.name("index"))
    atoms = [items.at(one), items.at(other)]
    found = t.Step("++", result) if scope.chance(0.7) else simple(scope, result, atoms)
    inner = t.If(scope.condition(atoms), (found,))
    begin: t.Node = t.Binary("+", one, t.Num(1))
    loop = t.For(one.name, t.Num(0), "<", items.count, (t.For(other.name, begin, "<", items.count, (inner,)),))
    return (*items.body, declared(scope, result, value=start(scope)), loop, shown(scope, result))


def stream(scope: Scope) -> t.Block:
    """Numbers are read one by one, so many as the first says; a result is kept, or each is answered."""
    (count,), body = inputs(scope, 1, _COUNT)
    index = t.Var(scope.name("index"))
    read, one = inputs(scope, scope.rng.choice((1, 1, 2)), _ITEM)
    if scope.chance(0.4):
        yes, no = scope.rng.choice((("YES", "NO"), ("Yes", "No"), ("good", "bad")))
        then, other = t.Print((t.Text(yes),)), t.Print((t.Text(no),))
        answer: t.Node = t.If(scope.condition(read), (then,), (other,))
        answer = t.Print((scope.amount(read, 2),)) if scope.chance(0.4) else answer
        return (*body, t.For(index.name, t.Num(0), "<", count, (*one, answer)))
    result = t.Var(scope.name("result"))
    loop = counted_reads(scope, count, index, (*one, *loop_body(scope, result, read)))
    return (*body, declared(scope, result, value=start(scope)), loop, shown(scope, result))


def counted_reads(scope: Scope, count: t.Var, index: t.Var, body: t.Block) -> t.Node:
    """So many rounds; every one reads."""
    if scope.chance(0.3) and not any(isinstance(node, t.Continue) for part in body for node in t.walk(part)):
        return t.While(t.Binary(">", count, t.Num(0)), (*body, t.Step("--", count)))
    return counted(scope, index, [count], body)


def sentinel(scope: Scope) -> t.Block:
    """Numbers are read up to a 0."""
    number, result = t.Var(scope.name("number")), t.Var(scope.name("result"))
    read = t.Read((number,), (t.Domain(-3, 6),))
    body: t.Block = (declared(scope, number), declared(scope, result, value=start(scope)), read)
    loop = t.While(t.Binary("!=", number, t.Num(0)), (update(scope, result, [number]), read))
    return (*body, loop, shown(scope, result))
