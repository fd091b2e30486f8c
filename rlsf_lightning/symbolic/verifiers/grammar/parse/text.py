"""LALR parser of a text: its tokens, and the first that cannot be.

An LALR parser never shifts a token after which nothing could follow (the viable-prefix property).
"""

from __future__ import annotations

from typing import NamedTuple

from rlsf_lightning.symbolic.verifiers.grammar.lalr.grammar import END, Grammar
from rlsf_lightning.symbolic.verifiers.grammar.regex.fuel import Fuel


class Token(NamedTuple):
    """``type`` is the terminal's name; ``ignored`` ones are not seen by the parser."""

    type: str
    start: int
    end: int
    ignored: bool


class TextReading(NamedTuple):
    """``error``: None if the text is accepted, else one of the kinds of findings, at ``[start, end)``. ``expected``: the
    terminals that may stand there. All places are of ``text``, which begins at ``offset`` of the completion."""

    text: str
    offset: int
    tokens: tuple[Token, ...]
    error: str | None = None
    start: int = 0
    end: int = 0
    expected: tuple[str, ...] = ()
    #: The terminal that stands there instead, if it is one.
    found: str | None = None

    @property
    def parsed_tokens(self) -> list[Token]:
        """Those that the parser sees."""
        return [token for token in self.tokens if not token.ignored]


def parse_text(text: str, grammar: Grammar, fuel: Fuel, offset: int = 0) -> TextReading:
    """All tokens, or those before the first mistake."""
    tokens: list[Token] = []
    stack, at = grammar.bottom, 0
    while at < len(text):
        lexer = grammar.lexer_of(stack)
        lexed = grammar.lex(lexer, text, at, fuel, partial=False)
        is_ignored = lexed.type in lexer.ignored
        after = stack if is_ignored else None if lexed.type is None else grammar.advance(stack, lexed.type)
        if lexed.type is None or after is None:
            there = lexed if lexed.type is not None else grammar.lex(grammar.root_lexer, text, at, fuel, partial=False)
            error, end = ("bad_character", at + 1) if there.type is None else ("unexpected_token", there.end)
            return TextReading(text, offset, tuple(tokens), error, at, end, grammar.expected(stack), there.type)
        tokens.append(Token(lexed.type, at, lexed.end, is_ignored))
        stack, at = after, lexed.end
    if grammar.advance(stack, END) is None:
        return TextReading(text, offset, tuple(tokens), "unexpected_end", at, at, grammar.expected(stack), END)
    return TextReading(text, offset, tuple(tokens))
