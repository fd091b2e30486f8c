"""What a prompt asks for: the side of the reaction that is given, and the components of the one that is wanted."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.chemistry.compare import Target, target_of
from rlsf_lightning.symbolic.chemistry.smiles_parser import read_smiles
from rlsf_lightning.symbolic.chemistry.validity import illegible
from rlsf_lightning.symbolic.verifiers.reaction.ledger import Ledger, ledger_of, total
from rlsf_lightning.symbolic.verifiers.smiles.verifier import MAX_CHARS

#: direction -> the fact that holds the given side, and an example.
_GIVEN = {
    "forward": ("reactants", '"direction": "forward", "reactants": "CC(=O)O.CN"'),
    "retro": ("product", '"direction": "retro", "product": "CNC(C)=O"'),
}


class Component(NamedTuple):
    """A stretch of an answer between two dots."""

    start: int
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Task(NamedTuple):
    """``wanted``: the components of the reference in the order in which they are written."""

    direction: str
    given: Ledger
    wanted: tuple[Target, ...]

    @property
    def wanted_ledger(self) -> Ledger:
        """Of all components of the reference."""
        return total(ledger_of(target.molecule) for target in self.wanted)


def components_of(text: str) -> list[Component]:
    """The stretches between dots, each of which must be a SMILES by itself; a bond across a dot is none of them."""
    found, start = [], 0
    for piece in text.split("."):
        found.append(Component(start, piece))
        start += len(piece) + 1
    return found


def known(text: str) -> Target | None:
    """The molecule that a component spells; None if it is none."""
    return target_of(text) if text and not read_smiles(text).problems else None


def task_of(prompt: Prompt) -> Task | str:
    """The task, or why RDKit cannot read it. Raises UserError for facts or a reference that are missing or no text."""
    direction = prompt.facts.get("direction")
    if direction not in _GIVEN:
        shown = "is missing" if direction is None else f"is {direction!r}"
        raise UserError(
            f"prompt {prompt.id}: reaction needs the fact `direction`, forward or retro, which {shown}; "
            f"write {_GIVEN['forward'][1]}"
        )
    name, example = _GIVEN[direction]
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
    return _task(direction, given.strip(), prompt.reference.strip())


@lru_cache(maxsize=4096)
def _task(direction: str, given: str, reference: str) -> Task | str:
    unreadable = "RDKit cannot read the {}{} {:.100}"
    given_target = None if illegible(given, MAX_CHARS) else known(given)
    if given_target is None:
        return unreadable.format("", _GIVEN[direction][0], given)
    if illegible(reference, MAX_CHARS):
        return unreadable.format("", "reference", reference)
    wanted: list[Target] = []
    for component in components_of(reference):
        target = known(component.text)
        if target is None:
            return unreadable.format("component of the ", "reference", component.text)
        wanted.append(target)
    return Task(direction, ledger_of(given_target.molecule), tuple(wanted))
