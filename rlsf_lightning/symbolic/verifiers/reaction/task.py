"""The task of a prompt: the side of the reaction that is given, and the components of the one that is wanted."""

from __future__ import annotations

from dataclasses import dataclass

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt

#: direction -> the fact that holds the given side, and an example.
GIVEN = {
    "forward": ("reactants", '"direction": "forward", "reactants": "CC(=O)O.CN"'),
    "retro": ("product", '"direction": "retro", "product": "CNC(C)=O"'),
}


@dataclass(frozen=True)
class Task:
    """``given`` and ``reference``: both sides as SMILES. ``direction``: forward, from the reactants, or retro."""

    direction: str
    given: str
    reference: str


def task_of(prompt: Prompt) -> Task:
    """The task of a prompt. Raises UserError for facts or a reference that are missing or no text."""
    direction = prompt.facts.get("direction")
    if direction not in GIVEN:
        shown = "is missing" if direction is None else f"is {direction!r}"
        raise UserError(
            f"prompt {prompt.id}: reaction needs the fact `direction`, forward or retro, which {shown}; "
            f"write {GIVEN['forward'][1]}"
        )
    name, example = GIVEN[direction]
    given = prompt.facts.get(name)
    if not isinstance(given, str) or not given.strip():
        shown = "is missing" if given is None else f"is {str(given)[:50]!r}"
        raise UserError(
            f"prompt {prompt.id}: reaction needs the fact `{name}`, a SMILES, which {shown}; write {example}"
        )
    if prompt.reference is None or not prompt.reference.strip():
        raise UserError(
            f'prompt {prompt.id}: reaction needs a reference, the components of the answer; write "reference": "CCO.CC"'
        )
    return Task(direction, given.strip(), prompt.reference.strip())
