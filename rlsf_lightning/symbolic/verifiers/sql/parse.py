"""Parses a text into SQLite's tokens with their spans; mistakes that show before any grammar are found here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.certificates import too_long
from rlsf_lightning.symbolic.verifiers.sql.sqlite.tokens import Token, tokens_of

_MAX_BAD = 50


class Query(NamedTuple):
    """``mistake``: why it is none that SQLite could be asked about; then there may be no tokens."""

    text: str
    tokens: tuple[Token, ...]
    mistake: Finding | None


def parse(text: str, max_chars: int) -> Query:
    """The query that a text without white space around it holds."""
    illegible = _illegible(text, max_chars)
    if illegible is not None:
        return Query(text, (), illegible)
    tokens = tokens_of(text)
    return Query(text, tokens, _incomplete(tokens))


def is_legible(text: str, max_chars: int) -> bool:
    """Whether SQLite can be given this text."""
    return len(text) <= max_chars and not any(map(is_bad, text))


def first_illegible(text: str, max_chars: int) -> int | None:
    """The first character that makes a text illegible: white space beyond the limit may be stripped."""
    found = (i for i, c in enumerate(text) if is_bad(c) or (i >= max_chars and not c.isspace()))
    return next(found, None)


def is_bad(character: str) -> bool:
    """What SQLite cannot be given: the null character, and half of a pair of surrogates."""
    return character == "\0" or "\ud800" <= character <= "\udfff"


def _illegible(text: str, max_chars: int) -> Finding | None:
    if not text:
        return Finding("empty", "there is no query")
    if len(text) > max_chars:
        return too_long(text, max_chars)
    bad = tuple(Span(i, i + 1) for i, character in enumerate(text) if is_bad(character))
    return Finding("bad_character", "no query has such a character", bad[:_MAX_BAD]) if bad else None


def _incomplete(tokens: Sequence[Token]) -> Finding | None:
    if not tokens:
        return Finding("empty", "there are only comments")
    last = tokens[-1]
    if last.kind in ("open", "open_blob", "open_comment"):
        opened = Span(last.start, last.start + 1)
        return Finding("unclosed", f"{last.text[:2]} is opened here and never closed", (opened,))
    return None
