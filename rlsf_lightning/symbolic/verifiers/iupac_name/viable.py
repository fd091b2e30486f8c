"""Which beginnings of a name are dead for certain, whatever the reference is: how far OPSIN's grammar can follow a text.

One-sided: a beginning that is not dead may still have no continuation that names the reference. What OPSIN does beside
reading words of its grammar is allowed for, here or in ``NameServer.java``:

- spaces may be left out or added, so only what stands before the first one is judged; a hyphen before "acid" is one;
- inverted names ("benzene, chloro-") put other parts in front of the first, whose ending they may change;
- a ratio ("(1:1)"), an index number ("(9CI)") and a comma at the end are taken away before the rest is read;
- some characters are replaced: what stands behind the first of them is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rlsf_lightning.symbolic.verifiers.iupac_name.text import REPLACED, american

_END_OF_WORD = re.compile(rf"\s|(?<=ic)-|(?<=ous)-|{REPLACED.pattern}")
#: What may vanish, or turn into something else, at the end of a first word. Every beginning of a match matches too.
_LOOSE_ENDS = (
    re.compile(r"[(\[{][0-9:/?cCiI,(\[{)\]}]*$"),
    re.compile(r"[1-9][0-9cCiI]*$"),
    re.compile(r"(?:i|ic|o|ou|ous|e\)?|\))$", re.IGNORECASE),
    re.compile(r"[,;.]$"),
    re.compile(r"p$", re.IGNORECASE),
)


def dead_from(text: str, reach: Callable[[str], int]) -> int | None:
    """The first character from which no name begins so; None where that is not certain. ``reach`` asks OPSIN."""
    match = _END_OF_WORD.search(text)
    word, places = american(text[: match.start()] if match else text)
    reached = reach(word) if word else 0
    if reached >= len(word):
        return None
    for end in range(reached + 1, len(word) + 1):
        if shortest(word[:end]) > reached:
            return places[end] - 1
    return None


def shortest(word: str) -> int:
    """The length of a beginning of a word without what may vanish at its end."""
    length = len(word)
    for pattern in _LOOSE_ENDS:
        match = pattern.search(word[:length])
        length = match.start() if match else length
    return length
