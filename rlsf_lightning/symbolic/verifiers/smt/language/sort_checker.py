"""Sort checking of sorts and bound variables; a mistake is told from a text that is cut off."""

from __future__ import annotations

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.verifiers.smt.language.reader import RESERVED, Node, name_of
from rlsf_lightning.symbolic.verifiers.smt.language.sorts import MAX_WIDTH, Sort
from rlsf_lightning.symbolic.verifiers.smt.language.terms import Scope, Symbol

#: Digits of the longest literal.
MAX_DIGITS = 400


class IllFormed(Exception):
    """A mistake of form, names or sorts, with its places."""

    def __init__(self, kind: str, message: str, *spans: Span) -> None:
        super().__init__(message)
        self.finding = Finding(kind, message, spans)


class Incomplete(Exception):
    """The text ends here, and nothing is certain yet."""


class SortChecker:
    """Reads sorts and bound variables in a scope; ``locals`` are the variables that are bound where it reads."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.locals: dict[str, Symbol] = {}
        self.local_count = 0

    def items_of(self, node: Node) -> list[Node]:
        if node.kind != "list":
            raise IllFormed("malformed", "a list in parentheses is needed here", node.span)
        return node.items

    def variables(self, node: Node) -> tuple[Symbol, ...]:
        """Names with their sorts: ``((x Int) (y Real))``."""
        found: list[Symbol] = []
        for pair in self.items_of(node):
            items = self.items_of(pair)
            if len(items) > 2 or (len(items) < 2 and not pair.is_open):
                raise IllFormed("malformed", "write a name and its sort: (x Int)", pair.span)
            if len(items) < 2:
                raise Incomplete
            if items[0].kind != "symbol" or items[0].text in RESERVED:
                raise IllFormed("malformed", "a name is needed here", items[0].span)
            sort = self.sort(items[1])
            found.append(self._local(name_of(items[0]), sort))
            if len({variable.name for variable in found}) < len(found):
                earlier = [node.items[i].items[0].span for i, v in enumerate(found[:-1]) if v.name == found[-1].name]
                raise IllFormed("redefined", f"{found[-1].name} is bound twice", *earlier, items[0].span)
        return tuple(found)

    def _local(self, name: str, sort: Sort) -> Symbol:
        self.local_count += 1
        return Symbol(name, f"l{self.local_count}", (), sort)

    def sort(self, node: Node) -> Sort:
        """The sort that a node names. Raises IllFormed or Incomplete."""
        if node.kind == "symbol":
            known: dict[str, Sort] = {"Bool": "Bool", "Int": "Int", "Real": "Real", **self.scope.sorts}
            label = name_of(node)
            if node.is_open and any(name.startswith(node.text) for name in known):
                raise Incomplete
            if node.is_open and node.text.startswith("|"):
                raise Incomplete
            if label not in known:
                raise IllFormed("unknown_sort", f"there is no sort {label[:80]}", node.span)
            return known[label]
        if node.kind == "list" and node.is_open and len(node.items) < 2:
            raise Incomplete
        if node.kind == "list" and node.head == "_" and len(node.items) > 1:
            return self._bit_vector(node)
        if node.kind == "list" and node.head == "Array":
            if len(node.items) > 3 or (len(node.items) < 3 and not node.is_open):
                raise IllFormed("wrong_arity", "an array has two sorts: (Array Int Int)", node.span)
            sorts = [self.sort(item) for item in node.items[1:]]
            if node.is_open:
                raise Incomplete
            return ("Array", *sorts)
        raise IllFormed("unknown_sort", "a sort is needed here", node.span)

    def _bit_vector(self, node: Node) -> Sort:
        name, *sizes = node.items[1:]
        if name.is_open and "BitVec".startswith(name.text):
            raise Incomplete
        if name.text != "BitVec" or len(sizes) > 1 or (not sizes and not node.is_open):
            raise IllFormed("unknown_sort", "the only sort with a number is (_ BitVec 8)", node.span)
        if not sizes or sizes[0].is_open:
            raise Incomplete
        width = self._number(sizes[0])
        if not 0 < width <= MAX_WIDTH:
            raise IllFormed("too_large", f"bit-vectors have from 1 to {MAX_WIDTH} bits", sizes[0].span)
        if node.is_open:
            raise Incomplete
        return ("BitVec", width)

    def _number(self, node: Node) -> int:
        if node.kind != "number" or "." in node.text:
            raise IllFormed("malformed", "a number is needed here", node.span)
        if len(node.text) > MAX_DIGITS:
            raise IllFormed("too_large", f"numbers have at most {MAX_DIGITS} digits", node.span)
        return int(node.text)


def gap_to(node: Node, index: int) -> Span:
    """The item of a list at this index, with the gap before it, where something may be missing."""
    return Span(node.items[index - 1].end, node.items[index].end)
