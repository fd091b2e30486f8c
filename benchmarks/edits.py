"""What the corpora share: one edit of a text, and where it is; random edits of any text."""

from __future__ import annotations

import random
from collections.abc import Sequence

from corpora import Injected

from rlsf_lightning.records import Span


def replaced(text: str, place: tuple[int, int], new: str, edit: str) -> Injected:
    """The text with ``new`` in the place of some characters. Where only white space is left of them, the place is the gap:
    with its two neighbours, the nearest characters that are not white space."""
    start, end = place
    made = text[:start] + new + text[end:]
    if new.strip():
        return Injected(made, Span(start, start + len(new)), edit)
    return Injected(made, gap(made, start), edit)


def gap(text: str, at: int) -> Span:
    """From the last character before a place to the first one after it, white space left aside."""
    before, after = len(text[:at].rstrip()), len(text) - len(text[at:].lstrip())
    return Span(max(0, before - 1), min(len(text), after + 1))


def mutated(text: str, others: Sequence[str], rng: random.Random) -> str:
    """A hostile relative of a text: some characters or pieces left out, doubled, exchanged or foreign; cut off; spliced
    with another; nested; repeated; or nothing of it but noise."""
    way = rng.randrange(10)
    if way < 5:
        for _ in range(rng.choice([1, 1, 2, 3, 8])):
            text = _edited(text, rng)
        return text
    if way == 5:
        return text[: rng.randint(0, len(text))]
    if way == 6:
        other = rng.choice(others)
        return text[: rng.randint(0, len(text))] + other[rng.randint(0, len(other)) :]
    if way == 7:
        opening, closing = rng.choice(
            ["()", "[]", "{}", "<>", ("if(1){", "}"), ("(", ""), ("[", ""), ("-", ""), ("\\", "")]
        )
        depth = rng.choice([1, 3, 30, 300, 2000])
        return opening * depth + text + closing * rng.choice([depth, depth, depth - 1])
    if way == 8 and text:
        start = rng.randrange(len(text))
        piece = text[start : start + rng.choice([1, 2, 5, 20])]
        return text[:start] + piece * rng.choice([2, 10, 100, 1000]) + text[start:]
    return noise(rng)


def noise(rng: random.Random) -> str:
    """Random characters: printable, of one byte, of all of Unicode (halves of pairs too), or digits and signs."""
    length = rng.choice([0, 1, 5, 20, 100, 400])
    way = rng.randrange(4)
    if way == 0:
        return "".join(chr(rng.randrange(32, 127)) for _ in range(length))
    if way == 1:
        return rng.randbytes(length).decode("latin-1")
    if way == 2:
        return "".join(chr(rng.choice([rng.randrange(0x300), rng.randrange(0x110000)])) for _ in range(length))
    return "".join(rng.choice("0123456789+-*/=()[]{}<>.,;:'\"\\ \n\t") for _ in range(length))


def _edited(text: str, rng: random.Random) -> str:
    at = rng.randint(0, len(text))
    end = min(len(text), at + rng.choice([0, 1, 1, 2, 6]))
    way = rng.randrange(4)
    if way == 0:
        return text[:at] + text[end:]
    if way == 1:
        return text[:at] + text[at:end] * 2 + text[end:]
    if way == 2:
        new = rng.choice(
            [chr(rng.randrange(32, 127)), "\u00e9", "\u200b", "\x00", "\ud800", "\n", "\t", "\U0001f600", "\uff11"]
        )
        return text[:at] + new + text[end:]
    piece = text[end : end + rng.randint(0, 8)]
    return text[:at] + piece + text[at:end] + text[end + len(piece) :]
