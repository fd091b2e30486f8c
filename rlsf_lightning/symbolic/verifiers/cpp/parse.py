"""A lexer for C++: tokens with their spans, and what the compiler's lines and bytes mean in characters.

It expands no macro, and reads any text. Where braces and semicolons are not what they look like it says so (``is_plain``).
"""

from __future__ import annotations

import bisect
import re
from functools import cached_property
from typing import NamedTuple

from rlsf_lightning.records import Span

_TOKEN = re.compile(
    r"""
    (?P<blank>\s+|\\\r?\n)
  | (?P<comment>//(?:\\\r?\n|[^\n])*|/\*.*?(?:\*/|\Z))
  | (?P<string>(?:u8|[uUL])?R"(?P<mark>[^()\\\s"]{0,16})\(.*?(?:\)(?P=mark)"|\Z)
      |(?:u8|[uUL])?"(?:\\.|[^"\\\n])*"?
      |(?:u8|[uUL])?'(?:\\.|[^'\\\n])*'?)
  | (?P<number>\.?[0-9](?:[eEpP][+-]|'(?=\w)|[\w.])*)
  | (?P<name>(?:[^\W\d]|\$)[\w$]*)
  | (?P<other><<=|>>=|<=>|->\*|\.\.\.|::|->|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--|[-+*/%&|^]=|<%|%>|<:|:>|%:|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_DIRECTIVE = re.compile(r"#(?:\\\r?\n|/\*.*?(?:\*/|\Z)|[^\n])*", re.DOTALL)
#: A directive that brings in a file.
INCLUDE = re.compile(r"#\s*(?:include|import)\b")
_DEFINITION = re.compile(r"#\s*define\s+(\w+)(?:\([^)]*\))?(.*)", re.DOTALL)
#: In a definition these hide from this reader where something begins or ends.
_HIDES = re.compile(r"[{}#\\]|\b(?:struct|class|union|template|namespace|extern|operator)\b")
#: Directives that leave text out, and those that say that it stands elsewhere.
_OMITS = re.compile(r"#\s*(?:if|el|endif)")
_MOVES = re.compile(r"#\s*(?:line|[0-9])")
_DIGRAPHS = frozenset(("<%", "%>", "<:", ":>", "%:"))


class Token(NamedTuple):
    """``kind``: string, number, name, other or directive (the whole line)."""

    kind: str
    start: int
    end: int
    text: str

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


class Program:
    """A C++ text, read once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text))]

    @cached_property
    def tokens(self) -> list[Token]:
        """Without comments and white space."""
        tokens, at, at_line_start = [], 0, True
        while at < len(self.text):
            directive = _DIRECTIVE.match(self.text, at) if at_line_start else None
            found = directive or _TOKEN.match(self.text, at)
            assert found is not None and found.end() > at, f"character {at} is in no token"
            kind = "directive" if directive else str(found.lastgroup)
            if kind not in ("blank", "comment"):
                tokens.append(Token(kind, at, found.end(), found.group()))
                at_line_start = False
            if kind == "blank" and "\n" in found.group() and not found.group().startswith("\\"):
                at_line_start = True
            elif kind == "directive":
                at_line_start = True
            at = found.end()
        return tokens

    @cached_property
    def includes_first(self) -> bool:
        """Whether a header is included before any code."""
        for token in self.tokens:
            if token.kind != "directive":
                return False
            if INCLUDE.match(token.text):
                return True
        return False

    @property
    def names_whole_library(self) -> bool:
        """Whether ``<bits/stdc++.h>`` is included."""
        return any(token.kind == "directive" and "bits/stdc++.h" in token.text for token in self.tokens)

    @cached_property
    def macros(self) -> dict[str, str]:
        """Name -> text of every definition."""
        found = (_DEFINITION.match(token.text) for token in self.tokens if token.kind == "directive")
        return {definition[1]: definition[2] for definition in found if definition}

    @property
    def is_plain(self) -> bool:
        """Whether braces, semicolons and class keys are what they look like: no digraphs, conditions or such macros."""
        if not self.keeps_places or any(
            token.kind == "directive" and _OMITS.match(token.text) for token in self.tokens
        ):
            return False
        return not any(_HIDES.search(body) or not _balanced(body) for body in self.macros.values())

    @property
    def keeps_places(self) -> bool:
        """Whether the compiler's lines and columns are those of the text: no joined lines, digraphs or ``#line``."""
        return re.search(r"\\\s*\n", self.text) is None and not any(
            token.text in _DIGRAPHS or (token.kind == "directive" and _MOVES.match(token.text)) for token in self.tokens
        )

    @property
    def lines(self) -> int:
        """How many there are."""
        return len(self._line_starts)

    def offset(self, line: int, byte: int) -> int | None:
        """Of the character at byte ``byte`` of line ``line``, both from 1; None: no such place (``#line`` can do that)."""
        if not 1 <= line <= self.lines or byte < 1:
            return None
        start = self._line_starts[line - 1]
        before = self._content(line).encode("utf-8", "surrogatepass")[: byte - 1]
        at = start + len(before.decode("utf-8", "ignore"))
        return at if len(before) == byte - 1 else None

    def line_span(self, line: int) -> Span | None:
        """A line without the blanks around it; None where it has nothing else, or is not there."""
        return self._line_spans[line - 1] if 1 <= line <= self.lines else None

    def line_of(self, offset: int) -> int:
        """From 1."""
        return bisect.bisect_right(self._line_starts, offset)

    def index_at(self, offset: int) -> int | None:
        """Which token holds a character."""
        index = bisect.bisect_right(self.tokens, offset, key=lambda token: token.start) - 1
        return index if index >= 0 and offset < self.tokens[index].end else None

    @cached_property
    def _line_spans(self) -> list[Span | None]:
        spans: list[Span | None] = []
        for line in range(1, self.lines + 1):
            content = self._content(line)
            code = content.strip()
            start = self._line_starts[line - 1] + content.find(code)
            spans.append(Span(start, start + len(code)) if code else None)
        return spans

    def _content(self, line: int) -> str:
        end = self._line_starts[line] if line < self.lines else len(self.text)
        return self.text[self._line_starts[line - 1] : end].rstrip("\n")


def _balanced(body: str) -> bool:
    depth = 0
    for character in body:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0
