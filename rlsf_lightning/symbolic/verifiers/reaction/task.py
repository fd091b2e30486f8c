"""The task of a prompt: the side of the reaction that is given, the components of the one that is wanted, and other ways."""

from __future__ import annotations

from dataclasses import dataclass

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt
from rlsf_lightning.suggest import did_you_mean
from rlsf_lightning.symbolic.chemistry.reactions.outcome import NAMED_REACTIONS

#: direction -> the fact that holds the given side, and an example.
GIVEN = {
    "forward": ("reactants", '"direction": "forward", "reactants": "CC(=O)O.CN"'),
    "retro": ("product", '"direction": "retro", "product": "CNC(C)=O"'),
}


@dataclass(frozen=True)
class Task:
    """``given`` and ``reference``: both sides as SMILES. ``direction``: forward, from the reactants, or retro.

    ``reactions``: the named reactions by which other reactants may lead to the product, too.
    """

    direction: str
    given: str
    reference: str
    reactions: tuple[str, ...] = ()


def task_of(prompt: Prompt, round_trip: bool = False) -> Task:
    """The task of a prompt. Raises UserError for facts or a reference that are missing, or that are not what they must be."""
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
    reactions = _reactions(prompt) if round_trip and direction == "retro" else ()
    return Task(direction, given.strip(), prompt.reference.strip(), reactions)


def _reactions(prompt: Prompt) -> tuple[str, ...]:
    """The names in the fact ``reactions``; all of them where there is no such fact."""
    names = prompt.facts.get("reactions")
    if names is None:
        return tuple(NAMED_REACTIONS)
    example = 'write "reactions": ["amide coupling"], or leave the fact out for all of them'
    if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) for name in names):
        raise UserError(
            f"prompt {prompt.id}: the fact `reactions` is {str(names)[:100]!r}, no list of names; {example}"
        )
    unknown = [name for name in names if name not in NAMED_REACTIONS]
    if unknown:
        hint = did_you_mean(unknown[0], list(NAMED_REACTIONS))
        raise UserError(f"prompt {prompt.id}: no reaction is named {unknown[0][:50]!r}{hint}; {example}")
    return tuple(dict.fromkeys(names))
