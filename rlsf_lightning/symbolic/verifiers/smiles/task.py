"""The task of a prompt: a reference molecule, or any valid molecule."""

from __future__ import annotations

from dataclasses import dataclass

from rlsf_lightning.errors import ToolFailed
from rlsf_lightning.records import Prompt
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.compare import Target, target_of
from rlsf_lightning.symbolic.chemistry.elements import Elements
from rlsf_lightning.symbolic.chemistry.validity import forbidden_atoms, illegible


@dataclass(frozen=True)
class Task:
    """``reference``: a SMILES of the molecule; None: any molecule will do."""

    reference: str | None

    def target(self, elements: Elements) -> Target | None:
        """The reference, if there is one. Raises ToolFailed where RDKit cannot read it, or it has forbidden elements."""
        if self.reference is None:
            return None
        if not illegible(self.reference, rdkit_io.MAX_CHARS) and not forbidden_atoms(self.reference, elements):
            target = target_of(self.reference)
            if target is not None:
                return target
        raise ToolFailed(f"RDKit cannot read the reference {self.reference[:100]}, or it has forbidden elements")


def task_of(prompt: Prompt) -> Task:
    """The task of a prompt, whose facts do not matter."""
    return Task(prompt.reference)
