"""Viable prefixes of an answer, and the first dead character of a wrong one.

Components may come in any order. A component that is followed by a dot is whole: it must be one of the reference, and as
equal components can stand for each other, it does not matter which. The last one, if it is not whole, must be viable for
one of the others. So the answer is as exact as that for a single molecule.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.symbolic.chemistry.compare import Target
from rlsf_lightning.symbolic.chemistry.embedding import viable as embedding
from rlsf_lightning.symbolic.chemistry.embedding.reference import known_reference
from rlsf_lightning.symbolic.chemistry.equality.written_marks import has_marks
from rlsf_lightning.symbolic.chemistry.syntax_viability import dead_from
from rlsf_lightning.symbolic.verifiers.reaction.check import passes
from rlsf_lightning.symbolic.verifiers.reaction.parse import (
    Sides,
    begun_components_of,
    known,
    parse_prefix,
    sides_of,
)
from rlsf_lightning.symbolic.verifiers.reaction.task import Task


def is_viable(prefix: str, task: Task, max_chars: int) -> bool | None:
    """Whether ``prefix``, or some continuation of it, passes; None: cannot tell."""
    parsed = parse_prefix(prefix, max_chars)
    if parsed is None:
        return False
    try:
        sides = sides_of(task)
    except ToolFailed:
        return None
    try:
        return passes(parsed.text, sides, max_chars) if parsed.is_ended else _is_viable(parsed.text, sides)
    except ToolFailed:  # which components are equal cannot be told
        return None


def first_dead(text: str, sides: Sides, max_chars: int) -> int | None:
    """Offset in ``text`` of its first dead character; its length where only the end is wrong; None: cannot tell."""
    is_right = partial(passes, sides=sides, max_chars=max_chars)
    return dead_from(text, max_chars, partial(_dead_of, sides=sides), is_right)


def _is_viable(text: str, sides: Sides) -> bool | None:
    """Whether ``text``, without blanks around it, or some continuation of it is right; None: cannot tell."""
    *whole, last = begun_components_of(text)
    left = list(sides.wanted)
    for component in whole:
        place = _place(component.text, left)
        if place is None:
            return False
        del left[place]
    unknown = False
    for target in _distinct(left):
        answer = embedding.is_viable(known_reference(target.smiles), last.text)
        if answer:
            return True
        unknown |= answer is None
    return None if unknown else False


def _dead_of(text: str, sides: Sides) -> int | None:
    """The first dead character of ``text``, its length where only stopping there was wrong; None: cannot tell, or right."""
    left = list(sides.wanted)
    for component in begun_components_of(text):
        if not left:
            return component.start - 1  # nothing was missing: the dot should not be there
        place = _place(component.text, left)
        if place is None:
            deaths = [
                embedding.find_death(known_reference(target.smiles), component.text) for target in _distinct(left)
            ]
            if any(death.complete for death in deaths) and component.end < len(text):
                return component.end  # as far as prefixes show this is right, but it may not be whole
            certain = [death.at for death in deaths if death.at is not None]
            return component.start + max(certain) if len(certain) == len(deaths) else None
        del left[place]
    return len(text) if left else None


def _place(text: str, left: Sequence[Target]) -> int | None:
    """The place of a component among those that are left."""
    written = known(text)
    if written is None:
        return None
    return next((i for i, target in enumerate(left) if written.spells(target)), None)


def _distinct(targets: Sequence[Target]) -> list[Target]:
    return list(
        {target.smiles if has_marks(target.smiles) else target.canonical: target for target in targets}.values()
    )
