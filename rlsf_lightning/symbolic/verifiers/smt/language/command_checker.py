"""Sort checking of commands: declarations, definitions and assertions, entered into a scope one after the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.smt.language.reader import ALLOWED, RESERVED, Node, name_of
from rlsf_lightning.symbolic.verifiers.smt.language.sort_checker import IllFormed, Incomplete, gap_to
from rlsf_lightning.symbolic.verifiers.smt.language.sorts import NEWER, Sort, sort_name
from rlsf_lightning.symbolic.verifiers.smt.language.term_checker import BUILT_IN, TermChecker
from rlsf_lightning.symbolic.verifiers.smt.language.terms import (
    Command,
    Scope,
    Symbol,
    declaration_text,
    definition_text,
    text_of,
)

#: Names that cannot be given to anything new.
_TAKEN = (BUILT_IN - NEWER.keys()) | {"Bool", "Int", "Real", "BitVec", "Array"}
#: A scope, and where its names were declared.
Snapshot = tuple[Scope, dict[str, Span]]


class CommandChecker(TermChecker):
    """Reads commands into a scope.

    Args:
        scope: what is known; commands are entered.
        is_own: whether what they declare is the completion's own.
        to_define: the symbols that the text has to define; known to no term before.
        refused: commands that are not taken in this task, with the reason.
        taken: more names that cannot be given to anything new.
    """

    def __init__(
        self,
        scope: Scope,
        *,
        is_own: bool,
        to_define: Sequence[Symbol] = (),
        refused: Mapping[str, str] | None = None,
        taken: Collection[str] = (),
    ) -> None:
        super().__init__(scope)
        self.is_own, self.refused = is_own, refused or {}
        self.taken = frozenset(taken)
        self.declared_at: dict[str, Span] = {}
        self.to_define = {symbol.name: symbol for symbol in to_define}

    def snapshot(self) -> Snapshot:
        """What is known so far; ``restore`` goes back to it as often as need be."""
        return self.scope.copy(), dict(self.declared_at)

    def restore(self, snapshot: Snapshot) -> None:
        """Know what was known then."""
        scope, declared_at = snapshot
        self.scope, self.declared_at = scope.copy(), dict(declared_at)

    def takes(self, node: Node) -> bool:
        """Whether a command is well formed and well sorted, as far as it goes; then it is entered."""
        try:
            self.command(node)
        except IllFormed:
            return False
        return True

    def command(self, node: Node) -> Command | None:
        """The command, entered into the scope; None if it is cut off. Raises IllFormed."""
        self.locals = {}
        try:
            return self._command(node)
        except Incomplete:
            return None

    def _command(self, node: Node) -> Command | None:
        if not node.items:
            if node.is_open:
                return None
            raise IllFormed("malformed", "an empty command", node.span)
        head = node.items[0]
        name = head.text if head.kind == "symbol" else ""
        if head.is_open and any(known.startswith(name) for known in ALLOWED):
            return None
        if name not in ALLOWED:
            message = f"{name or 'this'} is no command that is taken here (they are {', '.join(sorted(ALLOWED))})"
            raise IllFormed("forbidden", message[:300], head.span)
        if name in self.refused:
            raise IllFormed("forbidden", self.refused[name], head.span)
        method = {
            "assert": self._assert,
            "declare-const": self._declare,
            "declare-fun": self._declare,
            "declare-sort": self._sort,
            "define-sort": self._sort,
            "define-const": self._define,
            "define-fun": self._define,
        }.get(name, self._idle)
        return method(name, node)

    def _shape(self, node: Node, count: int, example: str) -> list[Node]:
        """What follows the command's name: this many parts, or fewer where the text ends."""
        parts = node.items[1:]
        if len(parts) > count:
            raise IllFormed("malformed", f"too much; write {example}", gap_to(node, count + 1))
        if len(parts) < count and not node.is_open:
            span = Span(node.end - 1, node.end) if len(parts) < 2 else Span(parts[1].start, parts[-1].start + 1)
            raise IllFormed("malformed", f"too little; write {example}", node.items[0].span, span)
        return parts

    def _idle(self, name: str, node: Node) -> Command | None:
        self._shape(node, 1 if name == "set-logic" else 0, "(set-logic QF_LIA)" if name == "set-logic" else f"({name})")
        return None if node.is_open else Command(name, node.start, node.end, decided=node.end)

    def _assert(self, name: str, node: Node) -> Command | None:
        parts = self._shape(node, 1, "(assert TERM)")
        if not parts:
            return None
        term = self.of_sort(parts[0], "Bool")
        text = f"(assert {text_of(term)})"
        return Command(name, node.start, node.end, term, text=text, decided=parts[0].end)

    def _declare(self, name: str, node: Node) -> Command | None:
        constant = name == "declare-const"
        parts = self._shape(node, 2 if constant else 3, f"({name} x Int)" if constant else f"({name} f (Int) Int)")
        if not parts:
            return None
        label = self._new_name(parts[0])
        parameters: tuple[Sort, ...] = ()
        if len(parts) > 1 and not constant:
            parameters = tuple(self.sort(item) for item in self.items_of(parts[1]))
        if len(parts) < (2 if constant else 3) or parts[1].is_open:
            return None
        symbol = Symbol(label, self.scope.ident(), parameters, self.sort(parts[-1]), is_own=self.is_own)
        self.scope.symbols[label] = symbol
        return Command(name, node.start, node.end, None, symbol, declaration_text(symbol), parts[-1].end)

    def _sort(self, name: str, node: Node) -> Command | None:
        declared = name == "declare-sort"
        least = 1 if declared else 3
        parts = self._shape(node, 2 if declared else 3, f"({name} S 0)" if declared else f"({name} S () Int)")
        if len(parts) < least and not node.is_open:
            raise IllFormed("malformed", f"write ({name} S 0)", node.items[0].span)
        if not parts:
            return None
        label = self._new_name(parts[0])
        if declared and len(parts) > 1 and parts[1].text != "0" and not parts[1].is_open:
            raise IllFormed("malformed", "sorts have no parameters here: write 0", parts[1].span)
        if not declared and len(parts) > 1 and self.items_of(parts[1]):
            raise IllFormed("malformed", "sorts have no parameters here: write ()", parts[1].span)
        if declared:
            if len(parts) < 2 and node.is_open:
                return None
            ident = self.scope.ident()
            self.scope.sorts[label] = ("Sort", label, ident)
            return Command(name, node.start, node.end, text=f"(declare-sort {ident} 0)", decided=node.end)
        if len(parts) < 3:
            return None
        self.scope.sorts[label] = self.sort(parts[2])
        return Command(name, node.start, node.end, decided=parts[2].end)

    def _define(self, name: str, node: Node) -> Command | None:
        constant = name == "define-const"
        example = "(define-const x Int 5)" if constant else "(define-fun f ((x Int)) Int (+ x 1))"
        parts = self._shape(node, 3 if constant else 4, example)
        if not parts:
            return None
        label, wanted = self._defined_name(parts[0])
        variables = () if constant else self.variables(parts[1]) if len(parts) > 1 else ()
        if len(parts) > 1 and parts[1].is_open:
            return None
        self._same_parameters(wanted, variables, parts)
        if len(parts) < (2 if constant else 3):
            return None
        result = self.sort(parts[1 if constant else 2])
        if wanted is not None and result != wanted.result:
            span = parts[1 if constant else 2].span
            raise IllFormed(
                "wrong_sort", f"{label} is of sort {sort_name(wanted.result)}, not {sort_name(result)}", span
            )
        if len(parts) < (3 if constant else 4):
            return None
        self.locals = {variable.name: variable for variable in variables}
        try:
            body = self.of_sort(parts[-1], result)
        except IllFormed as error:
            raise error if node.is_open else _with_unused(error, parts) from None
        if node.is_open and parts[-1].is_open:
            return None
        ident = wanted.ident if wanted is not None else self.scope.ident()
        sorts = tuple(variable.result for variable in variables)
        symbol = Symbol(label, ident, sorts, result, body, variables, self.is_own)
        self.scope.symbols[label] = symbol
        text = definition_text(symbol, text_of(body))
        label_place = (parts[0].start, parts[0].end)
        return Command(name, node.start, node.end, body, symbol, text, parts[-1].end, label_place)

    def _defined_name(self, node: Node) -> tuple[str, Symbol | None]:
        """The name that a definition gives a meaning, and the symbol that the task wants defined, if it is one."""
        wanted = self.to_define.get(name_of(node)) if node.kind == "symbol" else None
        label = self._new_name(node) if wanted is None or node.is_open else wanted.name
        if wanted is not None and label in self.scope.symbols:
            raise IllFormed("redefined", f"{label} is defined already", self.declared_at[label], node.span)
        self.declared_at[label] = node.span
        return label, wanted

    def _same_parameters(self, wanted: Symbol | None, variables: Sequence[Symbol], parts: list[Node]) -> None:
        if wanted is None or len(parts) < 2:
            return
        sorts = tuple(variable.result for variable in variables)
        if sorts != wanted.parameters:
            needed = " ".join(map(sort_name, wanted.parameters)) or "none"
            raise IllFormed("wrong_sort", f"the parameters of {wanted.name} are {needed}", parts[1].span)

    def _new_name(self, node: Node) -> str:
        if node.kind != "symbol":
            raise IllFormed("malformed", "a name is needed here", node.span)
        label = name_of(node)
        if node.is_open:
            raise Incomplete
        if node.text in RESERVED or label in _TAKEN:
            raise IllFormed("redefined", f"{label} has a meaning of its own", node.span)
        if any(label in names for names in (self.scope.symbols, self.scope.sorts, self.to_define, self.taken)):
            earlier = (self.declared_at[label],) if label in self.declared_at else ()
            raise IllFormed("redefined", f"{label} is declared already", *earlier, node.span)
        self.declared_at[label] = node.span
        return label


def _with_unused(error: IllFormed, parts: list[Node]) -> IllFormed:
    """Where a body uses an unknown name, parameters that it does not use are blamed with it."""
    if error.finding.kind != "unknown_symbol" or len(parts) < 4:
        return error
    used, waiting = set[str](), [parts[-1]]
    while waiting:
        node = waiting.pop()
        used.add(name_of(node))
        waiting += node.items
    unused = [pair.items[0].span for pair in parts[1].items if name_of(pair.items[0]) not in used]
    return IllFormed(error.finding.kind, error.finding.message, *error.finding.spans, *unused)
