"""Runs a program of the tree, as a C++ program would run, as long as the C++ standard says what it does.

Numbers are checked against their type, indices against sizes, divisors against 0, reads of variables against values that
were never given, and a run has a budget of statements. A string is a list of characters here, a character a ``str``.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from rlsf_lightning.prompts.sources.pseudocode_cpp import tree as t

#: The largest number of each type.
LARGEST = {"int": 2**31 - 1, "long long": 2**63 - 1}
#: Calls within calls.
MOST_CALLS = 50
_BREAK, _CONTINUE, _RETURN = "break", "continue", "return"


class Undefined(Exception):
    """The standard does not say what the program does, or it does not end in time."""


class OutOfFuel(Undefined):
    """More statements than the budget."""


class Inputs:
    """Draws what is read from the domains of the program, or gives the words of an earlier run again.

    ``near``: numbers of the program; what is drawn lies near them more often than elsewhere.
    ``text`` holds what was read: words that are read in a loop in one line.
    """

    def __init__(
        self, rng: random.Random | None = None, words: tuple[str, ...] = (), near: tuple[int, ...] = ()
    ) -> None:
        self.rng, self.given, self.near, self.words = rng, words, near, list[str]()
        self.text = ""
        self._was_in_loop = False

    def next(self, domain: t.Domain, in_loop: bool) -> str | None:
        """The next word; None at the end of what is given."""
        if self.rng is None:
            if len(self.words) == len(self.given):
                return None
            word = self.given[len(self.words)]
        else:
            word = drawn(domain, self.rng, self.near)
        self.words.append(word)
        if self.text:
            self.text += " " if in_loop and self._was_in_loop else "\n"
        self.text += word
        self._was_in_loop = in_loop
        return word


def drawn(domain: t.Domain, rng: random.Random, near: tuple[int, ...] = ()) -> str:
    """A word of the domain: the ends of the range, small numbers and those at or beside ``near`` are likelier than others."""
    if domain.alphabet:
        length = rng.randint(domain.low, domain.high)
        letters = rng.sample(domain.alphabet, rng.randint(1, len(domain.alphabet)))
        return "".join(rng.choice(letters) for _ in range(length))
    kind = rng.random()
    if kind < 0.1:
        return str(rng.choice((domain.low, domain.high)))
    if kind < 0.4 and near:
        number = rng.choice(near) + rng.choice((-1, 0, 0, 1))
        if domain.low <= number <= domain.high:
            return str(number)
    if kind < 0.5:
        return str(rng.randint(domain.low, min(domain.high, max(0, domain.low) + 6)))
    return str(rng.randint(domain.low, domain.high))


class Interpreter:
    """One run of a program.

    Args:
        inputs: where words are read from.
        fuel: most statements and loop conditions.
        is_lenient: read what is undefined as 0 and go on, as compiled programs mostly do, but for what ends them.
    """

    def __init__(self, program: t.Program, inputs: Inputs, fuel: int, *, is_lenient: bool = False) -> None:
        self.program, self.inputs, self.fuel, self.is_lenient = program, inputs, fuel, is_lenient
        self.functions = {function.name: function for function in program.functions}
        self.largest = LARGEST[program.integer]
        self.output: list[str] = []
        self.loops = self.calls = 0
        self.scope: dict[str, Any] = {}
        self.returned: Any = None

    def run(self) -> str:
        """What the program prints. Raises Undefined."""
        self.block(self.program.body)
        return "".join(self.output)

    # --- statements ---------------------------------------------------------------------------------------------------

    def block(self, body: t.Block) -> str | None:
        """Run statements up to one that leaves the block; how it was left."""
        for statement in body:
            self.fuel -= 1
            if self.fuel < 0:
                raise OutOfFuel
            left = _STATEMENTS[type(statement)](self, statement)
            if left is not None:
                return left
        return None

    def declare(self, node: t.Declare) -> None:
        for part in node.parts:
            if part.value is None:
                self.scope[part.name] = [] if node.type == "string" else None
            else:
                self.scope[part.name] = self.converted(node.type, self.value(part.value))

    def declare_vector(self, node: t.DeclareVector) -> None:
        size = 0 if node.size is None else self.value(node.size)
        if not 0 <= size <= 10_000:
            raise Undefined
        self.scope[node.name] = [0] * size

    def declare_array(self, node: t.DeclareArray) -> None:
        self.scope[node.name] = [None] * node.size

    def read(self, node: t.Read) -> None:
        for target, domain in zip(node.targets, node.domains, strict=True):
            word = self.inputs.next(domain, self.loops > 0)
            if word is None:
                return self.undefined(None)
            if domain.alphabet:
                self.store(target, list(word))
            else:
                self.store(target, int(word) if word.lstrip("-").isdigit() else self.undefined(0))

    def print(self, node: t.Print) -> None:
        for part in node.parts:
            value = self.value(part)
            self.output.append("".join(value) if isinstance(value, list | str) else str(int(value)))
        if node.ends_line:
            self.output.append("\n")

    def assign(self, node: t.Assign) -> None:
        self.store(node.target, self.value(node.value))

    def compound(self, node: t.Compound) -> None:
        self.store(node.target, self.combined(node.op, self.value(node.target), self.value(node.value)))

    def step(self, node: t.Step) -> None:
        self.store(node.target, self.combined(node.op[0], self.value(node.target), 1))

    def branch(self, node: t.If) -> str | None:
        return self.block(node.then if self.value(node.condition) else node.other)

    def loop(self, condition: Callable[[], Any], body: t.Block, after: Callable[[], Any], is_first_free: bool) -> Any:
        self.loops += 1
        while is_first_free or condition():
            is_first_free = False
            self.fuel -= 1
            if self.fuel < 0:
                raise OutOfFuel
            left = self.block(body)
            if left == _RETURN:
                self.loops -= 1
                return left
            if left == _BREAK:
                break
            after()
        self.loops -= 1
        return None

    def for_(self, node: t.For) -> str | None:
        self.scope[node.name] = self.value(node.start)
        condition = t.Binary(node.op, t.Var(node.name), node.stop)
        step = t.Step("--" if node.goes_down else "++", t.Var(node.name))
        return self.loop(lambda: self.value(condition), node.body, lambda: self.step(step), False)

    def for_each(self, node: t.ForEach) -> str | None:
        items, at = self.scope[node.items], 0

        def has_next() -> bool:
            nonlocal at
            if at == len(items):
                return False
            self.scope[node.name] = items[at]
            at += 1
            return True

        return self.loop(has_next, node.body, lambda: None, False)

    def while_(self, node: t.While) -> str | None:
        return self.loop(lambda: self.value(node.condition), node.body, lambda: None, False)

    def do_while(self, node: t.DoWhile) -> str | None:
        return self.loop(lambda: self.value(node.condition), node.body, lambda: None, True)

    def push(self, node: t.Push) -> None:
        self.scope[node.name].append(self.value(node.value))

    def swap(self, node: t.Swap) -> None:
        left, right = self.value(node.left), self.value(node.right)
        self.store(node.left, right)
        self.store(node.right, left)

    def sort(self, node: t.Sort) -> None:
        items = self.scope[node.name]
        if None in items:
            items[:] = [self.undefined(0) if item is None else item for item in items]
        items.sort(reverse=node.is_descending)

    def reverse(self, node: t.Reverse) -> None:
        self.scope[node.name].reverse()

    def return_(self, node: t.Return) -> str:
        self.returned = self.value(node.value)
        return _RETURN

    def store(self, target: t.Node, value: Any) -> None:
        if isinstance(target, t.Item):
            items, index = self.scope[target.name], self.value(target.index)
            if 0 <= index < len(items):
                items[index] = value
            else:
                self.undefined(None)
        else:
            assert isinstance(target, t.Var)
            is_string = isinstance(self.scope.get(target.name), list)
            self.scope[target.name] = list(value) if is_string else value  # a copy, also of a single character

    # --- expressions --------------------------------------------------------------------------------------------------

    def value(self, node: t.Node) -> Any:
        """A number, a truth value, a character (``str``) or a string (a list of characters)."""
        return _EXPRESSIONS[type(node)](self, node)

    def variable(self, node: t.Var) -> Any:
        value = self.scope.get(node.name)
        return self.undefined(0) if value is None else value

    def item(self, node: t.Item) -> Any:
        items, index = self.scope[node.name], self.value(node.index)
        if not 0 <= index < len(items):
            return self.undefined("\0" if items and isinstance(items[0], str) else 0)
        return self.undefined(0) if items[index] is None else items[index]

    def size(self, node: t.Size) -> int:
        return len(self.scope[node.name])

    def binary(self, node: t.Binary) -> Any:
        op, left = node.op, self.value(node.left)
        if op == "&&":
            return bool(left) and bool(self.value(node.right))
        if op == "||":
            return bool(left) or bool(self.value(node.right))
        right = self.value(node.right)
        if op in _COMPARISONS:
            if isinstance(node.right, t.Size) and left < 0:
                left = self.undefined(left + 2**64)
            return _COMPARISONS[op](_number(left), _number(right))
        return self.combined(op, left, right)

    def combined(self, op: str, left: Any, right: Any) -> Any:
        """Of numbers, of two characters, or of two strings (``+``)."""
        if isinstance(left, list):
            return left + list(right)
        left, right = _number(left), _number(right)
        if op == "+":
            value = left + right
        elif op == "-":
            value = left - right
        elif op == "*":
            value = left * right
        else:
            if right == 0:
                raise Undefined  # in a compiled program too: it ends
            quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
            value = quotient if op == "/" else left - quotient * right
        if not -self.largest - 1 <= value <= self.largest:
            low = -self.largest - 1
            return self.undefined((value - low) % (2 * self.largest + 2) + low)
        return value

    def ternary(self, node: t.Ternary) -> Any:
        return self.value(node.yes if self.value(node.condition) else node.no)

    def call(self, node: t.Call) -> Any:
        values = [self.value(argument) for argument in node.arguments]
        if node.name in _LIBRARY:
            return _LIBRARY[node.name](*values)
        function, outer, loops = self.functions[node.name], self.scope, self.loops
        self.calls += 1
        if self.calls > MOST_CALLS:
            raise OutOfFuel
        self.scope, self.returned = dict(zip(function.parameters, values, strict=True)), None
        self.block(function.body)
        self.scope, self.loops = outer, loops
        self.calls -= 1
        return self.undefined(0) if self.returned is None else self.returned

    def converted(self, kind: str, value: Any) -> Any:
        """A value as a variable of that type holds it."""
        if kind == "string":
            return list(value)
        return bool(value) if kind == "bool" else value

    def undefined(self, instead: Any) -> Any:
        """``instead``, where this run is lenient."""
        if not self.is_lenient:
            raise Undefined
        return instead


def _number(value: Any) -> Any:
    """The code of a character; anything else as it is."""
    return ord(value) if isinstance(value, str) else value


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
_LIBRARY: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "toupper": lambda letter: letter.upper() if isinstance(letter, str) else letter,
    "tolower": lambda letter: letter.lower() if isinstance(letter, str) else letter,
}
_EXPRESSIONS: dict[type, Callable[[Interpreter, Any], Any]] = {
    t.Num: lambda _, node: node.value,
    t.Text: lambda _, node: list(node.value),
    t.Letter: lambda _, node: node.value,
    t.Var: Interpreter.variable,
    t.Item: Interpreter.item,
    t.Size: Interpreter.size,
    t.Binary: Interpreter.binary,
    t.Ternary: Interpreter.ternary,
    t.Call: Interpreter.call,
}
_STATEMENTS: dict[type, Callable[[Interpreter, Any], str | None]] = {
    t.Declare: Interpreter.declare,
    t.DeclareVector: Interpreter.declare_vector,
    t.DeclareArray: Interpreter.declare_array,
    t.Read: Interpreter.read,
    t.Print: Interpreter.print,
    t.Assign: Interpreter.assign,
    t.Compound: Interpreter.compound,
    t.Step: Interpreter.step,
    t.If: Interpreter.branch,
    t.For: Interpreter.for_,
    t.ForEach: Interpreter.for_each,
    t.While: Interpreter.while_,
    t.DoWhile: Interpreter.do_while,
    t.Break: lambda *_: _BREAK,
    t.Continue: lambda *_: _CONTINUE,
    t.Push: Interpreter.push,
    t.Swap: Interpreter.swap,
    t.Sort: Interpreter.sort,
    t.Reverse: Interpreter.reverse,
    t.Return: Interpreter.return_,
}
