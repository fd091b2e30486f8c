"""Viable prefixes of an answer, and the first dead character of a wrong one.

Components may come in any order. A component that is followed by a dot is whole: it must be one of the reference, and as
equal components can stand for each other, it does not matter which. The last one, if it is not whole, must be viable for
one of the others. So the answer is as exact as that for a single molecule.

Where other reactants than the reference are right too, only that is dead which no reactants can begin with: a component that
is no molecule, or one more than any named reaction takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.symbolic.chemistry.compare import Target
from rlsf_lightning.symbolic.chemistry.embedding import viable as embedding
from rlsf_lightning.symbolic.chemistry.embedding.reference import known_reference
from rlsf_lightning.symbolic.chemistry.equality.written_marks import has_marks
from rlsf_lightning.symbolic.chemistry.reactions.outcome import MOST_REACTANTS, Outcome
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.chemistry.syntax_viability import certainly_dead_from, dead_from
from rlsf_lightning.symbolic.verifiers.reaction.check import passes
from rlsf_lightning.symbolic.verifiers.reaction.check.round_trip import round_trip
from rlsf_lightning.symbolic.verifiers.reaction.parse import (
    Sides,
    begun_components_of,
    known,
    parse,
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
        if not parsed.is_ended:
            answer = _is_viable(parsed.text, sides)
            return None if answer is False and sides.reactions and not _is_no_answer(parsed.text, sides) else answer
        if passes(parsed.text, sides, max_chars):
            return True
        trip = round_trip(parse(parsed.text, max_chars).components, sides)
        return None if trip.doubt else trip.reaction is not None
    except ToolFailed:  # which components are equal cannot be told
        return None


def first_dead(text: str, sides: Sides, max_chars: int) -> int | None:
    """Offset in ``text`` of its first dead character; its length where only the end is wrong; None: cannot tell."""

    def may_be_right(legible: str) -> bool:
        if passes(legible, sides, max_chars):
            return True
        return round_trip(parse(legible, max_chars).components, sides) != Outcome()

    dead_of = _dead_of_any if sides.reactions else _dead_of
    return dead_from(text, max_chars, partial(dead_of, sides=sides), may_be_right)


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


def _dead_of_any(text: str, sides: Sides) -> int | None:
    """As ``_dead_of``, where other reactants than the reference are right too."""
    by_reference = _dead_of(text, sides)
    if by_reference is None or by_reference == len(text):
        return by_reference
    certain = _no_answer_from(text, sides)
    return None if certain is None else max(certain, by_reference)


def _is_no_answer(text: str, sides: Sides) -> bool:
    return _no_answer_from(text, sides) is not None


def _no_answer_from(text: str, sides: Sides) -> int | None:
    """The first character from which no reactants at all, of a named reaction or the reference, are written."""
    *whole, last = begun_components_of(text)
    most = max(MOST_REACTANTS, len(sides.wanted))
    for number, component in enumerate([*whole, last]):
        if number == most:
            return component.start - 1
        dead = certainly_dead_from(read_smiles(component.text))
        if dead is not None:
            return component.start + dead
        if component is not last and known(component.text) is None:
            return component.end
    return None


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
