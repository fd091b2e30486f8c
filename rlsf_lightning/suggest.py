"""``did you mean ...?``: the known names nearest to a misspelt one. Imports nothing of this package."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(wrong: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names that a misspelt, or partly written, one may stand for; the likeliest first.

    >>> nearest("temperature", ["rollout.temperature", "rollout.batch_size"])
    ['rollout.temperature']
    """
    names = list(known)
    section, _, leaf = wrong.rpartition(".")
    is_section_known = any(name.rpartition(".")[0] == section for name in names)
    siblings = {name.rpartition(".")[2]: name for name in names if name.rpartition(".")[0] == section}
    near = [name for name in names if name.endswith("." + wrong)]
    near += [siblings[close] for close in difflib.get_close_matches(leaf, siblings, n=most, cutoff=0.65)]
    if not near and not (section and is_section_known):
        near = difflib.get_close_matches(wrong, names, n=most, cutoff=0.75)
    if not near:
        leaves = {name.rpartition(".")[2] for name in names}
        close_leaves = difflib.get_close_matches(leaf, leaves, n=most, cutoff=0.75)
        near = [name for close in close_leaves for name in names if name.rpartition(".")[2] == close]
    return near[:most]


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """``; did you mean `x` or `y`?``, or nothing where no known name is near."""
    near = nearest(wrong, known)
    return f"; did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""


def nearest_of(wrong: str, known: Iterable[str]) -> str:
    """The one known name that is nearest, however far that is."""
    return difflib.get_close_matches(wrong, list(known), n=1, cutoff=0.0)[0]
