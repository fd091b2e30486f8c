"""A completion, or a prefix of one, as a SMILES."""

from __future__ import annotations

from typing import Any, NamedTuple

from rlsf_lightning.records import Finding
from rlsf_lightning.symbolic.chemistry import rdkit_io
from rlsf_lightning.symbolic.chemistry.syntax_viability import Prefix, legible_prefix
from rlsf_lightning.symbolic.chemistry.validity import Limits, read_molecule


class Parsed(NamedTuple):
    """``molecule``: sanitised; None where it is none. ``findings``: what is wrong whatever is asked for, spans of ``text``."""

    text: str
    molecule: Any | None
    findings: list[Finding]

    @property
    def canonical(self) -> str | None:
        """The canonical SMILES of the molecule."""
        return None if self.molecule is None else rdkit_io.canonical(self.molecule)


def parse(text: str, limits: Limits) -> Parsed:
    """``text`` has no white space around it."""
    findings, molecule = read_molecule(text, limits)
    return Parsed(text, molecule, findings)


def parse_prefix(prefix: str, limits: Limits) -> Prefix | None:
    """None where no continuation is read at all."""
    return legible_prefix(prefix, limits.max_chars)
