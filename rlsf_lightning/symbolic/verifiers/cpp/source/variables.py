"""The variables of a C++ program, read off its tokens: where each is declared, how far it is seen, what may stand for it.

No grammar: a declaration is what looks like one. Where that is wrong, a change that is made of it does not compile, which
costs time and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rlsf_lightning.symbolic.verifiers.cpp.parse import Program, Token

_NUMBERS = frozenset(
    "int long short char bool float double unsigned signed size_t int32_t int64_t uint32_t uint64_t".split()
)
#: May stand before the name of a type or in it.
_QUALIFIERS = frozenset("const static constexpr register volatile inline".split())
_ROWS = frozenset("vector deque array".split())
_LIBRARY = frozenset("string pair map set multiset queue stack list priority_queue unordered_map unordered_set".split())
_WRITES = frozenset("= += -= *= /= %= ++ -- &= |= ^= <<= >>=".split())
_OPENS, _CLOSES = frozenset("([{"), frozenset(")]}")


@dataclass(frozen=True)
class Variable:
    """``shape``: what it is made of, and how many indices lead to that. Tokens are given by their numbers."""

    name: str
    shape: tuple[str, int]
    declared: int
    #: The token behind its scope, and the one behind the declaration.
    end: int
    after: int
    #: Declared with a value.
    is_given: bool
    is_constant: bool

    @property
    def is_number(self) -> bool:
        return self.shape == ("number", 0)


class Variables:
    """Those of a program."""

    def __init__(self, program: Program) -> None:
        self.tokens = program.tokens
        self.closing = _partners(self.tokens)
        self._numbers = _NUMBERS | _aliases(program)
        self._types = self._numbers | _ROWS | _LIBRARY | {"auto"}
        self._enclosing = _enclosing(self.tokens)
        self.all: list[Variable] = []
        at = 0
        while at < len(self.tokens):
            at = max(at + 1, self._declaration(at))

    @cached_property
    def by_name(self) -> dict[str, list[Variable]]:
        named: dict[str, list[Variable]] = {}
        for variable in self.all:
            named.setdefault(variable.name, []).append(variable)
        return named

    def of(self, at: int) -> Variable | None:
        """The variable that a token names."""
        if self.tokens[at].kind != "name" or (at and self.tokens[at - 1].text in (".", "->", "::")):
            return None
        seen = [one for one in self.by_name.get(self.tokens[at].text, ()) if one.declared <= at < one.end]
        return seen[-1] if seen else None

    def at(self, at: int) -> list[Variable]:
        """Those that are seen at a token, the last declared first; hidden ones are not."""
        seen: dict[str, Variable] = {}
        for variable in reversed(self.all):
            if variable.after <= at < variable.end:
                seen.setdefault(variable.name, variable)
        return list(seen.values())

    @cached_property
    def uses(self) -> dict[Variable, list[int]]:
        """The tokens that name each, but for its declaration."""
        found: dict[Variable, list[int]] = {variable: [] for variable in self.all}
        for at in range(len(self.tokens)):
            variable = self.of(at)
            if variable is not None and variable.declared != at:
                found[variable].append(at)
        return found

    def is_written(self, at: int) -> bool:
        """Whether the variable at a token gets a value there, itself or a part of it."""
        tokens, behind = self.tokens, at + 1
        while behind < len(tokens) and tokens[behind].text == "[" and behind in self.closing:
            behind = self.closing[behind] + 1
        before = tokens[at - 1].text if at else ""
        if before in ("++", "--", ">>") or (before == "&" and tokens[at - 2].text in ("(", ",")):
            return True
        return behind < len(tokens) and tokens[behind].text in _WRITES

    def is_first_value(self, at: int) -> bool:
        """Whether a token is the sign behind a variable that is declared there, or behind its dimensions."""
        here = self.of(at - 1) if at and self.tokens[at].text == "=" else None
        return here is not None and here.declared == at - 1

    def in_function(self, at: int) -> bool:
        """Whether the innermost brace around a token holds statements, as far as the token before that brace tells."""
        brace = self._enclosing[at]
        return brace is not None and tokens_text(self.tokens, brace - 1) in _BEFORE_STATEMENTS

    def enclosing(self, at: int) -> int | None:
        """The innermost brace around a token; for a closing brace the one that it closes."""
        return self._enclosing[at]

    def is_type(self, at: int) -> bool:
        """Whether a token is a word of a type that is known here."""
        return self.tokens[at].text in self._types

    def _declaration(self, start: int) -> int:
        """Read the declaration that begins here, if one does; the token behind what was read of it."""
        tokens, at = self.tokens, start
        if start and tokens[start - 1].text not in _BEFORE and tokens[start - 1].kind != "directive":
            return start
        is_constant = False
        while at < len(tokens) and tokens[at].text in _QUALIFIERS:
            is_constant |= tokens[at].text in ("const", "constexpr")
            at += 1
        shape, at = self._type(at)
        if shape is None:
            return start
        opened = self._enclosing_parenthesis(start)
        while at + 1 < len(tokens):
            while tokens[at].text in ("*", "&"):
                at += 1
            name = at
            if tokens[name].kind != "name" or tokens[name + 1].text not in _BEHIND:
                return at
            if tokens[name + 1].text == "(" and self._is_function(name + 1):
                return name + 1
            at, dims, is_given = self._declarator(name + 1)
            found = (shape[0], shape[1] + dims)
            end, after = self._scope(name, opened, at)
            self.all.append(Variable(tokens[name].text, found, name, end, after, is_given, is_constant))
            if at >= len(tokens) or tokens[at].text != "," or (opened is not None and not self._is_for(opened)):
                return at
            at += 1
        return at

    def _type(self, at: int) -> tuple[tuple[str, int] | None, int]:
        """The shape of the type that begins at a token, and the token behind it."""
        tokens = self.tokens
        if at + 1 < len(tokens) and tokens[at].text == "std" and tokens[at + 1].text == "::":
            at += 2
        if at >= len(tokens) or tokens[at].text not in self._types:
            return None, at
        first, behind = tokens[at].text, at + 1
        if first in self._numbers:
            while behind < len(tokens) and (tokens[behind].text in self._numbers or tokens[behind].text == "const"):
                behind += 1
            return ("number", 0), behind
        depth = 0
        while behind < len(tokens) and (depth or tokens[behind].text == "<"):
            depth += (tokens[behind].text == "<") - {">": 1, ">>": 2}.get(tokens[behind].text, 0)
            behind += 1
            if depth <= 0:
                break
        inside = [token.text for token in tokens[at:behind]]
        if first in _ROWS:
            element = next((word for word in inside if word not in _ROWS and word not in ("<", "std", "::")), "")
            base = "number" if element in self._numbers else element
            return (base, sum(word in _ROWS for word in inside)), behind
        return ("".join(inside), 0), behind

    def _declarator(self, at: int) -> tuple[int, int, bool]:
        """From behind a name: the comma, semicolon or parenthesis that ends it, its dimensions, whether it has a value."""
        tokens, dims, is_given = self.tokens, 0, tokens_text(self.tokens, at) in ("=", "(", "{", ":")
        while at < len(tokens) and tokens[at].text not in (",", ";", ")"):
            dims += tokens[at].text == "[" and not is_given
            is_given |= tokens[at].text == "="
            at = self.closing.get(at, at) + 1 if tokens[at].text in _OPENS else at + 1
        return at, dims, is_given

    def _is_function(self, opened: int) -> bool:
        """Whether a parenthesis behind a name holds parameters."""
        inside = tokens_text(self.tokens, opened + 1)
        return inside == ")" or inside in self._types or inside in _QUALIFIERS

    def _is_for(self, opened: int) -> bool:
        return opened > 0 and self.tokens[opened - 1].text == "for"

    def _enclosing_parenthesis(self, at: int) -> int | None:
        """The parenthesis whose first words a declaration is."""
        while at and self.tokens[at - 1].text not in (";", "{", "}"):
            at -= 1
            if self.tokens[at].text == "(" and at in self.closing:
                return at
        return None

    def _scope(self, name: int, opened: int | None, at: int) -> tuple[int, int]:
        """The token behind a variable's scope, and the first at which others may use it."""
        if opened is None:
            brace = self._enclosing[name]
            return (len(self.tokens) if brace is None else self.closing[brace] + 1), at
        behind = self.closing[opened] + 1
        if tokens_text(self.tokens, behind) == "{" and behind in self.closing:
            return self.closing[behind] + 1, at
        while behind < len(self.tokens) and self.tokens[behind].text != ";":
            behind = self.closing.get(behind, behind) + 1
        return behind, at


