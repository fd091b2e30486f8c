"""Sorted terms with their spans, symbols and scopes, and their text for the solver.

Only text that this module writes reaches the solver: names are numbered, operators come from the closed table, literals
are written again from their values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from rlsf_lightning.symbolic.verifiers.smt.language.sorts import Sort, sort_name

Value = bool | int | Fraction
#: Operators that z3 knows by another name.
_OTHERWISE = {"nat2bv": "int_to_bv"}


@dataclass(eq=False)
class Symbol:
    """A name: of a constant or function, or of a variable that a term, or a definition's parameter, binds."""

    name: str
    ident: str
    parameters: tuple[Sort, ...]
    result: Sort
    body: Term | None = None
    variables: tuple[Symbol, ...] = ()
    #: Whether the completion, not the task, brought it.
    is_own: bool = False

    @property
    def text(self) -> str:
        """As SMT-LIB writes the name."""
        return self.name if self.name.isascii() and self.name.replace("_", "a").isalnum() else f"|{self.name}|"


@dataclass(eq=False)
class Term:
    """An application: of an operator (``name``, ``indices``), of a symbol, or a binder.

    ``name`` is ``literal``, ``symbol``, ``let``, ``forall``, ``exists``, ``const`` (of arrays) or an operator; ``start`` to
    ``end`` is its span.
    """

    name: str
    sort: Sort
    start: int
    end: int
    arguments: tuple[Term, ...] = ()
    indices: tuple[int, ...] = ()
    value: Value | None = None
    symbol: Symbol | None = None
    variables: tuple[Symbol, ...] = ()


@dataclass
class Command:
    """A command of a text that is well formed: ``term`` of an assertion, ``symbol`` of a declaration or definition."""

    name: str
    start: int
    end: int
    term: Term | None = None
    symbol: Symbol | None = None
    #: The command that z3 gets.
    text: str = ""
    #: The end of what decides it: of the term, without the last parenthesis.
    decided: int = 0
    #: Where the name stands that it defines.
    label: tuple[int, int] = (0, 0)


@dataclass
class Scope:
    """What names mean. ``symbols`` and ``sorts`` are by name."""

    symbols: dict[str, Symbol] = field(default_factory=dict)
    sorts: dict[str, Sort] = field(default_factory=dict)
    count: int = 0

    def copy(self) -> Scope:
        return Scope(dict(self.symbols), dict(self.sorts), self.count)

    def ident(self) -> str:
        self.count += 1
        return f"v{self.count}"


def sort_text(sort: Sort) -> str:
    """For the solver: declared sorts under their numbers."""
    return sort_name(sort, declared=2)


def value_text(value: Value, sort: Sort) -> str:
    """A literal of the sort.

    >>> value_text(Fraction(-1, 3), "Real"), value_text(5, ("BitVec", 4)), value_text(-2, "Int")
    ('(- (/ 1.0 3.0))', '#b0101', '(- 2)')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(sort, tuple):
        return f"#b{value:0{sort[1]}b}"
    if sort == "Real":
        top, bottom = abs(Fraction(value)).as_integer_ratio()
        size = f"{top}.0" if bottom == 1 else f"(/ {top}.0 {bottom}.0)"
    else:
        size = str(abs(value))
    return f"(- {size})" if value < 0 else size


def text_of(term: Term, swap: Mapping[int, str] | None = None) -> str:
    """The term for the solver; ``swap`` has other texts for some of its parts, by their ``id``."""
    if swap and id(term) in swap:
        return swap[id(term)]
    if term.name == "literal":
        assert term.value is not None
        return value_text(term.value, term.sort)
    if term.name == "symbol":
        assert term.symbol is not None
        head = term.symbol.ident
    elif term.name == "const":
        head = f"(as const {sort_text(term.sort)})"
    else:
        name = _OTHERWISE.get(term.name, term.name)
        head = f"(_ {name} {' '.join(map(str, term.indices))})" if term.indices else name
    parts = [text_of(argument, swap) for argument in term.arguments]
    if term.name == "let":
        bound = " ".join(f"({v.ident} {part})" for v, part in zip(term.variables, parts, strict=False))
        return f"(let ({bound}) {parts[-1]})"
    if term.name in ("forall", "exists"):
        bound = " ".join(f"({v.ident} {sort_text(v.result)})" for v in term.variables)
        return f"({term.name} ({bound}) {parts[0]})"
    if term.name == "divisible":
        return f"(= (mod {parts[0]} {term.indices[0]}) 0)"
    return f"({head} {' '.join(parts)})" if parts else head


def parts_of(term: Term) -> Iterator[Term]:
    """The term and all terms in it, from the outside in."""
    yield term
    for argument in term.arguments:
        yield from parts_of(argument)


def assertions(commands: Iterable[Command]) -> list[Command]:
    """The assertions among the commands."""
    return [command for command in commands if command.name == "assert"]


def symbols_of(term: Term) -> set[Symbol]:
    """Every constant and function that the term depends on, through definitions too. Variables are left out."""
    found: set[Symbol] = set()
    waiting = [term]
    while waiting:
        for part in parts_of(waiting.pop()):
            symbol = part.symbol
            if symbol is None or symbol in found or symbol.ident.startswith("l"):
                continue
            found.add(symbol)
            if symbol.body is not None:
                waiting.append(symbol.body)
    return found


def definition_text(symbol: Symbol, body: str) -> str:
    """A define-fun with this body."""
    bound = " ".join(f"({v.ident} {sort_text(v.result)})" for v in symbol.variables)
    return f"(define-fun {symbol.ident} ({bound}) {sort_text(symbol.result)} {body})"


def declaration_text(symbol: Symbol) -> str:
    """A declare-fun."""
    return f"(declare-fun {symbol.ident} ({' '.join(map(sort_text, symbol.parameters))}) {sort_text(symbol.result)})"
