"""Programs on words."""

from __future__ import annotations

from rlsf_lightning.prompts.sources.pseudocode_cpp import tree as t
from rlsf_lightning.prompts.sources.pseudocode_cpp.grammar.numbers import declared, shown, start
from rlsf_lightning.prompts.sources.pseudocode_cpp.grammar.scope import Scope
from rlsf_lightning.prompts.sources.pseudocode_cpp.grammar.updates import simple

_ALPHABETS = ("abc", "abcde", "ab", "xyz", "aeiou", "0123456789", "ABab", "01", "RGB", "LR")


class Word:
    """A string that has been read."""

    def __init__(self, scope: Scope, least: int = 1, alphabet: str = "") -> None:
        self.alphabet = alphabet or scope.rng.choice(_ALPHABETS)
        self.var = t.Var(scope.name("text"))
        self.size = t.Size(self.var.name, scope.rng.choice(("size", "length")))
        domain = t.Domain(least, 8, self.alphabet)
        self.body: t.Block = (t.Declare("string", (t.Declared(self.var.name),)), t.Read((self.var,), (domain,)))
        self._letter = scope.rng.choice(self.alphabet)

    def at(self, index: t.Node) -> t.Item:
        return t.Item(self.var.name, index)

    def letter(self, scope: Scope) -> t.Letter:
        return t.Letter(scope.rng.choice(self.alphabet))

    def condition(self, scope: Scope, item: t.Node) -> t.Node:
        """Of a letter of the word."""
        one = t.Binary(scope.rng.choice(("==", "==", "!=")), item, self.letter(scope))
        other = t.Binary("==", item, self.letter(scope))
        if scope.chance(0.25) and one.right != other.right:
            return t.Binary("||" if one.op == "==" else "&&", one, t.Binary(one.op, item, other.right))
        return one


def letters_counted(scope: Scope) -> t.Block:
    """Letters, or neighbours, that fulfil a condition are counted."""
    has_neighbours = scope.chance(0.3)
    word = Word(scope, 2 if has_neighbours else 1)
    result, index = t.Var(scope.name("result")), t.Var(scope.name("index"))
    begin: t.Node = t.Num(0)
    letter = t.Var("c")
    is_each = not has_neighbours and scope.chance(0.3)
    if has_neighbours:
        begin = t.Num(1)
        before = word.at(t.Binary("-", index, t.Num(1)))
        condition: t.Node = t.Binary(scope.rng.choice(("==", "!=", "<", ">")), word.at(index), before)
    else:
        condition = word.condition(scope, letter if is_each else word.at(index))
    found: t.Node = t.Step("++", result)
    if scope.chance(0.3):
        found = simple(scope, result, [scope.number(2, 5)] if is_each else [index])
    branch = t.If(condition, (found,), (t.Step("--", result),) if scope.chance(0.2) else ())
    body = (*word.body, declared(scope, result, value=start(scope)))
    loop: t.Node = t.For(index.name, begin, "<", word.size, (branch,))
    if is_each:
        loop = t.ForEach("char", letter.name, word.var.name, (branch,))
    if scope.chance(0.25):
        answers = t.Print((t.Text("YES"),)), t.Print((t.Text("NO"),))
        return (*body, loop, t.If(scope.condition([result]), (answers[0],), (answers[1],)))
    return (*body, loop, shown(scope, result))


def digits_of_word(scope: Scope) -> t.Block:
    """The digits of a word as numbers."""
    word = Word(scope, 1, "0123456789")
    result, index = t.Var(scope.name("result")), t.Var(scope.name("index"))
    digit = t.Binary("-", word.at(index), t.Letter("0"))
    inner: t.Node = t.Compound("+", result, digit)
    if scope.chance(0.5):
        guard = t.Binary(scope.rng.choice(("<", ">", "==", "!=")), word.at(index), word.letter(scope))
        inner = t.If(guard, (inner,))
    loop = t.For(index.name, t.Num(0), "<", word.size, (inner,))
    return (*word.body, declared(scope, result, value=start(scope)), loop, shown(scope, result))


