"""Pseudo-code of a program, line by line, in words that are drawn: no two people describe a line alike.

What closes a block, and how ``main`` begins, stands there as it does in the program. Small parts are spelt in words, larger
ones as formulas with their parentheses, so that a line says one thing only.
"""

from __future__ import annotations

import random

from rlsf_lightning.prompts.sources.pseudocode_cpp import tree as t
from rlsf_lightning.prompts.sources.pseudocode_cpp.code import Line, code_of, line_by_line

_ATOMS = (t.Num, t.Text, t.Letter, t.Var, t.Item, t.Size)
_COMPARED = {
    "<": ("{} is less than {}", "{} is smaller than {}", "{} < {}", "{} is below {}"),
    "<=": ("{} is less than or equal to {}", "{} is at most {}", "{} <= {}", "{} is not greater than {}"),
    ">": ("{} is greater than {}", "{} is more than {}", "{} > {}", "{} is larger than {}"),
    ">=": ("{} is greater than or equal to {}", "{} is at least {}", "{} >= {}", "{} is not less than {}"),
    "==": ("{} is {}", "{} is equal to {}", "{} equals {}", "{} = {}", "{} == {}"),
    "!=": ("{} is not {}", "{} is not equal to {}", "{} != {}", "{} differs from {}"),
}
_COMPUTED = {
    "+": ("{} + {}", "{} plus {}", "sum of {} and {}", "{} + {}"),
    "-": ("{} - {}", "{} minus {}", "{} - {}"),
    "*": ("{} * {}", "{} times {}", "product of {} and {}", "{} * {}"),
    "/": ("{} / {}", "{} divided by {}", "{} / {}"),
    "%": ("{} % {}", "{} modulo {}", "{} mod {}", "remainder of {} divided by {}"),
}
_CALLED = {
    "min": ("min({}, {})", "minimum of {} and {}", "smaller of {} and {}", "min of {} and {}"),
    "max": ("max({}, {})", "maximum of {} and {}", "larger of {} and {}", "max of {} and {}"),
    "abs": ("abs({})", "absolute value of {}"),
    "toupper": ("toupper({})", "{} in upper case", "upper case of {}"),
    "tolower": ("tolower({})", "{} in lower case", "lower case of {}"),
}
_TYPES = {
    "int": ("integer", "int", "integer"),
    "long long": ("long long", "long long", "long long integer"),
    "string": ("string",),
    "bool": ("boolean", "bool"),
    "char": ("character", "char"),
}
_CHANGED = {
    "+": ("increase {t} by {v}", "add {v} to {t}", "{t} += {v}", "set {t} to {t} + {v}", "change {t} to {t} plus {v}"),
    "-": ("decrease {t} by {v}", "subtract {v} from {t}", "{t} -= {v}", "set {t} to {t} - {v}"),
    "*": ("multiply {t} by {v}", "{t} *= {v}", "set {t} to {t} * {v}"),
    "/": ("divide {t} by {v}", "{t} /= {v}", "set {t} to {t} / {v}"),
}
_STEPS = {
    "++": ("increment {}", "increase {} by 1", "increase {} by one", "add 1 to {}"),
    "--": ("decrement {}", "decrease {} by 1", "decrease {} by one", "subtract 1 from {}"),
}


