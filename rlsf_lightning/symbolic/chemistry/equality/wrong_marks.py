"""The wrong marks of stereochemistry in a SMILES that is right but for these: every combination is compared."""

from __future__ import annotations

import itertools
import re

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Span
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.equality.isomorphism import Budget
from rlsf_lightning.symbolic.chemistry.equality.same_molecule import is_same

#: Combinations of marks that are tried at most.
MAX_COMBINATIONS = 256
_MARK = re.compile(r"@@?(?![A-Z]*[A-GI-Z])|[/\\]")
_CENTRE, _DIRECTION = ("@", "@@", ""), ("/", "\\", "")


def wrong_marks(text: str, reference: str) -> tuple[Span, ...]:
    """The marks of ``text`` to change for those of the reference, a SMILES.

    By the combination that agrees with the written one for longest; all marks if no combination is right (some are
    missing, say).
    """
    marks = list(_MARK.finditer(text))
    right = _nearest_right(text, marks, reference)
    return tuple(Span(*mark.span()) for i, mark in enumerate(marks) if right is None or mark[0] != right[i])


def _nearest_right(text: str, marks: list[re.Match[str]], reference: str) -> tuple[str, ...] | None:
    """The right combination that agrees with the written one for longest, then at most places."""
    written = tuple(mark[0] for mark in marks)
    choices: list[tuple[str, ...]] = [_CENTRE if mark[0] == "@" else _DIRECTION for mark in written]
    if 3 ** len(marks) > MAX_COMBINATIONS:
        choices = [options[:2] for options in choices]
    if 2 ** len(marks) > MAX_COMBINATIONS:
        return None
    pieces = [text[a:b] for a, b in itertools.pairwise([0, *(at for mark in marks for at in mark.span()), len(text)])]
    budget = Budget()
    best: tuple[tuple[int, int], tuple[str, ...]] | None = None
    for combination in itertools.product(*choices):
        same = [a == b for a, b in zip(written, combination, strict=True)]
        rank = (len(list(itertools.takewhile(bool, same))), sum(same))
        if best is not None and rank <= best[0]:
            continue
        pieces[1::2] = combination
        changed = "".join(pieces)
        try:
            is_right = rdkit_io.parse(changed) is not None and is_same(changed, reference, budget)
        except ToolFailed:
            return None
        if is_right:
            best = (rank, combination)
    return None if best is None else best[1]
