"""Changes that certainly do not compile: one of them in a trial costs a second compilation of all the others.

Only what the text shows beyond doubt, so that nothing is lost: what is not recognised here the compiler refuses.
"""

from __future__ import annotations

from itertools import pairwise

from rlsf_lightning.symbolic.verifiers.cpp.parse import Program
from rlsf_lightning.symbolic.verifiers.cpp.repair.changes import Change
from rlsf_lightning.symbolic.verifiers.cpp.source.variables import Variable, Variables, tokens_text

#: That no string has.
_OF_NUMBERS = frozenset("- * / % -= *= /= %=".split())
_STRING, _ROW = ("string", 0), ("number", 1)


class Refused:
    """Knows them for one program."""

    def __init__(self, program: Program, variables: Variables) -> None:
        tokens = program.tokens
        self._variables, self._tokens = variables, tokens
        self._begins = {token.start: at for at, token in enumerate(tokens)}
        self._behind = {token.end: at + 1 for at, token in enumerate(tokens)}
        self._opening = {closed: opened for opened, closed in variables.closing.items()}
        self._has_operators = any(token.text == "operator" for token in tokens) or bool(program.macros)
        #: Names whose every use is of a variable that is known: there is no other declaration of them.
        names = {variable.name for variable in variables.all}
        others = {
            token.text
            for at, token in enumerate(tokens)
            if token.text in names and tokens_text(tokens, at - 1) not in (".", "->") and variables.of(at) is None
        }
        self._names = names - others

    def refuses(self, change: Change) -> bool:
        """Whether the compiler is certain to."""
        if self._has_operators:
            return False
        if change.span.start < change.span.end:
            at = self._begins.get(change.span.start)
            return at is not None and change.new in _OF_NUMBERS and self._is_string(at - 1)
        at = self._behind.get(change.span.start)
        return at is not None and self._refuses_statement(at, change.new)

    def _is_string(self, at: int) -> bool:
        variable = self._variables.of(at) if at >= 0 else None
        return variable is not None and variable.shape == _STRING

    def _refuses_statement(self, at: int, statement: str) -> bool:
        """``at``: the token before which it would stand."""
        words = [token.text for token in Program(statement).tokens]
        if words == ["break", ";"]:
            return not self._may_be_in_loop(at)
        seen = {variable.name: variable for variable in self._variables.at(at)}
        own = {after for before, after in pairwise(words) if before in ("int", ".", "->")}
        if any(word in self._names and word not in seen and word not in own for word in words):
            return True
        if words[1:] in (["++", ";"], ["--", ";"]):
            return self._is_bool(seen.get(words[0]))
        if words[1:4] == ["=", "max", "("] and len(words) == 9:
            return self._is_bool(seen.get(words[0])) is not self._is_bool(seen.get(words[6]))
        return words[:2] == ["sort", "("] and words[3:4] in (["+"], [","]) and self._is_object(seen.get(words[2]))

    def _is_object(self, row: Variable | None) -> bool:
        """Whether a row is no array, so that no number can be added to it."""
        return row is not None and row.shape == _ROW and tokens_text(self._tokens, row.declared + 1) != "["

    def _is_bool(self, variable: Variable | None) -> bool:
        if variable is None or variable.shape != ("number", 0):
            return False
        first = variable.declared - 1
        while first > 0 and self._tokens[first - 1].text not in (";", "{", "}", "("):
            first -= 1
        is_parameter = tokens_text(self._tokens, first - 1) == "("
        return tokens_text(self._tokens, variable.declared - 1 if is_parameter else first) == "bool"

    def _may_be_in_loop(self, at: int) -> bool:
        """Whether some brace around the end of a block is not that of a function, an ``if`` or nothing."""
        brace = self._variables.enclosing(at)
        while brace is not None:
            outer = self._variables.enclosing(brace)
            if outer is not None and not self._is_plain_block(brace):
                return True
            brace = outer
        return False

    def _is_plain_block(self, brace: int) -> bool:
        """Whether a block stands by itself, or behind an ``if (...)`` that begins a statement, or behind its ``else``."""
        before = brace - 1
        if tokens_text(self._tokens, before) == ")":
            before = self._opening.get(before, 0) - 1
            if tokens_text(self._tokens, before) != "if":
                return False
            before -= 1
        if tokens_text(self._tokens, before) == "else":
            opening = self._opening.get(before - 1)
            return opening is not None and self._is_plain_block(opening)
        return tokens_text(self._tokens, before) in (";", "{", "}")
