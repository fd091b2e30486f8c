"""The task of a prompt: the molecule to be named."""

from __future__ import annotations

from dataclasses import dataclass

from rlsf_lightning.errors import UserError
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.chemistry.compare import Target, target_of

#: RDKit never sees longer SMILES: a short name may have one of 100,000 characters.
MAX_SMILES = 1000


@dataclass(frozen=True)
class Task:
    """``target``: None if RDKit cannot read the reference."""

    target: Target | None


def task_of(prompt: Prompt) -> Task:
    """The task of a prompt. Raises UserError where it has no reference."""
    smiles = prompt.reference
    if not isinstance(smiles, str) or not smiles.strip():
        raise UserError(
            f"iupac_name needs each prompt's molecule as its `reference`, a SMILES, which is {smiles!r}; "
            'write "reference": "CCO"'
        )
    smiles = smiles.strip()
    is_legible = len(smiles) <= MAX_SMILES and smiles.isascii() and smiles.isprintable()
    return Task(target_of(smiles) if is_legible else None)
