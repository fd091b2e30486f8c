"""Sort checking of terms: S-expressions become terms with sorts, and every name and argument is checked at its place.

A term that the end of the text cuts off is checked as far as it goes: what is found in it then is certain, whatever may
follow.
"""

from __future__ import annotations

from fractions import Fraction

from rlsf_lightning.symbolic.verifiers.smt.language.reader import RESERVED, Node, name_of
from rlsf_lightning.symbolic.verifiers.smt.language.sort_checker import (
    MAX_DIGITS,
    IllFormed,
    Incomplete,
    SortChecker,
    gap_to,
)
from rlsf_lightning.symbolic.verifiers.smt.language.sorts import (
    MAX_WIDTH,
    OPERATORS,
    Misfit,
    Sort,
    result_of,
    sort_name,
    wanted_sorts,
)
from rlsf_lightning.symbolic.verifiers.smt.language.terms import Symbol, Term

BUILT_IN = frozenset((*OPERATORS, "true", "false", "forall", "exists", "let", "!", "_", "as"))


class TermChecker(SortChecker):
    """Reads terms."""

    def of_sort(self, node: Node, sort: Sort) -> Term:
        term = self.term(node)
        if term.sort == "Int" and sort == "Real":
            return converted(term)
        if term.sort != sort:
            raise IllFormed(
                "wrong_sort", f"{sort_name(sort)} is needed here, this is {sort_name(term.sort)}", node.span
            )
        return term

    def term(self, node: Node) -> Term:
        """The term that a node stands for. Raises IllFormed, or Incomplete where the text ends in it."""
        if node.kind == "list":
            return self._application(node)
        if node.kind == "symbol":
            return self._name(node)
        if node.kind == "keyword":
            raise IllFormed("malformed", "a term is needed here", node.span)
        if node.is_open and node.kind != "list":
            raise Incomplete
        return self._literal(node)

    def _literal(self, node: Node) -> Term:
        if node.kind == "number" and len(node.text) > MAX_DIGITS:
            raise IllFormed("too_large", f"numbers have at most {MAX_DIGITS} digits", node.span)
        if node.kind == "number" and "." in node.text:
            return Term("literal", "Real", node.start, node.end, value=Fraction(node.text))
        if node.kind == "number":
            return Term("literal", "Int", node.start, node.end, value=int(node.text))
        base, bits = (16, 4) if node.kind == "hex" else (2, 1)
        width = bits * (len(node.text) - 2)
        if width > MAX_WIDTH:
            raise IllFormed("too_large", f"bit-vectors have from 1 to {MAX_WIDTH} bits", node.span)
        return Term("literal", ("BitVec", width), node.start, node.end, value=int(node.text[2:], base))

    def _name(self, node: Node) -> Term:
        label = name_of(node)
        symbol = self.locals.get(label) or self.scope.symbols.get(label)
        if node.is_open:
            constants = (name for name, known in self.scope.symbols.items() if not known.parameters)
            names = ("true", "false", *self.locals, *constants)
            if any(name.startswith(label) for name in names):
                raise Incomplete
            symbol = None
        if symbol is None and label in ("true", "false") and not node.text.startswith("|"):
            if node.is_open:
                raise Incomplete
            return Term("literal", "Bool", node.start, node.end, value=label == "true")
        if symbol is None:
            raise IllFormed("unknown_symbol", self._unknown(label), node.span)
        if symbol.parameters:
            raise IllFormed("wrong_arity", f"{label} takes {len(symbol.parameters)} arguments", node.span)
        return Term("symbol", symbol.result, node.start, node.end, symbol=symbol)

    def _unknown(self, label: str) -> str:
        if label[1:].isdigit() and label[0] == "-":
            return f"there is no symbol {label[:80]}; a negative number is written (- {label[1:80]})"
        if label in BUILT_IN:
            return f"{label} needs its arguments, in parentheses"
        return f"there is no symbol {label[:80]}"

    def _application(self, node: Node) -> Term:
        if not node.items:
            if node.is_open:
                raise Incomplete
            raise IllFormed("malformed", "an empty term", node.span)
        head, arguments = node.items[0], node.items[1:]
        if head.kind == "symbol" and not head.is_open and name_of(head) not in self.locals:
            binder = {"let": self._let, "forall": self._quantifier, "exists": self._quantifier, "!": self._annotated}
            if head.text in binder:
                return binder[head.text](node)
            if head.text == "_":
                return self._bits(node)
        if head.kind == "symbol" and head.is_open:
            raise self._growing_head(head)
        indices: tuple[int, ...] = ()
        name = head
        if head.kind == "list":
            if head.head == "as" or (head.is_open and len(head.items) < 2):
                return self._constant_array(node, head, arguments)
            name, indices = self._indexed(head)
        elif head.kind != "symbol":
            raise IllFormed("malformed", "an operator or a function is needed here", head.span)
        label = name_of(name)
        symbol = None if head.kind == "list" else self.scope.symbols.get(label)
        if label in self.locals and head.kind != "list":
            raise IllFormed("wrong_arity", f"{label} takes no arguments", head.span)
        if symbol is None and (label not in OPERATORS or name.text.startswith("|")):
            raise IllFormed("unknown_symbol", f"there is no operator or function {label[:80]}", name.span)
        if symbol is None and len(indices) != OPERATORS[label].indices:
            needed = OPERATORS[label].indices
            raise IllFormed("wrong_arity", f"{label} takes {needed} indices: (_ {label}{' 1' * needed})", head.span)
        if not arguments and not node.is_open:
            raise IllFormed("wrong_arity", f"{label} has no arguments", node.span)
        terms = self._arguments(node, arguments, symbol, label)
        return self._applied(node, label, symbol, indices, terms)

    def _growing_head(self, head: Node) -> Exception:
        functions = (name for name, known in self.scope.symbols.items() if known.parameters)
        if any(name.startswith(name_of(head)) for name in (*BUILT_IN - {"true", "false"}, *functions)):
            return Incomplete()
        return IllFormed("unknown_symbol", f"there is no operator or function {name_of(head)[:80]}", head.span)

    def _arguments(self, node: Node, arguments: list[Node], symbol: Symbol | None, label: str) -> list[Term]:
        """The arguments; where the text ends in the last of them, what is there is held against the rule already."""
        terms: list[Term] = []
        for argument in arguments:
            try:
                terms.append(self.term(argument))
            except Incomplete:
                self._too_many(node, len(terms) + 1, symbol, label)
                self._so_far(node, terms, symbol, label)
                raise
        if node.is_open:
            self._too_many(node, max(1, len(terms)), symbol, label)  # one is to come at least
            self._so_far(node, terms, symbol, label)
            raise Incomplete
        return terms

    def _too_many(self, node: Node, count: int, symbol: Symbol | None, label: str) -> None:
        most = len(symbol.parameters) if symbol is not None else OPERATORS[label].most
        if most is not None and count > most:
            gaps = [gap_to(node, most + 1)] if most + 1 < len(node.items) else []
            raise IllFormed("wrong_arity", f"{label} takes {most} arguments", node.items[0].span, *gaps)

    def _so_far(self, node: Node, terms: list[Term], symbol: Symbol | None, label: str) -> None:
        """Whether the arguments that are there can be the first ones."""
        if symbol is not None:
            self._fitting(node, terms, list(symbol.parameters[: len(terms)]), label)
        elif len(terms) >= OPERATORS[label].least:
            try:
                indices = tuple(int(item.text) for item in node.items[0].items[2:])
                result_of(label, indices, [term.sort for term in terms])
            except Misfit as misfit:
                if misfit.kind != "wrong_arity":
                    raise _located(misfit, node) from None

    def _applied(
        self, node: Node, label: str, symbol: Symbol | None, indices: tuple[int, ...], terms: list[Term]
    ) -> Term:
        if symbol is not None:
            self._too_many(node, len(terms), symbol, label)
            if len(terms) != len(symbol.parameters):
                message = f"{label} takes {len(symbol.parameters)} arguments, not {len(terms)}"
                raise IllFormed("wrong_arity", message, node.span)
            fitted = self._fitting(node, terms, list(symbol.parameters), label)
            return Term("symbol", symbol.result, node.start, node.end, tuple(fitted), symbol=symbol)
        sorts = [term.sort for term in terms]
        try:
            sort = result_of(label, indices, sorts)
        except Misfit as misfit:
            self._too_many(node, len(terms), symbol, label)
            raise _located(misfit, node) from None
        wanted = wanted_sorts(label, sorts)
        fitted = [converted(term) if to != term.sort else term for term, to in zip(terms, wanted, strict=True)]
        return Term(label, sort, node.start, node.end, tuple(fitted), indices)

    def _fitting(self, node: Node, terms: list[Term], sorts: list[Sort], label: str) -> list[Term]:
        fitted = []
        for i, (term, sort) in enumerate(zip(terms, sorts, strict=False)):
            if term.sort == "Int" and sort == "Real":
                term = converted(term)
            if term.sort != sort:
                message = f"{label} needs {sort_name(sort)} here, this is {sort_name(term.sort)}"
                raise IllFormed("wrong_sort", message, node.items[0].span, gap_to(node, i + 1))
            fitted.append(term)
        return fitted

    def _indexed(self, head: Node) -> tuple[Node, tuple[int, ...]]:
        """``(_ extract 3 0)``: the operator and its indices."""
        if head.is_open and len(head.items) < 2:
            raise Incomplete
        if head.head != "_" or len(head.items) < 2 or head.items[1].kind != "symbol":
            raise IllFormed("malformed", "an operator or a function is needed here", head.span)
        name = head.items[1]
        known = [label for label, rule in OPERATORS.items() if rule.indices]
        if name.is_open and any(label.startswith(name.text) for label in known):
            raise Incomplete
        if name.text not in known:
            raise IllFormed("unknown_symbol", f"there is no operator {name.text[:80]} with numbers", name.span)
        if head.is_open:
            raise Incomplete
        indices = tuple(self._number(item) for item in head.items[2:])
        if name.text != "divisible" and any(index > MAX_WIDTH for index in indices):
            raise IllFormed("too_large", f"bit-vectors have at most {MAX_WIDTH} bits", head.span)
        return name, indices

    def _bits(self, node: Node) -> Term:
        """``(_ bv5 8)``."""
        items = node.items[1:]
        if node.is_open and (not items or items[-1].is_open or len(items) < 2):
            raise Incomplete
        digits = items[0].text[2:] if items else ""
        is_vector = bool(items) and items[0].text.startswith("bv") and digits.isascii() and digits.isdigit()
        if len(items) != 2 or not is_vector:
            span = items[0].span if items and not is_vector else node.span
            raise IllFormed("unknown_symbol", "the only literal with a number is (_ bv5 8)", span)
        if node.is_open:
            raise Incomplete
        width = self._number(items[1])
        if not 0 < width <= MAX_WIDTH or len(digits) > MAX_DIGITS or int(digits) >> width:
            raise IllFormed("too_large", f"{items[0].text[:40]} needs more than {items[1].text[:40]} bits", node.span)
        return Term("literal", ("BitVec", width), node.start, node.end, value=int(digits))

    def _constant_array(self, node: Node, head: Node, arguments: list[Node]) -> Term:
        """``((as const (Array Int Int)) 0)``."""
        if head.is_open:
            raise Incomplete
        if len(head.items) != 3 or head.items[1].text != "const":
            raise IllFormed("malformed", "write ((as const (Array Int Int)) 0)", head.span)
        sort = self.sort(head.items[2])
        if not isinstance(sort, tuple) or sort[0] != "Array":
            raise IllFormed("wrong_sort", f"an array is needed here, this is {sort_name(sort)}", head.items[2].span)
        if len(arguments) > 1 or (not arguments and not node.is_open):
            raise IllFormed("wrong_arity", "a constant array has one value", node.span)
        if not arguments:
            raise Incomplete
        value = self.of_sort(arguments[0], sort[2])
        if node.is_open:
            raise Incomplete
        return Term("const", sort, node.start, node.end, (value,))

    def _let(self, node: Node) -> Term:
        parts = self._binding(node, "(let ((a 1)) TERM)")
        outer, variables, values = self.locals, list[Symbol](), list[Term]()
        for pair in self.items_of(parts[0]):
            items = self.items_of(pair)
            if len(items) > 2 or (len(items) < 2 and not pair.is_open):
                raise IllFormed("malformed", "write a name and its value: (a 1)", pair.span)
            if items and (items[0].kind != "symbol" or (items[0].text in RESERVED and not items[0].is_open)):
                raise IllFormed("malformed", "a name is needed here", items[0].span)
            if len(items) < 2:
                raise Incomplete
            values.append(self.term(items[1]))
            variables.append(self._local(name_of(items[0]), values[-1].sort))
            if len({variable.name for variable in variables}) < len(variables):
                raise IllFormed("redefined", f"{variables[-1].name} is bound twice", items[0].span)
        body = self._within(variables, parts, node)
        self.locals = outer
        return Term("let", body.sort, node.start, node.end, (*values, body), variables=tuple(variables))

    def _quantifier(self, node: Node) -> Term:
        name = node.items[0].text
        parts = self._binding(node, f"({name} ((x Int)) TERM)")
        outer, variables = self.locals, self.variables(parts[0])
        body = self._within(list(variables), parts, node)
        self.locals = outer
        if body.sort != "Bool":
            raise IllFormed("wrong_sort", f"Bool is needed here, this is {sort_name(body.sort)}", parts[1].span)
        return Term(name, "Bool", node.start, node.end, (body,), variables=variables)

    def _binding(self, node: Node, example: str) -> list[Node]:
        parts = node.items[1:]
        if len(parts) > 2:
            raise IllFormed("wrong_arity", f"too much; write {example}", gap_to(node, 3))
        if not parts and node.is_open:
            raise Incomplete
        if len(parts) < 2 and not node.is_open:
            raise IllFormed("wrong_arity", f"too little; write {example}", node.span)
        if not self.items_of(parts[0]) and not parts[0].is_open:
            raise IllFormed("malformed", f"nothing is bound; write {example}", parts[0].span)
        return parts

    def _within(self, variables: list[Symbol], parts: list[Node], node: Node) -> Term:
        if len(parts) < 2:
            raise Incomplete
        self.locals = {**self.locals, **{variable.name: variable for variable in variables}}
        body = self.term(parts[1])
        if node.is_open:
            raise Incomplete
        return body

    def _annotated(self, node: Node) -> Term:
        """``(! TERM :named a)``: the term. A name given so cannot be used."""
        if len(node.items) < 2:
            if node.is_open:
                raise Incomplete
            raise IllFormed("wrong_arity", "write (! TERM :named a)", node.span)
        term = self.term(node.items[1])
        attributes = node.items[2:]
        for i, item in enumerate(attributes):
            if (item.kind == "keyword") != (i % 2 == 0) or (i % 2 == 0 and not ":named".startswith(item.text)):
                raise IllFormed("malformed", "the only attribute that is taken is :named", item.span)
            if item.text != ":named" and i % 2 == 0 and not item.is_open:
                raise IllFormed("malformed", "the only attribute that is taken is :named", item.span)
            if i % 2 and item.kind != "symbol":
                raise IllFormed("malformed", "a name is needed here", item.span)
        if node.is_open:
            raise Incomplete
        if len(attributes) % 2 or not attributes:
            raise IllFormed("malformed", "write (! TERM :named a)", node.span)
        return Term(term.name, term.sort, term.start, term.end, *_rest(term))


def _rest(term: Term) -> tuple:
    return term.arguments, term.indices, term.value, term.symbol, term.variables


def converted(term: Term) -> Term:
    """An Int as Real."""
    if term.name == "literal" and isinstance(term.value, int):
        return Term("literal", "Real", term.start, term.end, value=Fraction(term.value))
    return Term("to_real", "Real", term.start, term.end, (term,))


def _located(misfit: Misfit, node: Node) -> IllFormed:
    """An operator's complaint, at the operator and the arguments."""
    if misfit.kind == "wrong_arity":
        return IllFormed(misfit.kind, misfit.message, node.span)
    spans = [gap_to(node, number + 1) for number in misfit.arguments]
    return IllFormed(misfit.kind, misfit.message, node.items[0].span, *spans)
