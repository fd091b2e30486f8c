"""A program of the tree as lines of C++, each with the part of the tree that it stands for.

``line_by_line`` is the only place that knows how a program is laid out; pseudo-code follows the same lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rlsf_lightning.prompts.sources.pseudocode_cpp import tree as t

#: How tightly operators bind; what is not here is an atom.
_BINDING = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    "<": 4,
    "<=": 4,
    ">": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}
_ATOM = 9


@dataclass(frozen=True)
class Line:
    """``depth``: how far it is indented. ``part``: the statement or function that begins here; None: the code says all
    (a brace). ``is_else``: the line opens the other branch, where ``part`` is the condition that is asked there, if any."""

    depth: int
    code: str
    part: t.Node | None = None
    is_else: bool = False


def source_of(program: t.Program, *, bare: bool = False) -> str:
    """The program's text. ``bare``: without braces around a single simple statement."""
    return "\n".join("  " * line.depth + line.code for line in line_by_line(program, bare=bare)) + "\n"


def line_by_line(program: t.Program, *, bare: bool = False) -> Iterator[Line]:
    """All lines of a program, from the first function to the end of ``main``."""
    layout = _Layout(program.integer, bare)
    for function in program.functions:
        parameters = ", ".join(f"{program.integer} {name}" for name in function.parameters)
        yield Line(0, f"{program.integer} {function.name}({parameters}) {{", function)
        yield from layout.block(function.body, 1)
        yield Line(0, "}")
    yield Line(0, "int main() {")
    yield from layout.block(program.body, 1)
    yield Line(0, "}")


class _Layout:
    def __init__(self, integer: str, bare: bool) -> None:
        self.integer, self.bare = integer, bare

    def block(self, body: t.Block, depth: int) -> Iterator[Line]:
        for statement in body:
            yield from self.statement(statement, depth)

    def statement(self, node: t.Node, depth: int) -> Iterator[Line]:
        if isinstance(node, t.If):
            yield from self.branch(node, depth, "")
        elif isinstance(node, t.DoWhile):
            yield Line(depth, "do {", node)
            yield from self.block(node.body, depth + 1)
            yield Line(depth, f"}} while ({self.code(node.condition)});", node.condition)
        elif isinstance(node, t.For | t.ForEach | t.While):
            brace = self.brace(node.body)
            yield Line(depth, self.head(node) + brace, node)
            yield from self.block(node.body, depth + 1)
            if brace:
                yield Line(depth, "}")
        else:
            yield Line(depth, self.simple(node) + ";", node)

    def branch(self, node: t.If, depth: int, before: str) -> Iterator[Line]:
        """An ``if`` with its other branches; ``before``: what stands before it on its line."""
        brace = self.brace(node.then, node.other)
        yield Line(depth, f"{before}if ({self.code(node.condition)}){brace}", node, is_else=bool(before))
        yield from self.block(node.then, depth + 1)
        close = "} " if brace else ""
        if len(node.other) == 1 and isinstance(node.other[0], t.If):
            yield from self.branch(node.other[0], depth, f"{close}else ")
            return
        if node.other:
            yield Line(depth, f"{close}else{brace}", None, is_else=True)
            yield from self.block(node.other, depth + 1)
        if brace:
            yield Line(depth, "}")

    def brace(self, *bodies: t.Block) -> str:
        """The brace that opens a block; none around simple statements where the program does without."""
        first, *others = bodies
        filled = [first, *(body for body in others if body)]
        simple = all(len(body) == 1 and not isinstance(body[0], _COMPOUND) for body in filled)
        return "" if self.bare and simple else " {"

    def head(self, node: t.For | t.ForEach | t.While) -> str:
        if isinstance(node, t.While):
            return f"while ({self.code(node.condition)})"
        if isinstance(node, t.ForEach):
            return f"for ({node.type} {node.name} : {node.items})"
        step = "--" if node.goes_down else "++"
        start, stop = self.code(node.start), self.code(node.stop)
        return f"for ({self.integer} {node.name} = {start}; {node.name} {node.op} {stop}; {node.name}{step})"

    def simple(self, node: t.Node) -> str:  # a line for each kind of statement
        match node:
            case t.Declare(kind, parts):
                named = [p.name if p.value is None else f"{p.name} = {self.code(p.value)}" for p in parts]
                return f"{kind} {', '.join(named)}"
            case t.DeclareVector(name, size):
                return f"vector<{self.integer}> {name}" + (f"({self.code(size)})" if size is not None else "")
            case t.DeclareArray(name, size):
                return f"{self.integer} {name}[{size}]"
            case t.Read(targets):
                return "cin >> " + " >> ".join(self.code(target) for target in targets)
            case t.Print(parts, ends_line):
                shown = [self.printed(part) for part in parts] + ["endl"] * ends_line
                return "cout << " + " << ".join(shown)
            case t.Assign(target, value):
                return f"{self.code(target)} = {self.code(value)}"
            case t.Compound(op, target, value):
                return f"{self.code(target)} {op}= {self.code(value)}"
            case t.Step(op, target):
                return f"{self.code(target)}{op}"
            case t.Push(name, value):
                return f"{name}.push_back({self.code(value)})"
            case t.Swap(left, right):
                return f"swap({self.code(left)}, {self.code(right)})"
            case t.Sort(name, is_descending):
                ends = f"{name}.rbegin(), {name}.rend()" if is_descending else f"{name}.begin(), {name}.end()"
                return f"sort({ends})"
            case t.Reverse(name):
                return f"reverse({name}.begin(), {name}.end())"
            case t.Return(value):
                return f"return {self.code(value)}"
        assert isinstance(node, t.Break | t.Continue), node
        return type(node).__name__.lower()

    def code(self, node: t.Node, least: int = 0) -> str:
        return code_of(node, self.integer, least)

    def printed(self, node: t.Node) -> str:
        """``<<`` binds less than arithmetic, and more than comparisons and conditions."""
        return self.code(node, 5)


_COMPOUND = (t.If, t.For, t.ForEach, t.While, t.DoWhile)


def code_of(node: t.Node, integer: str = "int", least: int = 0) -> str:
    """An expression; in parentheses where it binds less than ``least``."""
    match node:
        case t.Num(value):
            return f"({value})" if value < 0 and least > 5 else str(value)
        case t.Text(value):
            return f'"{value}"'
        case t.Letter(value):
            return f"'{value}'"
        case t.Var(name):
            return name
        case t.Item(name, index):
            return f"{name}[{code_of(index, integer)}]"
        case t.Size(name, method):
            return f"{name}.{method}()"
        case t.Call(name, arguments):
            return f"{name}({', '.join(_argument(name, one, integer) for one in arguments)})"
        case t.Ternary(condition, yes, no):
            text = f"{code_of(condition, integer, 1)} ? {code_of(yes, integer, 1)} : {code_of(no, integer, 1)}"
            return f"({text})" if least > 0 else text
    assert isinstance(node, t.Binary), node
    binding = _BINDING[node.op]
    text = f"{code_of(node.left, integer, binding)} {node.op} {code_of(node.right, integer, binding + 1)}"
    return f"({text})" if binding < least else text


def _argument(function: str, node: t.Node, integer: str) -> str:
    """``min`` and ``max`` want both arguments of one type."""
    suffix = "LL" if function in ("min", "max") and integer == "long long" and isinstance(node, t.Num) else ""
    return code_of(node, integer) + suffix