class Wording:
    """Draws words for the lines of one program.

    Args:
        integer: the type of the program's whole numbers.
    """

    def __init__(self, rng: random.Random, integer: str) -> None:
        self.rng, self.integer = rng, integer
        self.types = {kind: rng.choice(words) for kind, words in _TYPES.items()}
        self.makes = rng.choice(("create", "declare", "let", "make", "define"))
        self.strings: set[str] = set()

    def text(self, program: t.Program, *, bare: bool = False) -> str:
        """The pseudo-code of a program; ``bare`` as for its source."""
        declared = [node for node in t.walk(program) if isinstance(node, t.Declare) and node.type == "string"]
        self.strings = {part.name for node in declared for part in node.parts}
        lines = line_by_line(program, bare=bare)
        return "\n".join("  " * line.depth + self.line(line) for line in lines)

    def line(self, line: Line) -> str:
        """One line."""
        if line.is_else:
            word = self.pick("else", "otherwise")
            return f"{word} {self.statement(line.part)}" if line.part is not None else word
        if line.part is None:
            return line.code
        if line.code.startswith("} while"):
            return self.pick("while {}", "repeat while {}", "loop while {}").format(self.condition(line.part))
        return self.statement(line.part)

    def pick(self, *forms: str) -> str:
        return self.rng.choice(forms)

    # --- statements ---------------------------------------------------------------------------------------------------

    def statement(self, node: t.Node) -> str:
        """Of a loop or branch: of its head."""
        match node:
            case t.Function(name, parameters):
                return self.function(name, parameters)
            case t.Declare(kind, parts):
                return self.declaration(kind, parts)
            case t.DeclareVector(name, size):
                return self.vector(name, size)
            case t.DeclareArray(name, size):
                return self.array(name, size)
            case t.Read(targets):
                form = self.pick("read {}", "read {}", "input {}", "get {}", "take {} from the input")
                return form.format(self.listed([self.code(target) for target in targets]))
            case t.Print(parts, ends_line):
                return self.printed(parts, ends_line)
            case t.If(condition):
                return self.pick("if {}", "if {}", "if {} then", "check if {}").format(self.condition(condition))
            case t.While(condition):
                form = self.pick("while {}", "while {}", "as long as {}", "while {} do")
                return form.format(self.condition(condition))
            case t.DoWhile():
                return self.pick("do", "do the following", "repeat")
            case t.For():
                return self.counted(node)
            case t.ForEach(kind, name, items):
                form = self.pick("for each {} {} in {}", "for every {} {} of {}", "loop over each {} {} in {}")
                return form.format(self.types[kind], name, items)
        return self.change(node)

    def change(self, node: t.Node) -> str:
        """A statement that changes something, or leaves a function or a loop."""
        match node:
            case t.Assign(target, value):
                form = self.pick("set {t} to {v}", "set {t} to {v}", "let {t} be {v}", "assign {v} to {t}", "{t} = {v}")
                return form.format(t=self.code(target), v=self.value(value))
            case t.Compound(op, target, value):
                return self.compound(op, target, value)
            case t.Step(op, target):
                return self.pick(*_STEPS[op]).format(self.code(target))
            case t.Push(name, value):
                form = self.pick(
                    "append {v} to {n}", "push {v} to {n}", "add {v} to the end of {n}", "push back {v} into {n}"
                )
                return form.format(n=name, v=self.value(value))
            case t.Swap(left, right):
                form = self.pick("swap {} and {}", "swap {} with {}", "exchange {} and {}")
                return form.format(self.code(left), self.code(right))
            case t.Sort(name, False):
                return self.pick("sort {}", "sort {} in ascending order", "sort {} from smallest to largest").format(
                    name
                )
            case t.Sort(name):
                return self.pick("sort {} in descending order", "sort {} from largest to smallest").format(name)
            case t.Reverse(name):
                return self.pick("reverse {}", "reverse the order of {}").format(name)
            case t.Return(value):
                return self.pick("return {}", "return {}", "give back {}").format(self.value(value))
            case t.Break():
                return self.pick("break", "stop the loop", "break the loop", "exit the loop")
        assert isinstance(node, t.Continue), node
        return self.pick("continue", "skip to the next iteration", "go to the next iteration")

    def compound(self, op: str, target: t.Node, value: t.Node) -> str:
        name = self.code(target)
        if name in self.strings:
            return self.pick("append {v} to {t}", "add {v} to the end of {t}", "{t} += {v}").format(
                t=name, v=self.code(value)
            )
        form = self.pick(*_CHANGED[op])
        return form.format(t=name, v=self.value(value) if form.endswith("by {v}") else self.code(value, 7))

    def array(self, name: str, size: int) -> str:
        form = self.pick("{m} {k} array {n} of size {s}", "{m} an array {n} of {s} {k}s", "{n} = array of {s} {k}s")
        return form.format(m=self.makes, k=self.types[self.integer], n=name, s=size)

    def function(self, name: str, parameters: tuple[str, ...]) -> str:
        kind = self.types[self.integer]
        listed = self.listed(list(parameters))
        several = "s" * (len(parameters) > 1)
        form = self.pick(
            "function {n} with {k} argument{s} {p} that returns {k}",
            "{k} function {n} with {k} argument{s} {p}",
            "declare function {n} that takes {k}{s} {p} and returns {k}",
            "{n} is a function of {k}{s} {p} returning {k}",
        )
        return form.format(n=name, k=kind, p=listed, s=several)

    def declaration(self, kind: str, parts: tuple[t.Declared, ...]) -> str:
        word = self.types[kind] + "s" * (len(parts) > 1)
        names = self.listed([part.name for part in parts])
        if parts[0].value is None:
            forms = ["{m} {k} {n}", "{m} {k} {n}", "{n} = {k}" if len(parts) == 1 else "{m} {n} as {k}"]
            form = self.pick(*forms) if self.makes != "let" else self.pick("let {n} be {k}", "declare {k} {n}")
            return form.format(m=self.makes, k=word, n=names)
        value = self.value(parts[0].value)
        if self.makes == "let":
            return self.pick("let {k} {n} be {v}", "let {n} be {k} with value {v}").format(k=word, n=names, v=value)
        forms = ["{m} {k} {n} = {v}", "{m} {k} {n} with value {v}", "{m} {k} {n} and set it to {v}", "{k} {n} = {v}"]
        return self.pick(*forms).format(m=self.makes, k=word, n=names, v=value)

    def vector(self, name: str, size: t.Node | None) -> str:
        kind = self.types[self.integer]
        form = self.pick("{m} {k} vector {n}", "{m} vector {n} of {k}s", "{n} = vector of {k}s")
        text = form.format(m=self.makes, k=kind, n=name)
        if size is None:
            return text + self.pick("", ", empty")
        return text + self.pick(" of size {}", " with {} elements", " with size {}").format(self.code(size))

    def printed(self, parts: tuple[t.Node, ...], ends_line: bool) -> str:
        if not parts:
            return self.pick("print new line", "print a newline", "start a new line")
        word = self.pick("print", "print", "output", "display")
        listed = self.listed([self.shown(part) for part in parts])
        if ends_line:
            return f"{word} {listed}" + self.pick("", "", " and a newline", " and new line")
        return f"{word} {listed}"

    def shown(self, node: t.Node) -> str:
        if isinstance(node, t.Text) and node.value == " ":
            return self.pick('" "', "a space", "space")
        return self.value(node)

    def counted(self, node: t.For) -> str:
        name, start, stop = node.name, self.code(node.start), self.code(node.stop)
        variable = self.pick(name, f"{self.types[self.integer]} {name}", name)
        if node.goes_down:
            form = self.pick(
                "for {n} = {a} down to {b}", "for {n} from {a} down to {b}", "loop {n} from {a} down to {b}"
            )
            ending = {">=": self.pick(" inclusive", ""), ">": " exclusive"}[node.op]
        else:
            form = self.pick("for {n} = {a} to {b}", "for {n} from {a} to {b}", "loop {n} from {a} to {b}")
            ending = {"<=": " inclusive", "<": " exclusive"}[node.op]
        return form.format(n=variable, a=start, b=stop) + ending

    # --- expressions --------------------------------------------------------------------------------------------------

    def code(self, node: t.Node, least: int = 0) -> str:
        """As a formula; sizes of atoms in words now and then."""
        if isinstance(node, t.Size):
            return self.pick("size of {}", "length of {}", "{}.size()").format(node.name)
        return code_of(node, "int", least)

    def value(self, node: t.Node) -> str:
        """A number or a text: in words where its parts are atoms, else as a formula."""
        match node:
            case t.Call(name, arguments) if name in _CALLED and all(isinstance(a, _ATOMS) for a in arguments):
                return self.pick(*_CALLED[name]).format(*(self.code(argument) for argument in arguments))
            case t.Call(name, arguments) if name not in _CALLED and all(isinstance(a, _ATOMS) for a in arguments):
                listed = [self.code(argument) for argument in arguments]
                form = self.pick("{n}({c})", "{n}({c})", "{n} of {l}", "result of {n}({c})")
                return form.format(n=name, c=", ".join(listed), l=self.listed(listed))
            case t.Binary(op, left, right) if (
                op in _COMPUTED and isinstance(left, _ATOMS) and isinstance(right, _ATOMS)
            ):
                return self.pick(*_COMPUTED[op]).format(self.code(left), self.code(right))
            case t.Ternary(condition, yes, no):
                form = self.pick("{y} if {c}, else {n}", "{y} if {c} otherwise {n}", "({c} ? {y} : {n})")
                asked = code_of(condition, "int", 1) if form.startswith("(") else self.condition(condition)
                return form.format(y=self.code(yes, 1), c=asked, n=self.code(no, 1))
            case t.Binary(op) if op in _COMPARED or op in ("&&", "||"):
                return self.condition(node)
        return self.code(node)

    def condition(self, node: t.Node) -> str:
        """A truth value: comparisons in words, several of them with their parentheses."""
        match node:
            case t.Binary("==" | "!=" as op, t.Binary("%", left, t.Num(base)), t.Num(rest)) if rest in (0, 1):
                return self.remainder(op, self.code(left, 7), base, rest)
            case t.Binary("&&" | "||" as op, left, right):
                word = self.pick("and", "and", "&&") if op == "&&" else self.pick("or", "or", "||")
                return f"{self.part_of_condition(left)} {word} {self.part_of_condition(right)}"
            case t.Binary(op, left, right) if op in _COMPARED:
                return self.pick(*_COMPARED[op]).format(self.code(left, 5), self.code(right, 5))
        return self.code(node)

    def part_of_condition(self, node: t.Node) -> str:
        text = self.condition(node)
        return f"({text})" if isinstance(node, t.Binary) and node.op in ("&&", "||") else text

    def remainder(self, op: str, left: str, base: int, rest: int) -> str:
        is_ = "is" if op == "==" else "is not"
        forms = [
            f"{left} % {base} {is_} {rest}",
            f"{left} modulo {base} {is_} {rest}",
            f"{left} mod {base} {op} {rest}",
        ]
        if rest == 0:
            forms += [f"{left} {is_} divisible by {base}", f"{left} {is_} a multiple of {base}"]
            if base == 2:
                forms += [f"{left} {is_} even"] * 3
        return self.pick(*forms)

    def listed(self, items: list[str]) -> str:
        """``a, b and c``, or with commas alone."""
        if len(items) < 2 or self.rng.random() < 0.35:
            return ", ".join(items)
        return f"{', '.join(items[:-1])} and {items[-1]}"
