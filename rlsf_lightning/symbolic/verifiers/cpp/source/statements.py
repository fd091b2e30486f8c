"""A program with one statement a line, and the way back: what is counted by lines is then known by statements.

Line breaks are the only change, so the program does the same. Texts in which a break might matter stay as they are.
"""

from __future__ import annotations

import bisect
from functools import cached_property

from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.verifiers.cpp.parse import Program, Token
from rlsf_lightning.symbolic.verifiers.cpp.source.control import Head, controls

#: What follows these is executed or not, as what stands before them decides.
_OPERATORS = frozenset(("&&", "||", "?", ":"))
#: A new line may begin after these.
_BREAKS = frozenset((";", "{", "}", "else", "do")) | _OPERATORS
_HEADS = frozenset(("if", "for", "while", "switch", "catch"))


class Split:
    """``program`` is the text with the breaks in it."""

    def __init__(self, original: Program) -> None:
        text = original.text
        cuts = _cuts(original.tokens) if original.is_plain else []
        self._cuts = [cut for cut in cuts if cut < len(text) and text[cut] not in "\r\n"]
        pieces = [text[start:end] for start, end in zip([0, *self._cuts], [*self._cuts, len(text)], strict=True)]
        self.program = Program("\n".join(pieces))
        #: Where the inserted breaks stand in the new text.
        self._breaks = [cut + i for i, cut in enumerate(self._cuts)]

    def back(self, span: Span) -> Span:
        """The same characters in the original text; ``span`` must lie within one line of the new one."""
        inserted = bisect.bisect_left(self._breaks, span.start)
        return Span(span.start - inserted, span.end - inserted)

    def deciding(self, line: int) -> tuple[int, ...]:
        """The lines of the condition that decides whether a line of the new text is executed; none where nothing does."""
        first = self._first_tokens.get(line)
        if first is None:
            return ()
        if first > 0 and self.program.tokens[first - 1].text in _OPERATORS:
            return (self.program.line_of(self.program.tokens[first - 1].start),)
        head = self._heads[first]
        if head is None:
            return ()
        start, end = (self.program.line_of(self.program.tokens[index].start) for index in head)
        return tuple(range(start, end + 1))

    def on_line(self, line: int) -> list[Token]:
        """The tokens that begin on a line of the new text."""
        first = self._first_tokens.get(line)
        if first is None:
            return []
        rest = self.program.tokens[first:]
        last = next((i for i, token in enumerate(rest) if self.program.line_of(token.start) != line), len(rest))
        return rest[:last]

    @cached_property
    def size(self) -> int:
        """Characters that are not blank."""
        return len("".join(self.program.text.split()))

    @cached_property
    def _heads(self) -> list[Head | None]:
        return controls(self.program)

    @cached_property
    def _first_tokens(self) -> dict[int, int]:
        first: dict[int, int] = {}
        for index, token in enumerate(self.program.tokens):
            first.setdefault(self.program.line_of(token.start), index)
        return first


def _cuts(tokens: list[Token]) -> list[int]:
    """Offsets behind which a statement or condition may begin."""
    cuts = []
    heads: list[bool] = []  # for every open parenthesis: does it belong to an `if`, `for` ...?
    for i, token in enumerate(tokens):
        if i + 1 < len(tokens) and tokens[i + 1].text.startswith("#"):
            continue  # it would become a directive
        if token.kind == "other" and token.text == "(":
            heads.append(i > 0 and tokens[i - 1].text in _HEADS)
        elif token.kind == "other" and token.text == ")":
            if heads and heads.pop():
                cuts.append(token.end)
        elif token.kind in ("other", "name") and token.text in _BREAKS:
            cuts.append(token.end)
    return cuts