def built(scope: Scope) -> t.Block:
    """A second word is made of the letters of the first."""
    word = Word(scope, 2)
    made, index = t.Var(scope.name("text")), t.Var(scope.name("index"))
    letter = word.at(index)
    add: t.Node = t.Compound("+", made, letter)
    if scope.chance(0.3):
        add = t.Assign(made, t.Binary("+", made, letter))
    kind = scope.rng.random()
    if kind < 0.4:
        add = t.If(word.condition(scope, letter), (add,))
    elif kind < 0.7:
        other = t.Compound("+", made, word.letter(scope))
        add = t.If(word.condition(scope, letter), (add,), (other,))
    loop = t.For(index.name, t.Num(0), "<", word.size, (add,))
    if kind >= 0.7 or scope.chance(0.25):
        loop = t.For(index.name, t.Binary("-", word.size, t.Num(1)), ">=", t.Num(0), (add,), True)
    body = (*word.body, t.Declare("string", (t.Declared(made.name, t.Text(scope.rng.choice(("", "", "#")))),)), loop)
    if kind >= 0.7 and scope.chance(0.6):
        yes, no = t.Print((t.Text("YES"),)), t.Print((t.Text("NO"),))
        return (*body, t.If(t.Binary("==", word.var, made), (yes,), (no,)))
    parts = (made,) if scope.chance(0.7) else (made, t.Size(made.name, word.size.method))
    return (*body, shown(scope, *parts))


def rewritten(scope: Scope) -> t.Block:
    """Letters of the word are replaced, or the word is put into another order."""
    word = Word(scope, 2)
    index = t.Var(scope.name("index"))
    body, item = word.body, word.at(index)
    if scope.chance(0.75):
        if word.alphabet.isalpha() and scope.chance(0.4):
            change: t.Node = t.Assign(item, t.Call("toupper" if word.alphabet.islower() else "tolower", (item,)))
            guard: t.Node = scope.condition([index], 0)
        else:
            change, guard = t.Assign(item, t.Letter(scope.rng.choice(word.alphabet + "x"))), word.condition(scope, item)
        body = (*body, t.For(index.name, t.Num(0), "<", word.size, (t.If(guard, (change,)),)))
    if len(body) == len(word.body) or scope.chance(0.3):
        name = word.var.name
        body = (*body, scope.rng.choice((t.Sort(name), t.Sort(name, True), t.Reverse(name))))
    if scope.chance(0.3):
        return (*body, t.Print((word.at(t.Num(0)), word.at(t.Binary("-", word.size, t.Num(1))))))
    return (*body, shown(scope, word.var))


def two_words(scope: Scope) -> t.Block:
    """Two words are compared, swapped, joined."""
    one, other = Word(scope, 1, "ab"), Word(scope, 1, "ab")
    declaration = t.Declare("string", (t.Declared(one.var.name), t.Declared(other.var.name)))
    domain = t.Domain(1, 4, "ab")
    body: t.Block = (declaration, t.Read((one.var, other.var), (domain, domain)))
    sizes = one.size, other.size
    compared = t.Binary(scope.rng.choice(("<", ">", "==", "!=")), *scope.rng.choice(((one.var, other.var), sizes)))
    joined = t.Binary("+", one.var, other.var)
    kind = scope.rng.random()
    if kind < 0.4:
        return (*body, t.If(compared, (t.Swap(one.var, other.var),)), t.Print((joined,)))
    if kind < 0.7:
        return (*body, t.If(compared, (t.Print((one.var,)),), (t.Print((other.var,)),)))
    turned = t.If(compared, (t.Reverse(one.var.name),), (t.Reverse(other.var.name),))
    return (*body, turned, shown(scope, one.var, other.var))
