"""Control dependence: the head of the ``if`` or loop that decides whether a statement is executed, read off the tokens.

No grammar: statements are told apart by their keywords, braces and semicolons. Where a text is not like that the answer
is wrong or missing, which costs precision and nothing else.
"""

from __future__ import annotations

from rlsf_lightning.symbolic.verifiers.cpp.parse import Program, Token

_HEADS = frozenset(("if", "for", "while", "switch", "catch"))
#: Statements that are deeper inside each other than this have the condition of those around them.
MAX_DEPTH = 50

#: Tokens ``[first, last]`` of a head.
Head = tuple[int, int]


def controls(program: Program) -> list[Head | None]:
    """For every token the head that decides whether it is executed; None where there is none."""
    reader = _Reader(program.tokens)
    while reader.at < len(program.tokens):
        before = reader.at
        reader.statement(None, 0)
        reader.at = max(reader.at, before + 1)  # a closing brace too many
    return reader.heads


class _Reader:
    """Reads statement after statement."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.at = tokens, 0
        self.heads: list[Head | None] = [None] * len(tokens)

    def statement(self, head: Head | None, depth: int) -> Head | None:
        """Read one; returns its own head, for an ``else`` that may follow."""
        word = self._word()
        if depth >= MAX_DEPTH:
            self._take(head)  # one token at a time: no deeper, and always on
        elif word == "{":
            self._block(head, depth)
        elif word in _HEADS:
            return self._governed(head, depth)
        elif word == "do":
            self._take(head)
            self.statement(head, depth + 1)
            self._plain(head)
        else:
            self._plain(head)
            if self._word() == "{":  # the body of a function or class
                self._block(head, depth)
        return None

    def _governed(self, head: Head | None, depth: int) -> Head:
        first = self.at
        is_if = self._word() == "if"
        self._take(head)
        if self._word() == "constexpr":
            self._take(head)
        self._parentheses(head)
        own = (first, self.at - 1)
        self.statement(own, depth + 1)
        if is_if and self._word() == "else":
            self._take(own)
            self.statement(own, depth + 1)
        return own

    def _block(self, head: Head | None, depth: int) -> None:
        self._take(head)
        while self.at < len(self.tokens) and self._word() != "}":
            self.statement(head, depth + 1)
        self._take(head)

    def _plain(self, head: Head | None) -> None:
        """Up to a semicolon, a brace or a case's colon."""
        inside = 0
        while self.at < len(self.tokens):
            word = self._word()
            if word == "}" and inside == 0:
                return
            if (
                word == "{"
                and inside == 0
                and (self.at == 0 or self.tokens[self.at - 1].text in (")", "const", "else"))
            ):
                return
            inside += (word in ("(", "{")) - (word in (")", "}"))
            is_label = word == ":" and inside == 0 and self.tokens[self.at - 1].text != "?"
            self._take(head)
            if inside == 0 and (word == ";" or (is_label and self._starts_case())):
                return

    def _starts_case(self) -> bool:
        return any(token.text in ("case", "default") for token in self.tokens[max(0, self.at - 4) : self.at])

    def _parentheses(self, head: Head | None) -> None:
        depth = 0
        while self.at < len(self.tokens):
            word = self._word()
            depth += (word == "(") - (word == ")")
            self._take(head)
            if depth <= 0:
                return

    def _word(self) -> str:
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        return token.text if token is not None and token.kind in ("other", "name") else ""

    def _take(self, head: Head | None) -> None:
        if self.at < len(self.tokens):
            self.heads[self.at] = head
            self.at += 1
