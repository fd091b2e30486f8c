"""The first dead character of a name: how far OPSIN's grammar can follow it, whatever the reference is.

One-sided: a prefix that is not dead may still have no continuation that names the reference. What OPSIN does beside
reading words of its grammar is allowed for, here or in ``NameServer.java``:

- spaces may be left out or added, so only what stands before the first one is judged; a hyphen before "acid" is one;
- inverted names ("benzene, chloro-") put other parts in front of the first, whose ending they may change;
- a ratio ("(1:1)"), an index number ("(9CI)") and a comma at the end are taken away before the rest is read;
- some characters are replaced: what stands behind the first of them is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.verifiers.iupac_name.parse import REPLACED, american, is_bad

_END_OF_WORD = re.compile(rf"\s|(?<=ic)-|(?<=ous)-|{REPLACED.pattern}")
#: What may vanish, or turn into something else, at the end of a first word. Every prefix of a match matches too.
_LOOSE_ENDS = (
    re.compile(r"[(\[{][0-9:/?cCiI,(\[{)\]}]*$"),
    re.compile(r"[1-9][0-9cCiI]*$"),
    re.compile(r"(?:i|ic|o|ou|ous|e\)?|\))$", re.IGNORECASE),
    re.compile(r"[,;.]$"),
    re.compile(r"p$", re.IGNORECASE),
)


class Viability:
    """What becomes of prefixes.

    Args:
        max_chars: longer names are not read.
        reach: asks OPSIN how far its grammar can follow a word.
    """

    def __init__(self, max_chars: int, reach: Callable[[str], int]) -> None:
        self.max_chars, self.reach = max_chars, reach

    def is_dead(self, prefix: str, may_pass: Callable[[str], bool]) -> bool:
        """Whether no continuation passes, for certain. ``may_pass``: whether a text may pass as it stands."""
        text = prefix.lstrip()
        core = text.rstrip()
        if len(core) > self.max_chars or any(map(is_bad, core)):
            return True
        if any(map(is_bad, text)) and not may_pass(core):
            return True  # nothing but blanks may follow
        return first_dead(core, self.reach) is not None

    def dead_from(self, completion: str, may_pass: Callable[[str], bool]) -> int | None:
        """The first dead character of a completion that does not pass; None: not known."""
        text, offset = stripped(completion)
        if not text:
            return len(completion)
        bad = next((at for at, character in enumerate(text[: self.max_chars]) if is_bad(character)), None)
        legible = text[: self.max_chars if bad is None else bad]
        dead = first_dead(legible, self.reach)
        if dead is not None:
            return offset + dead
        may_end: bool | None = None
        for at, character in enumerate(text[len(legible) :], len(legible)):
            if not character.isspace():
                return offset + at
            if is_bad(character) and may_end is None:
                may_end = may_pass(legible.rstrip())
            if may_end is False:  # not even such a blank may follow
                return offset + at
        return None


def first_dead(text: str, reach: Callable[[str], int]) -> int | None:
    """The first character from which no name begins so; None where that is not certain. ``reach`` as above."""
    match = _END_OF_WORD.search(text)
    word, offsets = american(text[: match.start()] if match else text)
    reached = reach(word) if word else 0
    if reached >= len(word):
        return None
    for end in range(reached + 1, len(word) + 1):
        if shortest(word[:end]) > reached:
            return offsets[end] - 1
    return None


def shortest(word: str) -> int:
    """The length of a word without what may vanish at its end."""
    length = len(word)
    for pattern in _LOOSE_ENDS:
        match = pattern.search(word[:length])
        length = match.start() if match else length
    return length