_BEFORE = frozenset(";{}(,") | {"static"}
_BEFORE_STATEMENTS = frozenset(") else do try const ; { } :".split())
_BEHIND = frozenset("; , = [ ( ) : {".split())


def tokens_text(tokens: list[Token], at: int) -> str:
    """The text of a token, "" behind the last."""
    return tokens[at].text if 0 <= at < len(tokens) else ""


def _partners(tokens: list[Token]) -> dict[int, int]:
    """Opening bracket -> the one that closes it."""
    opened: list[int] = []
    partners: dict[int, int] = {}
    for at, token in enumerate(tokens):
        if token.kind == "other" and token.text in _OPENS:
            opened.append(at)
        elif token.kind == "other" and token.text in _CLOSES and opened:
            partners[opened.pop()] = at
    return partners


def _enclosing(tokens: list[Token]) -> list[int | None]:
    """For each token the innermost brace around it that is closed; for a closing brace the one that it closes."""
    partners = _partners(tokens)
    around: list[int] = []
    found: list[int | None] = []
    for at, token in enumerate(tokens):
        found.append(around[-1] if around else None)
        if around and partners[around[-1]] == at:
            around.pop()
        if token.text == "{" and at in partners:
            around.append(at)
    return found


def _aliases(program: Program) -> set[str]:
    """Names that the program gives to types of numbers."""
    defined = {name: body.split() for name, body in program.macros.items()}
    words = [token.text for token in program.tokens]
    for at in (at for at, word in enumerate(words) if word in ("typedef", "using")):
        said = words[at + 1 : at + 8]
        said = said[: said.index(";")] if ";" in said else []
        if words[at] == "typedef" and said:
            defined[said[-1]] = said[:-1]
        elif said[1:2] == ["="]:
            defined[said[0]] = said[2:]
    return {name for name, body in defined.items() if body and set(body) <= _NUMBERS}
