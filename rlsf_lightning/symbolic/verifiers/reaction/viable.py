"""Can this beginning of an answer still become a right one? And where did a wrong one stop being able to?

Components may come in any order. A component that is followed by a dot is whole: it must be one of the reference, and as
equal components can stand for each other, it does not matter which. The last one, if it is not whole, must be viable for
one of the others. So the answer is as exact as that for a single molecule.
"""

from __future__ import annotations

from collections.abc import Sequence

from rlsf_lightning.symbolic.chemistry.compare import Target
from rlsf_lightning.symbolic.chemistry.embedding.reference import Reference, reference_of
from rlsf_lightning.symbolic.chemistry.embedding.viable import find_death, is_viable
from rlsf_lightning.symbolic.verifiers.reaction.task import Task, components_of, known


def is_viable_answer(task: Task, text: str) -> bool | None:
    """Whether ``text``, without blanks around it, or some continuation of it is right; None: cannot tell."""
    *whole, last = components_of(text)
    left = list(task.wanted)
    for component in whole:
        place = _place(component.text, left)
        if place is None:
            return False
        del left[place]
    unknown = False
    for target in _distinct(left):
        answer = is_viable(_reference(target), last.text)
        if answer:
            return True
        unknown |= answer is None
    return None if unknown else False


def first_dead_of(task: Task, text: str) -> int | None:
    """The first dead character of ``text``, its length where only stopping there was wrong; None: cannot tell, or right."""
    left = list(task.wanted)
    for component in components_of(text):
        if not left:
            return component.start - 1  # nothing was missing: the dot should not be there
        place = _place(component.text, left)
        if place is None:
            deaths = [find_death(_reference(target), component.text) for target in _distinct(left)]
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
    return next((i for i, target in enumerate(left) if target.canonical == written.canonical), None)


def _distinct(targets: Sequence[Target]) -> list[Target]:
    return list({target.canonical: target for target in targets}.values())


def _reference(target: Target) -> Reference:
    reference = reference_of(target.smiles)
    assert reference is not None, f"RDKit read {target.smiles} once"
    return reference
