"""Parses a name: what may stand in it, what OPSIN reads in it, and OPSIN's tokens at their characters."""

from __future__ import annotations

import itertools
import re
from typing import Any, NamedTuple

from rlsf_lightning.records import Finding, Span
from rlsf_lightning.symbolic.certificates import too_long
from rlsf_lightning.symbolic.verifiers.iupac_name.tool.server import NameServer

#: Beside ASCII: the sign of racemates, Greek letters, primes and dashes. OPSIN would also fold accents away, which would
#: pass a misspelling.
_FURTHER = frozenset("±αβγδεζηθικλμνξοπρστυφχψω′″‴‵‐‑‒–—−")  # noqa: RUF001
#: What cannot be in a name. Control characters would also break the line that OPSIN reads.
BAD = re.compile(rf"[^ -~{''.join(sorted(_FURTHER))}]+")
#: OPSIN reads something else for these, or for what may become these.
REPLACED = re.compile(r"[^ -~]|[$&`\"]|\.[A-Za-z]")
_SULPH = re.compile("sulph", re.IGNORECASE)


class Token(NamedTuple):
    """A token of a name: its characters, its kind in OPSIN's grammar, and the number of the part of the name it is in."""

    start: int
    end: int
    tag: str
    part: int


class Name(NamedTuple):
    """``mistakes``: why OPSIN is not asked; else ``answer`` is what it says, as of ``read`` in ``NameServer.java``."""

    text: str
    mistakes: list[Finding]
    answer: dict[str, Any]

    @property
    def is_followed(self) -> bool:
        """Whether OPSIN's grammar can follow the name to its end, whatever it means."""
        return "smiles" in self.answer or "tokens" in self.answer


def parse(text: str, max_chars: int, server: NameServer) -> Name:
    """The name that a text without white space around it is. Raises ToolFailed where OPSIN does."""
    mistakes = illegible(text, max_chars)
    return Name(text, mistakes, {} if mistakes else server.ask("read", american(text)[0]))


def illegible(text: str, max_chars: int) -> list[Finding]:
    """What is wrong with a text that OPSIN is never asked about: empty, too long, or with impossible characters."""
    if not text:
        return [Finding("empty", "there is no name")]
    if len(text) > max_chars:
        return [too_long(text, max_chars)]
    spans = tuple(Span(*match.span()) for match in BAD.finditer(text))
    return [Finding("bad_character", "a name has no such characters", spans)] if spans else []


def is_bad(character: str) -> bool:
    """Whether a character cannot be in a name."""
    return BAD.match(character) is not None


def american(text: str) -> tuple[str, list[int]]:
    """The text with ``sulf`` for ``sulph``, as OPSIN reads it, and the offset in the text of each character and of the end."""
    if not _SULPH.search(text):
        return text, list(range(len(text) + 1))
    offsets, kept, last = list[int](), list[str](), 0
    for match in _SULPH.finditer(text):
        stop = match.start() + 3
        kept.append(text[last:stop] + "f")
        offsets += [*range(last, stop), stop]
        last = match.end()
    kept.append(text[last:])
    offsets += range(last, len(text) + 1)
    return "".join(kept), offsets


def tokens_of(found: list[list[Any]], text: str) -> tuple[Token, ...]:
    """OPSIN's tokens (part, kind, text) at their characters of the text; an empty range where one cannot be found.

    They come in the order of the name, but for inverted names: there the parts behind the first come before it.
    """
    lower, offsets = american(text.lower())
    cuts = [match.start() for match in re.finditer(", ", lower)]
    pieces = [range(a, b) for a, b in itertools.pairwise([0, *cuts, len(lower)])]
    orders = [pieces, [*pieces[1:], pieces[0]], [*pieces[:0:-1], pieces[0]]] if cuts else [pieces]
    tries = [_aligned(found, "".join(lower[p.start : p.stop] for p in order), order, offsets) for order in orders]
    return tuple(min(tries, key=lambda tokens: sum(token.start == token.end for token in tokens)))


def _aligned(found: list[list[Any]], ordered: str, order: list[range], offsets: list[int]) -> list[Token]:
    """Each token at its first occurrence behind the one before it."""
    original = [at for piece in order for at in piece]
    tokens, at = list[Token](), 0
    for part, tag, value in found:
        start = ordered.find(value.lower(), at) if value else -1
        if start < 0:
            tokens.append(Token(0, 0, tag, part))
            continue
        at = start + len(value)
        tokens.append(Token(offsets[original[start]], offsets[original[at - 1] + 1], tag, part))
    return tokens
