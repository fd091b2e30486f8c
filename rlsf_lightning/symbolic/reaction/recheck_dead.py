"""A second opinion on a first dead character: what stands before it is tried out, and what stands there."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from rlsf_lightning.records import Certificate, Finding, Prompt, Span
from rlsf_lightning.symbolic.extract import stripped
from rlsf_lightning.symbolic.reaction.isomorphism import same_molecule
from rlsf_lightning.symbolic.reaction.recheck_mapping import MARK
from rlsf_lightning.symbolic.reaction.task import Task, components_of
from rlsf_lightning.symbolic.smiles.recheck import dies
from rlsf_lightning.symbolic.smiles.stereo import MAX_COMBINATIONS


def dead_stands(
    certificate: Certificate, prompt: Prompt, completion: str, task: Task, viable: Callable[[Prompt, str], bool | None]
) -> bool:
    """Whether nothing is found against ``dead_from``."""
    dead = certificate.dead_from
    if dead is None or dies(dead, completion, lambda prefix: viable(prompt, prefix)):
        return True
    text, offset = stripped(completion)
    left = [target.smiles for target in task.wanted]
    for component in components_of(text):
        same = next((smiles for smiles in left if component.text and same_molecule(component.text, smiles)), None)
        if same is None:
            return _dies_by_stereo(component.text, dead - offset - component.start, left)
        left.remove(same)
    return False


def _dies_by_stereo(text: str, dead: int, left: list[str]) -> bool:
    """Whether a component that is right but for its stereochemistry could stay so up to ``dead``, and no further.

    All its marks are changed in every way; where that makes nothing right, the first mark must be the place.
    """
    if not 0 <= dead <= len(text) or not text or not any(_same_skeleton(text, smiles) for smiles in left):
        return False
    marks = list(MARK.finditer(text))
    pieces = MARK.split(text)
    options: list[tuple[str, ...]] = [("@", "@@", "") if mark[0][0] == "@" else ("/", "\\", "") for mark in marks]
    if 3 ** len(marks) > MAX_COMBINATIONS:
        options = [choice[:2] for choice in options]
    others = []
    if 2 ** len(marks) <= MAX_COMBINATIONS:
        for chosen in itertools.product(*options):
            other = "".join(itertools.chain(*itertools.zip_longest(pieces, chosen, fillvalue="")))
            if any(same_molecule(other, smiles) for smiles in left):
                others.append(other)
    if not others:
        return dead == (marks[0].start() if marks else len(text))
    before, through = text[:dead], text[: dead + 1]
    goes_on = dead < len(text) and any(other.startswith(through) for other in others)
    return any(other.startswith(before) for other in others) and not goes_on


def _same_skeleton(ours: str, theirs: str) -> bool:
    return same_molecule(MARK.sub("", ours), MARK.sub("", theirs))


def dead_end_stands(certificate: Certificate, finding: Finding, text: str, offset: int) -> bool:
    """Whether the finding is at the first dead character and the one before it."""
    if certificate.dead_from is None:
        return False
    dead = certificate.dead_from - offset
    start, end = (max(0, dead - 1), dead + 1) if dead < len(text) else (dead, dead)
    return finding.spans == (Span(start + offset, end + offset),)
