"""From a completion to the object in it, and where that starts. Spans of findings are shifted by this offset."""

from __future__ import annotations


def stripped(completion: str) -> tuple[str, int]:
    """The completion without the white space around it, and the offset of its first character.

    >>> stripped(" CCO ")
    ('CCO', 1)
    """
    text = completion.strip()
    return text, completion.find(text) if text else 0
