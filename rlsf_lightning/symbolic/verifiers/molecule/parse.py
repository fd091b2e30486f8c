"""A completion, or a prefix of one, as a SMILES, with the molecule that RDKit reads and the atoms as they are written."""

from __future__ import annotations

from typing import Any, NamedTuple

from rdkit import Chem

from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.chemistry.common_substructure import written_numbers
from rlsf_lightning.symbolic.chemistry.smiles_parser import SmilesMap, read_smiles
from rlsf_lightning.symbolic.chemistry.syntax_viability import Prefix, legible_prefix
from rlsf_lightning.symbolic.chemistry.validity import Limits, read_molecule


class Parsed(NamedTuple):
    """``molecule``: sanitised; None where it is none. ``findings``: what is wrong whatever is stated, spans of ``text``."""

    text: str
    molecule: Any | None
    findings: list[Finding]

    @property
    def read(self) -> SmilesMap:
        """What the parser reads."""
        return read_smiles(self.text)

    @property
    def charge(self) -> int:
        """Of the molecule, which there must be."""
        return int(Chem.GetFormalCharge(self.molecule))

    def numbers(self) -> list[int]:
        """For each atom of the molecule, which there must be, its place among those that are written."""
        return written_numbers(self.text, self.molecule, self.read)


def parse(text: str, limits: Limits) -> Parsed:
    """``text`` has no white space around it."""
    findings, molecule = read_molecule(text, limits)
    return Parsed(text, molecule, findings)


def parse_prefix(prefix: str, limits: Limits) -> Prefix | None:
    """None where no continuation is read at all."""
    return legible_prefix(prefix, limits.max_chars)
